// What operators ask: pause, skip, resolve, amend, mark-done, abandon. Which of them is legal in
// which state is a table of its own: legal_acts_test.cc.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/core/legal_acts.h"
#include "tests/support/given.h"

namespace skald::test {
namespace {

constexpr Millis kHour{3'600'000};

Plan order() { return Plan().call("a").pivot("p").retriable("r"); }

/// Its only call may have happened, at a participant without keys.
Given in_doubt(const Plan& plan) {
  Given saga = given(plan);
  saga.start().reply("do a", unknown()).status(SagaStatus::stuck);
  return saga;
}
Plan keyless() { return Plan().call("a").keys(KeysMode::none).wait("w", "go").is_pivot(); }

// --- pause and resume ---

TEST(Pause, BeginsNothingNewAndRecordsReplies) {
  Given saga = given(order());
  saga.start().pause().then({"Paused"}).status(SagaStatus::paused).in_flight({"do a"});
  saga.reply("do a", succeeded()).stage("a", LegStage::done).in_flight({}).wants({});
  saga.never_wakes().later(kHour).status(SagaStatus::paused);
  saga.resume().in_flight({"do p"}).status(SagaStatus::running);
  saga.reply("do p", succeeded()).reply("do r", succeeded()).status(SagaStatus::completed);
}

TEST(Pause, HoldsBackAQueuedIntent) {
  given(order()).no_room().start().pause().dispatch("do a").sent({}).resume().room().in_flight(
      {"do a"});
}

TEST(Pause, SurvivesARestart) {
  Given saga = given(order());
  saga.start().pause().restart().status(SagaStatus::paused).in_flight({}).wants({});
  saga.resume().in_flight({"do a"}).status(SagaStatus::running);
}

TEST(Pause, ReturnsToTheEarlierStatus) {
  Given stuck = in_doubt(keyless());
  stuck.pause().status(SagaStatus::paused).resume().status(SagaStatus::stuck);
  Given back = given(Plan().call("a").wait("w", "go").is_pivot());
  back.start().reply("do a", succeeded()).cancel().pause().reply("undo a", unknown());
  back.later(kHour).in_flight({}).status(SagaStatus::paused);
  back.resume().status(SagaStatus::compensating).in_flight({"undo a"});
}

TEST(Pause, KeepsASagaFromEnding) {
  Given forward = given(Plan().call("a"));
  forward.start().pause().reply("do a", succeeded()).status(SagaStatus::paused);
  forward.resume().status(SagaStatus::completed);
  Given back = given(Plan().call("a").wait("w", "go").is_pivot());
  back.start().reply("do a", succeeded()).cancel().pause().reply("undo a", succeeded());
  back.status(SagaStatus::paused).resume().status(SagaStatus::compensated);
}

TEST(Pause, ARefusalTurnsBackWithoutSendingAnything) {
  Given saga = given(Plan().call("a").call("b").pivot("p"));
  saga.start().reply("do a", succeeded()).pause().reply("do b", rejected());
  saga.failed("b", "failed_precondition").in_flight({}).status(SagaStatus::paused);
  saga.resume().in_flight({"undo a"}).status(SagaStatus::compensating);
}

TEST(Pause, HoldsTheDeadline) {
  Given saga = given(order().deadline(Millis{500}));
  saga.start().silently(Millis{200}).pause().later(kHour).resume();
  saga.wakes_in(Millis{300}).reply("do a", succeeded()).later(Millis{299});
  saga.in_flight({"do p"}).later(Millis{1});
  EXPECT_TRUE(saga.state().deadline_missed);
}

TEST(Pause, HoldsTimers) {
  Given saga = given(Plan().wait("w", "", Millis{1'000}).call("a"));
  saga.start().later(Millis{400}).pause().later(kHour).step("w", StepStage::running);
  saga.resume().wakes_in(Millis{600}).later(Millis{600}).step("w", StepStage::done);
}

TEST(Pause, ATimerThatWasDueBeforeItFiresAtResume) {
  Given saga = given(Plan().wait("w", "", Millis{1'000}).call("a"));
  saga.start().silently(Millis{1'001}).pause().wake().step("w", StepStage::running);
  saga.silently(kHour).resume().step("w", StepStage::done).in_flight({"do a"});
}

TEST(Pause, HoldsTheTimeOfRetries) {
  Given saga = given(Plan().call("a").total(Millis{1'000}).pivot("p"));
  saga.start().reply("do a", not_executed()).pause().later(kHour).resume();
  saga.in_flight({"do a"}).reply("do a", not_executed()).phase("do a", Phase::backing_off);
  EXPECT_FALSE(saga.state().undoing) << "an hour of pause is not an hour of trying";
}

TEST(Pause, DoesNotHoldThePatienceOfKeys) {
  Given saga = given(Plan().call("a").lifetime(Millis{1'000}).pivot("p"));
  saga.start().reply("do a", unknown()).pause().later(kHour).resume();
  saga.status(SagaStatus::stuck).phase("do a", Phase::stopped).in_flight({});
}

TEST(Pause, TakesSignals) {
  Given saga = given(Plan().wait("w", "go").is_pivot().retriable("r"));
  saga.start().pause().signal("s", "go").step("w", StepStage::done).decided(true).in_flight({});
  saga.cancel().refused(Errc::failed_precondition, "point of no return");
  saga.resume().in_flight({"do r"});
}

TEST(Pause, ACancelWaitsForItsEnd) {
  Given saga = given(order());
  saga.start().reply("do a", not_executed()).pause().cancel().accepted();
  saga.status(SagaStatus::paused).resume().status(SagaStatus::compensated);
}

TEST(Pause, TwiceIsRefusedAndSaysWhoWasFirst) {
  Given saga = given(order());
  saga.start().pause().pause().refused(Errc::failed_precondition,
                                       "paused already, by ada: looked at it");
  saga.resume().resume().refused(Errc::failed_precondition, "not paused");
}

TEST(Pause, RetryIsRefused) {
  Given saga = given(order());
  saga.start()
      .reply("do a", unknown())
      .pause()
      .retry()
      .refused(Errc::failed_precondition, "legal now: resume, cancel");
}

// --- skip ---

TEST(Skip, OfAPendingLegGoesOnWithoutIt) {
  Given saga = given(order());
  saga.start().reply("do a", not_executed()).skip("a").accepted().stage("a", LegStage::skipped);
  saga.step("a", StepStage::skipped).in_flight({"do p"}).reply("do p", rejected());
  saga.status(SagaStatus::compensated);  // nothing to undo
}

TEST(Skip, OfTheLegThatIsStuckAfterThePivotCompletesTheSaga) {
  Given saga = given(order());
  saga.start().reply("do a", succeeded()).reply("do p", succeeded()).reply("do r", rejected());
  saga.status(SagaStatus::stuck).skip("r").status(SagaStatus::completed);
}

TEST(Skip, OfThePivotPassesIt) {
  Given saga = given(order());
  saga.start().reply("do a", succeeded()).reply("do p", not_executed()).skip("p").decided(true);
  saga.in_flight({"do r"});
}

TEST(Skip, OfAStuckStepGoesOnWithoutIt) {
  Plan plan = Plan().pivot("p").wait("w", "go", Millis{10}).rejects_on_timeout().retriable("r");
  Given saga = given(plan);
  saga.start().reply("do p", succeeded()).later(Millis{10}).status(SagaStatus::stuck);
  saga.skip("w").step("w", StepStage::skipped).in_flight({"do r"}).status(SagaStatus::running);
}

TEST(Skip, OfLegsAheadKeepsTheWindow) {
  Given saga = given(Plan().call("a").for_each({"1", "2", "3", "4"}, 1).pivot("p"));
  saga.start().skip("a[3]").in_flight({"do a[1]"}).skip("a[4]").in_flight({"do a[1]"});
  saga.reply("do a[1]", succeeded()).in_flight({"do a[2]"});
  saga.reply("do a[2]", succeeded()).in_flight({"do p"}).step("a", StepStage::done);
}

TEST(Skip, OfTheLegInTurnLetsTheNextGo) {
  Given saga = given(Plan().call("a").for_each({"1", "2", "3"}, 1).finish_all().pivot("p"));
  saga.start().reply("do a[1]", not_executed()).skip("a[1]").in_flight({"do a[2]"});
  saga.reply("do a[2]", rejected()).in_flight({"do a[3]"}).reply("do a[3]", succeeded());
  saga.failed("a[2]", "failed_precondition").in_flight({"undo a[3]"});
}

TEST(Skip, WhereTheLegMayHaveHappenedIsRefused) {
  Given saga = in_doubt(keyless());
  saga.skip("a").refused(Errc::failed_precondition, "resolve it first").then({});
  saga.did_not_happen_and_holds("a").skip("a").accepted().step("w", StepStage::running);
}

TEST(Skip, OfALegInFlightIsRefused) {
  given(order()).start().skip("a").refused(Errc::failed_precondition, "in flight");
}

TEST(Skip, ALateSuccessReopensTheLeg) {
  Given saga = given(order());
  saga.start().reply("do a", not_executed()).skip("a").late_reply("do a", 1, succeeded());
  saga.stage("a", LegStage::done).reply("do p", rejected()).in_flight({"undo a"});
}

// --- resolve ---

TEST(Resolve, ItDidHappenGoesOnWithTheResponse) {
  Given saga = in_doubt(keyless());
  saga.happened("a", "receipt 7").then({"Resolved", "WaitBegan"}).stage("a", LegStage::done);
  EXPECT_EQ(saga.leg("a").response, "receipt 7");
  saga.cancel().in_flight({"undo a"});
  EXPECT_EQ(saga.leg("a").undo_request, "undo (do a) receipt 7");
}

TEST(Resolve, ItDidNotHappenTriesAgainUnderTheSameKey) {
  Given saga = in_doubt(keyless());
  saga.did_not_happen("a").in_flight({"do a"}).status(SagaStatus::running);
  EXPECT_EQ(saga.operation("do a").generation, 1U) << "nobody refused it";
}

TEST(Resolve, WhatIsHeldWaitsForTheNextAct) {
  Given saga = in_doubt(keyless());
  saga.did_not_happen_and_holds("a").in_flight({}).status(SagaStatus::stuck);
  saga.retry("a").in_flight({"do a"});
  EXPECT_EQ(saga.operation("do a").generation, 1U);
}

TEST(Resolve, OnTheWayBackNothingIsUndoneThatDidNotHappen) {
  Given not_done = in_doubt(keyless());
  not_done.cancel().status(SagaStatus::stuck);
  not_done.did_not_happen("a").stage("a", LegStage::refused).status(SagaStatus::compensated);
  Given done = in_doubt(keyless());
  done.cancel().happened("a").in_flight({"undo a"});
}

TEST(Resolve, OfThePivotDecides) {
  const Plan plan = Plan().call("a").pivot("p").keys(KeysMode::none).retriable("r");
  Given done = given(plan);
  done.start().reply("do a", succeeded()).reply("do p", unknown()).cancel();
  done.refused(Errc::aborted, "undecided").happened("p").decided(true).in_flight({"do r"});
  Given not_done = given(plan);
  not_done.start().reply("do a", succeeded()).reply("do p", unknown()).cancel();
  not_done.did_not_happen("p").in_flight({"undo a"}).failed("", "canceled");
  Given held = given(plan);
  held.start().reply("do a", succeeded()).reply("do p", unknown()).did_not_happen_and_holds("p");
  held.cancel().accepted().in_flight({"undo a"});  // it is certain now that nothing is passed
}

TEST(Resolve, OfACompensationEndsOrRepeatsIt) {
  const auto undone_in_doubt = [] {
    Given saga = given(keyless());
    saga.start().reply("do a", succeeded()).cancel().reply("undo a", unknown());
    return saga;
  };
  Given done = undone_in_doubt();
  done.happened("a").stage("a", LegStage::undone).status(SagaStatus::compensated);
  Given not_done = undone_in_doubt();
  not_done.did_not_happen("a").in_flight({"undo a"});
}

TEST(Resolve, InsteadOfTheProbeSettlesIt) {
  Given saga = given(Plan().call("a").keys(KeysMode::none).probe().wait("w", "go").is_pivot());
  saga.start()
      .reply("do a", unknown())
      .happened("a")
      .refused(Errc::failed_precondition, "attempt 1 of its probe in flight");
  saga.reply("probe a", unknown()).happened("a").accepted().stage("a", LegStage::done);
  saga.phase("probe a", Phase::settled);
}

TEST(Resolve, NeedsTheReceiptThatTheWayBackNeeds) {
  Given saga = given(Plan().call("a").needs_receipt().lifetime(Millis{10}).wait("w", "go"));
  saga.start().reply("do a", unknown()).later(Millis{200});
  saga.happened("a", std::nullopt).refused(Errc::invalid_argument, "response: is required");
  saga.happened("a").accepted();
}

TEST(Resolve, OfWhatIsCertainIsRefused) {
  Given saga = given(order());
  saga.start()
      .reply("do a", succeeded())
      .happened("a")
      .refused(Errc::failed_precondition, "not in doubt");
  saga.happened("r").refused(Errc::failed_precondition, "has not started");
  saga.happened("x").refused(Errc::not_found, "no leg \"x\"");
}

// --- amend ---

TEST(Amend, AfterARefusalGetsAKeyOfItsOwn) {
  Given saga = given(order());
  saga.start().reply("do a", succeeded()).reply("do p", succeeded()).reply("do r", rejected());
  saga.amend("r", "do r better").then({"Amended", "Intended"}).in_flight({"do r"});
  EXPECT_EQ(saga.operation("do r").generation, 2U);
  EXPECT_EQ(saga.leg("r").request, "do r better");
  saga.status(SagaStatus::running).reply("do r", succeeded()).status(SagaStatus::completed);
}

TEST(Amend, OfWhatWasNotExecutedKeepsItsKey) {
  Given saga = given(order());
  saga.start().reply("do a", not_executed()).amend("a", "do a better").in_flight({"do a"});
  EXPECT_EQ(saga.operation("do a").generation, 1U);
}

TEST(Amend, TheWayBackIsBuiltFromTheAmendedRequest) {
  Given saga = given(order());
  saga.start().reply("do a", not_executed()).amend("a", "better").reply("do a", succeeded());
  saga.reply("do p", rejected()).in_flight({"undo a"});
  EXPECT_EQ(saga.leg("a").undo_request, "undo (better) receipt");
}

TEST(Amend, MovesTheEndpointOfOneOperation) {
  const Endpoint elsewhere{.participant = "http://127.0.0.1:9", .path = "/do"};
  Given saga = given(order());
  saga.start().reply("do a", not_executed()).moves("a", elsewhere).in_flight({"do a"});
  const auto place = [&](Operation operation) {
    return endpoint_of(saga.definition(), saga.state(), {0, 0}, operation);
  };
  EXPECT_EQ(place(Operation::action), elsewhere);
  EXPECT_EQ(place(Operation::compensation).participant, "shop");
  saga.reply("do a", not_executed()).moves("a", {.participant = "shop", .path = "/do"});
  EXPECT_EQ(saga.state().endpoints.size(), 1U);
  EXPECT_EQ(place(Operation::action).participant, "shop");
}

TEST(Amend, OfACompensation) {
  Given saga = given(Plan().call("a").wait("w", "go").is_pivot());
  saga.start().reply("do a", succeeded()).cancel().reply("undo a", rejected());
  saga.amend("a", "undo it so").in_flight({"undo a"}).status(SagaStatus::compensating);
  EXPECT_EQ(saga.leg("a").undo_request, "undo it so");
  EXPECT_EQ(saga.operation("undo a").generation, 2U);
}

TEST(Amend, OfACompensationThatCannotBeBuiltSendsWhatThePersonWrote) {
  Plan plan = Plan().call("a");
  plan.step().undo = [](const Facts&, const Bytes&, const Bytes*) -> Result<Bytes> {
    return fail(Errc::internal, "no");
  };
  Given saga = given(plan.wait("w", "go").is_pivot());
  saga.start().reply("do a", succeeded()).cancel().status(SagaStatus::stuck);
  saga.amend("a", "by hand").in_flight({"undo a"});
  EXPECT_EQ(saga.leg("a").undo_request, "by hand");
}

TEST(Amend, OfALegThatWaitsForItsTurn) {
  Given saga = given(Plan().call("a").for_each({"1", "2"}, 1).pivot("p"));
  saga.start().amend("a[2]", "other").in_flight({"do a[1]"}).reply("do a[1]", succeeded());
  EXPECT_EQ(saga.leg("a[2]").request, "other");
}

TEST(Amend, WhereTheLegMayHaveHappenedIsRefused) {
  Given saga = in_doubt(keyless());
  saga.amend("a", "other").refused(Errc::failed_precondition, "resolve it first").then({});
}

TEST(Amend, ThatChangesNothingIsRefused) {
  Given saga = given(order());
  saga.start().reply("do a", not_executed());
  saga.amend("a", "do a").refused(Errc::invalid_argument, "changes nothing");
}

// --- mark-done ---

TEST(MarkDone, ClosesAFailedCompensation) {
  Given saga = given(Plan().call("a").call("b").wait("w", "go").is_pivot());
  saga.start().reply("do a", succeeded()).reply("do b", succeeded()).cancel();
  saga.reply("undo b", rejected()).status(SagaStatus::stuck).in_flight({});
  saga.mark_done("b").stage("b", LegStage::undone).in_flight({"undo a"});
  saga.reply("undo a", succeeded()).status(SagaStatus::compensated);
}

TEST(MarkDone, ClosesAPivotThatHappenedAfterAll) {
  Given saga = given(Plan().call("a").pivot("p"));
  saga.start().reply("do a", succeeded()).reply("do p", rejected());
  saga.late_reply("do p", 1, succeeded()).reply("undo a", succeeded()).status(SagaStatus::stuck);
  saga.mark_done("p").status(SagaStatus::compensated);
}

TEST(MarkDone, OnTheWayForwardIsRefused) {
  given(order()).start().mark_done("a").refused(Errc::failed_precondition, "goes forward");
}

// --- abandon ---

TEST(Abandon, ClosesTheSagaAsItIs) {
  Given saga = in_doubt(keyless());
  saga.abandon().then({"Abandoned"}).status(SagaStatus::abandoned).never_wakes();
  saga.stage("a", LegStage::acting).restart().then({}).status(SagaStatus::abandoned);
  saga.retry().refused(Errc::failed_precondition, "abandoned already");
}

TEST(Abandon, WithAnAttemptInFlightIsRefused) {
  Given saga = given(order());
  saga.start().abandon().refused(Errc::failed_precondition, "1 attempt in flight");
  saga.pause().reply("do a", succeeded()).abandon().status(SagaStatus::abandoned);
}

TEST(Abandon, NamesWhatStays) {
  Given saga = given(order());
  saga.start().reply("do a", succeeded()).reply("do p", not_executed());
  const ActVerdict verdict =
      judge_act(saga.definition(), saga.state(), ActKind::abandon, std::nullopt, saga.now());
  EXPECT_THAT(verdict.effect, ::testing::HasSubstr("1 leg done or in doubt stays so"));
  EXPECT_THAT(verdict.effect, ::testing::EndsWith(": a"));
}

// --- every act ---

TEST(Acts, ThatOverrideTheTruthSayWhy) {
  Given saga = in_doubt(keyless());
  saga.asks(command::Resolve{.actor = {.name = "ada", .reason = ""}, .leg = "a", .response = {}});
  saga.refused(Errc::invalid_argument, "reason: is required").then({});
  saga.asks(command::Abandon{}).refused(Errc::invalid_argument, "reason: is required");
  saga.asks(command::Pause{}).accepted();
}

TEST(Acts, AboutALegNameIt) {
  given(order()).start().skip("").refused(Errc::invalid_argument, "leg: is required");
}

TEST(Acts, TheSecondOfTwoIsToldWhoWasFirst) {
  Given saga = in_doubt(keyless());
  const std::uint64_t seen = saga.state().seq;
  saga.happened("a").did_not_happen("a").refused(Errc::failed_precondition, "not in doubt");
  const Error told = moved_on(saga.state(), seen, saga.state().seq);
  EXPECT_EQ(told.code, Errc::aborted);
  EXPECT_THAT(told.message, ::testing::HasSubstr("ada was first with resolve"));
}

TEST(Acts, ARefusalSaysWhatIsLegalInstead) {
  Given saga = in_doubt(keyless());
  saga.retry("a").refused(Errc::failed_precondition,
                          "legal now: resolve a, pause, cancel, abandon");
}

}  // namespace
}  // namespace skald::test
