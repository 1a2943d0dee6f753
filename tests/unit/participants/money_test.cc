#include "participants/kit/money.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace skald::kit {
namespace {

TEST(Money, AmountsOfUpToTwoDecimalsBecomeCents) {
  EXPECT_EQ(cents_of(0, "a").value(), 0);
  EXPECT_EQ(cents_of(19.99, "a").value(), 1999);
  EXPECT_EQ(cents_of(0.1, "a").value(), 10);
  EXPECT_EQ(cents_of(1e11, "a").value(), kCentsMax);
}

TEST(Money, TheNoiseOfBinarySumsIsForgiven) {
  EXPECT_EQ(cents_of(0.1 + 0.2, "a").value(), 30);
  EXPECT_EQ(cents_of(19.99 * 3, "a").value(), 5997);
}

TEST(Money, WhatIsNoAmountIsRefusedByName) {
  for (const double bad :
       {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity(), -0.01,
        1.005, 0.001, 1.000000001, 1e12, 99999999999.999}) {
    const auto cents = cents_of(bad, "total_amount");
    ASSERT_FALSE(cents.has_value()) << bad;
    EXPECT_EQ(cents.error().code, Errc::invalid_argument);
    EXPECT_NE(cents.error().message.find("total_amount"), std::string::npos);
  }
}

TEST(Money, EveryAmountOfCentsSurvivesTheLegacyDouble) {
  for (std::int64_t cents = 1; cents <= kCentsMax; cents = cents * 3 + 1) {
    EXPECT_EQ(cents_of(amount_of(cents), "a").value(), cents);
  }
  EXPECT_EQ(cents_of(amount_of(kCentsMax - 1), "a").value(), kCentsMax - 1);
}

TEST(Money, LinesRefuseOverflowAndNonsense) {
  EXPECT_EQ(line_cents(199, 3, "l").value(), 597);
  EXPECT_FALSE(line_cents(199, 0, "l").has_value());
  EXPECT_FALSE(line_cents(-1, 1, "l").has_value());
  EXPECT_FALSE(line_cents(kCentsMax, 2, "l").has_value());
  EXPECT_FALSE(line_cents(std::numeric_limits<std::int64_t>::max(), 2, "l").has_value());
}

}  // namespace
}  // namespace skald::kit
