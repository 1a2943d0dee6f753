// What is a repeat, and that a run of them folds to the state that it led to.
#include "engine/core/folding.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/core/evolve.h"
#include "engine/core/invariants.h"
#include "engine/core/owed.h"
#include "tests/support/folded_history.h"
#include "tests/support/given.h"

namespace skald::test {
namespace {

Given& tried(Given& saga, std::string_view operation, int times, const Outcome& outcome) {
  for (int i = 0; i < times; ++i) {
    saga.reply(operation, outcome).later(kDelayMax);
  }
  return saga;
}

void expect_folds(const Given& saga, std::size_t records_max) {
  Dice dice(saga.history().size());
  const FoldedHistory folded(saga.history(), dice);
  EXPECT_EQ(folded.state(kSaga), saga.state());
  EXPECT_THAT(violated(saga.definition(), folded.state(kSaga)), testing::IsEmpty());
  EXPECT_LE(folded.records(), records_max);
  EXPECT_EQ(folded.wrong(), "");
}

TEST(Folding, AnActionTriedForDaysKeepsItsFirstAttemptsAndOneFold) {
  // given a call whose participant does not answer
  Plan plan;
  plan.call("hotel").pivot("flight").retriable("mail");
  Given saga = given(plan);
  saga.start().reply("do hotel", succeeded()).reply("do flight", succeeded());
  const std::size_t before = saga.history().size();
  // when it is tried again and again
  tried(saga, "do mail", 300, unknown()).status(SagaStatus::stuck);
  // then the records do not grow with the attempts
  EXPECT_GT(saga.history().size(), 600U);
  expect_folds(saga, before + 2 * kAttemptsKeptFirst + 3 + kRunRecordsMax + 1);
}

TEST(Folding, APendingPivotAndALegOnTheWayBackFoldToo) {
  Given pivot = given(Plan("pivot").call("hotel").pivot("flight"));
  pivot.start().reply("do hotel", succeeded());
  tried(pivot, "do flight", 100, pending());
  expect_folds(pivot, 60);
  Given undo = given(Plan("undo").call("hotel").pivot("flight"));
  undo.start().reply("do hotel", succeeded()).reply("do flight", rejected());
  tried(undo, "undo hotel", 100, unknown());
  expect_folds(undo, 60);
}

TEST(Folding, AProbeThatFindsNothingAgainAndAgainFoldsWithWhatItSettles) {
  Plan plan("probed");
  plan.call("hotel").pivot("flight").retriable("mail").keys(KeysMode::none).probe();
  Given saga = given(plan);
  saga.start().reply("do hotel", succeeded()).reply("do flight", succeeded());
  for (int i = 0; i < 60; ++i) {
    saga.reply("do mail", unknown()).reply("probe mail", rejected("not_found")).later(kDelayMax);
  }
  EXPECT_GT(saga.history().size(), 300U);
  expect_folds(saga, 80);
}

TEST(Folding, AFoldSaysHowManyAttemptsItStandsForAndWhatTheyWereAnswered) {
  Given saga = given(Plan("told").pivot("flight"));
  saga.start();
  tried(saga, "do flight", 6, unknown());
  RunOfRepeats run;
  SagaState state;
  state.id = kSaga;
  for (const Event& event : saga.history()) {
    const bool repeats = is_repeat(state, event);
    evolve(state, event);
    run.take(state.seq, {&event, 1}, repeats);
  }
  // Attempt 6 and its answer, and the intent of attempt 7.
  const Event event = run.folded(state);
  const auto& folded = std::get<event::Folded>(event.body);
  EXPECT_EQ(folded.events, 3U);
  EXPECT_EQ(events_in(event), 3U);
  EXPECT_EQ(event.at, saga.now());
  ASSERT_EQ(folded.operations.size(), 1U);
  EXPECT_EQ(folded.operations[0].first_attempt, kAttemptsKeptFirst + 1);
  EXPECT_EQ(folded.operations[0].after, saga.operation("do flight"));
  EXPECT_EQ(folded.operations[0].after.attempts, 7U);
  EXPECT_THAT(folded.operations[0].outcomes, testing::ElementsAre(0, 0, 0, 1, 0));
}

TEST(Folding, WhatAPersonDoesEndsARun) {
  Given saga = given(Plan("asked").pivot("flight"));
  saga.start();
  tried(saga, "do flight", 10, unknown());
  EXPECT_TRUE(saga.decision().repeats);
  saga.pause();
  EXPECT_FALSE(saga.decision().repeats);
  saga.resume();
  EXPECT_FALSE(saga.decision().repeats);
  saga.later(kDelayMax).reply("do flight", unknown());
  EXPECT_TRUE(saga.decision().repeats);
  saga.later(kDelayMax).reply("do flight", succeeded());
  EXPECT_FALSE(saga.decision().repeats);
}

TEST(Folding, WhatChangesTheLegIsNoRepeat) {
  Given saga = given(Plan("undo").call("hotel").probe().pivot("flight"));
  saga.start().reply("do hotel", succeeded()).reply("do flight", rejected());
  tried(saga, "undo hotel", 10, unknown());
  const SagaState& state = saga.state();
  const LegRef hotel{.step = 0, .leg = 0};
  const auto repeats = [&](event::Body body) {
    return is_repeat(state, {.body = std::move(body)});
  };
  const Operation undo = Operation::compensation;
  EXPECT_TRUE(repeats(event::Intended{.leg = hotel, .operation = undo, .request = {}}));
  EXPECT_FALSE(repeats(event::Intended{.leg = hotel, .operation = undo, .request = "other"}));
  EXPECT_FALSE(repeats(event::Intended{.leg = hotel, .request = {}})) << "tried once";
  EXPECT_FALSE(
      repeats(event::Intended{.leg = hotel, .operation = Operation::probe, .request = {}}));
  event::Answered answered{.leg = hotel,
                           .operation = undo,
                           .outcome = unknown(),
                           .response = {},
                           .phase = Phase::backing_off,
                           .stage = LegStage::undoing};
  EXPECT_TRUE(repeats(answered));
  answered.outcome = succeeded();
  EXPECT_FALSE(repeats(answered));
  answered.outcome = rejected();
  answered.phase = Phase::stopped;
  EXPECT_FALSE(repeats(answered));
  answered.stage = LegStage::undone;
  EXPECT_FALSE(repeats(answered));
}

TEST(Folding, ARunOfTooManyEventsBeginsAnew) {
  RunOfRepeats run;
  const Event many{.at = kStart,
                   .body = event::Folded{.events = kFoldedEventsMax, .operations = {}}};
  run.take(7, {&many, 1}, true);
  const Event one{.at = kStart, .body = event::OperationMoved{.code = {}, .message = {}}};
  run.take(7 + kFoldedEventsMax, {&one, 1}, true);
  EXPECT_THAT(run.records(), testing::ElementsAre(7 + kFoldedEventsMax));
  run.take(8 + kFoldedEventsMax, {}, true);
  EXPECT_EQ(run.records().size(), 1U);
}

TEST(Folding, AFoldOfALegThatIsNotThereDoesNotFit) {
  Given saga = given(Plan("fits").pivot("flight"));
  saga.start();
  event::Folded folded{.events = 2, .operations = {{.leg = {.step = 0, .leg = 0}}}};
  EXPECT_TRUE(fits(saga.state(), {.body = folded}));
  folded.operations[0].leg.leg = 1;
  EXPECT_FALSE(fits(saga.state(), {.body = folded}));
  folded.operations[0].leg = {.step = 1, .leg = 0};
  EXPECT_FALSE(fits(saga.state(), {.body = folded}));
  folded.operations.clear();
  folded.events = 0;
  EXPECT_FALSE(fits(saga.state(), {.body = folded}));
  folded.events = kFoldedEventsMax + 1;
  EXPECT_FALSE(fits(saga.state(), {.body = folded}));
}

}  // namespace
}  // namespace skald::test
