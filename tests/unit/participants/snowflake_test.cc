#include "participants/order_front/snowflake.h"

#include <gtest/gtest.h>

#include <set>

namespace skald::mall::order_front {
namespace {

constexpr Instant kNow = from_unix_ms(1'700'000'000'000);

TEST(Snowflake, GoldenNumbers) {
  EXPECT_EQ(next_number({}, 0, kNow)->text, "SN1724551110456246272");
  EXPECT_EQ(next_number({}, 7, kNow)->text, "SN1724551110456274944");
  EXPECT_EQ(next_number({1'700'000'000'000, 41}, 1'023, kNow)->text, "SN1724551110460436522");
}

TEST(Snowflake, IsNineteenDigitsUntilTwentyEighty) {
  for (const std::int64_t ms : {1'600'000'000'000, 3'471'292'800'000}) {
    EXPECT_EQ(next_number({}, kWorkerMax, from_unix_ms(ms))->text.size(), 21u);
  }
}

TEST(SnowflakeLines, D3NumbersOfOneMillisecondAreDistinctAndRise) {
  SnowflakeState last;
  std::string before;
  for (int i = 0; i < 4'096; ++i) {
    const auto number = next_number(last, 3, kNow);
    ASSERT_TRUE(number.has_value());
    EXPECT_GT(number->text, before);
    before = number->text;
    last = number->state;
  }
  const auto spent = next_number(last, 3, kNow);
  ASSERT_FALSE(spent.has_value());
  EXPECT_EQ(spent.error(), Millis(1));
  EXPECT_GT(next_number(last, 3, kNow + Millis(1))->text, before);
}

TEST(Snowflake, AClockThatGoesBackWaitsUntilItHasCaughtUp) {
  const auto last = next_number({}, 3, kNow)->state;
  const auto back = next_number(last, 3, kNow - Millis(250));
  ASSERT_FALSE(back.has_value());
  EXPECT_EQ(back.error(), Millis(250));
  EXPECT_TRUE(next_number(last, 3, kNow).has_value());
}

TEST(Snowflake, WorkersNeverMeet) {
  std::set<std::string> seen;
  for (std::int32_t worker = 0; worker <= kWorkerMax; ++worker) {
    SnowflakeState last;
    for (int i = 0; i < 5; ++i) {
      const auto number = next_number(last, worker, kNow + Millis(i / 2)).value();
      EXPECT_TRUE(seen.insert(number.text).second);
      last = number.state;
    }
  }
}

}  // namespace
}  // namespace skald::mall::order_front
