// Replays: which sagas may be done again, what is kept of them, and what the new saga does with it.
// Rehearsals too: they are how a replay is shown before it is done.
#include "engine/core/replay.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/core/evolve.h"
#include "engine/core/invariants.h"
#include "engine/core/owed.h"
#include "engine/core/rehearsal.h"
#include "tests/support/given.h"

namespace skald::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::string reason(const Given& saga) {
  const auto may = replayable(&saga.definition(), saga.state());
  return may ? "" : may.error().message;
}

/// Query, compute, two calls, pivot: the second call is refused, the first undone.
Given failed_order(const Plan& plan) {
  Given saga = given(plan);
  saga.start().reply("do cart", succeeded()).reply("do deduct", succeeded());
  saga.reply("do pay", rejected()).reply("undo deduct", succeeded());
  return saga;
}
Plan order() {
  return Plan().query("cart").compute("total").call("deduct").call("pay").pivot("ship");
}

Script script_for(const Given& old, const DefinitionPtr& next, std::string from) {
  Script script{.at = kStart, .assume_success = true};
  script.start.id = {.placement = 7, .serial = 7};
  script.start.input = old.state().input;
  script.start.replay =
      Replay{.of = old.state().id,
             .from = from,
             .kept = kept_before(old.definition(), old.state(), *next, from).value()};
  return script;
}

std::vector<std::string> legs_of(const Definition& definition, const Rehearsal& rehearsal) {
  std::vector<std::string> legs;
  for (const auto& request : rehearsal.requests) {
    legs.push_back(leg_name(definition, rehearsal.state, request.leg));
  }
  return legs;
}

TEST(Replayable, IsAFailedSagaOfWhichNothingIsLeft) {
  const Given undone = failed_order(order());
  EXPECT_EQ(undone.state().status, SagaStatus::compensated);
  EXPECT_EQ(reason(undone), "");
  EXPECT_TRUE(replayable(nullptr, undone.state())) << "its version may be gone";
  Given closed = given(Plan().call("a").attempts(1));
  closed.start().reply("do a", not_executed()).abandon().status(SagaStatus::abandoned);
  EXPECT_EQ(reason(closed), "");
  const auto unknown = replayable(nullptr, closed.state());
  ASSERT_FALSE(unknown);
  EXPECT_THAT(unknown.error().message, HasSubstr("is not registered here"));
}

TEST(Replayable, IsNotWhatHasNotFailed) {
  Given done = given(Plan().call("a"));
  done.start().reply("do a", succeeded()).status(SagaStatus::completed);
  EXPECT_THAT(reason(done), HasSubstr("is completed"));
}

TEST(Replayable, IsNothingThatCanStillMove) {
  Given running = given(Plan().call("a"));
  running.start();
  EXPECT_THAT(reason(running), HasSubstr("is running and can still move"));
  Given undoing = given(order());
  undoing.start().reply("do cart", succeeded()).reply("do deduct", succeeded()).cancel();
  EXPECT_THAT(reason(undoing), HasSubstr("wait until it is undone"));
  Given doubtful = given(Plan().call("a").keys(KeysMode::none));
  doubtful.start().reply("do a", unknown()).status(SagaStatus::stuck);
  EXPECT_THAT(reason(doubtful), HasSubstr("is stuck"));
}

TEST(Replayable, IsNothingOfWhichSomethingIsAppliedOrInDoubt) {
  Given applied = given(Plan().call("a").call("b"));
  applied.start().reply("do a", succeeded()).pause().reply("do b", rejected()).abandon();
  EXPECT_THAT(reason(applied), HasSubstr("a is applied"));
  Given forward = given(Plan().pivot("a").retriable("b"));
  forward.start().reply("do a", succeeded()).reply("do b", rejected()).abandon();
  EXPECT_THAT(reason(forward), HasSubstr("a is applied"));
  Given doubtful = given(Plan().call("a").keys(KeysMode::none));
  doubtful.start().reply("do a", unknown()).abandon();
  EXPECT_THAT(reason(doubtful), HasSubstr("a is in doubt"));
  Given undoing = given(Plan().call("a").call("b"));
  undoing.start().reply("do a", succeeded()).reply("do b", rejected());
  undoing.reply("undo a", rejected()).status(SagaStatus::stuck).abandon();
  EXPECT_THAT(reason(undoing), HasSubstr("a is being undone"));
}

TEST(Replayable, IsWhatHasDoneOnlyHarmlessThings) {
  Given saga = given(Plan().call("a").no_undo().call("b"));
  saga.start().reply("do a", succeeded()).reply("do b", rejected());
  EXPECT_EQ(saga.state().status, SagaStatus::compensated);
  EXPECT_EQ(reason(saga), "");
}

