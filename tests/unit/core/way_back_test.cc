// The way back: what is undone, in which order, what it waits for, and what stops it.
#include <gtest/gtest.h>

#include "tests/support/given.h"

namespace skald::test {
namespace {

/// A saga of these steps that waits, undecided.
Plan undecided(Plan plan) { return plan.wait("end", "over").is_pivot(); }

TEST(WayBack, UndoesInReverseOrder) {
  Given saga = given(undecided(Plan().call("a").call("b").call("c")));
  saga.start()
      .reply("do a", succeeded())
      .reply("do b", succeeded())
      .reply("do c", succeeded())
      .cancel()
      .then({"CancelAsked", "UndoBegan", "Intended"})
      .in_flight({"undo c"})
      .reply("undo c", succeeded())
      .in_flight({"undo b"})
      .reply("undo b", succeeded())
      .in_flight({"undo a"})
      .reply("undo a", succeeded())
      .then({"Answered", "Compensated"})
      .status(SagaStatus::compensated)
      .failed("", "canceled");
  EXPECT_EQ(saga.leg("a").undo_request, "undo (do a) receipt");
}

TEST(WayBack, FollowsTheGraphThroughStepsWithoutLegs) {
  // given a -> compute -> c, and b beside them
  given(undecided(Plan().call("a").compute("m").call("c").call("b").after({}).wait("w").after(
            {"c", "b"})))
      .start()
      .reply("do a", succeeded())
      .reply("do b", succeeded())
      .reply("do c", succeeded())
      .cancel()
      .in_flight({"undo c", "undo b"})
      .reply("undo c", succeeded())
      .in_flight({"undo a", "undo b"});
}

TEST(WayBack, UndoesLegsOfOneStepTogether) {
  given(undecided(Plan().call("a").call("b").for_each({"1", "2"}, 1)))
      .start()
      .reply("do a", succeeded())
      .reply("do b[1]", succeeded())
      .reply("do b[2]", succeeded())
      .cancel()
      .in_flight({"undo b[1]", "undo b[2]"})
      .reply("undo b[2]", succeeded())
      .in_flight({"undo b[1]"})
      .reply("undo b[1]", succeeded())
      .in_flight({"undo a"});
}

TEST(WayBack, LeavesWhatNeverRanAndWhatIsHarmless) {
  given(undecided(Plan().query("q").call("a").no_undo().call("b").when(false).call("c")))
      .start()
      .reply("do q", succeeded())
      .reply("do a", succeeded())
      .cancel()
      .in_flight({"do c"})
      .reply("do c", rejected())
      .status(SagaStatus::compensated);
}

TEST(WayBack, AwaitsWhatIsInFlight) {
  given(Plan().call("a"))
      .start()
      .cancel()
      .in_flight({"do a"})
      .wants({})
      .status(SagaStatus::compensating)
      .reply("do a", succeeded())
      .in_flight({"undo a"});
}

TEST(WayBack, LetsGoOfQueriesAndOfWhatCertainlyDidNotRun) {
  given(Plan().query("q").after({}).query("r").after({}).call("a").after({}))
      .start()
      .reply("do a", not_executed())
      .reply("do r", unknown())
      .cancel()
      .then({"CancelAsked", "UndoBegan", "OperationMoved", "OperationMoved", "OperationMoved",
             "Compensated"})
      .stage("q", LegStage::dropped)
      .stage("a", LegStage::refused)
      .late_reply("do q", 1, succeeded())
      .then({});
}

TEST(WayBack, AsksDedupUntilItIsDefinite) {
  given(Plan().call("a").keys(KeysMode::dedup))
      .start()
      .reply("do a", unknown())
      .cancel()
      .wants({})
      .later(kInitial)
      .in_flight({"do a"})
      .reply("do a", not_executed())
      .later(2 * kInitial)
      .in_flight({"do a"})
      .reply("do a", succeeded())
      .in_flight({"undo a"});
}

TEST(WayBack, AsksBarrierWhereTheReceiptIsNeeded) {
  Given saga = given(Plan().call("a").needs_receipt());
  saga.start().reply("do a", unknown()).cancel().later(kInitial).in_flight({"do a"});
  saga.reply("do a", succeeded()).in_flight({"undo a"});
  EXPECT_EQ(saga.leg("a").undo_request, "undo (do a) receipt");
}

TEST(WayBack, WhatTheBarrierLetsUndoIsNotOverdue) {
  given(Plan().call("a"))
      .start()
      .cancel()
      .silently(3 * kTotal)
      .reply("do a", unknown())
      .status(SagaStatus::compensating)
      .in_flight({"undo a"});
}

TEST(WayBack, NeedsABarrierOnBothSidesToUndoDirectly) {
  Plan undo_by_dedup;
  undo_by_dedup.call("a").step().compensation->method.keys = KeysMode::dedup;
  Plan action_by_dedup;
  action_by_dedup.call("a").step().action.method.keys = KeysMode::dedup;
  for (const Plan& plan : {undo_by_dedup, action_by_dedup}) {
    given(plan).start().reply("do a", unknown()).cancel().later(kInitial).in_flight({"do a"});
  }
}

TEST(WayBack, AsksWhatIsPendingUntilItsTimeIsSpent) {
  Given saga = given(Plan().call("a").total(Millis{1'000}));
  saga.start().reply("do a", pending()).cancel().in_flight({}).wants({});
  for (Millis passed = kInitial, delay = kInitial; passed < Millis{1'000}; passed += delay) {
    saga.later(delay).reply("do a", pending()).in_flight({});
    delay = std::min(2 * delay, kDelayMax);
  }
  saga.later(kDelayMax).in_flight({"undo a"});
}

TEST(WayBack, AnOverdueSettlementAlertsAndHeals) {
  // given a dedup participant that is away for the time of the action and of the way back
  Given saga = given(Plan().call("a").keys(KeysMode::dedup).total(Millis{500}));
  saga.start().reply("do a", unknown()).cancel();
  for (int i = 0; i < 3; ++i) saga.later(kDelayMax).reply("do a", unknown());
  saga.status(SagaStatus::stuck).wakes_in(kDelayMax).later(kDelayMax);
  saga.reply("do a", rejected()).status(SagaStatus::compensated);
}

TEST(WayBack, AnOverdueCompensationAlertsAndHeals) {
  Given saga = given(undecided(Plan().call("a").total(Millis{250})));
  saga.start().reply("do a", succeeded()).cancel().reply("undo a", unknown());
  saga.status(SagaStatus::compensating).later(kInitial).reply("undo a", not_executed());
  saga.later(2 * kInitial).reply("undo a", unknown());
  saga.status(SagaStatus::stuck).wakes_in(kDelayMax).later(kDelayMax).in_flight({"undo a"});
  saga.reply("undo a", succeeded()).status(SagaStatus::compensated);
}

TEST(WayBack, SpentAttemptsOfACompensationAlertToo) {
  given(undecided(Plan().call("a").attempts(1)))
      .start()
      .reply("do a", succeeded())
      .cancel()
      .reply("undo a", not_executed())
      .status(SagaStatus::compensating)
      .later(kInitial)
      .reply("undo a", unknown())
      .status(SagaStatus::stuck)
      .wakes_in(kDelayMax);
}

TEST(WayBack, AStuckCompensationHoldsOnlyWhatItDependsOn) {
  // given a -> b, and c on its own
  given(undecided(Plan().call("a").call("b").call("c").after({}).wait("w").after({"b", "c"})))
      .start()
      .reply("do c", succeeded())
      .reply("do a", succeeded())
      .reply("do b", succeeded())
      .cancel()
      .reply("undo b", rejected())
      .status(SagaStatus::stuck)
      .in_flight({"undo c"})
      .reply("undo c", succeeded())
      .in_flight({})
      .wants({})
      .stage("a", LegStage::done)
      // when a person has it tried again
      .retry("b")
      .in_flight({"undo b"})
      .reply("undo b", succeeded())
      .in_flight({"undo a"});
}

TEST(WayBack, ALegInDoubtHoldsOnlyWhatItDependsOn) {
  given(Plan().call("a").call("b").keys(KeysMode::none).call("c").after({}))
      .start()
      .reply("do c", succeeded())
      .reply("do a", succeeded())
      .reply("do b", unknown())
      .status(SagaStatus::stuck)
      .cancel()
      .status(SagaStatus::stuck)
      .in_flight({"undo c"})
      .reply("undo c", succeeded())
      .stage("a", LegStage::done)
      .wants({});
}

TEST(WayBack, ABuilderThatFailsStopsItsLegUntilARetry) {
  bool works = false;
  Plan plan;
  plan.call("a").step().undo = [&works](const Facts&, const Bytes&, const Bytes*) -> Result<Bytes> {
    if (!works) return fail(Errc::internal, "cannot read the receipt");
    return "undo it";
  };
  Given saga = given(undecided(plan));
  saga.start()
      .reply("do a", succeeded())
      .cancel()
      .then({"CancelAsked", "UndoBegan", "OperationMoved"});
  saga.phase("undo a", Phase::stopped).status(SagaStatus::stuck).never_wakes();
  works = true;
  saga.retry("a").in_flight({"undo a"});
  EXPECT_EQ(saga.leg("a").undo_request, "undo it");
  EXPECT_EQ(saga.operation("undo a").generation, 1U) << "it was never sent";
}

TEST(WayBack, AProbeBuilderThatFailsStopsTheProbe) {
  Plan plan;
  plan.call("a").keys(KeysMode::none).probe().step().probe_request =
      [](const Facts&, const Bytes&, const Bytes*) -> Result<Bytes> {
    return fail(Errc::internal, "cannot ask");
  };
  given(plan)
      .start()
      .reply("do a", unknown())
      .phase("probe a", Phase::stopped)
      .status(SagaStatus::stuck);
}

TEST(WayBack, AProbeBuilderMakesItsRequest) {
  Plan plan;
  plan.call("a").keys(KeysMode::none).probe().step().probe_request =
      [](const Facts&, const Bytes& request, const Bytes* receipt) -> Result<Bytes> {
    return "was it done: " + request + (receipt == nullptr ? "?" : "!");
  };
  const Given saga = given(plan).start().reply("do a", unknown());
  EXPECT_EQ(saga.leg("a").probe_request, "was it done: do a?");
}

TEST(WayBack, AProbeBuilderSeesTheReceiptOfWhatIsUndone) {
  Plan plan;
  plan.call("a").keys(KeysMode::none).probe().step().probe_request =
      [](const Facts&, const Bytes& request, const Bytes* receipt) -> Result<Bytes> {
    return request + (receipt == nullptr ? "?" : " as " + *receipt);
  };
  Given saga = given(undecided(plan));
  saga.start().reply("do a", succeeded()).cancel().reply("undo a", unknown());
  EXPECT_EQ(saga.leg("a").probe_request, "do a as receipt");
}

TEST(WayBack, ARetryWithoutADelayIsToldAtOnce) {
  // given delays of 0 or 1 ms, as chance has it
  Plan plan;
  std::vector<std::string> items;
  for (int i = 0; i < 20; ++i) items.push_back(std::to_string(i));
  plan.call("a").keys(KeysMode::none).probe().for_each(items);
  plan.step().action.retry.initial = Millis{1};
  plan.step().action.retry.jitter = 1.0;
  Given saga = given(plan);
  saga.start();
  for (const std::string& item : items) {
    saga.reply("do a[" + item + "]", unknown());
    saga.reply("probe a[" + item + "]", rejected("not_found"));  // given.cc looks for lost wants
  }
  EXPECT_GT(saga.state().in_flight, 0U);
  EXPECT_LT(saga.state().in_flight, 20U);
}

TEST(WayBack, UndoingWhatMayHaveHappenedEndsItsRetries) {
  // given an action whose next attempt was due later
  Given saga = given(Plan().call("a"));
  saga.start().reply("do a", unknown()).cancel().in_flight({"undo a"});
  // then it is not waited for any more
  saga.phase("do a", Phase::settled).never_wakes();
  EXPECT_EQ(saga.state().backing_off, 0U);
  saga.reply("undo a", succeeded()).status(SagaStatus::compensated);
}

TEST(WayBack, ALateSuccessReopensARefusedLeg) {
  // given a refused leg, while another is still in flight
  Given saga = given(Plan().call("a").for_each({"1", "2"}));
  saga.start().reply("do a[1]", rejected("sold_out")).status(SagaStatus::compensating);
  // when the participant says after all that it was done
  saga.late_reply("do a[1]", 1, succeeded());
  // then it is undone, and what was told stays told
  saga.in_flight({"undo a[1]", "do a[2]"}).failed("a[1]", "sold_out");
  EXPECT_EQ(refusals(saga.definition(), saga.state()).at(0).outcome, OutcomeKind::rejected);
  saga.reply("do a[2]", rejected()).reply("undo a[1]", succeeded()).status(SagaStatus::compensated);
  saga.late_reply("do a[2]", 1, succeeded()).then({});  // the end is the end
}

TEST(WayBack, ALateSuccessIsRememberedWhileAllLegsFinish) {
  given(Plan().call("a").for_each({"1", "2"}).finish_all())
      .start()
      .reply("do a[1]", rejected("sold_out"))
      .late_reply("do a[1]", 1, succeeded())
      .then({"Answered"})
      .reply("do a[2]", succeeded())
      .failed("a[1]", "sold_out")
      .in_flight({"undo a[1]", "undo a[2]"});
}

TEST(WayBack, ALateSuccessOfTheRefusedPivotNeedsAPerson) {
  given(Plan().call("a").pivot("p"))
      .start()
      .reply("do a", succeeded())
      .reply("do p", rejected())
      .in_flight({"undo a"})
      .late_reply("do p", 1, succeeded())
      .status(SagaStatus::stuck)
      .reply("undo a", succeeded())
      .status(SagaStatus::stuck);  // it never says `compensated`
}

TEST(WayBack, ALateSuccessSettlesALegInDoubt) {
  given(Plan().call("a").keys(KeysMode::none).pivot("p"))
      .start()
      .reply("do a", unknown())
      .status(SagaStatus::stuck)
      .late_reply("do a", 2, succeeded())  // never sent
      .then({})
      .late_reply("do a", 1, unknown())
      .then({})
      .late_reply("do a", 1, succeeded())
      .in_flight({"do p"})
      .status(SagaStatus::running);
}

TEST(WayBack, ALateSuccessOfAQueryIsNothing) {
  given(Plan().call("a").query("q").after({}))
      .start()
      .reply("do q", rejected())
      .late_reply("do q", 1, succeeded())
      .then({})
      .reply("do a", succeeded())
      .late_reply("undo a", 7, succeeded())
      .then({});
}

TEST(WayBack, SpentTimeOfAnUnknownActionTurnsBackAndUndoesIt) {
  given(Plan().call("a").for_each({"x y"}).total(Millis{150}))
      .start()
      .reply("do a[x%20y]", unknown())
      .later(kInitial)
      .silently(Millis{60})
      .reply("do a[x%20y]", unknown())
      .failed("a[x%20y]", "unknown")
      .in_flight({"undo a[x%20y]"});
}

TEST(WayBack, SpentAttemptsCountThoseThatMayHaveRun) {
  given(Plan().call("a").attempts(2))
      .start()
      .reply("do a", not_executed())
      .later(kInitial)
      .reply("do a", unknown())
      .status(SagaStatus::running)
      .later(2 * kInitial)
      .reply("do a", not_executed())
      .status(SagaStatus::running)
      .later(4 * kInitial)
      .reply("do a", unknown())
      .status(SagaStatus::compensating);
}

TEST(WayBack, SpentTimeOfWhatNeverRanIsARefusal) {
  given(Plan().call("a").total(Millis{100}))
      .start()
      .reply("do a", not_executed())
      .later(kInitial)
      .reply("do a", not_executed())
      .failed("a", "not_executed")
      .status(SagaStatus::compensated);
}

TEST(WayBack, AQueryThatIsSpentTurnsBack) {
  given(Plan().query("q").attempts(1)).start().reply("do q", unknown()).failed("q", "unknown");
}

}  // namespace
}  // namespace skald::test
