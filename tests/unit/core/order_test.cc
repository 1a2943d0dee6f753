// The questions of order.h and the checks of invariants.h, asked of states that no command leads
// to: whoever asks them of a damaged or future state gets an answer too.
#include "engine/core/order.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/core/evolve.h"
#include "engine/core/invariants.h"
#include "tests/support/given.h"

namespace skald::test {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr Want kDoFirst{.leg = {0, 0}, .operation = Operation::action};
constexpr Want kUndoFirst{.leg = {0, 0}, .operation = Operation::compensation};

/// "a" is done, the pivot is in flight.
Given at_the_pivot() {
  Given saga = given(Plan().call("a").pivot("p"));
  saga.start().reply("do a", succeeded());
  return saga;
}

TEST(Order, NothingUnsentIsSentOnTheWayBack) {
  Given saga = given(Plan().call("a").keys(KeysMode::dedup));
  saga.no_room().start();
  SagaState state = saga.state();
  EXPECT_TRUE(is_wanted(saga.definition(), state, kDoFirst, saga.now()));
  state.undoing = true;
  EXPECT_FALSE(is_wanted(saga.definition(), state, kDoFirst, saga.now()));
}

TEST(Order, OnTheWayBackOnlyWhatMayHaveHappenedIsAskedAgain) {
  Given saga = given(Plan().call("a").keys(KeysMode::dedup));
  saga.start().reply("do a", unknown()).silently(kDelayMax);
  SagaState state = saga.state();
  state.undoing = true;
  EXPECT_TRUE(is_wanted(saga.definition(), state, kDoFirst, saga.now()));
  state.steps[0].legs[0].action.maybe = false;
  EXPECT_FALSE(is_wanted(saga.definition(), state, kDoFirst, saga.now()));
}

TEST(Order, OnlyWhatMayHaveHappenedIsUndoneUnasked) {
  Given saga = given(Plan().call("a"));
  saga.start().reply("do a", unknown());
  SagaState state = saga.state();
  state.undoing = true;
  EXPECT_TRUE(is_wanted(saga.definition(), state, kUndoFirst, saga.now()));
  state.steps[0].legs[0].action.maybe = false;
  EXPECT_FALSE(is_wanted(saga.definition(), state, kUndoFirst, saga.now()));
  // A leg that says it is being undone, and does not say how far.
  state.steps[0].legs[0].stage = LegStage::undoing;
  EXPECT_FALSE(is_wanted(saga.definition(), state, kUndoFirst, saga.now()));
}

TEST(Order, ADecidedSagaHasNoPivotInFlight) {
  const Given saga = at_the_pivot();
  SagaState state = saga.state();
  EXPECT_TRUE(pivot_in_flight(saga.definition(), state));
  state.decided = true;
  EXPECT_FALSE(pivot_in_flight(saga.definition(), state));
}

TEST(Order, AnUnsentLegIsClean) {
  const DefinitionPtr definition = Plan().call("a").seal();
  EXPECT_TRUE(is_clean(definition->steps[0], LegState{}));
}

TEST(Order, ALegOfAStepThatDoesNotRunIsOutsideItsWindow) {
  const DefinitionPtr definition = Plan().call("a").seal();
  EXPECT_FALSE(in_window(definition->steps[0], StepState{}, 0));
}

TEST(Invariants, NameAnUnsentLegThatWouldBeSentOnTheWayBack) {
  Given saga = given(Plan().call("a"));
  saga.no_room().start();
  SagaState state = saga.state();
  state.undoing = true;
  EXPECT_THAT(violated(saga.definition(), state), Contains(HasSubstr("would still be sent")));
  state.steps[0].stage = StepStage::pending;  // an operator's retry, overtaken by the way back
  EXPECT_THAT(violated(saga.definition(), state), Not(Contains(HasSubstr("would still be sent"))));
}

TEST(Invariants, NameWhatIsUndoneBeforeThePivotIsSettled) {
  const Given saga = at_the_pivot();
  SagaState state = saga.state();
  state.undoing = true;
  state.steps[0].legs[0].undo.emplace().attempts = 1;
  EXPECT_THAT(violated(saga.definition(), state), Contains(HasSubstr("before what depends on it")));
}

TEST(Invariants, APassedPivotIsUndoneOnlyWithAnAlarm) {
  Given saga = at_the_pivot();
  saga.reply("do p", succeeded());
  SagaState state = saga.state();
  state.undoing = true;
  const std::string finding = "is passed, and yet it is undone";
  EXPECT_THAT(violated(saga.definition(), state), Contains(HasSubstr(finding)));
  state.steps[1].legs[0].action.phase = Phase::stopped;
  EXPECT_THAT(violated(saga.definition(), state), Not(Contains(HasSubstr(finding))));
}

TEST(Fits, OnlyWhatAHistoryHasCanBeNamed) {
  const Given saga = at_the_pivot();
  const auto may_follow = [&](event::Body body) {
    return fits(saga.state(), {.at = saga.now(), .body = std::move(body)});
  };
  EXPECT_TRUE(may_follow(event::Answered{.leg = {1, 0}, .outcome = {}, .response = {}}));
  EXPECT_FALSE(may_follow(event::Answered{.leg = {1, 1}, .outcome = {}, .response = {}}));
  EXPECT_FALSE(may_follow(event::Answered{.leg = {2, 0}, .outcome = {}, .response = {}}));
  EXPECT_TRUE(may_follow(event::Intended{.leg = {0, 0}, .request = {}}));
  EXPECT_FALSE(may_follow(event::Intended{.leg = {7, 0}, .request = {}}));
  EXPECT_FALSE(may_follow(event::Intended{.leg = {0, 7}, .request = {}}));
  EXPECT_TRUE(may_follow(event::OperationMoved{.leg = {0, 0}, .code = {}, .message = {}}));
  EXPECT_FALSE(may_follow(event::OperationMoved{.leg = {2, 0}, .code = {}, .message = {}}));
  EXPECT_FALSE(may_follow(event::OperationMoved{.leg = {0, 1}, .code = {}, .message = {}}));
  EXPECT_TRUE(may_follow(event::StepSkipped{.step = 1}));
  EXPECT_FALSE(may_follow(event::StepSkipped{.step = 2}));
  EXPECT_TRUE(may_follow(event::StepFailed{.step = 2})) << "the output builder";
  EXPECT_FALSE(may_follow(event::StepFailed{.step = 3}));
  EXPECT_TRUE(may_follow(event::PivotPassed{}));
}

TEST(Fits, AHistoryBeginsWithItsStartAndOnlyBeginsSo) {
  const Given saga = at_the_pivot();
  EXPECT_FALSE(fits(saga.state(), {.body = event::Started{.steps = 2}}));
  EXPECT_TRUE(fits(SagaState{}, {.body = event::Started{.steps = 2}}));
  EXPECT_FALSE(fits(SagaState{}, {.body = event::PivotPassed{}}));
}

TEST(Fits, EveryEventOfASagaFitsWhatPrecedesIt) {
  Given saga = at_the_pivot();
  saga.reply("do p", rejected()).reply("undo a", succeeded()).status(SagaStatus::compensated);
  SagaState state;
  for (const Event& event : saga.history()) {
    EXPECT_TRUE(fits(state, event)) << kind_of(event);
    evolve(state, event);
  }
}

}  // namespace
}  // namespace skald::test
