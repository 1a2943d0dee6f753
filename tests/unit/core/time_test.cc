// Time: deadlines, waits, retries and their delays.
#include <gtest/gtest.h>

#include <algorithm>

#include "engine/core/retry.h"
#include "tests/support/given.h"

namespace skald::test {
namespace {

TEST(Deadline, BeforeThePivotTurnsBack) {
  given(Plan().call("a").wait("w", "go").is_pivot().deadline(Millis{1'000}))
      .start()
      .wakes_in(Millis{1'000})
      .reply("do a", succeeded())
      .later(Millis{1'000})
      .then({"DeadlineMissed", "UndoBegan", "Intended"})
      .failed("", "deadline")
      .in_flight({"undo a"});
}

TEST(Deadline, IsJudgedWithAReplyAndBeforeASendingToo) {
  given(Plan().call("a").call("b").deadline(Millis{1'000}))
      .start()
      .silently(Millis{1'000})
      .reply("do a", succeeded())
      .in_flight({"undo a"});
  given(Plan().call("a").deadline(Millis{1'000}))
      .no_room()
      .start()
      .silently(Millis{1'000})
      .dispatch("do a")
      .sent({})
      .status(SagaStatus::compensated);
}

TEST(Deadline, WithThePivotInFlightIsRecorded) {
  given(Plan().call("a").pivot("p").deadline(Millis{1'000}))
      .start()
      .reply("do a", succeeded())
      .later(Millis{1'000})
      .then({"DeadlineMissed", "UndoDeferred"})
      .stage("a", LegStage::done)
      .never_wakes()
      .reply("do p", rejected())
      .failed("", "deadline")
      .in_flight({"undo a"});
}

TEST(Deadline, BehindThePivotOnlyAlerts) {
  given(Plan().pivot("p").retriable("r").deadline(Millis{1'000}))
      .start()
      .reply("do p", succeeded())
      .later(Millis{1'000})
      .then({"DeadlineMissed"})
      .in_flight({"do r"})
      .status(SagaStatus::running);
}

TEST(Deadline, OnTheWayBackOnlyAlerts) {
  given(Plan().call("a").deadline(Millis{1'000}))
      .start()
      .cancel()
      .wakes_in(Millis{1'000})
      .later(Millis{1'000})
      .then({"DeadlineMissed"})
      .failed("", "canceled")
      .in_flight({"do a"});
}

TEST(Deadline, InDoubtOnlyAlerts) {
  given(Plan().call("a").call("b").keys(KeysMode::none).deadline(Millis{1'000}))
      .start()
      .reply("do a", succeeded())
      .reply("do b", unknown())
      .later(Millis{1'000})
      .then({"DeadlineMissed"})
      .status(SagaStatus::stuck)
      .stage("a", LegStage::done)
      .later(Millis{1'000})
      .then({});
}

TEST(Deadline, OfWhatIsStuckOnTheWayBackOnlyAlerts) {
  const auto stuck = [](Outcome answer) {
    return given(Plan()
                     .call("a")
                     .keys(KeysMode::none)
                     .wait("w", "go")
                     .is_pivot()
                     .deadline(Millis{1'000}))
        .start()
        .reply("do a", succeeded())
        .cancel()
        .reply("undo a", std::move(answer))
        .later(Millis{1'000})
        .then({"DeadlineMissed"})
        .status(SagaStatus::stuck);
  };
  stuck(unknown());
  stuck(rejected());
}

TEST(Deadline, WithAProbeStoppedOnlyAlerts) {
  given(Plan().call("b").keys(KeysMode::none).probe().deadline(Millis{1'000}))
      .start()
      .reply("do b", unknown())
      .reply("probe b", rejected("denied"))
      .later(Millis{1'000})
      .then({"DeadlineMissed"})
      .status(SagaStatus::stuck);
}

TEST(Deadline, ComesAfterATimerThatWasDueBefore) {
  // given an engine that was away when a timer and then the deadline passed
  given(Plan().call("a").wait("w", "objection", Millis{500}).is_pivot().deadline(Millis{1'000}))
      .start()
      .reply("do a", succeeded())
      .silently(Millis{2'000})
      .restart()
      .then({"WaitEnded", "PivotPassed", "Completed"});
  // and the reverse
  given(Plan().call("a").wait("w", "objection", Millis{1'500}).is_pivot().deadline(Millis{1'000}))
      .start()
      .reply("do a", succeeded())
      .silently(Millis{2'000})
      .restart()
      .failed("", "deadline");
}

TEST(Deadline, LeavesADueTimerToTheWakeThatFollows) {
  given(Plan().call("a").after({}).wait("w", "go", Millis{500}).after({}).deadline(Millis{1'000}))
      .start()
      .silently(Millis{1'200})
      .reply("do a", succeeded())
      .then({"Answered", "PivotPassed"})
      .wake()
      .then({"WaitEnded", "Completed"});
}

TEST(Wait, ASignalEndsItAndIsItsOutput) {
  Given saga = given(Plan().wait("w", "paid", Millis{500}));
  saga.start().then({"Started", "WaitBegan"}).durable(true).wakes_in(Millis{500});
  EXPECT_TRUE(is_waiting(saga.definition(), saga.state(), saga.now()));
  saga.signal("s", "paid", "42").status(SagaStatus::completed);
  EXPECT_EQ(saga.state().steps[0].output, "42");
  EXPECT_TRUE(saga.state().signals.empty());
}

TEST(Wait, ATimeoutProceedsOrRejects) {
  given(Plan().wait("w", "paid", Millis{500}).pivot("p"))
      .start()
      .later(Millis{500})
      .in_flight({"do p"});
  given(Plan().wait("w", "paid", Millis{500}).rejects_on_timeout().pivot("p"))
      .start()
      .later(Millis{500})
      .failed("w", "timeout")
      .status(SagaStatus::compensated);
}

TEST(Wait, BehindThePivotATimeoutThatRejectsSticks) {
  given(Plan().pivot("p").wait("w", "paid", Millis{500}).rejects_on_timeout())
      .start()
      .reply("do p", succeeded())
      .later(Millis{500})
      .status(SagaStatus::stuck)
      .retry()
      .status(SagaStatus::running)
      .signal("s", "paid")
      .status(SagaStatus::completed);
}

TEST(Wait, UntilAnInstant) {
  Plan plan;
  plan.wait("w").step().wait.until = [](const Facts&) -> Result<Instant> {
    return kStart + Millis{700};
  };
  given(plan).start().wakes_in(Millis{700}).later(Millis{700}).status(SagaStatus::completed);
}

TEST(Wait, UntilAnInstantThatIsPastEndsAtOnce) {
  Plan plan;
  plan.wait("w").step().wait.until = [](const Facts&) -> Result<Instant> {
    return kStart - Millis{1};
  };
  given(plan).start().then({"Started", "WaitBegan", "WaitEnded", "PivotPassed", "Completed"});
}

TEST(Wait, UntilAnAbsurdInstantFails) {
  Plan plan;
  plan.wait("w").step().wait.until = [](const Facts&) -> Result<Instant> { return kNever; };
  given(plan).start().failed("w", "out_of_range").status(SagaStatus::compensated);
}

TEST(Wait, SeveralEndInTheOrderTheyAreDue) {
  given(Plan()
            .wait("late", {}, Millis{900})
            .after({})
            .wait("early", "go", Millis{500})
            .after({})
            .rejects_on_timeout())
      .start()
      .silently(Millis{1'000})
      .wake()
      .failed("early", "timeout")
      .step("late", StepStage::failed);
}

TEST(Wait, SeveralThatAreDueAllEnd) {
  given(Plan().wait("early", {}, Millis{500}).after({}).wait("late", {}, Millis{900}).after({}))
      .start()
      .silently(Millis{1'000})
      .wake()
      .status(SagaStatus::completed);
}

TEST(Wait, HoldsNoWakeOnTheWayBack) {
  given(Plan().call("a").after({}).wait("w", "go").after({})).start().cancel().never_wakes();
}

TEST(Retry, BacksOffExponentiallyToTheCap) {
  Given saga = given(Plan().pivot("p").retriable("r"));
  saga.start().reply("do p", succeeded());
  for (const int delay : {100, 200, 400, 800, 1'000, 1'000}) {
    saga.reply("do r", unknown()).wakes_in(Millis{delay}).later(Millis{delay});
  }
}

TEST(Retry, PendingIsAskedAgainWithBackoff) {
  Given saga = given(Plan().call("a"));
  saga.start();
  for (const int factor : {1, 2}) {
    saga.reply("do a", pending()).wakes_in(factor * kInitial).later(factor * kInitial);
  }
  for (int i = 0; i < 9; ++i) saga.reply("do a", pending()).later(kDelayMax);
  saga.reply("do a", pending()).wakes_in(kDelayMax);
}

TEST(Retry, HonoursRetryAfterWithinBounds) {
  const auto asked = [](Millis pause) {
    Outcome busy = not_executed();
    busy.retry_after = pause;
    return given(Plan().call("a").total(2 * kRetryAfterMax)).start().reply("do a", busy);
  };
  asked(Millis{700}).wakes_in(Millis{700});
  asked(Millis{7}).wakes_in(kInitial);
  asked(Millis{-7}).wakes_in(kInitial);
  asked(Millis::max()).wakes_in(kRetryAfterMax);
}

TEST(Retry, OfSeveralLegsIsToldByOneWake) {
  given(Plan().call("a").for_each({"1", "2"}))
      .start()
      .reply("do a[1]", unknown())
      .silently(Millis{30})
      .reply("do a[2]", unknown())
      .wakes_in(Millis{70})
      .silently(Millis{200})
      .wake()
      .sent({"do a[1]", "do a[2]"});
}

TEST(Retry, ADueOneSurvivesAReplyThatComesFirst) {
  given(Plan().call("a").for_each({"1", "2"}))
      .start()
      .reply("do a[1]", unknown())
      .silently(Millis{200})
      .reply("do a[2]", succeeded())
      .sent({})
      .wake()
      .sent({"do a[1]"});
}

TEST(RetryDelay, IsGolden) {
  // Stored instants come from it: another value would make a replay disagree with the past.
  const RetryPolicy policy{};
  const auto delay = [&](std::uint32_t repeats, std::uint32_t attempt) {
    return retry_delay({.policy = policy,
                        .repeats = repeats,
                        .saga = kSaga,
                        .leg = {.step = 3, .leg = 7},
                        .operation = Operation::compensation,
                        .attempt = attempt})
        .count();
  };
  EXPECT_EQ(delay(1, 1), 98);
  EXPECT_EQ(delay(1, 2), 64);
  EXPECT_EQ(delay(5, 5), 1483);
  EXPECT_EQ(delay(4'000'000'000U, 9), 18962);
  EXPECT_EQ(delay(0, 1), delay(1, 1));
}

TEST(RetryDelay, StaysWithinItsBounds) {
  for (const double jitter : {0.0, 0.5, 1.0}) {
    const RetryPolicy policy{.initial = Millis{10}, .delay_max = Millis{1'000}, .jitter = jitter};
    for (std::uint32_t n = 1; n < 200; ++n) {
      const RetryRequest request{.policy = policy, .repeats = n, .saga = kSaga, .attempt = n};
      const Millis full{std::min<std::int64_t>(1'000, n < 20 ? 10LL << (n - 1) : 1'000)};
      const auto least = static_cast<double>(full.count()) * (1.0 - jitter);
      EXPECT_LE(retry_delay(request), full);
      EXPECT_GE(static_cast<double>(retry_delay(request).count()) + 0.5, least);
      EXPECT_LE(retry_delay_at_cap(request), policy.delay_max);
    }
  }
}

TEST(RetryDelay, DependsOnWhoAsks) {
  const RetryPolicy policy{.initial = Millis{1'000'000}, .delay_max = Millis{1'000'000}};
  const RetryRequest request{.policy = policy, .saga = kSaga};
  RetryRequest leg = request;
  leg.leg.leg = 1;
  EXPECT_NE(retry_delay(request), retry_delay(leg));
  RetryRequest operation = request;
  operation.operation = Operation::probe;
  EXPECT_NE(retry_delay(request), retry_delay(operation));
  RetryRequest saga = request;
  saga.saga.serial += 1;
  EXPECT_NE(retry_delay(request), retry_delay(saga));
}

}  // namespace
}  // namespace skald::test
