// The pivot: undecided while it is in flight, no way back behind it, and what runs beside it.
#include <gtest/gtest.h>

#include "tests/support/given.h"

namespace skald::test {
namespace {

TEST(Pivot, InFlightRecordsACancelAndUndoesNothing) {
  given(Plan().call("a").pivot("p"))
      .start()
      .reply("do a", succeeded())
      .cancel()
      .refused(Errc::aborted, "undecided")
      .then({"CancelAsked", "UndoDeferred"})
      .durable(true)
      .status(SagaStatus::running)
      .in_flight({"do p"})
      // asked again, it is recorded once
      .cancel()
      .refused(Errc::aborted, "undecided")
      .then({})
      .reply("do p", rejected())
      .failed("", "canceled")
      .in_flight({"undo a"});
}

TEST(Pivot, SuccessWinsOverWhatWasRecorded) {
  given(Plan().call("a").pivot("p").retriable("r"))
      .start()
      .reply("do a", succeeded())
      .cancel()
      .reply("do p", succeeded())
      .in_flight({"do r"})
      .cancel()
      .refused(Errc::failed_precondition, "point of no return")
      .reply("do r", succeeded())
      .status(SagaStatus::completed);
}

TEST(Pivot, NotExecutedIsDefiniteToo) {
  given(Plan().pivot("p"))
      .start()
      .reply("do p", not_executed())
      // it backs off, and certainly did not happen: the saga may turn back at once
      .cancel()
      .accepted()
      .stage("p", LegStage::refused)
      .status(SagaStatus::compensated);
  given(Plan().pivot("p").total(kInitial))
      .start()
      .reply("do p", not_executed())
      .later(kInitial)
      .reply("do p", not_executed())
      .failed("p", "not_executed")
      .status(SagaStatus::compensated);
}

TEST(Pivot, BeforeItIsSentThereIsAWayBack) {
  given(Plan().pivot("p"))
      .no_room()
      .start()
      .cancel()
      .accepted()
      .status(SagaStatus::compensated)
      .dispatch("do p")
      .sent({})
      .then({});
}

TEST(Pivot, SpentRetriesOfAnUnknownPivotUndoNothing) {
  Given saga = given(Plan().call("a").pivot("p").total(Millis{150}).attempts(2));
  saga.start().reply("do a", succeeded()).reply("do p", unknown()).later(kInitial);
  saga.reply("do p", unknown()).status(SagaStatus::stuck).stage("a", LegStage::done);
  saga.cancel().refused(Errc::aborted).wakes_in(kDelayMax).later(kDelayMax).in_flight({"do p"});
  saga.reply("do p", rejected()).in_flight({"undo a"}).failed("", "canceled");
}

TEST(Pivot, InDoubtWithoutKeysIsStuckWithNothingUndone) {
  given(Plan().call("a").pivot("p").keys(KeysMode::none).deadline(Millis{1'000}))
      .start()
      .reply("do a", succeeded())
      .reply("do p", unknown())
      .status(SagaStatus::stuck)
      .cancel()
      .refused(Errc::aborted)
      .later(Millis{2'000})
      .then({"DeadlineMissed"})
      .stage("a", LegStage::done)
      .wants({});
}

TEST(Pivot, SkippedIsPassedByAnEventOfItsOwn) {
  given(Plan().call("a").pivot("p").when(false).retriable("r"))
      .start()
      .reply("do a", succeeded())
      .then({"Answered", "StepSkipped", "PivotPassed", "StepStarted", "Intended"})
      .cancel()
      .refused(Errc::failed_precondition);
}

TEST(Pivot, BehindItARefusalSticksAtOnce) {
  Given saga = given(Plan().call("a").pivot("p").retriable("r"));
  saga.start().reply("do a", succeeded()).reply("do p", succeeded()).reply("do r", rejected());
  saga.phase("do r", Phase::stopped).status(SagaStatus::stuck).stage("a", LegStage::done);
  // a definite refusal ends a generation: the retry has a key of its own
  saga.retry("r").accepted().then({"RetryAsked", "OperationMoved", "Intended"});
  EXPECT_EQ(saga.operation("do r").generation, 2U);
  EXPECT_EQ(saga.operation("do r").attempts, 2U);
  saga.reply("do r", succeeded()).status(SagaStatus::completed);
}

TEST(Pivot, BehindItRetriesGoOnAtTheCapAndHeal) {
  for (const Outcome& answer : {unknown(), not_executed()}) {
    Given saga = given(Plan().pivot("p").retriable("r").total(Millis{100}));
    saga.start().reply("do p", succeeded()).reply("do r", answer).status(SagaStatus::running);
    saga.later(kInitial).reply("do r", answer).status(SagaStatus::stuck).wakes_in(kDelayMax);
    saga.later(kDelayMax).reply("do r", answer).status(SagaStatus::stuck).wakes_in(kDelayMax);
    saga.later(kDelayMax).reply("do r", succeeded()).status(SagaStatus::completed);
  }
}

TEST(Pivot, BehindItAQueryThatIsSpentGoesOnToo) {
  given(Plan().pivot("p").query("q").total(Millis{0 + 50}))
      .start()
      .reply("do p", succeeded())
      .silently(Millis{50})
      .reply("do q", unknown())
      .status(SagaStatus::stuck)
      .wakes_in(kDelayMax);
}

TEST(Pivot, BehindItABuilderThatFailsSticksUntilARetry) {
  bool works = false;
  Plan plan;
  plan.pivot("p").compute("c").step().compute = [&works](const Facts&) -> Result<Bytes> {
    if (!works) return fail(Errc::internal, "not yet");
    return "now";
  };
  Given saga = given(plan);
  saga.start().reply("do p", succeeded()).then({"Answered", "PivotPassed", "StepFailed"});
  saga.status(SagaStatus::stuck).step("c", StepStage::pending).never_wakes();
  saga.retry("p").refused(Errc::failed_precondition, "nothing to retry at p");
  saga.retry("c").then({"RetryAsked", "StepRetried", "StepFailed"}).status(SagaStatus::stuck);
  works = true;
  saga.retry().then({"RetryAsked", "StepRetried", "Computed", "Completed"});
}

TEST(Pivot, WhatSticksBehindItStaysUntilARetry) {
  int tried = 0;
  Plan plan;
  plan.pivot("p").retriable("r").compute("c").after({"p"}).step().compute =
      [&tried](const Facts&) -> Result<Bytes> {
    tried += 1;
    return fail(Errc::internal, "no");
  };
  given(plan)
      .start()
      .reply("do p", succeeded())
      .reply("do r", succeeded())
      .wake()
      .status(SagaStatus::stuck);
  EXPECT_EQ(tried, 1);
}

TEST(Pivot, BehindItAnOutputThatFailsSticksUntilARetry) {
  bool works = false;
  Plan plan;
  plan.pivot("p").definition().output = [&works](const Facts&) -> Result<Bytes> {
    if (!works) return fail(Errc::internal, "");
    return "now";
  };
  Given saga = given(plan);
  saga.start().reply("do p", succeeded()).status(SagaStatus::stuck);
  EXPECT_EQ(saga.state().output_stuck, "internal");
  saga.restart().status(SagaStatus::stuck);
  saga.retry("p").refused(Errc::failed_precondition);
  works = true;
  saga.retry().status(SagaStatus::completed);
}

TEST(Pivot, WhatFailsBesideItWaitsForItsAnswer) {
  const auto beside = [] {
    return given(Plan().call("a").pivot("p").query("q").after({"a"}).retriable("r").after({"p"}))
        .start()
        .reply("do a", succeeded())
        .in_flight({"do p", "do q"})
        .reply("do q", rejected("no"))
        .then({"Answered", "UndoDeferred"});
  };
  beside().reply("do p", rejected()).failed("q", "no").in_flight({"undo a"});
  // Behind the pivot there is no way back: a person tries the step again.
  Given passed = beside().reply("do p", succeeded());
  passed.in_flight({"do r"}).status(SagaStatus::stuck).step("q", StepStage::failed);
  passed.retry("q").in_flight({"do q", "do r"}).status(SagaStatus::running);
  EXPECT_EQ(passed.operation("do q").attempts, 2U) << "an old answer must stay old";
  passed.late_reply("do q", 1, succeeded()).then({});
  EXPECT_TRUE(passed.state().refused.empty());
  passed.reply("do q", succeeded()).reply("do r", succeeded()).status(SagaStatus::completed);
}

TEST(Pivot, AFanOutThatIsFailingBesideItIsLetGo) {
  for (const bool finish_all : {false, true}) {
    Plan plan;
    plan.pivot("p").query("q").after({}).for_each({"1", "2", "3", "4"}, 2);
    if (finish_all) plan.finish_all();
    Given saga = given(plan);
    saga.start().reply("do q[1]", rejected()).reply("do p", succeeded());
    saga.stage("q[2]", LegStage::dropped).stage("q[4]", LegStage::dropped).in_flight({});
    saga.step("q", StepStage::failed).status(SagaStatus::stuck);
    saga.retry("q").in_flight({"do q[1]", "do q[2]"});
  }
}

TEST(Pivot, WhatWasHeldForItGoesOnBehindIt) {
  given(Plan().pivot("p").query("q").after({}).for_each({"1", "2"}, 1).query("r").after({"q"}))
      .no_room()
      .start()
      .dispatch("do p")
      .cancel()
      .refused(Errc::aborted)
      .dispatch("do q[1]")
      .sent({})
      .reply("do p", succeeded())
      .wants({"do q[1]"})
      .room()
      .in_flight({"do q[1]"});
}

TEST(Pivot, AWaitThatFailsBesideItIsTriedAgain) {
  given(Plan().pivot("p").wait("w", "go", Millis{500}).after({}).rejects_on_timeout())
      .start()
      .later(Millis{500})
      .then({"WaitEnded", "UndoDeferred"})
      .reply("do p", succeeded())
      .status(SagaStatus::stuck)
      .signal("s", "go")
      .then({"SignalReceived"})
      .retry("w")
      .status(SagaStatus::completed);
}

TEST(Pivot, AsAWaitTheFirstEventWins) {
  const auto waiting = [] {
    return given(Plan().call("a").wait("w", "paid", Millis{500}).is_pivot().rejects_on_timeout())
        .start()
        .reply("do a", succeeded())
        .decided(false);
  };
  waiting().signal("s", "paid").then({"SignalReceived", "WaitEnded", "PivotPassed", "Completed"});
  waiting()
      .later(Millis{500})
      .failed("w", "timeout")
      .in_flight({"undo a"})
      .signal("s", "paid")
      .then({"SignalReceived"})
      .in_flight({"undo a"});
  waiting()
      .cancel()
      .accepted()
      .failed("", "canceled")
      .step("w", StepStage::failed)
      .later(Millis{600})
      .in_flight({"undo a"});
}

TEST(Pivot, AsAWaitItsTimeoutMayBeTheWayOn) {
  given(Plan().call("a").wait("w", "objection", Millis{500}).is_pivot().retriable("r"))
      .start()
      .reply("do a", succeeded())
      .later(Millis{500})
      .decided(true)
      .in_flight({"do r"});
}

TEST(Pivot, AsAWaitASignalThatCameEarlyPassesIt) {
  given(Plan().call("a").wait("w", "paid").is_pivot())
      .start()
      .signal("s", "paid")
      .reply("do a", succeeded())
      .then({"Answered", "WaitBegan", "WaitEnded", "PivotPassed", "Completed"});
}

}  // namespace
}  // namespace skald::test
