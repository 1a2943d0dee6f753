// BatchService through the routes, and what a batch does to one saga.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>

#include "skald/v1/batch.pb.h"
#include "tests/unit/api/routes_fixture.h"

namespace skald::api {
namespace {

using batch::Act;
using batch::Outcome;
using batch::Verdict;
using testing::HasSubstr;
using testing::StartsWith;

constexpr std::string_view kPreview = "/skald.v1.BatchService/Preview";
constexpr std::string_view kStart = "/skald.v1.BatchService/Start";
constexpr SagaId kSaga{.placement = 1, .serial = 2};
constexpr SagaId kOther{.placement = 9, .serial = 9};
constexpr batch::Number kNumber = 7;

class BatchRoutesTest : public RoutesTest {
 protected:
  BatchRoutesTest() {
    engine_.page = ListPage{.sagas = {{.id = kSaga, .summary = {}}}, .next_page_token = ""};
  }

  /// Answered on a thread of the batches.
  HttpResponse posted(std::string_view procedure, std::string body) {
    std::promise<HttpResponse> promise;
    auto answer = promise.get_future();
    routes_.handle(wire::connect_request(procedure, ConnectCodec::json, std::move(body)),
                   [&](HttpResponse response) { promise.set_value(std::move(response)); });
    return answer.get();
  }
  std::string wrong(std::string_view procedure, std::string body) {
    return refused(posted(procedure, std::move(body)), 400, Errc::invalid_argument);
  }

