#include "engine/api/routes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/api/routes_fixture.h"

namespace skald::api {
namespace {

using testing::HasSubstr;

// --- reading ---

TEST_F(RoutesTest, GetShowsTheWholeSaga) {
  ShopSaga saga(engine_.registered[0]);
  saga.succeed(kDeduct7);
  saga.send(kDeduct8);
  saga.reply(kDeduct8, OutcomeKind::rejected, "failed_precondition", "stock is 0");
  saga.succeed(kDeduct7, Operation::compensation);
  engine_.snapshot = saga.snapshot();
  engine_.saga_history =
      SagaHistory{.state = saga.state(), .definition = saga.definition(), .events = saga.events()};
  v1::GetRequest request;
  request.set_saga_id(std::string(kSomeId));
  request.set_attempts(true);
  request.set_payloads(true);

  const auto shown = call<v1::Saga>("/skald.v1.SagaService/Get", request);

  EXPECT_EQ(shown.saga_id(), kSomeId);
  EXPECT_EQ(shown.status(), v1::SagaStatus::compensated);
  EXPECT_EQ(shown.failure().leg(), "deduct_stock[8]");
  ASSERT_EQ(shown.refusals_size(), 1);
  EXPECT_EQ(shown.refusals(0).message(), "stock is 0");
  EXPECT_TRUE(shown.has_ended_at());
  ASSERT_EQ(shown.steps_size(), 3);
  const auto& deduct = shown.steps(0);
  EXPECT_EQ(deduct.kind(), v1::StepKind::call);
  EXPECT_EQ(deduct.class_(), v1::CallClass::compensatable);
  EXPECT_EQ(deduct.stage(), v1::Saga::StepStage::failed);
  ASSERT_EQ(deduct.legs_size(), 2);
  const auto& undone = deduct.legs(0);
  EXPECT_EQ(undone.stage(), v1::Saga::LegStage::undone);
  EXPECT_EQ(undone.compensation().path(), "/Inventory/Rollback");
  EXPECT_EQ(undone.compensation().key(), std::string(kSomeId) + "/deduct_stock[7]/compensation");
  ASSERT_EQ(undone.action().tries_size(), 1);
  EXPECT_EQ(
      undone.action().tries(0).answered_at().nanos() - undone.action().tries(0).sent_at().nanos(),
      40'000'000);
  EXPECT_EQ(undone.request().struct_value().fields().at("sku").number_value(), 7);
  EXPECT_EQ(deduct.legs(1).action().last().kind(), v1::OutcomeKind::rejected);
  EXPECT_EQ(shown.steps(1).after(0), "deduct_stock");
  EXPECT_THAT(shown.explanation().why(), HasSubstr("deduct_stock[8] was rejected"));
}

TEST_F(RoutesTest, SagasAreNamedByIdOrKey) {
  engine_.snapshot = ShopSaga(engine_.registered[0]).snapshot();
  constexpr std::string_view kGet = "/skald.v1.SagaService/Get";

  post(kGet, R"({"sagaId":")" + std::string(kSomeId) + "\"}");
  EXPECT_EQ(std::get<ById>(engine_.saga.value()).id, (SagaId{.placement = 1, .serial = 2}));
  post(kGet, R"({"idempotencyKey":"k"})");
  EXPECT_EQ(std::get<ByIdempotencyKey>(engine_.saga.value()).key, "k");
  post(kGet, R"({"businessKey":"SN1"})");
  EXPECT_EQ(std::get<ByBusinessKey>(engine_.saga.value()).key, "SN1");

