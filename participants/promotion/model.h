// The rules of coupons: what a coupon takes off, and who may use it for which order. Pure: no rows,
// no requests; the time comes with the call.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "engine/base/result.h"
#include "engine/base/time.h"

namespace skald::mall::promotion {

/// The contract's numbers.
enum class CouponType : std::int32_t { threshold = 1, rate = 2, voucher = 3 };
enum class RecordStatus : std::int32_t { unused = 0, used = 1, expired = 2 };

struct Coupon {
  std::int64_t id = 0;
  CouponType type = CouponType::threshold;
  std::int64_t threshold_cents = 0;   // the total from which it counts; 0: any
  std::int64_t discount_cents = 0;    // threshold and voucher
  std::int32_t pay_basis_points = 0;  // rate: what remains to pay, 8500 = 85 %
  Instant start{};                    // 0: always begun
  Instant end = kNever;               // exclusive
  bool disabled = false;
  std::int32_t total_count = 0;
  std::int32_t remain_count = 0;
  bool operator==(const Coupon&) const = default;
};

/// One user's coupon.
struct CouponRecord {
  std::int64_t user_id = 0;
  std::int64_t coupon_id = 0;
  RecordStatus status = RecordStatus::unused;
  std::string used_order_id;  // when used
  bool operator==(const CouponRecord&) const = default;
};

struct Discount {
  std::int64_t discount_cents = 0;
  std::int64_t pay_cents = 0;
  std::string_view reason;  // empty: valid; else why the coupon does not count, and it takes off 0
};

inline constexpr std::size_t kOrderIdBytesMax = 32;

/// Errors: invalid_argument naming the field: an unknown type, amounts or rates out of range, an
/// end before the start.
[[nodiscard]] Result<void> check_coupon(const Coupon& coupon);

/// What the coupon takes off `total_cents`. A rate's payable part is rounded half up to a cent.
/// The refusals are answers: below_threshold, not_started, expired, disabled and
/// discount_exceeds_total (a coupon is never cut to fit, and never pays out).
/// Pre: 0 <= total_cents <= kCentsMax; the coupon passed check_coupon().
[[nodiscard]] Discount discount_of(const Coupon& coupon, std::int64_t total_cents, Instant now);

/// unused -> used by `order_id`; used by the same order already: unchanged.
/// Errors: invalid_argument, an order id that is empty or too long; failed_precondition, used by
/// another order, expired, not begun or disabled.
[[nodiscard]] Result<CouponRecord> use(CouponRecord record, const Coupon& coupon,
                                       std::string_view order_id, Instant now);

/// used by `order_id` -> unused; unused already: unchanged.
/// Errors: invalid_argument as use(); failed_precondition, it serves another order.
[[nodiscard]] Result<CouponRecord> release(CouponRecord record, std::string_view order_id);

}  // namespace skald::mall::promotion
