// Replay and Simulate through the routes: what is submitted, what is shown, what is refused.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "skald/v1/operator.pb.h"
#include "tests/unit/api/routes_fixture.h"

namespace skald::api {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::string_view kReplay = "/skald.v1.OperatorService/Replay";
constexpr std::string_view kSimulate = "/skald.v1.OperatorService/Simulate";

class ReplayRoutesTest : public RoutesTest {
 protected:
  /// deduct_stock[8] is undone, deduct_stock[7] was refused.
  void give_undone() {
    ShopSaga saga(engine_.registered[0]);
    saga.succeed(kDeduct8);
    saga.send(kDeduct7);
    saga.reply(kDeduct7, OutcomeKind::rejected, "short");
    saga.succeed(kDeduct8, Operation::compensation);
    engine_.snapshot = saga.snapshot();
  }
  HttpResponse replay(const std::string& more) {
    return post(kReplay, R"({"sagaId":")" + std::string(kSomeId) +
                             R"(","actor":"ann","reason":"because")" + more + "}");
  }
};

TEST_F(ReplayRoutesTest, SubmitsTheSameUnderAKeyOfItsOwn) {
  give_undone();
  ASSERT_EQ(replay("").status, 200U);
  const SubmitRequest request = engine_.submitted.at(0);  // a copy: another one comes
  EXPECT_EQ(request.idempotency_key, "replay/" + std::string(kSomeId) + "/1");
  EXPECT_EQ(request.business_key, "SN1-r1");
  EXPECT_EQ(request.definition, "shop");
  EXPECT_EQ(request.version, 1U);
  EXPECT_EQ(request.input, R"({"user":5})");
  EXPECT_EQ(request.replay->of, engine_.snapshot->state.id);
  EXPECT_EQ(request.replay->actor, (Actor{.name = "ann", .reason = "because"}));
  ASSERT_EQ(replay("").status, 200U);
  EXPECT_EQ(engine_.submitted.at(1).body_hash, request.body_hash) << "asked again, the same";
}

TEST_F(ReplayRoutesTest, EveryChangeIsAnotherBody) {
  give_undone();
  std::set<std::uint64_t> bodies;
  for (const char* more : {"", R"(,"newest":true)", R"(,"inputPatch":{"user":6})",
                           R"(,"from":"use_coupon")", R"(,"newBusinessKey":"SN1")"}) {
    ASSERT_EQ(replay(more).status, 200U) << more;
    bodies.insert(engine_.submitted.back().body_hash);
  }
  EXPECT_EQ(bodies.size(), 5U);
  EXPECT_EQ(engine_.submitted.at(1).version, 2U);
  EXPECT_EQ(engine_.submitted.at(2).input, R"({"user":6})");
  EXPECT_EQ(engine_.submitted.at(4).business_key, "SN1");
}

TEST_F(ReplayRoutesTest, ADryRunShowsWhatWouldBeSent) {
  give_undone();
  v1::ReplayRequest request;
  request.set_saga_id(std::string(kSomeId));
  request.set_dry_run(true);
  const auto paper = call<v1::ReplayResponse>(kReplay, request);
  EXPECT_TRUE(engine_.submitted.empty());
  std::vector<std::string> legs;
  for (const auto& sent : paper.requests()) legs.push_back(sent.leg());
  EXPECT_THAT(legs, ElementsAre("deduct_stock[7]", "deduct_stock[8]", "use_coupon", "clear_cart"));
  EXPECT_EQ(paper.requests(0).participant() + paper.requests(0).path(),
            "inventory/Inventory/Deduct");
  EXPECT_EQ(paper.requests_total(), 4U);
  EXPECT_EQ(paper.business_key(), "SN1-r1");
}

TEST_F(ReplayRoutesTest, WhatCannotBeIsRefusedByName) {
  give_undone();
  const auto wrong = [&](const std::string& more) {
    return refused(replay(more), 400, Errc::invalid_argument);
  };
  EXPECT_THAT(wrong(R"(,"version":1,"newest":true)"), HasSubstr("version: give"));
  EXPECT_THAT(wrong(R"(,"number":2)"), HasSubstr("has 0 replays; the next is 1"));
  EXPECT_THAT(wrong(R"(,"from":"nowhere")"), HasSubstr("from: shop version 1 has no step"));
  EXPECT_THAT(wrong(R"(,"newBusinessKey":")" + std::string(129, 'k') + "\""),
              HasSubstr("new_business_key"));
  EXPECT_THAT(refused(replay(R"(,"version":9)"), 404, Errc::not_found), HasSubstr("version 9"));
  const std::string unreasoned = R"({"sagaId":")" + std::string(kSomeId) + R"("})";
  EXPECT_THAT(refused(post(kReplay, unreasoned), 400, Errc::invalid_argument), HasSubstr("reason"));
  EXPECT_TRUE(engine_.submitted.empty());
}