  EXPECT_THAT(refused(post(kGet, "{}"), 400, Errc::invalid_argument),
              HasSubstr("name the saga by"));
  EXPECT_THAT(refused(post(kGet, R"({"sagaId":"nonsense"})"), 400, Errc::invalid_argument),
              HasSubstr("saga_id: not the id of a saga"));
}

TEST_F(RoutesTest, LongRowsOfAttemptsAreFolded) {
  ShopSaga saga(engine_.registered[0]);
  for (const LegRef leg : {kDeduct7, kDeduct8, kCoupon}) saga.succeed(leg);
  for (int i = 0; i < 30; ++i) {
    saga.pass(Millis{31'000});
    saga.send(kCart);
    saga.reply(kCart, OutcomeKind::unknown, "503");
  }
  engine_.snapshot = saga.snapshot();
  engine_.saga_history =
      SagaHistory{.state = saga.state(), .definition = saga.definition(), .events = saga.events()};
  v1::GetRequest request;
  request.set_saga_id(std::string(kSomeId));
  request.set_attempts(true);

  const auto shown = call<v1::Saga>("/skald.v1.SagaService/Get", request);

  const auto& action = shown.steps(2).legs(0).action();
  const int attempts = static_cast<int>(action.attempts());
  ASSERT_GT(attempts, kTriesShownMax);
  ASSERT_EQ(action.tries_size(), kTriesShownMax);
  EXPECT_EQ(action.tries(4).number(), 5U);
  EXPECT_EQ(static_cast<int>(action.tries(5).folded()), attempts - kTriesShownMax);
  EXPECT_EQ(static_cast<int>(action.tries(kTriesShownMax - 1).number()), attempts);
}

TEST_F(RoutesTest, WaitsUntilDoneUnlessSaidOtherwise) {
  post("/skald.v1.SagaService/Wait", R"({"businessKey":"SN1"})");
  EXPECT_EQ(engine_.mode, WaitMode::done);
  EXPECT_EQ(engine_.timeout, kWaitDefault);
  engine_.answer->timed_out = true;
  EXPECT_THAT(post("/skald.v1.SagaService/Wait", R"({"businessKey":"SN1","until":"decided"})").body,
              HasSubstr(R"("timedOut":true)"));
  EXPECT_EQ(engine_.mode, WaitMode::decided);
}

TEST_F(RoutesTest, ListsByFilter) {
  engine_.page = ListPage{.sagas = {{.id = SagaId{.placement = 1, .serial = 2},
                                     .summary = {.definition = "shop",
                                                 .version = 2,
                                                 .status = SagaStatus::stuck,
                                                 .business_key = "SN1",
                                                 .started_at = from_unix_ms(kShopOpens)}}},
                          .next_page_token = "more"};

  const HttpResponse response =
      post("/skald.v1.SagaService/List", R"({"status":["stuck","running"],"definition":"shop",
          "startedAfter":"2027-01-15T08:00:00.5Z","limit":7,"pageToken":"t"})");

  EXPECT_EQ(response.body, R"({"sagas":[{"sagaId":")" + std::string(kSomeId) +
                               R"(","definition":"shop","version":2,"status":"stuck",)"
                               R"("businessKey":"SN1","startedAt":"2027-01-15T08:00:00Z"}],)"
                               R"("nextPageToken":"more"})");
  EXPECT_THAT(engine_.query->statuses,
              testing::ElementsAre(SagaStatus::stuck, SagaStatus::running));
  EXPECT_EQ(engine_.query->limit, 7U);
  EXPECT_EQ(engine_.query->started_after, from_unix_ms(1'800'000'000'500));
  EXPECT_THAT(
      refused(post("/skald.v1.SagaService/List", R"({"limit":1001})"), 400, Errc::invalid_argument),
      HasSubstr("limit: 1001, at most 1000"));
}

TEST_F(RoutesTest, HistoryIsTold) {
  ShopSaga saga(engine_.registered[0]);
  saga.send(kDeduct7);
  saga.reply(kDeduct7, OutcomeKind::rejected, "failed_precondition", "stock is 0");
  engine_.saga_history =
      SagaHistory{.state = saga.state(), .definition = saga.definition(), .events = saga.events()};
  v1::HistoryRequest request;
  request.set_saga_id(std::string(kSomeId));

  const auto told = call<v1::HistoryResponse>("/skald.v1.SagaService/History", request);

  std::vector<std::string> lines;
  for (const auto& event : told.events()) lines.push_back(event.kind() + ": " + event.text());
  EXPECT_THAT(lines, testing::ElementsAre(
                         "started: accepted as shop version 1, 3 steps",
                         "step_started: deduct_stock starts with 2 legs: 7, 8",
                         "intended: deduct_stock[7] is sent, attempt 1",
                         "answered: deduct_stock[7] rejected (failed_precondition: stock is 0)",
                         "undo_began: the way back begins: deduct_stock[7] was rejected "
                         "(failed_precondition: stock is 0)",
                         "compensated: everything is undone"));
  EXPECT_EQ(told.events(3).seq(), 4U);
  EXPECT_EQ(told.events(3).outcome(), v1::OutcomeKind::rejected);
}

// --- acting ---

