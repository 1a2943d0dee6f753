// Submit and SubmitBatch through the routes: what arrives at the engine, and every refusal.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/api/routes_fixture.h"

namespace skald::api {
namespace {

using testing::HasSubstr;

TEST_F(RoutesTest, SubmitsJson) {
  const HttpResponse response = post(kSubmit, R"({"definition":"shop","input":{"b":2,"a":"x"},
      "idempotencyKey":"k1","businessKey":"SN1","wait":"decided","timeoutMs":2500})");

  EXPECT_EQ(response.status, 200U);
  EXPECT_EQ(*find_header(response.headers, "content-type"), "application/json");
  EXPECT_EQ(response.body,
            R"({"sagaId":")" + std::string(kSomeId) +
                R"(","definition":"shop","version":2,"status":"running","created":true})");
  ASSERT_EQ(engine_.submitted.size(), 1U);
  const SubmitRequest& asked = engine_.submitted[0];
  EXPECT_EQ(asked.definition, "shop");
  EXPECT_EQ(asked.version, 0U);
  EXPECT_EQ(asked.input, R"({"a":"x","b":2})");
  EXPECT_EQ(asked.idempotency_key, "k1");
  EXPECT_EQ(asked.business_key, "SN1");
  EXPECT_EQ(engine_.mode, WaitMode::decided);
  EXPECT_EQ(engine_.timeout, Millis{2'500});
}

TEST_F(RoutesTest, SubmitsProtobuf) {
  engine_.answer->status = SagaStatus::completed;
  engine_.answer->output = R"({"total":5})";
  engine_.answer->has_output = true;
  v1::SubmitRequest request;
  request.set_definition("shop");
  request.set_version(1);
  request.set_input_proto("\x01\x02");
  request.set_wait(v1::WaitMode::done);

  const auto answer = call<v1::SagaAnswer>(kSubmit, request);

  EXPECT_EQ(answer.status(), v1::SagaStatus::completed);
  EXPECT_EQ(answer.output_proto(), R"({"total":5})");
  EXPECT_EQ(engine_.submitted.at(0).input, "\x01\x02");
  EXPECT_EQ(engine_.submitted.at(0).version, 1U);
  EXPECT_EQ(engine_.timeout, kWaitDefault);
}

TEST_F(RoutesTest, JsonCallersGetTheOutputAsJson) {
  engine_.answer->status = SagaStatus::completed;
  engine_.answer->output = R"({"total":5})";
  engine_.answer->has_output = true;

  EXPECT_THAT(post(kSubmit, R"({"definition":"shop"})").body, HasSubstr(R"("output":{"total":5})"));

  engine_.answer->output = "\x08\x01";  // no JSON form
  EXPECT_THAT(post(kSubmit, R"({"definition":"shop"})").body, HasSubstr(R"("outputProto":"CAE=")"));
}

TEST_F(RoutesTest, FailuresAndRefusalsAreStructured) {
  engine_.answer->status = SagaStatus::compensated;
  engine_.answer->decided = engine_.answer->undoing = true;
  engine_.answer->failure = Failure{.leg = "deduct_stock[7]",
                                    .outcome = OutcomeKind::rejected,
                                    .code = "failed_precondition",
                                    .message = "stock is 1"};
  engine_.answer->refusals = {*engine_.answer->failure};

  EXPECT_THAT(post(kSubmit, R"({"definition":"shop"})").body,
              HasSubstr(R"("failure":{"leg":"deduct_stock[7]","outcome":"rejected",)"
                        R"("code":"failed_precondition","message":"stock is 1"},"refusals":[{)"));
}

TEST_F(RoutesTest, TheKeyMayComeAsAHeader) {
  post(kSubmit, R"({"definition":"shop"})", {{"Idempotency-Key", R"("a \"b\"")"}});
  post(kSubmit, R"({"definition":"shop","idempotencyKey":"bare"})", {{"Idempotency-Key", "bare"}});
  const HttpResponse differs =
      post(kSubmit, R"({"definition":"shop","idempotencyKey":"x"})", {{"Idempotency-Key", "y"}});
  const HttpResponse broken =
      post(kSubmit, R"({"definition":"shop"})", {{"Idempotency-Key", "\"x"}});

  ASSERT_EQ(engine_.submitted.size(), 2U);
  EXPECT_EQ(engine_.submitted[0].idempotency_key, "a \"b\"");
  EXPECT_EQ(engine_.submitted[1].idempotency_key, "bare");
  EXPECT_THAT(refused(differs, 400, Errc::invalid_argument), HasSubstr("differs"));
  EXPECT_THAT(refused(broken, 400, Errc::invalid_argument), HasSubstr("Idempotency-Key"));
}

TEST_F(RoutesTest, TheBodyHashSeesDefinitionVersionBusinessKeyAndInput) {
  const auto hash = [&](std::string body) {
    post(kSubmit, std::move(body));
    return engine_.submitted.back().body_hash;
  };
  const auto base = hash(R"({"definition":"shop","input":{"a":1,"b":2}})");
  EXPECT_EQ(base, hash(R"({"definition":"shop","input":{"b":2.0,"a":1},"idempotencyKey":"k"})"));
  EXPECT_NE(base, hash(R"({"definition":"shop","version":2,"input":{"a":1,"b":2}})"));
  EXPECT_NE(base, hash(R"({"definition":"shop","input":{"a":1,"b":3}})"));
  EXPECT_NE(base, hash(R"({"definition":"shop","input":{"a":1,"b":2},"businessKey":"SN1"})"));
  EXPECT_EQ(base, 6822406751138145393U);  // stored with keys: never changes
}

TEST_F(RoutesTest, InlineDefinitionsAreReadAndHashedByTheirSource) {
  const HttpResponse made =
      post(kSubmit, R"({"inlineDefinition":{"name":"adhoc","steps":[{"name":"s"}]},"input":{}})");
  const HttpResponse bad = post(kSubmit, R"({"inlineDefinition":{"name":"adhoc"}})");
  const HttpResponse both =
      post(kSubmit, R"({"definition":"shop","inlineDefinition":{"name":"adhoc"}})");

  EXPECT_EQ(made.status, 200U) << made.body;
  ASSERT_EQ(engine_.submitted.size(), 1U);
  ASSERT_NE(engine_.submitted[0].inline_definition, nullptr);
  EXPECT_EQ(engine_.submitted[0].inline_definition->name, "adhoc");
  EXPECT_EQ(engine_.submitted[0].definition, "");
  EXPECT_EQ(refused(bad, 400, Errc::invalid_argument), "inline_definition.steps: is empty");
  EXPECT_THAT(refused(both, 400, Errc::invalid_argument), HasSubstr("not both"));
}

TEST_F(RoutesTest, TheWaitEndsBeforeTheCallerGivesUp) {
  HttpRequest request = wire::connect_request(
      kSubmit, ConnectCodec::json, R"({"definition":"shop","wait":"done"})", Millis{1'000});
  send(std::move(request));
  EXPECT_EQ(engine_.timeout, Millis{900});
}

TEST_F(RoutesTest, WhatTheClientGotWrongIsNamed) {
  const auto message = [&](std::string body) {
    return refused(post(kSubmit, std::move(body)), 400, Errc::invalid_argument);
  };
  EXPECT_THAT(message("{}"), HasSubstr("definition: give the name"));
  EXPECT_THAT(message(R"({"definition":"shop","wiat":"done"})"), HasSubstr("unknown field wiat"));
  EXPECT_THAT(message(R"({"definition":"shop","wait":"never"})"), HasSubstr("wait"));
  EXPECT_THAT(message(R"({"definition":"shop","wait":7})"),
              HasSubstr("wait: 7 is none of accepted, decided, done"));
  EXPECT_THAT(message(R"({"definition":"shop","timeoutMs":600001})"),
              HasSubstr("timeout_ms: 600001"));
  EXPECT_THAT(message(R"({"definition":"shop","input":{"id":9007199254740993}})"),
              HasSubstr("input.id: integers beyond 2^53"));
  EXPECT_THAT(message(R"({"definition":"shop","idempotencyKey":")" + std::string(257, 'k') + "\"}"),
              HasSubstr("idempotency_key: 257 bytes, at most 256"));
  EXPECT_THAT(message(R"({"definition":"shop","businessKey":"a\nb"})"),
              HasSubstr("business_key: holds control characters"));
  EXPECT_THAT(message("{"), HasSubstr("not valid JSON"));
  EXPECT_TRUE(engine_.submitted.empty());
}

TEST_F(RoutesTest, AnOversizedInputIsRefusedWithTheLimitsName) {
  const HttpResponse response =
      post(kSubmit, R"({"definition":"shop","input":")" + std::string(200, 'x') + "\"}");
  EXPECT_EQ(refused(response, 429, Errc::resource_exhausted),
            "input: 202 bytes, input_bytes_max is 100");
}

TEST_F(RoutesTest, UnknownDefinitionsAndVersionsAreNotFound) {
  EXPECT_THAT(refused(post(kSubmit, R"({"definition":"shp"})"), 404, Errc::not_found),
              HasSubstr("definition \"shp\" is not registered"));
  EXPECT_EQ(refused(post(kSubmit, R"({"definition":"shop","version":9})"), 404, Errc::not_found),
            "definition \"shop\" has no version 9; it has 1, 2");
}

TEST_F(RoutesTest, TheEnginesRefusalsArrive) {
  engine_.answer = fail(Errc::already_exists, "idempotency_key was used for saga {}", kSomeId);
  EXPECT_THAT(refused(post(kSubmit, R"({"definition":"shop"})"), 409, Errc::already_exists),
              HasSubstr(kSomeId));
}

TEST_F(RoutesTest, ABusyEngineRefusesASubmissionUnreadAndSaysWhenToComeAgain) {
  engine_.busy = Error{
      .code = Errc::resource_exhausted, .message = "busy: active_sagas_max", .retry_after_s = 3};
  const HttpResponse response =
      post(kSubmit, "what is no message", {{"Idempotency-Key", "from the header"}});
  EXPECT_EQ(refused(response, 429, Errc::resource_exhausted), "busy: active_sagas_max");
  ASSERT_NE(find_header(response.headers, "Retry-After"), nullptr);
  EXPECT_EQ(*find_header(response.headers, "Retry-After"), "3");
  v1::SubmitRequest request;
  request.set_definition("none");
  request.set_idempotency_key("in the message");
  const HttpResponse proto =
      send(wire::connect_request(kSubmit, ConnectCodec::proto, request.SerializeAsString()));
  EXPECT_EQ(proto.status, 429U) << proto.body;
  EXPECT_EQ(engine_.refused_keys, (std::vector<std::string>{"from the header", "in the message"}));
  EXPECT_TRUE(engine_.submitted.empty());
}

TEST_F(RoutesTest, ABusyEngineReadsNoMoreOfJsonThanItsKey) {
  engine_.busy = Error{.code = Errc::resource_exhausted, .message = "busy", .retry_after_s = 1};
  // Where there is room the definition would be missed.
  const HttpResponse response = post(kSubmit, R"({"definition":"none","idempotencyKey":"k"})");
  EXPECT_EQ(refused(response, 429, Errc::resource_exhausted), "busy");
  EXPECT_EQ(engine_.refused_keys, (std::vector<std::string>{"k"}));
  EXPECT_TRUE(engine_.submitted.empty());
}

TEST_F(RoutesTest, ABusyEngineRefusesEachItemOfABatchOnItsOwn) {
  engine_.busy = Error{.code = Errc::resource_exhausted, .message = "busy", .retry_after_s = 1};
  v1::SubmitBatchRequest request;
  for (const char* key : {"a", "b"}) request.add_items()->set_idempotency_key(key);
  const auto batch = call<v1::SubmitBatchResponse>("/skald.v1.SagaService/SubmitBatch", request);
  ASSERT_EQ(batch.items_size(), 2);
  EXPECT_EQ(batch.items(0).error().code(), "resource_exhausted");
  EXPECT_EQ(batch.items(1).error().code(), "resource_exhausted");
  EXPECT_EQ(engine_.refused_keys, (std::vector<std::string>{"a", "b"}));
}

TEST_F(RoutesTest, ABusyEngineRefusesNothingButSubmissions) {
  engine_.busy = Error{.code = Errc::resource_exhausted, .message = "busy", .retry_after_s = 1};
  const std::string saga = R"({"sagaId":")" + std::string(kSomeId) + R"(")";
  const std::string who = R"(,"actor":"ann","reason":"test"})";
  const std::string service = "/skald.v1.SagaService/";
  EXPECT_EQ(post(service + "Wait", saga + "}").status, 200U);
  EXPECT_EQ(post(service + "Signal", saga + R"(,"signalId":"s","name":"paid"})").status, 200U);
  EXPECT_EQ(post(service + "Cancel", saga + who).status, 200U);
  EXPECT_EQ(post(service + "Retry", saga + who).status, 200U);
  EXPECT_EQ(post(service + "List", "{}").status, 200U);
  EXPECT_EQ(post("/skald.v1.OperatorService/Pause", saga + who).status, 200U);
  EXPECT_TRUE(engine_.refused_keys.empty());
}

TEST_F(RoutesTest, ABatchAnswersEachItemOnItsOwn) {
  const HttpResponse response = post("/skald.v1.SagaService/SubmitBatch",
                                     R"({"items":[{"definition":"shop","idempotencyKey":"a"},
                                                  {"definition":"none"},{"definition":"shop"}]})");

  EXPECT_EQ(response.status, 200U);
  v1::SubmitBatchResponse batch;
  ASSERT_TRUE(wire::decode_message(ConnectCodec::json, response.body, batch));
  ASSERT_EQ(batch.items_size(), 3);
  EXPECT_EQ(batch.items(0).answer().saga_id(), kSomeId);
  EXPECT_EQ(batch.items(1).error().code(), "not_found");
  EXPECT_EQ(batch.items(2).answer().saga_id(), kSomeId);
  EXPECT_EQ(engine_.submitted.size(), 2U);
}

TEST_F(RoutesTest, BatchesAreBounded) {
  v1::SubmitBatchRequest request;
  for (int i = 0; i <= kBatchItemsMax; ++i) request.add_items();
  const HttpResponse response = send(wire::connect_request(
      "/skald.v1.SagaService/SubmitBatch", ConnectCodec::proto, request.SerializeAsString()));
  EXPECT_EQ(refused(response, 400, Errc::invalid_argument), "items: 1001 of them; send 1 to 1000");
  EXPECT_THAT(refused(post("/skald.v1.SagaService/SubmitBatch", "{}"), 400, Errc::invalid_argument),
              HasSubstr("items: 0"));
}

}  // namespace
}  // namespace skald::api
