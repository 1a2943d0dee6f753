// The rows of promotions: coupons, and one record per coupon and user. Rules are in model.h.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "mall/stored.pb.h"
#include "participants/kit/txn.h"
#include "participants/promotion/model.h"

namespace skald::mall::promotion {

inline constexpr std::string_view kCouponPrefix = "c/";  // Stored. Never another kind of row.
inline constexpr std::string_view kRecordPrefix = "r/";  // Stored. Never another kind of row.

[[nodiscard]] std::optional<Coupon> find_coupon(kit::Txn& txn, std::int64_t id);
[[nodiscard]] std::optional<CouponRecord> find_record(kit::Txn& txn, std::int64_t coupon_id,
                                                      std::int64_t user_id);
/// The records of a coupon, by user, at most `rows_max`.
[[nodiscard]] std::vector<CouponRecord> find_records(kit::Txn& txn, std::int64_t coupon_id,
                                                     std::size_t rows_max);
void put_coupon(kit::Txn& txn, const Coupon& coupon);
void put_record(kit::Txn& txn, const CouponRecord& record);
[[nodiscard]] Coupon coupon_of(const ::mall::stored::CouponRow& row);
[[nodiscard]] CouponRecord record_of(const ::mall::stored::CouponRecordRow& row);

}  // namespace skald::mall::promotion