TEST_F(RoutesTest, SignalsCarryTheirPayload) {
  const HttpResponse response =
      post("/skald.v1.SagaService/Signal",
           R"({"businessKey":"SN1","signalId":"cb-1","name":"paid","payload":{"cents":500}})");
  EXPECT_EQ(response.body, "{}");
  EXPECT_EQ(engine_.signaled->id, "cb-1");
  EXPECT_EQ(engine_.signaled->name, "paid");
  EXPECT_EQ(engine_.signaled->payload, R"({"cents":500})");
  engine_.signal_is_new = false;
  EXPECT_EQ(post("/skald.v1.SagaService/Signal",
                 R"({"businessKey":"SN1","signalId":"cb-1","name":"paid"})")
                .body,
            R"({"duplicate":true})");
  EXPECT_EQ(refused(post("/skald.v1.SagaService/Signal", R"({"businessKey":"SN1","name":"paid"})"),
                    400, Errc::invalid_argument),
            "signal_id: is required");
}

TEST_F(RoutesTest, CancelAndRetryCarryTheActor) {
  post("/skald.v1.SagaService/Cancel", R"({"businessKey":"SN1","actor":"ann","reason":"typo"})");
  EXPECT_EQ(engine_.actor.value(), (Actor{.name = "ann", .reason = "typo"}));
  post("/skald.v1.SagaService/Retry",
       R"({"businessKey":"SN1","leg":"deduct_stock[7]","actor":"bob"})");
  EXPECT_EQ(engine_.leg, "deduct_stock[7]");
  EXPECT_EQ(engine_.actor->name, "bob");
  engine_.answer = fail(Errc::aborted, "undecided: the pivot is in flight");
  EXPECT_THAT(
      refused(post("/skald.v1.SagaService/Cancel", R"({"businessKey":"SN1"})"), 409, Errc::aborted),
      HasSubstr("undecided"));
}

// --- definitions ---

TEST_F(RoutesTest, DefinitionsAreListedNewestFirst) {
  const auto list = call<v1::ListDefinitionsResponse>("/skald.v1.DefinitionService/List",
                                                      v1::ListDefinitionsRequest{});
  ASSERT_EQ(list.definitions_size(), 2);
  EXPECT_EQ(list.definitions(0).version(), 2U);
  EXPECT_TRUE(list.definitions(0).newest());
  EXPECT_FALSE(list.definitions(1).newest());
}

TEST_F(RoutesTest, OneDefinitionIsShown) {
  v1::GetDefinitionRequest request;
  request.set_name("shop");
  const auto view = call<v1::DefinitionView>("/skald.v1.DefinitionService/Get", request);
  EXPECT_EQ(view.summary().version(), 2U);
  EXPECT_EQ(view.steps_size(), 3);
  EXPECT_THAT(
      refused(post("/skald.v1.DefinitionService/Get", R"({"name":"x"})"), 404, Errc::not_found),
      HasSubstr("not registered"));
}

// --- pages and refusals of HTTP ---

TEST_F(RoutesTest, HealthReadinessAndMetrics) {
  EXPECT_EQ(get("/healthz").body, "ok\n");
  EXPECT_EQ(get("/readyz").status, 200U);
  engine_.readiness = fail(Errc::unavailable, "12 sagas are still being taken up");
  EXPECT_EQ(get("/readyz").status, 503U);
  EXPECT_EQ(get("/readyz").body, "not ready: 12 sagas are still being taken up\n");
  EXPECT_TRUE(get("/metrics").body.starts_with(engine_.metrics()));
  EXPECT_THAT(*find_header(get("/metrics").headers, "Content-Type"), HasSubstr("version=0.0.4"));
}

TEST_F(RoutesTest, UnknownPathsSayWhatThereIs) {
  EXPECT_THAT(refused(get("/"), 404, Errc::unimplemented), HasSubstr("/skald.v1.SagaService/*"));
  EXPECT_EQ(post("/skald.v1.SagaService/Sbmit", "{}").status, 404U);
}

TEST_F(RoutesTest, WrongVerbsAndCodecsAreRefused) {
  EXPECT_EQ(get(std::string(kSubmit)).status, 405U);
  EXPECT_EQ(post("/healthz", "").status, 405U);
  HttpRequest text{.method = "POST",
                   .target = std::string(kSubmit),
                   .headers = {{"Content-Type", "text/plain"}},
                   .body = "{}"};
  EXPECT_EQ(send(std::move(text)).status, 415U);
}

}  // namespace
}  // namespace skald::api
