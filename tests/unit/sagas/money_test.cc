#include "sagas/money.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <cmath>
#include <limits>

namespace skald::sagas {
namespace {

constexpr auto kMax = std::numeric_limits<std::int64_t>::max();

TEST(LineCents, RefusesWhatIsNoLineAndWhatOverflows) {
  EXPECT_EQ(line_cents(1'000, 3), 3'000);
  EXPECT_EQ(line_cents(0, 1), 0);
  EXPECT_EQ(line_cents(1'000, 0).error().code, Errc::invalid_argument);
  EXPECT_EQ(line_cents(1'000, -1).error().code, Errc::invalid_argument);
  EXPECT_EQ(line_cents(-1, 1).error().code, Errc::invalid_argument);
  EXPECT_EQ(line_cents(kAmountCentsMax, 1), kAmountCentsMax);
  EXPECT_EQ(line_cents(kAmountCentsMax, 2).error().code, Errc::out_of_range);
  EXPECT_EQ(line_cents(kMax, std::numeric_limits<std::int32_t>::max()).error().code,
            Errc::out_of_range);
}

TEST(AddCents, StopsAtTheLargestAmount) {
  EXPECT_EQ(add_cents(kAmountCentsMax - 1, 1), kAmountCentsMax);
  EXPECT_EQ(add_cents(kAmountCentsMax, 1).error().code, Errc::out_of_range);
}

TEST(CentsOfYuan, RefusesWhatIsNoAmountOfMoney) {
  EXPECT_EQ(cents_of_yuan(19.99), 1'999);
  EXPECT_EQ(cents_of_yuan(0.0), 0);
  for (const double bad :
       {std::nan(""), std::numeric_limits<double>::infinity(), -0.01, 1e300, 0.001, 1.005}) {
    EXPECT_FALSE(cents_of_yuan(bad).has_value()) << bad;
  }
}

TEST(CentsOfYuan, GivesBackEveryAmountThatYuanOfCentsMade) {
  EXPECT_TRUE(rc::check("cents -> yuan -> cents", [] {
    const auto cents = *rc::gen::inRange<std::int64_t>(0, kAmountCentsMax + 1);
    RC_ASSERT(cents_of_yuan(yuan_of_cents(cents)).value() == cents);
  }));
}

}  // namespace
}  // namespace skald::sagas
