// Sagas that fail alike have one class, whatever their numbers, keys and ids.
#include "engine/core/failure_class.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "engine/core/evolve.h"
#include "tests/support/given.h"

namespace skald::test {
namespace {

std::optional<FailureClass> class_of(const Given& saga) {
  return failure_class(&saga.definition(), saga.state());
}

Outcome with_message(OutcomeKind kind, std::string message) {
  return {.kind = kind, .code = "failed_precondition", .message = std::move(message)};
}

TEST(FailureClass, IsAbsentWhileASagaGoesForwardAndWhenItCompleted) {
  Given saga = given(Plan().call("a").pivot("p"));
  saga.start().reply("do a", unknown());
  EXPECT_FALSE(class_of(saga).has_value());
  saga.later(kInitial).reply("do a", succeeded()).reply("do p", succeeded());
  saga.status(SagaStatus::completed);
  EXPECT_FALSE(class_of(saga).has_value());
}

TEST(FailureClass, OfAStuckLegIsItsOperationAndLastAnswer) {
  Given saga = given(Plan().call("a").pivot("p"));
  saga.start().reply("do a", succeeded()).reply("do p", rejected());
  saga.reply("undo a", with_message(OutcomeKind::rejected, "sku 4711 is \"gone\""));
  saga.status(SagaStatus::stuck);
  const auto failure = class_of(saga);
  ASSERT_TRUE(failure.has_value());
  EXPECT_EQ(failure->step, "a");
  EXPECT_EQ(failure->participant, saga.definition().steps[0].action.method.participant);
  EXPECT_EQ(failure->operation, Operation::compensation);
  EXPECT_EQ(failure->outcome, OutcomeKind::rejected);
  EXPECT_EQ(failure->code, "failed_precondition");
  EXPECT_EQ(failure->message, "sku # is *");
}

TEST(FailureClass, OfASagaOnItsWayBackIsWhyItTurnedBack) {
  Given saga = given(Plan().call("a").call("b").for_each({"7", "8"}).pivot("p"));
  saga.start().reply("do a", succeeded());
  saga.reply("do b[7]", with_message(OutcomeKind::rejected, "stock is 1, asked 2"));
  const auto undoing = class_of(saga);
  ASSERT_TRUE(undoing.has_value());
  EXPECT_EQ(undoing->step, "b");
  EXPECT_EQ(undoing->operation, Operation::action);
  EXPECT_EQ(undoing->message, "stock is #, asked #");
  saga.reply("do b[8]", succeeded()).reply("undo b[8]", succeeded()).reply("undo a", succeeded());
  saga.status(SagaStatus::compensated);
  EXPECT_EQ(class_of(saga), undoing);
}

TEST(FailureClass, IsTheSameForEveryLegAndEverySaga) {
  const auto fail_at = [](const std::string& leg, std::string message) {
    Given saga = given(Plan().call("b").for_each({"7", "8"}).pivot("p"));
    saga.start().reply("do b[" + leg + "]",
                       with_message(OutcomeKind::rejected, std::move(message)));
    return class_of(saga);
  };
  EXPECT_EQ(fail_at("7", "sku 7 of order 991 is short"),
            fail_at("8", "sku 8 of order 12 is short"));
  EXPECT_NE(fail_at("7", "short")->cause, fail_at("7", "locked")->cause);
}

TEST(FailureClass, OfADefinitionThatIsMissingNeedsNoDefinition) {
  Given saga = given(Plan().call("a"));
  saga.start();
  SagaState state = saga.state();
  evolve(state, {.at = saga.now(), .body = event::DefinitionMissing{.missing = true}});
  const auto failure = failure_class(nullptr, state);
  ASSERT_TRUE(failure.has_value());
  EXPECT_EQ(failure->code, "definition_missing");
  EXPECT_NE(failure->cause, CauseId{});
}

TEST(FailureClass, KnowsSinceWhenASagaIsInItsStatus) {
  Given saga = given(Plan().call("a").pivot("p"));
  saga.start();
  EXPECT_EQ(saga.state().status_since, kStart);
  saga.later(Millis{50}).reply("do a", rejected());
  EXPECT_EQ(saga.state().status_since, kStart + Millis{50});
}

TEST(FailureClass, NamesWhicheverOperationIsStuck) {
  Given action = given(Plan().call("a").keys(KeysMode::none));
  action.start().reply("do a", unknown()).status(SagaStatus::stuck);
  EXPECT_EQ(class_of(action)->operation, Operation::action);
  EXPECT_EQ(class_of(action)->step, "a");

  Given undo = given(Plan().call("a").pivot("p"));
  undo.start().reply("do a", succeeded()).reply("do p", rejected());
  for (int i = 0; i < 40 && undo.state().status != SagaStatus::stuck; ++i) {
    undo.reply("undo a", unknown()).later(kDelayMax);
  }
  EXPECT_EQ(class_of(undo)->operation, Operation::compensation) << "overdue, and goes on";

  Given probe = given(Plan().call("a").keys(KeysMode::none).probe());
  probe.start().reply("do a", unknown());
  for (int i = 0; i < 40 && probe.state().status != SagaStatus::stuck; ++i) {
    probe.reply("probe a", unknown()).later(kDelayMax);
  }
  const auto failure = class_of(probe);
  ASSERT_TRUE(failure.has_value());
  EXPECT_EQ(failure->operation, Operation::probe);
  EXPECT_EQ(failure->participant, probe.definition().steps[0].probe->method.participant);
  // Another plan under the same name: what it does not have has no participant.
  const auto other = Plan().wait("a").seal();
  EXPECT_EQ(failure_class(other.get(), probe.state())->participant, "");
  EXPECT_EQ(failure_class(other.get(), undo.state())->participant, "");
  const Definition none;
  EXPECT_EQ(failure_class(&none, probe.state())->step, "");
}

TEST(FailureClass, IsThatOfTheLegThatIsStuckNotOfOneBeforeIt) {
  Given undo = given(Plan().call("a").for_each({"1", "2"}).pivot("p"));
  undo.start().reply("do a[1]", succeeded()).reply("do a[2]", succeeded());
  undo.reply("do p", rejected()).reply("undo a[2]", rejected("gone"));
  EXPECT_EQ(class_of(undo)->code, "gone") << "the undo of a[1] is under way";
  Given probed =
      given(Plan().call("a").keys(KeysMode::none).probe().call("b").keys(KeysMode::none));
  probed.start().reply("do a", unknown()).reply("probe a", succeeded()).reply("do b", unknown());
  EXPECT_EQ(class_of(probed)->step, "b");
}

TEST(FailureClass, OfABuilderThatFailsIsItsReason) {
  const auto fails = [](const Facts&) -> Result<std::vector<LegPlan>> {
    return fail(Errc::internal, "no such field");
  };
  Plan plan;
  plan.pivot("p").retriable("r").step().legs = fails;
  Given saga = given(plan);
  saga.start().reply("do p", succeeded()).status(SagaStatus::stuck);
  EXPECT_EQ(class_of(saga)->step, "r");
  EXPECT_EQ(class_of(saga)->code, "builder_failed");
  EXPECT_EQ(failure_class(nullptr, saga.state())->step, "");

  Plan out;
  out.pivot("p").definition().output = [](const Facts&) -> Result<Bytes> {
    return fail(Errc::internal, "no output");
  };
  Given stuck = given(out);
  stuck.start().reply("do p", succeeded()).status(SagaStatus::stuck);
  EXPECT_EQ(class_of(stuck)->step, "output");
}

TEST(FailureClass, OfWhatDidNotFailIsNone) {
  Given paused = given(Plan().call("a"));
  paused.start().pause();
  EXPECT_FALSE(class_of(paused).has_value());
  SagaState state = paused.state();
  state.stuck = 1;  // by nothing that is there
  EXPECT_FALSE(failure_class(nullptr, state).has_value());
}

TEST(FailureClass, OfASagaThatWasTurnedBackByAPersonNamesNoStep) {
  Given saga = given(Plan().call("a").call("b"));
  saga.start().cancel();
  const auto failure = class_of(saga);
  ASSERT_TRUE(failure.has_value());
  EXPECT_EQ(failure->step, "");
  EXPECT_EQ(failure->participant, "");
  EXPECT_EQ(failure_class(nullptr, saga.state())->code, "canceled");
}

TEST(NormalisedMessage, FoldsWhatDiffersFromSagaToSaga) {
  const auto folded = [](std::string_view text) { return normalised_message(text); };
  EXPECT_EQ(folded("timeout after 2000 ms"), "timeout after # ms");
  EXPECT_EQ(folded("connect to 127.0.0.1:9903: refused"), "connect to #: refused");
  EXPECT_EQ(folded("id 550e8400-e29b-41d4-a716-446655440000 is gone"), "id # is gone");
  EXPECT_EQ(folded("id 550e8400-beef-cafe-face-deadbeefdead"), "id #");
  EXPECT_EQ(folded("saga 0kq3v7m2a1b2c3d4e5f6g7h8j9"), "saga #");
  EXPECT_EQ(folded("at 2026-11-25T08:00:00.120Z"), "at #");
  EXPECT_EQ(folded("0x7ffe1234 deadbeefdeadbeef"), "# #");
  EXPECT_EQ(folded("sku12 of u-42"), "sku# of u-#");
  EXPECT_EQ(folded("no such user 'bob' or \"al ice\""), "no such user * or *");
  EXPECT_EQ(folded("it's not Bob's"), "it's not Bob's");
  EXPECT_EQ(folded("  two\n\tlines  "), "two lines");
  EXPECT_EQ(folded("defaced added"), "defaced added");
  EXPECT_EQ(folded(""), "");
  EXPECT_EQ(folded("abcdef12 [a] {Z}~ `x`\x7F DEADBEEFDEADBEEF"), "# [a] {Z}~ * #");
  EXPECT_EQ(folded("1/2 1_2 1+2"), "# # #");
  EXPECT_EQ(folded("550e8400-e29b-41d4-a716-446655440000x"), "#-e#b-#-a#") << "no such id";
}

TEST(NormalisedMessage, IsBoundedAndCutsNoCharacter) {
  const std::string text = normalised_message("x" + std::string(300, '\xC3') + "\xA4");
  EXPECT_LE(text.size(), kClassMessageMax);
  std::string umlauts;
  for (int i = 0; i < 200; ++i) umlauts += "ä";
  const std::string cut = normalised_message(umlauts);
  EXPECT_LE(cut.size(), kClassMessageMax);
  EXPECT_TRUE(cut.ends_with("ä..."));
  EXPECT_EQ(normalised_message(std::string(300, '\x80')), "...") << "no beginning of a character";
  const std::string words = std::string(kClassMessageMax - 4, 'x') + " " + std::string(20, 'y');
  EXPECT_EQ(normalised_message(words), std::string(kClassMessageMax - 4, 'x') + "...");
}

TEST(NormalisedMessage, TwiceIsTheSameAsOnce) {
  EXPECT_TRUE(rc::check("idempotent", [] {
    const auto size = *rc::gen::inRange(0, 50);
    const auto text = *rc::gen::container<std::string>(
        static_cast<std::size_t>(size),
        rc::gen::element('a', 'f', 'x', '0', '7', ' ', '-', '.', ':', '#', '"', '\'', '*', '\n'));
    const std::string once = normalised_message(text);
    RC_ASSERT(normalised_message(once) == once);
  }));
}

TEST(CauseId, IsReadBackFromItsText) {
  const CauseId id{.value = 0x3F2A9C11D0E4B7AAULL};
  EXPECT_EQ(id.text(), "3f2a9c11d0e4b7aa");
  EXPECT_EQ(CauseId::parse(id.text()), id);
  EXPECT_FALSE(CauseId::parse("3f2a").has_value());
  EXPECT_FALSE(CauseId::parse("3f2a9c11d0e4b7ag").has_value());
  EXPECT_FALSE(CauseId::parse("g").has_value());
}

// Stored in index rows: the same failure has the same id in every build.
TEST(CauseId, NeverChanges) {
  Given saga = given(Plan().call("a").pivot("p"));
  saga.start().reply("do a", with_message(OutcomeKind::rejected, "short of 3"));
  EXPECT_EQ(class_of(saga)->cause.text(), "9df48b70b92b7194");
}

}  // namespace
}  // namespace skald::test
