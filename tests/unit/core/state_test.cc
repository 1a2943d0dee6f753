// The state itself: evolve() where no command leads, names, what builders may read, and bounds.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/core/evolve.h"
#include "engine/core/facts.h"
#include "engine/core/invariants.h"
#include "tests/support/given.h"

namespace skald::test {
namespace {

SagaState after(const Given& saga, event::Body body) {
  SagaState state = saga.state();
  evolve(state, {.at = saga.now(), .body = std::move(body)});
  return state;
}

TEST(Evolve, StuckStepsCountOnce) {
  Given saga = given(Plan().pivot("p").wait("w", "go"));
  saga.start().reply("do p", succeeded());
  SagaState state = after(saga, event::StepFailed{.step = 1, .code = "internal", .stuck = true});
  EXPECT_EQ(state.steps[1].stuck_reason, "internal");
  evolve(state, {.body = event::StepFailed{.step = 1, .message = "again", .stuck = true}});
  EXPECT_EQ(state.stuck, 1U);
  EXPECT_EQ(state.steps[1].stuck_reason, "again");
  evolve(state, {.body = event::StepRetried{.step = 1}});
  evolve(state, {.body = event::StepRetried{.step = 1}});
  EXPECT_EQ(state.stuck, 0U);
}

TEST(Evolve, AWaitMayEndBySignalsThatAreNotKept) {
  Given saga = given(Plan().wait("w", "go"));
  saga.start();
  const SagaState state = after(saga, event::WaitEnded{.step = 0, .signal_id = "unheard"});
  EXPECT_EQ(state.steps[0].stage, StepStage::done);
  EXPECT_FALSE(state.steps[0].has_output);
}

TEST(Evolve, RefusalsAreListedOnceAndBounded) {
  Given saga = given(Plan().call("a").for_each({"1", "2"}).finish_all());
  saga.start().reply("do a[1]", rejected());
  SagaState state = saga.state();
  const event::Answered again{.leg = {0, 0},
                              .outcome = rejected(),
                              .response = {},
                              .phase = Phase::settled,
                              .stage = LegStage::refused};
  evolve(state, {.body = again});
  EXPECT_EQ(state.refused.size(), 1U);
  const event::OperationMoved moved{.leg = {0, 0},
                                    .phase = Phase::settled,
                                    .stage = LegStage::refused,
                                    .code = "again",
                                    .message = {}};
  evolve(state, {.body = moved});
  EXPECT_EQ(state.refused.size(), 1U);
}

TEST(Refusals, AreKeptUpToABound) {
  // given a fan-out with more refusals than are kept, not through yet, and another step refused
  std::vector<std::string> many;
  for (std::size_t i = 0; i < kRefusalsKeptMax + 2; ++i) many.push_back(fmt::format("{}", i));
  Given saga = given(Plan().query("a").after({}).for_each(many).finish_all().query("b").after({}));
  saga.start();
  for (std::size_t i = 1; i < many.size(); ++i) saga.reply("do a[" + many[i] + "]", rejected());
  EXPECT_EQ(saga.state().refused.size(), kRefusalsKeptMax);
  saga.reply("do b", rejected("b says no")).failed("b", "b says no");
  EXPECT_EQ(refusals(saga.definition(), saga.state()).size(), kRefusalsKeptMax);
}

TEST(Signals, SeenAreBounded) {
  Given saga = given(Plan().wait("w", "go"));
  saga.start();
  SagaState state = saga.state();
  for (std::size_t i = 0; i < kSignalIdsMax; ++i) state.signal_ids.push_back(fmt::format("{}", i));
  const SagaState before = state;
  Decision decision;
  const command::TakeSignal signal{.signal = {.id = "one more", .name = "go", .payload = {}}};
  const auto taken = decide(saga.definition(), state, {.at = saga.now(), .body = signal}, decision);
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().code, Errc::resource_exhausted);
  EXPECT_EQ(state, before);
}

TEST(Facts, SurviveAStateThatIsSmallerThanItsDefinition) {
  const DefinitionPtr definition = Plan().call("a").seal();
  SagaState state;
  const Facts facts(*definition, state);
  EXPECT_EQ(facts.output("a"), nullptr);
  EXPECT_FALSE(facts.skipped("a"));
  StepState& step = state.steps.emplace_back();
  step.stage = StepStage::done;
  step.legs.emplace_back();
  EXPECT_EQ(facts.output("a"), nullptr) << "no response is known";
}

TEST(Names, AreThoseOfTheWire) {
  EXPECT_EQ(name(OutcomeKind::succeeded), "succeeded");
  EXPECT_EQ(name(OutcomeKind::rejected), "rejected");
  EXPECT_EQ(name(OutcomeKind::not_executed), "not_executed");
  EXPECT_EQ(name(OutcomeKind::unknown), "unknown");
  EXPECT_EQ(name(OutcomeKind::pending), "pending");
  EXPECT_EQ(name(SagaStatus::running), "running");
  EXPECT_EQ(name(SagaStatus::compensating), "compensating");
  EXPECT_EQ(name(SagaStatus::paused), "paused");
  EXPECT_EQ(name(SagaStatus::stuck), "stuck");
  EXPECT_EQ(name(SagaStatus::completed), "completed");
  EXPECT_EQ(name(SagaStatus::compensated), "compensated");
  EXPECT_EQ(name(SagaStatus::abandoned), "abandoned");
  EXPECT_EQ(name(Operation::action), "action");
  EXPECT_EQ(name(Operation::compensation), "compensation");
  EXPECT_EQ(name(Operation::probe), "probe");
  EXPECT_EQ(name(KeysMode::none), "none");
  EXPECT_EQ(name(KeysMode::dedup), "dedup");
  EXPECT_EQ(name(KeysMode::barrier), "barrier");
  EXPECT_EQ(name(CallClass::none), "none");
  EXPECT_EQ(name(CallClass::compensatable), "compensatable");
  EXPECT_EQ(name(CallClass::pivot), "pivot");
  EXPECT_EQ(name(CallClass::retriable), "retriable");
  EXPECT_EQ(name(StepKind::query), "query");
  EXPECT_EQ(name(StepKind::compute), "compute");
  EXPECT_EQ(name(StepKind::call), "call");
  EXPECT_EQ(name(StepKind::wait), "wait");
}

TEST(Names, OfWhatNobodyKnowsAreStillWords) {
  EXPECT_FALSE(name(static_cast<OutcomeKind>(99)).empty());
  EXPECT_FALSE(name(static_cast<SagaStatus>(99)).empty());
  EXPECT_FALSE(name(static_cast<Operation>(99)).empty());
  EXPECT_FALSE(name(static_cast<KeysMode>(99)).empty());
  EXPECT_FALSE(name(static_cast<CallClass>(99)).empty());
  EXPECT_FALSE(name(static_cast<StepKind>(99)).empty());
}

TEST(Seal, RefusesAPathWithADelete) {
  Definition definition = Plan().query("a").definition();
  definition.steps[0].action.method.path = "/a\x7f";
  const auto sealed = seal(definition);
  ASSERT_FALSE(sealed);
  EXPECT_THAT(sealed.error().message, ::testing::HasSubstr("step a"));
}

TEST(Seal, TellsAnUnnamedDefinitionAndNotEveryMistakeOfMany) {
  Definition definition;
  for (int i = 0; i < 200; ++i) definition.steps.emplace_back().name = "\x7f \n";
  const auto sealed = seal(definition);
  ASSERT_FALSE(sealed);
  EXPECT_THAT(sealed.error().message, ::testing::HasSubstr("(unnamed)"));
  EXPECT_THAT(sealed.error().message, ::testing::ContainsRegex("; and [0-9]+ more$"));
  EXPECT_THAT(sealed.error().message, ::testing::Not(::testing::HasSubstr("\x7f")));
}

TEST(Evolve, WhatAPersonSkippedTwiceOrWithoutLegsIsSkipped) {
  Given saga = given(Plan().call("a").call("b"));
  saga.start().reply("do a", not_executed()).skip("a").stage("a", LegStage::skipped);
  const event::LegSkipped again{.actor = {.name = "op", .reason = {}}, .leg = {0, 0}};
  EXPECT_EQ(after(saga, again).steps[0].legs_skipped, 1U);
  Given waits = given(Plan().wait("w", "go").call("a"));
  waits.start();
  EXPECT_EQ(after(waits, again).steps[0].stage, StepStage::skipped);
}

TEST(Evolve, WhatIsClosedInFlightMayHaveHappened) {
  Given saga = given(Plan().call("a").call("b").after({}));
  saga.start().reply("do b", succeeded());
  SagaState state = saga.state();
  evolve(state, {.body = event::DefinitionMissing{.missing = true}});
  evolve(state, {.body = event::Abandoned{.actor = {.name = "op", .reason = {}}}});
  EXPECT_TRUE(state.steps[0].legs[0].action.maybe);
  EXPECT_FALSE(state.steps[1].legs[0].action.maybe) << "it was answered";
  EXPECT_EQ(state.in_flight, 0U);
}

TEST(Evolve, WhatWasKeptForNoStepDoesNotFit) {
  Given saga = given(Plan().query("q"));
  saga.start();
  EXPECT_FALSE(fits(saga.state(), {.body = event::StepKept{.step = 9}}));
  EXPECT_FALSE(fits(saga.state(), {.body = event::StepKept{.step = 0}}));
}

TEST(Violated, NamesWhatNobodyDid) {
  Given saga = given(Plan().call("a"));
  saga.start();
  SagaState state = saga.state();
  state.abandoned_by = Actor{.name = "op", .reason = {}};
  state.steps[0].legs[0].stage = LegStage::skipped;
  const auto sentences = violated(saga.definition(), state);
  EXPECT_THAT(sentences, testing::Contains(testing::HasSubstr("abandoned, but not terminal")));
  EXPECT_THAT(sentences, testing::Contains(testing::HasSubstr("skipped by nobody")));
}

}  // namespace
}  // namespace skald::test