TEST(KeptResults, AreThoseOfQueriesAndComputesBeforeTheStep) {
  const Given old = failed_order(order());
  const auto kept = kept_before(old.definition(), old.state(), old.definition(), "pay");
  ASSERT_TRUE(kept) << kept.error().message;
  ASSERT_EQ(kept->size(), 2U);
  EXPECT_EQ(kept->at(0).legs.front().request, "do cart");
  EXPECT_TRUE(kept->at(1).output.has_value());
  EXPECT_THAT(kept_before(old.definition(), old.state(), old.definition(), "").value(), IsEmpty());
  EXPECT_THAT(kept_before(old.definition(), old.state(), old.definition(), "cart").value(),
              IsEmpty());
}

TEST(KeptResults, MustBeThere) {
  const Given old = failed_order(order());
  const auto of = [&](const DefinitionPtr& next, std::string_view from) {
    const auto kept = kept_before(old.definition(), old.state(), *next, from);
    return kept ? std::string() : kept.error().message;
  };
  EXPECT_THAT(of(order().seal(), "nowhere"), HasSubstr("has no step \"nowhere\""));
  const auto renamed = Plan().query("basket").call("deduct").call("pay").pivot("ship").seal();
  EXPECT_THAT(of(renamed, "deduct"), HasSubstr("step basket has no stored result"));
  const auto other_kind = Plan().compute("cart").call("deduct").seal();
  EXPECT_THAT(of(other_kind, "deduct"), HasSubstr("has no such compute"));
  const auto later = Plan().query("cart").call("deduct").call("pay").query("late").call("z").seal();
  Given early = given(Plan().query("cart").call("deduct").call("pay").query("late").call("z"));
  early.start().reply("do cart", succeeded()).reply("do deduct", rejected());
  const auto unfinished = kept_before(early.definition(), early.state(), *later, "z");
  ASSERT_FALSE(unfinished);
  EXPECT_THAT(unfinished.error().message, HasSubstr("choose an earlier step"));
}

TEST(KeptResults, AreUsedInOrderAndNotRunAgain) {
  // The query after the call is kept, and used when the call is done.
  const Plan plan =
      Plan().query("cart").compute("total").call("deduct").query("prices").call("pay").pivot("end");
  Given old = given(plan);
  old.start().reply("do cart", succeeded()).reply("do deduct", succeeded());
  old.reply("do prices", succeeded()).reply("do pay", rejected());
  old.reply("undo deduct", succeeded()).status(SagaStatus::compensated);
  const DefinitionPtr next = plan.seal();
  const Rehearsal again = rehearse(*next, script_for(old, next, "pay"));
  EXPECT_THAT(legs_of(*next, again), ElementsAre("deduct", "pay", "end"));
  EXPECT_THAT(again.kept, ElementsAre(0, 1, 3));
  EXPECT_EQ(again.state.status, SagaStatus::completed);
  EXPECT_THAT(again.state.replay->kept, IsEmpty());
  EXPECT_EQ(again.state.steps[3].legs.front().response, old.state().steps[3].legs.front().response);
  EXPECT_THAT(violated(*next, again.state), IsEmpty());
}

TEST(KeptResults, SurviveARestartBeforeTheyAreUsed) {
  const Given old = failed_order(order());
  const Script script = script_for(old, order().seal(), "pay");
  SagaState state;
  Decision decision;
  ASSERT_TRUE(decide(*order().seal(), state, {.at = kStart, .body = script.start}, decision));
  ASSERT_EQ(kind_of(decision.events[1]), "StepKept");
  SagaState refolded;
  refolded.id = state.id;
  for (const Event& event : decision.events) {
    ASSERT_TRUE(fits(refolded, event));
    evolve(refolded, event);
  }
  EXPECT_EQ(refolded, state);
  EXPECT_FALSE(fits(state, {.body = event::StepKept{.step = 0}})) << "it is used already";
  evolve(state, {.body = event::StepKept{.step = 0}});  // total all the same
  SagaState plain;
  evolve(plain, {.body = event::Started{.steps = 1}});
  EXPECT_FALSE(fits(plain, {.body = event::StepKept{.step = 0}}));
  evolve(plain, {.body = event::StepKept{.step = 0}});
}

