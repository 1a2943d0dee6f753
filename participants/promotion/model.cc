#include "participants/promotion/model.h"

#include "engine/base/check.h"
#include "participants/kit/money.h"

namespace skald::mall::promotion {
namespace {

constexpr std::int64_t kBasisPoints = 10'000;

bool is_amount(std::int64_t cents) { return cents >= 0 && cents <= kit::kCentsMax; }

Result<void> check_order_id(std::string_view order_id) {
  if (!order_id.empty() && order_id.size() <= kOrderIdBytesMax) return {};
  return fail(Errc::invalid_argument, "used_order_id: empty or longer than {} bytes",
              kOrderIdBytesMax);
}

/// Why the coupon counts for nobody now; empty if it does count.
std::string_view closed_reason(const Coupon& coupon, Instant now) {
  if (coupon.disabled) return "disabled";
  if (now < coupon.start) return "not_started";
  if (now >= coupon.end) return "expired";
  return "";
}

std::int64_t taken_off(const Coupon& coupon, std::int64_t total_cents) {
  switch (coupon.type) {
    case CouponType::threshold:
    case CouponType::voucher:
      return coupon.discount_cents;
    case CouponType::rate:
      // kCentsMax * kBasisPoints is far below int64's end.
      return total_cents -
             (total_cents * coupon.pay_basis_points + kBasisPoints / 2) / kBasisPoints;
  }
  return 0;
}

}  // namespace

Result<void> check_coupon(const Coupon& coupon) {
  if (coupon.id <= 0) return fail(Errc::invalid_argument, "coupon id={} not positive", coupon.id);
  switch (coupon.type) {
    case CouponType::threshold:
    case CouponType::voucher:
      if (coupon.discount_cents > 0 && is_amount(coupon.discount_cents)) break;
      return fail(Errc::invalid_argument, "coupon id={} discount_cents out of range", coupon.id);
    case CouponType::rate:
      if (coupon.pay_basis_points > 0 && coupon.pay_basis_points < kBasisPoints) break;
      return fail(Errc::invalid_argument, "coupon id={} pay_basis_points={} not in 1..{}",
                  coupon.id, coupon.pay_basis_points, kBasisPoints - 1);
  }
  if (!is_amount(coupon.threshold_cents)) {
    return fail(Errc::invalid_argument, "coupon id={} threshold_cents out of range", coupon.id);
  }
  if (coupon.end <= coupon.start) {
    return fail(Errc::invalid_argument, "coupon id={} ends before it starts", coupon.id);
  }
  return {};
}

Discount discount_of(const Coupon& coupon, std::int64_t total_cents, Instant now) {
  SKALD_CHECK(is_amount(total_cents), "coupon_id={}", coupon.id);
  const auto refused = [&](std::string_view reason) { return Discount{0, total_cents, reason}; };
  if (const auto reason = closed_reason(coupon, now); !reason.empty()) return refused(reason);
  if (total_cents < coupon.threshold_cents) return refused("below_threshold");
  const auto discount = taken_off(coupon, total_cents);
  if (discount > total_cents) return refused("discount_exceeds_total");
  return {discount, total_cents - discount, ""};
}

Result<CouponRecord> use(CouponRecord record, const Coupon& coupon, std::string_view order_id,
                         Instant now) {
  if (auto checked = check_order_id(order_id); !checked) return std::unexpected(checked.error());
  switch (record.status) {
    case RecordStatus::used:
      if (record.used_order_id == order_id) return record;
      return fail(Errc::failed_precondition, "coupon_id={} already_used by order_id={}", coupon.id,
                  record.used_order_id);
    case RecordStatus::expired:
      return fail(Errc::failed_precondition, "coupon_id={} expired", coupon.id);
    case RecordStatus::unused:
      break;
  }
  if (const auto reason = closed_reason(coupon, now); !reason.empty()) {
    return fail(Errc::failed_precondition, "coupon_id={} {}", coupon.id, reason);
  }
  record.status = RecordStatus::used;
  record.used_order_id = order_id;
  return record;
}

Result<CouponRecord> release(CouponRecord record, std::string_view order_id) {
  if (auto checked = check_order_id(order_id); !checked) return std::unexpected(checked.error());
  switch (record.status) {
    case RecordStatus::unused:
    case RecordStatus::expired:
      return record;
    case RecordStatus::used:
      break;
  }
  if (record.used_order_id != order_id) {
    return fail(Errc::failed_precondition, "coupon_id={} serves order_id={}", record.coupon_id,
                record.used_order_id);
  }
  record.status = RecordStatus::unused;
  record.used_order_id.clear();
  return record;
}

}  // namespace skald::mall::promotion
