// Who may be sent now: room, turns, holds and breakers.
#include "engine/shard/gates.h"

#include <gtest/gtest.h>

namespace skald {
namespace {

constexpr Instant kNow = from_unix_ms(1'700'000'000'000);

QueuedWant want(std::uint64_t saga) { return {.saga = {.placement = saga, .serial = 1}}; }

Outcome outcome(OutcomeKind kind, const std::string& code = "x") {
  return {.kind = kind, .code = code, .message = {}};
}

class GatesTest : public testing::Test {
 protected:
  void fail(std::uint32_t lane, std::uint32_t times, Instant at = kNow) {
    for (std::uint32_t i = 0; i < times; ++i) {
      ASSERT_TRUE(gates_.acquire(lane, true, at));
      gates_.answered(lane, outcome(OutcomeKind::unknown), Micros{1'000}, at);
    }
  }

  Gates gates_{
      {.limit_of = [](std::string_view) { return 8U; },
       .breaker = {.failures_to_open = 3, .open_for = Millis{100}, .open_for_max = Millis{250}}}};
};

TEST_F(GatesTest, TheLimitIsTheParticipantsAndOneEighthIsKeptForUrgentOnes) {
  const auto a = gates_.lane_of("p", "/a");
  const auto b = gates_.lane_of("p", "/b");
  for (int i = 0; i < 7; ++i) EXPECT_TRUE(gates_.acquire(i % 2 == 0 ? a : b, false, kNow));
  EXPECT_FALSE(gates_.acquire(a, false, kNow));
  EXPECT_TRUE(gates_.acquire(b, true, kNow));
  EXPECT_FALSE(gates_.acquire(b, true, kNow));
}

TEST_F(GatesTest, FreedRoomGoesRoundTheLanesAndNobodyOvertakes) {
  const auto a = gates_.lane_of("p", "/a");
  const auto b = gates_.lane_of("p", "/b");
  for (int i = 0; i < 8; ++i) ASSERT_TRUE(gates_.acquire(a, true, kNow));
  gates_.enqueue(a, true, want(1));
  gates_.enqueue(a, true, want(2));
  gates_.enqueue(b, true, want(3));
  gates_.release(a);
  EXPECT_FALSE(gates_.acquire(a, true, kNow)) << "others wait";
  EXPECT_EQ(gates_.next(a, kNow)->waiting.saga.placement, 1U);
  gates_.release(a);
  EXPECT_EQ(gates_.next(a, kNow)->waiting.saga.placement, 3U);
  EXPECT_FALSE(gates_.next(a, kNow).has_value());
}

TEST_F(GatesTest, ABreakerOpensAfterFailuresInARowAndThenTriesOneAtATime) {
  const auto a = gates_.lane_of("p", "/a");
  fail(a, 3);
  EXPECT_FALSE(gates_.acquire(a, true, kNow));
  gates_.enqueue(a, false, want(1));
  EXPECT_EQ(gates_.next_wake(kNow), kNow + Millis{100});
  EXPECT_TRUE(gates_.waiting_lanes(kNow).empty());
  const Instant then = kNow + Millis{100};
  EXPECT_EQ(gates_.waiting_lanes(then).size(), 1U);
  ASSERT_TRUE(gates_.next(a, then).has_value());
  EXPECT_FALSE(gates_.acquire(a, true, then)) << "one attempt tries";
  gates_.answered(a, outcome(OutcomeKind::unknown), Micros{1}, then);
  EXPECT_FALSE(gates_.acquire(a, true, then + Millis{199})) << "twice as long";
  EXPECT_TRUE(gates_.acquire(a, true, then + Millis{200}));
  gates_.answered(a, outcome(OutcomeKind::succeeded), Micros{1}, then + Millis{201});
  EXPECT_TRUE(gates_.acquire(a, true, then + Millis{201}));
  EXPECT_TRUE(gates_.acquire(a, true, then + Millis{201}));
}

TEST_F(GatesTest, ABreakerIsOpenNoLongerThanItsLongest) {
  const auto a = gates_.lane_of("p", "/a");
  fail(a, 3);
  Instant now = kNow;
  for (int i = 0; i < 80; ++i) {
    now += Millis{250};
    fail(a, 1, now);
  }
}

TEST_F(GatesTest, RefusalsAndLostRacesAreAnswersOfAHealthyParticipant) {
  const auto a = gates_.lane_of("p", "/a");
  for (int i = 0; i < 50; ++i) {
    ASSERT_TRUE(gates_.acquire(a, true, kNow));
    gates_.answered(
        a,
        i % 2 == 0 ? outcome(OutcomeKind::rejected) : outcome(OutcomeKind::not_executed, "aborted"),
        Micros{1}, kNow);
  }
  EXPECT_EQ(gates_.loads().front().breaker, BreakerState::closed);
  EXPECT_EQ(gates_.loads().front().sick, 0U);
}

TEST_F(GatesTest, AnAttemptThatIsNotSentAfterAllLeavesTheTryToOthers) {
  const auto a = gates_.lane_of("p", "/a");
  fail(a, 3);
  const Instant then = kNow + Millis{100};
  ASSERT_TRUE(gates_.acquire(a, true, then));
  gates_.release(a);
  EXPECT_TRUE(gates_.acquire(a, true, then));
}

TEST_F(GatesTest, ABreakerThatLetsTryWhereThereIsNoRoomAsksForNoWakeUp) {
  const auto a = gates_.lane_of("p", "/a");
  const auto b = gates_.lane_of("p", "/b");
  fail(a, 3);
  for (int i = 0; i < 8; ++i) ASSERT_TRUE(gates_.acquire(b, true, kNow));
  gates_.enqueue(a, true, want(1));
  const Instant then = kNow + Millis{100};
  EXPECT_FALSE(gates_.next(a, then).has_value());
  EXPECT_EQ(gates_.next_wake(then), kNever) << "it would be due for ever";
  gates_.release(b);
  EXPECT_TRUE(gates_.next(b, then).has_value());
}

TEST_F(GatesTest, AHoldOnAMethodLeavesTheOthersAlone) {
  const auto a = gates_.lane_of("p", "/a");
  const auto b = gates_.lane_of("p", "/b");
  gates_.hold("p", "/a", true);
  EXPECT_FALSE(gates_.acquire(a, true, kNow));
  EXPECT_TRUE(gates_.acquire(b, true, kNow));
  gates_.enqueue(a, true, want(1));
  EXPECT_FALSE(gates_.next(b, kNow).has_value());
  gates_.hold("p", "/a", false);
  EXPECT_EQ(gates_.waiting_lanes(kNow), std::vector<std::uint32_t>{a});
  EXPECT_TRUE(gates_.next(a, kNow).has_value());
}

TEST_F(GatesTest, AHoldMeetsLanesThatComeLater) {
  gates_.hold("q", "", true);
  const auto late = gates_.lane_of("q", "/a");
  EXPECT_FALSE(gates_.acquire(late, true, kNow));
  EXPECT_TRUE(gates_.loads().front().held);
}

TEST_F(GatesTest, BeyondTheLimitMethodsShareALane) {
  for (std::size_t i = 0; i < kLanesMax; ++i) {
    (void)gates_.lane_of("p", "/m" + std::to_string(i));
  }
  const auto one = gates_.lane_of("p", "/one");
  EXPECT_EQ(gates_.lane_of("p", "/two"), one);
  EXPECT_NE(gates_.lane_of("p", "/m3"), one);
  EXPECT_EQ(gates_.loads().size(), kLanesMax + 1);
}

}  // namespace
}  // namespace skald
