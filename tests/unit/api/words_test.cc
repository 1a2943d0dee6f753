#include "engine/api/words.h"

#include <gtest/gtest.h>

namespace skald::api {
namespace {

TEST(Words, DurationsAreShort) {
  EXPECT_EQ(duration_words(Millis{0}), "0 ms");
  EXPECT_EQ(duration_words(Millis{850}), "850 ms");
  EXPECT_EQ(duration_words(Millis{2'000}), "2 s");
  EXPECT_EQ(duration_words(Millis{2'590}), "2.5 s");
  EXPECT_EQ(duration_words(Millis{59'900}), "59 s");
  EXPECT_EQ(duration_words(Millis{200'000}), "3 min 20 s");
  EXPECT_EQ(duration_words(Millis{7'500'000}), "2 h 5 min");
  EXPECT_EQ(duration_words(Millis{3LL * 86'400'000}), "3 d");
}

TEST(Words, FailuresSayWhoAndWhy) {
  EXPECT_EQ(
      failure_words({.leg = "pay", .outcome = OutcomeKind::rejected, .code = "409", .message = ""}),
      "pay was rejected (409)");
  EXPECT_EQ(failure_words({.leg = "", .code = "canceled", .message = "by ann"}),
            "it was canceled (by ann)");
  EXPECT_EQ(failure_words({.leg = "", .code = "deadline", .message = "too late"}),
            "too late (deadline)");
}

TEST(Words, StepsOfUnknownDefinitionsAreCounted) { EXPECT_EQ(step_words(nullptr, 2), "step 3"); }

TEST(Words, InstantsAreUtc) {
  EXPECT_EQ(instant_words(from_unix_ms(1'800'000'000'120)), "2027-01-15 08:00:00.120 UTC");
}

}  // namespace
}  // namespace skald::api
