// Acts at their edges: sentences about nobody, legs that are not there, operations that have moved
// on.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/core/evolve.h"
#include "engine/core/folding.h"
#include "engine/core/legal_acts.h"
#include "tests/support/given.h"

namespace skald::test {
namespace {

using testing::HasSubstr;

const Actor kPerson{.name = "op", .reason = "as the test has it"};

TEST(Pause, BySomebodyWithoutANameOrAReasonSaysSo) {
  Given saga = given(Plan().call("a"));
  saga.start().asks(command::Pause{.actor = {}}).accepted();
  saga.pause().refused(Errc::failed_precondition, "is paused already, by someone; legal now");
}

TEST(Abandon, WithoutItsDefinitionCountsWhatStandsAndNamesNothing) {
  Given saga = given(Plan().call("a").call("b"));
  saga.start().reply("do a", succeeded());
  SagaState state = saga.state();
  evolve(state, {.body = event::DefinitionMissing{.missing = true}});
  const auto verdict = judge_act(Definition{}, state, ActKind::abandon, std::nullopt, saga.now());
  ASSERT_TRUE(verdict.is_legal()) << "in flight, and nobody will hear of it";
  EXPECT_THAT(verdict.effect, HasSubstr("1 leg done or in doubt stays so"));
}

TEST(Skip, OfAQueryThatHasNotStartedIsRefused) {
  Given saga = given(Plan().call("a").query("q"));
  saga.start().skip("q").refused(Errc::failed_precondition, "has not started");
}

TEST(Skip, OfNoSuchLegIsRefused) {
  Given saga = given(Plan().call("a").for_each({"1", "2"}).call("ab"));
  saga.start().skip("a[9]").refused(Errc::not_found, "no leg");
  saga.skip("abc").refused(Errc::not_found, "no leg");
  Given ended = given(Plan().call("a"));
  ended.start().reply("do a", succeeded()).skip("z").refused(Errc::failed_precondition, "already");
}

TEST(LegalActs, OfVeryManyLegsAreCut) {
  std::vector<std::string> keys;
  for (int i = 0; i < 150; ++i) keys.push_back(fmt::format("{}", i));
  Given saga = given(Plan().call("a").for_each(keys));
  saga.no_room().start();
  std::size_t of_legs = 0;
  for (const ActVerdict& act : legal_acts(saga.definition(), saga.state(), saga.now())) {
    of_legs += act.leg ? 1 : 0;
  }
  EXPECT_EQ(of_legs, kLegActsMax);
}

TEST(MovedOn, NamesOnlyWhoActedSince) {
  Given saga = given(Plan().call("a"));
  saga.start();
  EXPECT_THAT(moved_on(saga.state(), 1, 2).message, Not(HasSubstr("first")));
  saga.pause();
  const std::uint64_t acted = saga.state().last_act->seq;
  EXPECT_THAT(moved_on(saga.state(), acted - 1, acted).message, HasSubstr("was first with pause"));
  EXPECT_THAT(moved_on(saga.state(), acted, acted + 1).message, Not(HasSubstr("first")));
}

TEST(Resolve, OfAnOperationThatHasMovedOnIsRefused) {
  Given saga = given(Plan().call("a").keys(KeysMode::none).pivot("p"));
  saga.start().reply("do a", unknown());
  command::Resolve asked{.actor = kPerson,
                         .leg = "a",
                         .happened = true,
                         .response = "r",
                         .operation = Operation::compensation};
  saga.asks(asked).refused(Errc::aborted, "has moved on from its compensation to its action");
  asked.operation = Operation::action;
  saga.asks(asked).accepted().stage("a", LegStage::done);
}

TEST(Amend, OfAnOperationThatHasMovedOnOrToNowhereIsRefused) {
  Given saga = given(Plan().call("a").pivot("p"));
  saga.start().reply("do a", not_executed());
  command::Amend asked{.actor = kPerson,
                       .leg = "a",
                       .request = "other",
                       .endpoint = {},
                       .operation = Operation::compensation};
  saga.asks(asked).refused(Errc::aborted, "has moved on");
  saga.moves("a", {.participant = "", .path = "/x"}).refused(Errc::invalid_argument, "endpoint:");
  const Method& method = saga.definition().steps[0].action.method;
  saga.moves("a", {.participant = method.participant, .path = method.path});
  saga.refused(Errc::invalid_argument, "changes nothing");
}

TEST(Amend, OfOneLegMovesNoOther) {
  Given saga = given(Plan().call("a").for_each({"1", "2"}).pivot("p"));
  saga.start().reply("do a[1]", not_executed()).reply("do a[2]", not_executed());
  saga.moves("a[1]", {.participant = "q", .path = "/x"});
  saga.moves("a[2]", {.participant = "r", .path = "/y"});
  saga.reply("do a[2]", not_executed()).moves("a[2]", {.participant = "s", .path = "/y"});
  saga.reply("do a[1]", succeeded()).reply("do a[2]", succeeded()).reply("do p", rejected());
  saga.reply("undo a[2]", not_executed()).moves("a[2]", {.participant = "t", .path = "/z"});
  const auto at = [&](std::uint32_t leg, Operation operation) {
    return endpoint_of(saga.definition(), saga.state(), {.step = 0, .leg = leg}, operation)
        .participant;
  };
  EXPECT_EQ(at(0, Operation::action), "q");
  EXPECT_EQ(at(1, Operation::action), "s");
  EXPECT_EQ(at(1, Operation::compensation), "t");
  EXPECT_NE(at(0, Operation::compensation), "t");
}

TEST(Waiting, IsAPausedSagaWithNothingInFlight) {
  Given saga = given(Plan().call("a").pivot("p"));
  saga.start().reply("do a", not_executed()).pause();
  EXPECT_TRUE(is_waiting(saga.definition(), saga.state(), saga.now()));
  EXPECT_EQ(name(LegStage::ready), "ready");
}

TEST(Folding, AnUndoThatIsSentForTheFirstTimeIsNoRepeat) {
  Given saga = given(Plan().call("a").pivot("p"));
  saga.start().reply("do a", succeeded());
  SagaState state = saga.state();
  state.steps[0].legs[0].undo = OperationState{.attempts = kAttemptsKeptFirst + 1};
  const Event sent{.at = saga.now(),
                   .body = event::Intended{.leg = {},
                                           .operation = Operation::compensation,
                                           .attempt = kAttemptsKeptFirst + 2,
                                           .request = {}}};
  EXPECT_FALSE(is_repeat(state, sent)) << "the leg is not being undone";
}

}  // namespace
}  // namespace skald::test
