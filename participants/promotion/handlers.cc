#include "participants/promotion/handlers.h"

#include "engine/wire/json.h"
#include "mall/promotion.pb.h"
#include "mall/promotion_admin.pb.h"
#include "mall/seed.pb.h"
#include "participants/kit/dump.h"
#include "participants/kit/money.h"
#include "participants/promotion/ledger.h"
#include "participants/promotion/model.h"

namespace skald::mall::promotion {
namespace {

namespace api = ::promotion;
namespace admin = ::promotion::admin;
using kit::Txn;

constexpr std::uint16_t kPort = 9905;

/// Cents, or where there are none the legacy amount; both given must agree.
Result<std::int64_t> total_of(const api::CalculateDiscountRequest& request) {
  if (!request.has_total_cents()) return kit::cents_of(request.total_amount(), "total_amount");
  const auto total = request.total_cents();
  if (total < 0 || total > kit::kCentsMax) {
    return fail(Errc::invalid_argument, "total_cents out of range");
  }
  if (request.total_amount() != 0) {
    const auto legacy = kit::cents_of(request.total_amount(), "total_amount");
    if (!legacy) return legacy;
    if (*legacy != total) {
      return fail(Errc::invalid_argument, "total_amount and total_cents disagree");
    }
  }
  return total;
}

std::string_view holder_reason(Txn& txn, std::int64_t coupon_id, std::int64_t user_id) {
  const auto record = find_record(txn, coupon_id, user_id);
  if (!record) return "not_owner";
  switch (record->status) {
    case RecordStatus::unused:
      return "";
    case RecordStatus::used:
      return "already_used";
    case RecordStatus::expired:
      return "expired";
  }
  return "";
}

Result<api::CalculateDiscountResponse> calculate(Txn& txn,
                                                 const api::CalculateDiscountRequest& request) {
  const auto total = total_of(request);
  if (!total) return std::unexpected(total.error());
  const auto coupon = find_coupon(txn, request.coupon_id());
  if (!coupon) return fail(Errc::not_found, "coupon_id={} unknown", request.coupon_id());
  Discount discount = discount_of(*coupon, *total, txn.now());
  if (discount.reason.empty() && request.user_id() != 0) {
    const auto reason = holder_reason(txn, coupon->id, request.user_id());
    if (!reason.empty()) discount = {0, *total, reason};
  }
  api::CalculateDiscountResponse response;
  response.set_discount_amount(kit::amount_of(discount.discount_cents));
  response.set_pay_amount(kit::amount_of(discount.pay_cents));
  response.set_valid(discount.reason.empty());
  response.set_discount_cents(discount.discount_cents);
  response.set_pay_cents(discount.pay_cents);
  response.set_reason(std::string(discount.reason));
  return response;
}

/// The user's record of a coupon. Errors: not_found, no such coupon; failed_precondition, another
/// user's or nobody's.
Result<CouponRecord> held_record(Txn& txn, std::int64_t coupon_id, std::int64_t user_id) {
  if (!find_coupon(txn, coupon_id)) {
    return fail(Errc::not_found, "coupon_id={} unknown", coupon_id);
  }
  auto record = find_record(txn, coupon_id, user_id);
  if (!record) {
    return fail(Errc::failed_precondition, "coupon_id={} not_owner user_id={}", coupon_id, user_id);
  }
  return std::move(*record);
}

Result<api::UseCouponResponse> use_coupon(Txn& txn, const api::UseCouponRequest& request) {
  auto record = held_record(txn, request.coupon_id(), request.user_id());
  if (!record) return std::unexpected(record.error());
  const auto coupon = find_coupon(txn, request.coupon_id());
  const auto used = use(std::move(*record), *coupon, request.used_order_id(), txn.now());
  if (!used) return std::unexpected(used.error());
  put_record(txn, *used);
  api::UseCouponResponse response;
  response.set_success(true);
  return response;
}

Result<api::ReleaseCouponResponse> release_coupon(Txn& txn,
                                                  const api::ReleaseCouponRequest& request) {
  auto record = held_record(txn, request.coupon_id(), request.user_id());
  if (!record) return std::unexpected(record.error());
  const auto released = release(std::move(*record), request.used_order_id());
  if (!released) return std::unexpected(released.error());
  put_record(txn, *released);
  api::ReleaseCouponResponse response;
  response.set_success(true);
  return response;
}

api::CouponRecord message_of(const CouponRecord& record) {
  api::CouponRecord message;
  message.set_user_id(record.user_id);
  message.set_coupon_id(record.coupon_id);
  message.set_status(static_cast<std::int32_t>(record.status));
  message.set_used_order_id(record.used_order_id);
  return message;
}

Result<api::CouponRecord> get_record(Txn& txn, const api::GetCouponRecordRequest& request) {
  if (request.user_id() != 0) {
    const auto record = find_record(txn, request.coupon_id(), request.user_id());
    if (record) return message_of(*record);
    return fail(Errc::not_found, "coupon_id={} user_id={}: no record", request.coupon_id(),
                request.user_id());
  }
  const auto records = find_records(txn, request.coupon_id(), 2);
  if (records.empty()) {
    return fail(Errc::not_found, "coupon_id={}: nobody holds it", request.coupon_id());
  }
  if (records.size() > 1) {
    return fail(Errc::invalid_argument, "coupon_id={}: several users hold it, name user_id",
                request.coupon_id());
  }
  return message_of(records.front());
}

admin::Coupon message_of(const Coupon& coupon) {
  admin::Coupon message;
  message.set_id(coupon.id);
  message.set_type(static_cast<std::int32_t>(coupon.type));
  message.set_threshold_cents(coupon.threshold_cents);
  message.set_discount_cents(coupon.discount_cents);
  message.set_pay_basis_points(coupon.pay_basis_points);
  message.set_start_ms(to_unix_ms(coupon.start));
  message.set_end_ms(coupon.end == kNever ? 0 : to_unix_ms(coupon.end));
  message.set_disabled(coupon.disabled);
  message.set_total_count(coupon.total_count);
  message.set_remain_count(coupon.remain_count);
  return message;
}

Result<Coupon> coupon_of(const admin::Coupon& row) {
  if (row.type() < 1 || row.type() > 3) {
    return fail(Errc::invalid_argument, "coupon id={} type={} unknown", row.id(), row.type());
  }
  Coupon coupon{.id = row.id(),
                .type = static_cast<CouponType>(row.type()),
                .threshold_cents = row.threshold_cents(),
                .discount_cents = row.discount_cents(),
                .pay_basis_points = row.pay_basis_points(),
                .start = from_unix_ms(row.start_ms()),
                .end = row.end_ms() == 0 ? kNever : from_unix_ms(row.end_ms()),
                .disabled = row.disabled(),
                .total_count = row.total_count(),
                .remain_count = row.remain_count()};
  if (auto checked = check_coupon(coupon); !checked) return std::unexpected(checked.error());
  return coupon;
}

Result<admin::SeedResponse> seed(Txn& txn, const admin::SeedRequest& request) {
  for (const auto& row : request.coupons()) {
    const auto coupon = coupon_of(row);
    if (!coupon) return std::unexpected(coupon.error());
    put_coupon(txn, *coupon);
  }
  for (const auto& row : request.records()) {
    if (row.status() < 0 || row.status() > 2) {
      return fail(Errc::invalid_argument, "record of coupon_id={} status={} unknown",
                  row.coupon_id(), row.status());
    }
    put_record(txn, {.user_id = row.user_id(),
                     .coupon_id = row.coupon_id(),
                     .status = static_cast<RecordStatus>(row.status()),
                     .used_order_id = row.used_order_id()});
  }
  return admin::SeedResponse();
}

Result<admin::DumpResponse> dump(Txn& txn, const admin::DumpRequest& request) {
  admin::DumpResponse response;
  const auto visit = [&response](const kit::Row& row) {
    if (kit::dump_leg(row, *response.mutable_legs())) return;
    if (row.key.starts_with(kCouponPrefix)) {
      const auto stored = kit::parse_row<::mall::stored::CouponRow>(row);
      *response.add_coupons() = message_of(promotion::coupon_of(stored));
    } else if (row.key.starts_with(kRecordPrefix)) {
      const auto stored = kit::parse_row<::mall::stored::CouponRecordRow>(row);
      *response.add_records() = message_of(record_of(stored));
    }
  };
  response.set_next(kit::visit_rows(txn, request.after(), request.rows_max(), visit));
  return response;
}

Result<void> seed_file(Txn& txn, std::string_view json) {
  ::mall::SeedFile file;
  if (auto parsed = wire::message_from_json(json, file); !parsed) return parsed;
  auto seeded = seed(txn, file.promotion());
  if (!seeded) return std::unexpected(std::move(seeded.error()));
  return {};
}

void install(kit::Host& host) {
  api::UseCouponResponse used;
  used.set_success(true);
  api::ReleaseCouponResponse released;
  released.set_success(true);
  host.query<api::CalculateDiscountRequest, api::CalculateDiscountResponse>(
      "/promotion.PromotionRpc/CalculateDiscount", calculate);
  host.mutation<api::UseCouponRequest, api::UseCouponResponse>("/promotion.PromotionRpc/UseCoupon",
                                                               use_coupon, used);
  host.mutation<api::ReleaseCouponRequest, api::ReleaseCouponResponse>(
      "/promotion.PromotionRpc/ReleaseCoupon", release_coupon, released);
  host.query<api::GetCouponRecordRequest, api::CouponRecord>(
      "/promotion.PromotionRpc/GetCouponRecord", get_record);
  host.query<admin::DumpRequest, admin::DumpResponse>("/promotion.admin.PromotionAdmin/Dump", dump);
  host.mutation<admin::SeedRequest, admin::SeedResponse>("/promotion.admin.PromotionAdmin/Seed",
                                                         seed);
}

}  // namespace

kit::Service service() {
  return {.name = "promotion", .port = kPort, .install = install, .seed = seed_file};
}

}  // namespace skald::mall::promotion
