#include <gtest/gtest.h>

#include "participants/promotion/model.h"

namespace skald::mall::promotion {
namespace {

constexpr Instant kNow = from_unix_ms(1'700'000'000'000);
const Coupon kThreshold{.id = 1, .threshold_cents = 10'000, .discount_cents = 1'500};
const Coupon kRate{.id = 2, .type = CouponType::rate, .pay_basis_points = 8'500};
const Coupon kVoucher{.id = 3, .type = CouponType::voucher, .discount_cents = 500};

TEST(Coupon, EachTypeTakesOffItsDiscount) {
  EXPECT_EQ(discount_of(kThreshold, 10'000, kNow).discount_cents, 1'500);
  EXPECT_EQ(discount_of(kVoucher, 500, kNow).pay_cents, 0);
  EXPECT_EQ(discount_of(kRate, 10'000, kNow).pay_cents, 8'500);
}

TEST(Coupon, ARateRoundsThePayableHalfUpAndLosesNoCent) {
  for (std::int64_t total = 0; total < 1'000; ++total) {
    const auto discount = discount_of(kRate, total, kNow);
    EXPECT_EQ(discount.discount_cents + discount.pay_cents, total);
    EXPECT_EQ(discount.pay_cents, (total * 85 + 50) / 100);
  }
}

TEST(CouponLines, B3aARefusedCouponSaysWhyAndTakesOffNothing) {
  Coupon coupon = kThreshold;
  const auto below = discount_of(coupon, 9'999, kNow);
  EXPECT_EQ(below.reason, "below_threshold");
  EXPECT_EQ(below.discount_cents, 0);
  EXPECT_EQ(below.pay_cents, 9'999);
  coupon.end = kNow;
  EXPECT_EQ(discount_of(coupon, 10'000, kNow).reason, "expired");
  EXPECT_EQ(discount_of(coupon, 10'000, kNow - Millis(1)).reason, "");
  coupon = kThreshold;
  coupon.start = kNow + Millis(1);
  EXPECT_EQ(discount_of(coupon, 10'000, kNow).reason, "not_started");
  coupon = kThreshold;
  coupon.disabled = true;
  EXPECT_EQ(discount_of(coupon, 10'000, kNow).reason, "disabled");
}

TEST(CouponLines, B3cADiscountLargerThanTheTotalIsRefused) {
  EXPECT_EQ(discount_of(kVoucher, 499, kNow).reason, "discount_exceeds_total");
  EXPECT_EQ(discount_of(kVoucher, 499, kNow).pay_cents, 499);
}

TEST(CouponLines, B3bAnExpiredOrUsedCouponIsRefusedDefinitely) {
  const CouponRecord expired{.status = RecordStatus::expired};
  EXPECT_EQ(use(expired, kVoucher, "SN1", kNow).error().code, Errc::failed_precondition);
  const CouponRecord used{.status = RecordStatus::used, .used_order_id = "SN2"};
  EXPECT_EQ(use(used, kVoucher, "SN1", kNow).error().code, Errc::failed_precondition);
  Coupon over = kVoucher;
  over.end = kNow;
  EXPECT_EQ(use({}, over, "SN1", kNow).error().code, Errc::failed_precondition);
  EXPECT_EQ(use({}, kVoucher, "", kNow).error().code, Errc::invalid_argument);
  EXPECT_EQ(use({}, kVoucher, std::string(33, 'S'), kNow).error().code, Errc::invalid_argument);
}

TEST(CouponLines, U6TheSameOrderAgainSucceedsAndChangesNothing) {
  const auto used = use({.coupon_id = 3}, kVoucher, "SN1", kNow).value();
  EXPECT_EQ(used.status, RecordStatus::used);
  Coupon over = kVoucher;
  over.end = kNow;
  EXPECT_EQ(use(used, over, "SN1", kNow).value(), used);
}

TEST(CouponLines, D4OfTwoOrdersOneWins) {
  const auto won = use({.coupon_id = 3}, kVoucher, "SN1", kNow).value();
  EXPECT_FALSE(use(won, kVoucher, "SN2", kNow).has_value());
  EXPECT_EQ(release(won, "SN2").error().code, Errc::failed_precondition);
}

TEST(Coupon, ReleasingGivesItBackOnceAndAgainIsHarmless) {
  const auto used = use({.coupon_id = 3}, kVoucher, "SN1", kNow).value();
  const auto released = release(used, "SN1").value();
  EXPECT_EQ(released, (CouponRecord{.coupon_id = 3}));
  EXPECT_EQ(release(released, "SN1").value(), released);
  EXPECT_TRUE(use(released, kVoucher, "SN2", kNow).has_value());
}

TEST(Coupon, NonsenseIsRefusedByName) {
  EXPECT_TRUE(check_coupon(kRate).has_value());
  for (const Coupon& bad : {Coupon{.id = 0, .discount_cents = 1}, Coupon{.id = 1},
                            Coupon{.id = 1, .type = CouponType::rate, .pay_basis_points = 10'000},
                            Coupon{.id = 1, .threshold_cents = -1, .discount_cents = 1},
                            Coupon{.id = 1, .discount_cents = 1, .start = kNow, .end = kNow}}) {
    EXPECT_EQ(check_coupon(bad).error().code, Errc::invalid_argument);
  }
}

}  // namespace
}  // namespace skald::mall::promotion