TEST(Rehearsal, TurnsBackWhereTheAnswerSaysSo) {
  const DefinitionPtr plan = order().seal();
  Script script{.at = kStart, .assume_success = true};
  script.start.id = kSaga;
  script.actions["pay"] = {.outcome = rejected(), .response = {}};
  const Rehearsal paper = rehearse(*plan, script);
  EXPECT_EQ(paper.state.status, SagaStatus::compensated);
  EXPECT_THAT(legs_of(*plan, paper), ElementsAre("cart", "deduct", "pay", "deduct"));
  EXPECT_EQ(paper.requests.back().operation, Operation::compensation);
  EXPECT_FALSE(paper.requests.front().assumed);
  EXPECT_TRUE(paper.requests[1].assumed) << "the cart's answer was assumed";
}

TEST(Rehearsal, WhatWasSentBesideARefusalIsSentAgain) {
  // In the recorded saga 2 was on its way when 1 was refused; 3 was not sent any more.
  const DefinitionPtr plan = Plan().call("a").for_each({"1", "2", "3"}, 2).seal();
  Script script{.at = kStart};
  script.start.id = kSaga;
  script.actions["a[1]"] = {.outcome = rejected(), .response = {}};
  script.actions["a[2]"] = {.outcome = succeeded(), .response = {}};
  const Rehearsal paper = rehearse(*plan, script);
  EXPECT_THAT(legs_of(*plan, paper), ElementsAre("a[1]", "a[2]", "a[2]"));
  EXPECT_EQ(paper.state.status, SagaStatus::compensated);
}

TEST(Rehearsal, EndsAtTheFirstLegWithoutAnAnswer) {
  const DefinitionPtr plan = order().seal();
  Script script{.at = kStart};
  script.start.id = kSaga;
  script.actions["cart"] = {.outcome = succeeded(), .response = "c"};
  const Rehearsal paper = rehearse(*plan, script);
  ASSERT_TRUE(paper.unanswered);
  EXPECT_EQ(leg_name(*plan, paper.state, *paper.unanswered), "deduct");
}

TEST(Replayable, IsASagaWhoseLegsWereNeverSentOrAreSkipped) {
  Given ready = given(Plan().call("a"));
  ready.no_room().start().stage("a", LegStage::ready).abandon();
  EXPECT_EQ(reason(ready), "");
  Given dropped = given(Plan().call("a").for_each({"1", "2"}, 1).call("b"));
  dropped.start().reply("do a[1]", rejected()).stage("a[2]", LegStage::dropped);
  EXPECT_EQ(reason(dropped), "");
  Given skipped = given(Plan().call("a").call("b"));
  skipped.start().reply("do a", not_executed()).skip("a").reply("do b", rejected());
  skipped.status(SagaStatus::compensated).stage("a", LegStage::skipped);
  EXPECT_EQ(reason(skipped), "");
}

TEST(KeptResults, AreNotThoseOfAStepThatWasSkipped) {
  Given old = given(Plan().query("cart").compute("total").when(false).call("a"));
  old.start().reply("do cart", succeeded()).reply("do a", rejected());
  const auto kept = kept_before(old.definition(), old.state(), old.definition(), "a");
  ASSERT_TRUE(kept.has_value());
  ASSERT_EQ(kept->size(), 1U);
  EXPECT_EQ(kept->front().step, 0U) << "whether it runs is judged again";
}

TEST(Rehearsal, EndsWhereAPersonIsNeeded) {
  const auto plan = Plan().pivot("p").retriable("r").seal();
  Script script{.start = {.id = kSaga}, .at = kStart, .assume_success = true};
  script.actions["r"] = {.outcome = rejected(), .response = {}};
  const Rehearsal paper = rehearse(*plan, script);
  EXPECT_EQ(paper.state.status, SagaStatus::stuck);
  EXPECT_FALSE(paper.unanswered.has_value());
}

TEST(Rehearsal, LetsATimerPassWhateverSignalIsScripted) {
  const auto plan = Plan().call("a").wait("rest", {}, Millis{500}).pivot("p").seal();
  Script script{.start = {.id = kSaga}, .at = kStart, .assume_success = true};
  script.signals["rest"] = "nobody awaits it";
  EXPECT_EQ(rehearse(*plan, script).state.status, SagaStatus::completed);
}

TEST(Rehearsal, EndsWaitsByTheirSignalOrTheirTimer) {
  const DefinitionPtr plan = Plan().wait("pause").wait("paid", "paid").call("a").seal();
  Script script{.at = kStart, .assume_success = true};
  script.start.id = kSaga;
  script.signals["paid"] = "cash";
  const Rehearsal paper = rehearse(*plan, script);
  EXPECT_EQ(paper.state.status, SagaStatus::completed);
  EXPECT_EQ(paper.state.steps[1].output, "cash");
}

}  // namespace
}  // namespace skald::test