  /// deduct_stock[7] was refused, deduct_stock[8] undone.
  ShopSaga undone() {
    ShopSaga saga(engine_.registered[0]);
    saga.succeed(kDeduct8);
    saga.send(kDeduct7);
    saga.reply(kDeduct7, OutcomeKind::rejected, "short");
    saga.succeed(kDeduct8, Operation::compensation);
    return saga;
  }
  /// Its last call was refused, where there is no way back.
  ShopSaga stuck() {
    ShopSaga saga(engine_.registered[0]);
    saga.succeed(kDeduct7);
    saga.succeed(kDeduct8);
    saga.succeed(kCoupon);
    saga.send(kCart);
    saga.reply(kCart, OutcomeKind::rejected, "gone");
    return saga;
  }
  void give(const ShopSaga& saga) {
    engine_.snapshot = saga.snapshot();
    engine_.saga_history = SagaHistory{
        .state = saga.state(), .definition = saga.definition(), .events = saga.events()};
  }
  static batch::Spec spec(Act act, std::string filter = "status = stuck") {
    return {.act = act,
            .filter = std::move(filter),
            .actor = {.name = "ann", .reason = "because"},
            .leg = {},
            .from = {},
            .key = {}};
  }
  Result<Verdict> acted(const batch::Spec& asked) {
    std::optional<Result<Verdict>> found;
    batch_acts_.act(kNumber, asked, kSaga,
                    [&](Result<Verdict> verdict) { found = std::move(verdict); });
    return found.value();
  }
  Result<Verdict> judged(const batch::Spec& asked) {
    std::optional<Result<Verdict>> found;
    batch_acts_.judge(asked, kSaga, [&](Result<Verdict> verdict) { found = std::move(verdict); });
    return found.value();
  }
  Result<std::optional<batch::End>> followed() {
    std::optional<Result<std::optional<batch::End>>> found;
    batch_acts_.follow(kSaga, Millis{5}, [&](auto end) { found = std::move(end); });
    return found.value();
  }
  void expect_nothing_done() {
    EXPECT_FALSE(engine_.act_asked.has_value());
    EXPECT_TRUE(engine_.submitted.empty());
  }
};

TEST_F(BatchRoutesTest, APreviewCountsByReasonAndChangesNothing) {
  give(stuck());
  const HttpResponse response = posted(kPreview, R"({"act":"retry","filter":"status=stuck"})");
  ASSERT_EQ(response.status, 200U) << response.body;
  EXPECT_THAT(response.body, HasSubstr(R"("sagas":"1","actedOn":"1")"));
  EXPECT_THAT(response.body, HasSubstr(R"("filter":"status = stuck")")) << "as it was read";
  EXPECT_THAT(response.body, HasSubstr(std::string(kSomeId))) << "an example";
  expect_nothing_done();
  EXPECT_TRUE(engine_.kept_notes.empty());
}

TEST_F(BatchRoutesTest, WhatIsChosenIsWrittenBeforeItIsAcknowledged) {
  give(stuck());
  const HttpResponse response = posted(
      kStart, R"({"spec":{"act":"retry","filter":"status = stuck","actor":"ann","reason":"r"}})");
  ASSERT_EQ(response.status, 200U) << response.body;
  EXPECT_THAT(response.body, HasSubstr(R"("number":"1")"));
  EXPECT_TRUE(engine_.kept_notes.contains("batch/00000000000000000001"));
  EXPECT_TRUE(engine_.kept_notes.contains("batch-sagas/00000000000000000001/000000"));
  EXPECT_THAT(posted("/skald.v1.BatchService/Results", R"({"number":1})").body,
              HasSubstr(R"("outcome":"pending")"));
  EXPECT_THAT(posted("/skald.v1.BatchService/List", "{}").body, HasSubstr(R"("stage":"running")"));
}

TEST_F(BatchRoutesTest, MistakesAreNamedByTheirField) {
  EXPECT_THAT(wrong(kPreview, R"({"filter":"status = stuck"})"), StartsWith("act: "));
  EXPECT_THAT(wrong(kPreview, R"({"act":"retry"})"), StartsWith("filter: is required"));
  EXPECT_THAT(wrong(kPreview, R"({"act":"retry","filter":"colour = red"})"), HasSubstr("column 1"));
  const auto with = [&](const std::string& more) {
    return wrong(kStart, R"({"spec":{"filter":"status = stuck",)" + more + "}}");
  };
  EXPECT_THAT(with(R"("act":"replay")"), StartsWith("reason: "));
  EXPECT_THAT(with(R"("act":"resolve","reason":"r")"), StartsWith("answer: "));
  EXPECT_THAT(with(R"("act":"resolve","answer":"happened")"), StartsWith("reason: "));
  EXPECT_THAT(with(R"("act":"retry","answer":"happened")"), StartsWith("answer: does not go"));
  EXPECT_THAT(with(R"("act":"cancel","leg":"pay")"), StartsWith("leg: does not go"));
  EXPECT_THAT(with(R"("act":"retry","newest":true)"), StartsWith("version: does not go"));
  EXPECT_THAT(with(R"("act":"retry","from":"pay")"), StartsWith("from: does not go"));
  EXPECT_THAT(with(R"("act":"retry","again":true)"), StartsWith("again: does not go"));
  EXPECT_THAT(with(R"("act":"retry","rate":10001)"), StartsWith("rate: 10001, at most"));
  EXPECT_THAT(with(R"("act":"retry","inFlightMax":2001)"), StartsWith("in_flight_max: "));
  EXPECT_THAT(with(R"("act":"retry","reason":"batch 3: x")"), StartsWith("reason: "));
  const std::string results = "/skald.v1.BatchService/Results";
  EXPECT_THAT(wrong(results, R"({"number":1,"outcome":"fine"})"), StartsWith("outcome: "));
  EXPECT_THAT(wrong(results, R"({"number":1,"limit":1001})"), StartsWith("limit: "));
  refused(posted(results, R"({"number":1})"), 404, Errc::not_found);
  refused(posted("/skald.v1.BatchService/Pause", R"({"number":1})"), 404, Errc::not_found);
  EXPECT_TRUE(engine_.kept_notes.empty());
}

TEST_F(BatchRoutesTest, NobodySignsAsABatch) {
  const std::string body =
      R"({"sagaId":")" + std::string(kSomeId) + R"(","reason":"batch 7: because"})";
  EXPECT_THAT(refused(post("/skald.v1.OperatorService/Retry", body), 400, Errc::invalid_argument),
              StartsWith("reason: "));
}

TEST_F(BatchRoutesTest, AnActCarriesItsMark) {
  give(stuck());
  const auto verdict = acted(spec(Act::retry));
  ASSERT_TRUE(verdict.has_value());
  EXPECT_EQ(verdict->kind, Verdict::Kind::acts);
  EXPECT_EQ(verdict->followed, kSaga);
  const auto& retry = std::get<command::Retry>(engine_.act_asked.value());
  EXPECT_EQ(retry.actor, (Actor{.name = "ann", .reason = "batch 7: because"}));
}

TEST_F(BatchRoutesTest, WhatWasDoneBeforeACrashIsNotDoneAgain) {
  ShopSaga saga = stuck();
  ASSERT_TRUE(saga.ask(command::Retry{.actor = batch::marked_actor(kNumber, {.name = "ann"})}));
  saga.send(kCart);
  saga.reply(kCart, OutcomeKind::rejected, "gone");  // it is as if nothing had been tried
  ASSERT_TRUE(saga.ask(command::Pause{.actor = {.name = "bob"}}));  // and somebody came later
  ASSERT_TRUE(saga.ask(command::Resume{.actor = {.name = "bob"}}));
  give(saga);
  const auto verdict = acted(spec(Act::retry));
  ASSERT_TRUE(verdict.has_value());
  EXPECT_EQ(verdict->kind, Verdict::Kind::acts);
  EXPECT_EQ(verdict->followed, kSaga);
  expect_nothing_done();
}

TEST_F(BatchRoutesTest, WhatAnotherBatchHasDoneIsNoReasonNotTo) {
  ShopSaga saga = stuck();
  ASSERT_TRUE(saga.ask(command::Retry{.actor = batch::marked_actor(kNumber + 1, {})}));
  saga.send(kCart);
  saga.reply(kCart, OutcomeKind::rejected, "gone");
  give(saga);
  ASSERT_TRUE(acted(spec(Act::retry)).has_value());
  EXPECT_TRUE(engine_.act_asked.has_value());
}

TEST_F(BatchRoutesTest, AReplayBeforeACrashIsFoundByItsMark) {
  give(undone());
  engine_.snapshot->replays = {kOther};
  // The fake engine answers with the same saga whichever is asked for: as its own replay.
  engine_.snapshot->state.replay =
      Replay{.of = kSaga, .actor = batch::marked_actor(kNumber, {}), .from = {}, .kept = {}};
  const auto ours = acted(spec(Act::replay, "status = compensated"));
  EXPECT_EQ(ours->kind, Verdict::Kind::acts);
  expect_nothing_done();
  engine_.snapshot->state.replay->actor = {.name = "bob", .reason = "by hand"};
  const auto theirs = acted(spec(Act::replay, "status = compensated"));
  EXPECT_EQ(theirs->kind, Verdict::Kind::skips);
  EXPECT_EQ(theirs->why, "was replayed already");
  EXPECT_EQ(theirs->followed, kOther);
  expect_nothing_done();
  batch::Spec again = spec(Act::replay, "status = compensated");
  again.again = true;
  ASSERT_EQ(acted(again)->kind, Verdict::Kind::acts);
  EXPECT_THAT(engine_.submitted.at(0).idempotency_key, testing::EndsWith("/2"));
}

TEST_F(BatchRoutesTest, AReplayThatSomebodyElseBeganAMomentAgoIsTheirs) {
  give(undone());
  engine_.answer->created = false;
  const auto verdict = acted(spec(Act::replay, "status = compensated"));
  EXPECT_EQ(verdict->kind, Verdict::Kind::skips);
  EXPECT_EQ(engine_.submitted.at(0).replay->actor.reason, "batch 7: because");
}

TEST_F(BatchRoutesTest, WhatIsNoLongerMeantIsSkippedWithWhatItIs) {
  give(undone());
  for (const auto& verdict : {acted(spec(Act::retry)), judged(spec(Act::retry))}) {
    EXPECT_EQ(verdict->kind, Verdict::Kind::skips);
    EXPECT_THAT(verdict->why, HasSubstr("it is compensated"));
  }
  engine_.snapshot = fail(Errc::not_found, "there is no such saga");
  EXPECT_EQ(acted(spec(Act::retry))->why, "is gone: its retention is over");
  expect_nothing_done();
}

TEST_F(BatchRoutesTest, ARefusalIsToldAlikeForSagasThatAreAlike) {
  give(stuck());
  for (const auto& verdict : {acted(spec(Act::cancel)), judged(spec(Act::cancel))}) {
    EXPECT_EQ(verdict->kind, Verdict::Kind::refuses);
    EXPECT_THAT(verdict->why, HasSubstr("point of no return"));
    EXPECT_THAT(verdict->why, testing::Not(HasSubstr(std::string(kSomeId))));
  }
  EXPECT_EQ(judged(spec(Act::resolve))->why, "has no leg in doubt");
  expect_nothing_done();
}

TEST_F(BatchRoutesTest, AnEngineWithoutRoomIsAskedLaterAndAnUndecidedCancelWasDone) {
  ShopSaga saga(engine_.registered[0]);
  saga.send(kDeduct7);
  give(saga);
  engine_.answer = fail(Errc::resource_exhausted, "busy");
  EXPECT_FALSE(acted(spec(Act::cancel, "status = running")).has_value());
  engine_.answer = fail(Errc::aborted, "undecided");
  EXPECT_EQ(acted(spec(Act::cancel, "status = running"))->kind, Verdict::Kind::acts);
}

TEST_F(BatchRoutesTest, TheOnlyLegInDoubtIsResolvedAsItWasLookedAt) {
  engine_.registered = {sealed(shop(1, KeysMode::none))};
  ShopSaga saga(engine_.registered[0]);
  saga.succeed(kDeduct7);
  saga.succeed(kDeduct8);
  saga.send(kCoupon);
  saga.reply(kCoupon, OutcomeKind::unknown, "timeout");
  give(saga);
  batch::Spec asked = spec(Act::resolve, "status in (running, stuck)");
  asked.happened = true;
  const auto verdict = acted(asked);
  ASSERT_EQ(verdict->kind, Verdict::Kind::acts) << verdict->why;
  EXPECT_EQ(std::get<command::Resolve>(*engine_.act_asked).leg, "use_coupon");
  EXPECT_EQ(engine_.expected_seq, saga.state().seq);
}

TEST_F(BatchRoutesTest, AnEndIsTheSagasOwn) {
  const auto when = [&](SagaStatus status) {
    engine_.answer->status = status;
    const auto end = followed();
    return end && *end ? std::optional((*end)->outcome) : std::nullopt;
  };
  EXPECT_EQ(when(SagaStatus::completed), Outcome::completed);
  EXPECT_EQ(when(SagaStatus::compensated), Outcome::compensated);
  EXPECT_EQ(when(SagaStatus::abandoned), Outcome::abandoned);
  EXPECT_EQ(when(SagaStatus::paused), Outcome::paused);
  EXPECT_EQ(when(SagaStatus::running), std::nullopt);
  ShopSaga saga = stuck();
  give(saga);
  EXPECT_EQ(when(SagaStatus::stuck), Outcome::stuck);
  EXPECT_THAT((*followed())->why, HasSubstr("clear_cart"));
  ASSERT_TRUE(saga.ask(command::Retry{}));
  give(saga);
  EXPECT_EQ(when(SagaStatus::stuck), std::nullopt) << "it is tried again just now";
  engine_.answer = fail(Errc::not_found, "gone");
  EXPECT_EQ((*followed())->outcome, Outcome::lost);
  engine_.answer = fail(Errc::unavailable, "draining");
  EXPECT_FALSE(followed().has_value());
}

TEST_F(BatchRoutesTest, MetricsTellOfBatches) {
  EXPECT_THAT(get("/metrics").body, HasSubstr("skald_batches_open 0"));
}

}  // namespace
}  // namespace skald::api
