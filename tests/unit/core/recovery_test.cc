// After a restart: what is sent again, what is asked, what is judged later. And what a wrong state
// looks like to violated().
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/core/evolve.h"
#include "engine/core/invariants.h"
#include "tests/support/given.h"

namespace skald::test {
namespace {

TEST(Recovery, SendsTheSameAttemptAgainUnderItsKey) {
  Given saga = given(Plan().call("a"));
  saga.start().restart().then({"Answered", "Intended"}).in_flight({"do a"});
  EXPECT_EQ(saga.operation("do a").attempts, 2U);
  EXPECT_EQ(saga.operation("do a").generation, 1U);
  EXPECT_TRUE(saga.operation("do a").maybe);
  saga.late_reply("do a", 1, rejected()).then({});
}

TEST(Recovery, WithoutKeysProbesOrStops) {
  given(Plan().call("a").keys(KeysMode::none).probe())
      .start()
      .restart()
      .in_flight({"probe a"})
      .restart()
      .in_flight({"probe a"})
      .reply("probe a", succeeded())
      .status(SagaStatus::completed);
  given(Plan().call("a").keys(KeysMode::none))
      .start()
      .restart()
      .in_flight({})
      .status(SagaStatus::stuck);
}

TEST(Recovery, BeginsAgainWhatWasNotDurable) {
  given(Plan().call("a").query("q").pivot("p"))
      .start()
      .reply("do a", succeeded())
      .reply("do q", succeeded())  // the pivot's intent takes it along
      .restart()
      .step("q", StepStage::done)
      .in_flight({"do p"});
  given(Plan().query("q").query("r"))
      .no_room()
      .start()
      .room()
      .reply("do q", succeeded())
      .restart()
      .in_flight({"do q"});
}

TEST(Recovery, GoesOnBackingOff) {
  given(Plan().call("a"))
      .start()
      .reply("do a", unknown())
      .restart()
      .then({})
      .wakes_in(kInitial)
      .silently(kInitial)
      .restart()
      .in_flight({"do a"});
}

TEST(Recovery, GoesOnUndoing) {
  given(Plan().call("a").wait("w", "go").is_pivot())
      .start()
      .reply("do a", succeeded())
      .no_room()
      .cancel()
      .room()
      .restart()
      .in_flight({"undo a"})
      .reply("undo a", succeeded())
      .restart()
      .then({})
      .status(SagaStatus::compensated);
}

TEST(Recovery, DowntimeSpendsNothing) {
  // given attempts in flight when the engine went away for longer than their time
  Given saga = given(Plan().call("a").attempts(1).query("q").after({}).attempts(1));
  saga.start().silently(2 * kTotal).restart();
  // then they are asked again, and judged by their answer
  saga.in_flight({"do a", "do q"}).status(SagaStatus::running);
  saga.reply("do a", unknown()).status(SagaStatus::compensating);
}

TEST(Recovery, KeepsTheAlertOfWhatIsOverdue) {
  Given saga = given(Plan().pivot("p").retriable("r").total(Millis{10}));
  saga.start().reply("do p", succeeded()).silently(Millis{10}).reply("do r", unknown());
  saga.later(kDelayMax).restart().status(SagaStatus::stuck).in_flight({"do r"});
  Given back = given(Plan().call("a").keys(KeysMode::dedup).total(Millis{10}));
  back.start().reply("do a", unknown()).cancel().later(kDelayMax).reply("do a", unknown());
  back.status(SagaStatus::stuck).later(kDelayMax).restart().status(SagaStatus::stuck);
}

TEST(Recovery, SettlesWhatIsOwedBeforeTheDeadlineIsJudged) {
  const auto away = [](Plan plan) {
    return given(plan.deadline(Millis{1'000})).start().silently(Millis{2'000}).restart();
  };
  // a call
  away(Plan().call("a").call("b"))
      .in_flight({"do a"})
      .status(SagaStatus::running)
      .reply("do a", succeeded())
      .failed("", "deadline")
      .in_flight({"undo a"});
  away(Plan().call("a")).reply("do a", unknown()).failed("", "deadline");
  // what has no keys is in doubt: it only alerts
  away(Plan().call("a").keys(KeysMode::none)).status(SagaStatus::stuck);
  // a probe decides first, unless it takes too long
  away(Plan().call("a").keys(KeysMode::none).probe())
      .in_flight({"probe a"})
      .status(SagaStatus::running)
      .reply("probe a", rejected("not_found"))
      .status(SagaStatus::compensated)
      .failed("", "deadline");
  Plan hasty;
  hasty.call("a").keys(KeysMode::none).probe().step().probe->retry.attempts_max = 1;
  away(hasty).reply("probe a", unknown()).failed("", "deadline");
  // a query has no effect to settle
  away(Plan().query("q")).in_flight({"do q"}).reply("do q", unknown()).failed("", "deadline");
}

TEST(Recovery, OfACompensationSettlesItFirstToo) {
  given(Plan().call("a").wait("w", "go").is_pivot().deadline(Millis{1'000}))
      .start()
      .reply("do a", succeeded())
      .cancel()
      .silently(Millis{2'000})
      .restart()
      .in_flight({"undo a"})
      .reply("undo a", unknown())
      .then({"Answered", "DeadlineMissed"});
}

TEST(Recovery, JudgesTheDeadlineWhenKeysLivedOutMeanwhile) {
  given(Plan().call("a").lifetime(Millis{500}).deadline(Millis{1'000}))
      .start()
      .silently(Millis{2'000})
      .restart()
      .status(SagaStatus::stuck)
      .phase("do a", Phase::stopped);
}

TEST(Waiting, IsWhatOnlyATimerASignalOrAPersonMoves) {
  const auto waiting = [](const Given& saga) {
    return is_waiting(saga.definition(), saga.state(), saga.now());
  };
  EXPECT_TRUE(waiting(given(Plan().wait("w", "go")).start()));
  EXPECT_FALSE(waiting(given(Plan().call("a")).start()));
  EXPECT_FALSE(waiting(given(Plan().call("a")).no_room().start()));
  EXPECT_FALSE(waiting(given(Plan().call("a")).start().reply("do a", unknown())));
  EXPECT_FALSE(waiting(given(Plan().compute("a")).start()));  // terminal
}

TEST(Owed, NamesWhatIsInFlightUntilTheEnd) {
  Given saga = given(Plan().call("a"));
  saga.start();
  const Owed owes = owed(saga.definition(), saga.state(), saga.now());
  EXPECT_THAT(owes.in_flight, ::testing::ElementsAre(Send{.leg = {0, 0}}));
  saga.reply("do a", succeeded());
  EXPECT_TRUE(owed(saga.definition(), saga.state(), saga.now()).in_flight.empty());
}

TEST(Dispatch, OfWhatIsNotWantedIsNothing) {
  Given saga = given(Plan().call("a").pivot("p"));
  saga.start().dispatch("do a").then({}).dispatch("undo a").then({}).dispatch("probe a").then({});
  const SagaState before = saga.state();
  SagaState state = before;
  Decision decision;
  for (const LegRef nobody : {LegRef{.step = 9, .leg = 0}, LegRef{.step = 0, .leg = 9}}) {
    const Command command{.at = saga.now(), .body = command::Dispatch{.leg = nobody}};
    ASSERT_TRUE(decide(saga.definition(), state, command, decision));
  }
  EXPECT_EQ(state, before);
}

TEST(DefinitionMissing, CountsAsStuckOnce) {
  Given saga = given(Plan().wait("w", "go"));
  saga.start();
  SagaState state = saga.state();
  const auto missing = [&](bool is) {
    evolve(state, {.at = saga.now(), .body = event::DefinitionMissing{.missing = is}});
    EXPECT_THAT(violated(saga.definition(), state), ::testing::IsEmpty());
    return state.status;
  };
  EXPECT_EQ(missing(true), SagaStatus::stuck);
  EXPECT_EQ(missing(true), SagaStatus::stuck);
  EXPECT_EQ(missing(false), SagaStatus::running);
  EXPECT_EQ(missing(false), SagaStatus::running);
}

TEST(Paused, NothingIsWantedOrFired) {
  Given saga = given(Plan().call("a").after({}).wait("w", "go").after({}).deadline(Millis{100}));
  saga.no_room().start();
  SagaState state = saga.state();
  state.paused = true;
  const Instant later = saga.now() + Millis{100'000};
  EXPECT_TRUE(owed(saga.definition(), state, later).wants.empty());
  EXPECT_EQ(next_wake(state, saga.now()), kNever);
  Decision decision;
  const command::TakeSignal signal{.signal = {.id = "s", .name = "go"}};
  for (const command::Body& body :
       {command::Body(command::Wake{}), command::Body(command::Recover{}),
        command::Body(command::Dispatch{}), command::Body(signal)}) {
    ASSERT_TRUE(decide(saga.definition(), state, {.at = later, .body = body}, decision));
  }
  ASSERT_EQ(decision.events.size(), 2U) << "a signal ends its wait, as a reply settles its leg";
  EXPECT_EQ(kind_of(decision.events.back()), "WaitEnded");
  EXPECT_EQ(state.status, SagaStatus::paused);
}

TEST(Violated, FindsWhatIsWrong) {
  Given saga = given(Plan().call("a").call("b").pivot("p"));
  EXPECT_TRUE(violated(saga.definition(), saga.state()).empty()) << "no event yet";
  saga.start().reply("do a", succeeded());
  const auto finds = [&](auto&& spoil, std::string_view sentence) {
    SagaState state = saga.state();
    spoil(state);
    EXPECT_THAT(violated(saga.definition(), state),
                ::testing::Contains(::testing::HasSubstr(std::string(sentence))));
  };
  finds([](SagaState& s) { s.steps.pop_back(); }, "definition is another one");
  finds([](SagaState& s) { s.in_flight = 0; }, "in flight is wrong");
  finds([](SagaState& s) { s.status = SagaStatus::completed; }, "status does not follow");
  finds([](SagaState& s) { s.undoing = true; }, "undoing, but not decided");
  finds([](SagaState& s) { s.terminal = true; }, "terminal with an operation in flight");
  finds([](SagaState& s) { s.steps[0].legs[0].stage = LegStage::ready; }, "does not fit");
  finds(
      [](SagaState& s) {
        s.steps[1].legs[0].action.retry_at = kNever;
        s.steps[1].legs[0].action.phase = Phase::backing_off;
      },
      "waits for a probe that nobody sends");
  finds([](SagaState& s) { s.steps[1].legs[0].undo.emplace().phase = Phase::in_flight; },
        "two operations in flight");
  finds([](SagaState& s) { s.steps[2].stage = StepStage::running; }, "began before what it needs");
  finds([](SagaState& s) { s.signal_ids = {"s", "s"}; }, "taken twice");
  finds([](SagaState& s) { s.decided = true; }, "is not passed, but there is no way back");
  finds([](SagaState& s) { s.steps[0].legs_settled = 0; }, "miscounted");
  finds([](SagaState& s) { s.paused = true; }, "status does not follow");
  finds([](SagaState& s) { s.terminal = true; }, "terminal, but not decided");
  const auto leg = [&](auto&& spoil, std::string_view sentence) {
    finds([&](SagaState& s) { spoil(s.steps[1].legs[0]); }, sentence);
  };
  leg([](LegState& l) { l.action.phase = Phase::settled; }, "does not fit");
  leg([](LegState& l) { l.stage = LegStage::done; }, "does not fit");
  leg([](LegState& l) { l.stage = LegStage::done, l.action.phase = Phase::stopped; },
      "does not fit");
  leg([](LegState& l) { l.stage = LegStage::dropped; }, "does not fit");
  leg([](LegState& l) { l.stage = static_cast<LegStage>(99); }, "does not fit");
  leg(
      [](LegState& l) {
        l.probe.emplace().phase = Phase::settled, l.action.phase = Phase::backing_off,
        l.action.retry_at = kNever;
      },
      "waits for a probe that nobody sends");
  leg([](LegState& l) { l.action.attempts = 0; }, "in flight, but never sent");
  leg([](LegState& l) { l.action.generation = 0; }, "more attempts spent than made");
  leg([](LegState& l) { l.action.spent_attempts = 9; }, "more attempts spent than made");
  leg([](LegState& l) { l.probe.emplace(); }, "is probed, but has no probe");
  leg([](LegState& l) { l.stage = LegStage::undoing; }, "undoing without a compensation");
  leg([](LegState& l) { l.stage = LegStage::undone; }, "undoing without a compensation");
  leg([](LegState& l) { l.stage = LegStage::undone; }, "is undone on the way forward");
  leg([](LegState& l) { l.stage = LegStage::refused, l.probe.emplace(); },
      "settled, but still probed");
  finds(
      [](SagaState& s) {
        s.undoing = s.decided = true, s.failure.emplace();
        s.steps[1].legs[0].stage = LegStage::ready;
      },
      "would still be sent on the way back");
  finds([](SagaState& s) { s.steps[1].legs.emplace_back(); }, "a plain step has several legs");
  finds([](SagaState& s) { s.steps[2].stage = StepStage::done; }, "nothing is decided");
  finds([](SagaState& s) { s.steps[2].stage = StepStage::done, s.undoing = s.decided = true; },
        "is passed, and yet it is undone");
  finds([](SagaState& s) { s.steps[0].legs[0].undo.emplace().attempts = 1; },
        "undone before what depends on it");
}

TEST(Violated, FindsWhatIsWrongBehindThePivot) {
  Given saga = given(Plan().pivot("p").retriable("r").query("q"));
  saga.start().reply("do p", succeeded()).reply("do r", succeeded());
  const auto finds = [&](auto&& spoil, std::string_view sentence) {
    SagaState state = saga.state();
    spoil(state);
    EXPECT_THAT(violated(saga.definition(), state),
                ::testing::Contains(::testing::HasSubstr(std::string(sentence))));
  };
  finds([](SagaState& s) { s.decided = false; }, "a retriable call began before the pivot");
  finds([](SagaState& s) { s.undoing = true; }, "a retriable call began before the pivot");
  finds([](SagaState& s) { s.steps[1].legs[0].undo.emplace(); }, "has no compensation");
  finds([](SagaState& s) { s.steps[2].legs[0].action.maybe = true; }, "cannot be in doubt");
  finds([](SagaState& s) { s.turn_back.emplace(); }, "kept for later, but it is decided");
  finds([](SagaState& s) { s.terminal = true; }, "completed with an unfinished step");
}

}  // namespace
}  // namespace skald::test
