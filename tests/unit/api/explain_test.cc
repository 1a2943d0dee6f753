#include "engine/api/explain.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/api/shop.h"

namespace skald::api {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::vector<std::string> verbs(const Explanation& explanation) {
  std::vector<std::string> all;
  for (const LegalCommand& command : explanation.commands) {
    all.push_back(command.subject.empty() ? command.verb : command.verb + " " + command.subject);
  }
  return all;
}

TEST(Explain, SaysWhatIsSentAndWhoAnswers) {
  ShopSaga saga(sealed(shop()));
  saga.send(kDeduct7);

  const Explanation explanation = explain(saga.snapshot());

  EXPECT_EQ(explanation.why, "It goes forward: 0 of 3 steps done.");
  EXPECT_EQ(
      explanation.next,
      "inventory answers deduct_stock[7] (attempt 1, at most 2 s); deduct_stock[8] is sent as "
      "soon as inventory has room.");
  EXPECT_EQ(explanation.next_at, kNever);
  EXPECT_THAT(verbs(explanation), ElementsAre("cancel", "pause"));
}

TEST(Explain, SaysWhenARetryIsDueAndWhatTheLastAnswerWas) {
  ShopSaga saga(sealed(shop()));
  saga.succeed(kDeduct8);
  saga.send(kDeduct7);
  saga.reply(kDeduct7, OutcomeKind::unknown, "timeout", "no answer in 2 s");

  const Explanation explanation = explain(saga.snapshot());

  EXPECT_THAT(explanation.next,
              testing::MatchesRegex("deduct_stock\\[7\\] is tried again in [0-9]+ ms \\(attempt 2; "
                                    "the last was unknown \\(timeout: no answer in 2 s\\)\\)\\."));
  EXPECT_EQ(explanation.next_at, saga.state().steps[0].legs[0].action.retry_at);
  EXPECT_THAT(verbs(explanation),
              ElementsAre("retry", "resolve deduct_stock[7]", "resolve deduct_stock[7]", "cancel",
                          "pause", "abandon"));
}

TEST(Explain, ACancelOfThePivotInFlightIsOnlyRecorded) {
  ShopSaga saga(sealed(shop()));
  saga.succeed(kDeduct7);
  saga.succeed(kDeduct8);
  saga.send(kCoupon);

  const Explanation before = explain(saga.snapshot());
  (void)saga.ask(command::Cancel{{.name = "ann", .reason = "changed her mind"}});
  const Explanation after = explain(saga.snapshot());

  ASSERT_EQ(before.commands.size(), 2U);
  EXPECT_EQ(before.commands[0].effect, "is recorded; it turns back only if the pivot was not done");
  EXPECT_EQ(
      after.why,
      "It goes forward: 1 of 3 steps done. It is asked to turn back (it was canceled (changed "
      "her mind)), but the pivot use_coupon may have happened: that takes effect only if the "
      "pivot turns out not to have been done.");
}

TEST(Explain, TheWayBackNamesItsCauseAndCountsWhatIsUndone) {
  ShopSaga saga(sealed(shop()));
  saga.succeed(kDeduct7);
  saga.succeed(kDeduct8);
  saga.send(kCoupon);
  saga.reply(kCoupon, OutcomeKind::rejected, "coupon_used", "used by SN0");
  saga.succeed(kDeduct7, Operation::compensation);

  const Explanation explanation = explain(saga.snapshot());

  EXPECT_EQ(explanation.why,
            "It goes back because use_coupon was rejected (coupon_used: used by SN0). 1 of 2 legs "
            "undone.");
  EXPECT_EQ(explanation.next,
            "the compensation of deduct_stock[8] is sent as soon as inventory has room.");
  EXPECT_THAT(verbs(explanation), ElementsAre("pause", "abandon"));
}

TEST(Explain, ARefusedCompensationNeedsAPersonAndOffersARetry) {
  ShopSaga saga(sealed(shop()));
  saga.succeed(kDeduct7);
  saga.succeed(kDeduct8);
  saga.ask(command::Cancel{});
  saga.succeed(kDeduct7, Operation::compensation);
  saga.send(kDeduct8, Operation::compensation);
  saga.reply(kDeduct8, OutcomeKind::rejected, "failed_precondition", "locked is 0",
             Operation::compensation);

  const Explanation explanation = explain(saga.snapshot());

  EXPECT_EQ(explanation.why,
            "A person is needed. It goes back because it was canceled. 1 of 2 legs "
            "undone.");
  EXPECT_EQ(explanation.next, "Nothing happens by itself: a person must act.");
  EXPECT_THAT(
      explanation.needs_person,
      ElementsAre("the compensation of deduct_stock[8] was rejected (failed_precondition: "
                  "locked is 0) at inventory; it is not repeated until a person asks for it."));
  EXPECT_THAT(verbs(explanation), ElementsAre("retry", "amend deduct_stock[8]",
                                              "mark-done deduct_stock[8]", "pause", "abandon"));
}

TEST(Explain, InDoubtWithoutKeysOffersNoRetryAndNamesTheKeyToAskAbout) {
  Definition definition = shop();
  definition.steps[1].action.method.keys = KeysMode::none;
  ShopSaga saga(sealed(std::move(definition)));
  saga.succeed(kDeduct7);
  saga.succeed(kDeduct8);
  saga.send(kCoupon);
  saga.reply(kCoupon, OutcomeKind::unknown, "timeout");

  const Explanation explanation = explain(saga.snapshot());

  EXPECT_THAT(
      explanation.needs_person,
      ElementsAre("use_coupon may have happened at promotion and cannot be settled from here "
                  "(it keeps no keys); ask promotion about the key " +
                  saga.state().id.text() + "/use_coupon/action."));
  EXPECT_THAT(verbs(explanation), ElementsAre("resolve use_coupon", "resolve use_coupon", "cancel",
                                              "pause", "abandon"));
  EXPECT_EQ(explanation.commands[0].choice, "happened");
  EXPECT_EQ(explanation.commands[1].choice, "did-not-happen");
  EXPECT_TRUE(explanation.commands[0].requires_reason);
}

TEST(Explain, SpentTimeAfterThePivotGoesOnAndSaysSo) {
  ShopSaga saga(sealed(shop()));
  saga.succeed(kDeduct7);
  saga.succeed(kDeduct8);
  saga.succeed(kCoupon);
  for (int i = 0; i < 9; ++i) {
    saga.pass(Millis{31'000});
    saga.send(kCart);
    saga.reply(kCart, OutcomeKind::unknown, "503", "service unavailable");
  }

  const Explanation explanation = explain(saga.snapshot());

  EXPECT_EQ(explanation.why,
            "A person is needed. It goes forward: 2 of 3 steps done, and the point of "
            "no return is passed.");
  EXPECT_THAT(
      explanation.needs_person,
      ElementsAre("clear_cart has spent its time after 9 attempts at cart (last: unknown (503: "
                  "service unavailable)); it is tried again until it heals."));
  EXPECT_THAT(explanation.next, HasSubstr("clear_cart is tried again in "));
  EXPECT_THAT(verbs(explanation),
              ElementsAre("retry", "resolve clear_cart", "resolve clear_cart", "pause", "abandon"));
}

TEST(Explain, AWaitNamesItsSignalAndWhatFollowsWithoutIt) {
  Definition definition;
  definition.name = "pay";
  StepDefinition wait;
  wait.name = "paid";
  wait.kind = StepKind::wait;
  wait.wait = {.signal = "payment",
               .until = {},
               .timeout = Millis{1'800'000},
               .on_timeout = OnTimeout::reject};
  definition.steps.push_back(std::move(wait));
  ShopSaga saga(sealed(std::move(definition)));

  const Explanation explanation = explain(saga.snapshot());

  EXPECT_EQ(explanation.next, "paid waits for the signal payment and is refused in 30 min.");
  EXPECT_EQ(explanation.next_at, from_unix_ms(kShopOpens + 1'800'000));
  EXPECT_THAT(verbs(explanation), ElementsAre("cancel", "pause", "abandon", "signal payment"));
}

TEST(Explain, AMissingDefinitionSaysHowToGoOn) {
  ShopSaga saga(sealed(shop(3)));
  SagaSnapshot snapshot = saga.snapshot();
  snapshot.definition = nullptr;
  snapshot.owed = {};
  snapshot.state.status = SagaStatus::stuck;

  const Explanation explanation = explain(snapshot);

  EXPECT_EQ(explanation.why,
            "Its definition shop version 3 is not registered here, so nothing can be decided.");
  EXPECT_THAT(explanation.needs_person,
              ElementsAre("Start skaldd with definition shop version 3 registered."));
  EXPECT_THAT(verbs(explanation), ElementsAre("abandon"));
}

TEST(Explain, APausedSagaSaysWhoPausedItAndOffersToResumeIt) {
  ShopSaga saga(sealed(shop()));
  saga.send(kDeduct7);
  saga.ask(command::Pause{{.name = "ann", .reason = "maintenance"}});
  saga.pass(Millis{200'000});

  const Explanation explanation = explain(saga.snapshot());

  EXPECT_EQ(explanation.why,
            "It was paused by ann (maintenance) 3 min 20 s ago. It goes forward: 0 of 3 steps "
            "done.");
  EXPECT_EQ(explanation.next,
            "inventory answers deduct_stock[7] (attempt 1, at most 2 s); nothing new is begun "
            "until it is resumed.");
  EXPECT_THAT(verbs(explanation), ElementsAre("cancel", "resume"));
  saga.reply(kDeduct7, OutcomeKind::not_executed, "503");
  saga.ask(command::Abandon{{.name = "bob", .reason = "a test order"}});
  EXPECT_EQ(explain(saga.snapshot()).why, "It was closed as it is by bob (a test order).");
}

TEST(Explain, FinishedSagasHaveNothingNext) {
  ShopSaga done(sealed(shop()));
  for (const LegRef leg : {kDeduct7, kDeduct8, kCoupon, kCart}) done.succeed(leg);
  ShopSaga undone(sealed(shop()));
  undone.ask(command::Cancel{});

  EXPECT_EQ(explain(done.snapshot()).why, "It is completed: every step is done.");
  EXPECT_EQ(explain(undone.snapshot()).why,
            "It is undone because it was canceled. Nothing had been done that needs undoing.");
  EXPECT_EQ(explain(done.snapshot()).next, "Nothing: it is finished.");
  const auto undone_commands = explain(undone.snapshot()).commands;
  ASSERT_EQ(undone_commands.size(), 1U);
  EXPECT_EQ(undone_commands.front().verb, "replay");
}

}  // namespace
}  // namespace skald::api
