#include "engine/base/time.h"

#include <gtest/gtest.h>

#include "engine/base/clock.h"

namespace skald {
namespace {

TEST(AddSaturated, AddsAndStopsAtNever) {
  EXPECT_EQ(add_saturated(from_unix_ms(5), Millis{7}), from_unix_ms(12));
  EXPECT_EQ(add_saturated(from_unix_ms(5), Millis::max()), kNever);
  EXPECT_EQ(add_saturated(kNever, Millis{1}), kNever);
  EXPECT_EQ(add_saturated(from_unix_ms(5), Millis{-7}), from_unix_ms(-2));
}

TEST(AddSaturated, StopsAtBothEndsOfTimeFromEverywhere) {
  EXPECT_EQ(add_saturated(from_unix_ms(-5), Millis::max()), kNever - Millis{5});
  EXPECT_EQ(add_saturated(from_unix_ms(-5), Millis::min()), Instant::min());
  EXPECT_EQ(add_saturated(from_unix_ms(5), Millis::min()), Instant::min() + Millis{5});
  EXPECT_EQ(add_saturated(Instant::min(), Millis::max()), from_unix_ms(-1));
  EXPECT_EQ(add_saturated(Instant::min(), Millis{-1}), Instant::min());
  EXPECT_EQ(add_saturated(kNever, Millis::min()), from_unix_ms(-1));
}

TEST(SystemClock, SteadyNeverGoesBackAndWallIsAfterThisCodeWasWritten) {
  const SystemClock clock;
  const auto first = clock.steady();

  EXPECT_GE(clock.steady(), first);
  EXPECT_GT(clock.wall(), from_unix_ms(1'700'000'000'000));
}

}  // namespace
}  // namespace skald
