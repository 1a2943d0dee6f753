#include "participants/promotion/ledger.h"

#include "participants/kit/dump.h"

namespace skald::mall::promotion {

using ::mall::stored::CouponRecordRow;
using ::mall::stored::CouponRow;

Coupon coupon_of(const CouponRow& row) {
  return {.id = row.id(),
          .type = static_cast<CouponType>(row.type()),
          .threshold_cents = row.threshold_cents(),
          .discount_cents = row.discount_cents(),
          .pay_basis_points = row.pay_basis_points(),
          .start = from_unix_ms(row.start_ms()),
          .end = row.end_ms() == 0 ? kNever : from_unix_ms(row.end_ms()),
          .disabled = row.disabled(),
          .total_count = row.total_count(),
          .remain_count = row.remain_count()};
}

CouponRecord record_of(const CouponRecordRow& row) {
  return {.user_id = row.user_id(),
          .coupon_id = row.coupon_id(),
          .status = static_cast<RecordStatus>(row.status()),
          .used_order_id = row.used_order_id()};
}

std::optional<Coupon> find_coupon(kit::Txn& txn, std::int64_t id) {
  const auto row = kit::get_message<CouponRow>(txn, kit::row_key(kCouponPrefix, id));
  if (!row) return std::nullopt;
  return coupon_of(*row);
}

std::optional<CouponRecord> find_record(kit::Txn& txn, std::int64_t coupon_id,
                                        std::int64_t user_id) {
  const auto row =
      kit::get_message<CouponRecordRow>(txn, kit::row_key(kRecordPrefix, coupon_id, user_id));
  if (!row) return std::nullopt;
  return record_of(*row);
}

std::vector<CouponRecord> find_records(kit::Txn& txn, std::int64_t coupon_id,
                                       std::size_t rows_max) {
  std::vector<CouponRecord> records;
  const auto rows =
      txn.scan({.prefix = kit::row_key(kRecordPrefix, coupon_id), .rows_max = rows_max});
  for (const auto& row : rows) records.push_back(record_of(kit::parse_row<CouponRecordRow>(row)));
  return records;
}

void put_coupon(kit::Txn& txn, const Coupon& coupon) {
  CouponRow row;
  row.set_id(coupon.id);
  row.set_type(static_cast<std::int32_t>(coupon.type));
  row.set_threshold_cents(coupon.threshold_cents);
  row.set_discount_cents(coupon.discount_cents);
  row.set_pay_basis_points(coupon.pay_basis_points);
  row.set_start_ms(to_unix_ms(coupon.start));
  row.set_end_ms(coupon.end == kNever ? 0 : to_unix_ms(coupon.end));
  row.set_disabled(coupon.disabled);
  row.set_total_count(coupon.total_count);
  row.set_remain_count(coupon.remain_count);
  kit::put_message(txn, kit::row_key(kCouponPrefix, coupon.id), row);
}

void put_record(kit::Txn& txn, const CouponRecord& record) {
  CouponRecordRow row;
  row.set_user_id(record.user_id);
  row.set_coupon_id(record.coupon_id);
  row.set_status(static_cast<std::int32_t>(record.status));
  row.set_used_order_id(record.used_order_id);
  kit::put_message(txn, kit::row_key(kRecordPrefix, record.coupon_id, record.user_id), row);
}

}  // namespace skald::mall::promotion