TEST_F(ReplayRoutesTest, AnOpenSagaIsRefused) {
  engine_.snapshot = ShopSaga(engine_.registered[0]).snapshot();
  EXPECT_THAT(refused(replay(""), 400, Errc::failed_precondition), HasSubstr("can still move"));
}

TEST_F(ReplayRoutesTest, ASecondOneWaitsForTheFirst) {
  give_undone();
  engine_.snapshot->replays = {SagaId{.placement = 9, .serial = 9}};
  // The fake engine answers with the same, terminal saga whichever is asked for.
  ASSERT_EQ(replay(R"(,"number":2)").status, 200U);
  EXPECT_EQ(engine_.submitted.at(0).idempotency_key, "replay/" + std::string(kSomeId) + "/2");
  EXPECT_EQ(engine_.submitted.at(0).business_key, "SN1-r2");
}

TEST_F(ReplayRoutesTest, TheSameOnceMoreIsWhatItsKeySaysAndNothingWithoutTheKey) {
  give_undone();
  engine_.snapshot->replays = {SagaId{.placement = 9, .serial = 9}};
  ASSERT_EQ(replay("").status, 200U);
  EXPECT_EQ(engine_.submitted.at(0).idempotency_key, "replay/" + std::string(kSomeId) + "/1");

  engine_.keys_expired = true;
  EXPECT_THAT(refused(replay(""), 409, Errc::already_exists),
              HasSubstr((SagaId{.placement = 9, .serial = 9}.text())));
  EXPECT_EQ(engine_.submitted.size(), 1U);
}

TEST_F(ReplayRoutesTest, TheLinkIsShownBothWays) {
  give_undone();
  const SagaId new_id{.placement = 9, .serial = 9};
  engine_.snapshot->replays = {new_id};
  engine_.snapshot->state.replay = Replay{.of = {.placement = 8, .serial = 8}};
  v1::GetRequest request;
  request.set_saga_id(std::string(kSomeId));
  const auto saga = call<v1::Saga>("/skald.v1.SagaService/Get", request);
  EXPECT_THAT(saga.replays(), ElementsAre(new_id.text()));
  EXPECT_EQ(saga.replay_of(), (SagaId{.placement = 8, .serial = 8}.text()));
  EXPECT_THAT(saga.explanation().why(), HasSubstr("It was replayed as saga " + new_id.text()));
}

TEST_F(ReplayRoutesTest, ExplainOffersIt) {
  give_undone();
  v1::GetRequest request;
  request.set_saga_id(std::string(kSomeId));
  const auto saga = call<v1::Saga>("/skald.v1.SagaService/Get", request);
  ASSERT_EQ(saga.explanation().commands_size(), 1);
  EXPECT_EQ(saga.explanation().commands(0).verb(), "replay");
}

TEST_F(ReplayRoutesTest, ASimulationOfWhatItDidIsTheSame) {
  give_undone();
  v1::GetRequest get;
  get.set_saga_id(std::string(kSomeId));
  get.set_payloads(true);
  v1::SimulateRequest request;
  *request.mutable_saga() = call<v1::Saga>("/skald.v1.SagaService/Get", get);
  const auto same = call<v1::SimulateResponse>(kSimulate, request);
  EXPECT_FALSE(same.has_divergence()) << same.ShortDebugString();
  EXPECT_EQ(same.status(), v1::SagaStatus::compensated);

  auto& leg = *request.mutable_saga()->mutable_steps(0)->mutable_legs(0);
  (*leg.mutable_request()->mutable_struct_value()->mutable_fields())["sku"].set_number_value(70);
  const auto other = call<v1::SimulateResponse>(kSimulate, request);
  EXPECT_EQ(other.divergence().leg(), "deduct_stock[7]");
  EXPECT_THAT(other.divergence().diff(), testing::Contains(HasSubstr("70")));

  leg.set_stage(v1::Saga::LegStage::dropped);
  const auto fewer = call<v1::SimulateResponse>(kSimulate, request);
  EXPECT_THAT(fewer.divergence().what(), HasSubstr("the recorded saga never sent it"));
}

TEST_F(ReplayRoutesTest, ASimulationRefusesWhatIsNotWhole) {
  give_undone();
  v1::SimulateRequest request;
  request.mutable_saga()->set_saga_id(std::string(kSomeId));
  request.mutable_saga()->set_definition("shop");
  auto& step = *request.mutable_saga()->add_steps();
  step.set_name("deduct_stock");
  step.set_legs_total(2);
  const auto asked = [&] {
    return send(wire::connect_request(kSimulate, ConnectCodec::proto, request.SerializeAsString()));
  };
  EXPECT_THAT(refused(asked(), 400, Errc::invalid_argument), HasSubstr("holds 0 of its 2 legs"));
  request.mutable_saga()->set_saga_id("none");
  EXPECT_THAT(refused(asked(), 400, Errc::invalid_argument), HasSubstr("is no id"));
  request.mutable_saga()->set_inline_definition(true);
  EXPECT_THAT(refused(asked(), 400, Errc::invalid_argument), HasSubstr("its own definition"));
}

}  // namespace
}  // namespace skald::api
