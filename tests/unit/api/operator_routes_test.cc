// OperatorService through the routes: what reaches the engine, what is shown, what is refused.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/api/payload_diff.h"
#include "tests/unit/api/routes_fixture.h"

namespace skald::api {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class OperatorRoutesTest : public RoutesTest {
 protected:
  /// deduct_stock[7] was not executed and waits; deduct_stock[8] is done.
  void give_pending_leg() {
    ShopSaga saga(engine_.registered[0]);
    saga.succeed(kDeduct8);
    saga.send(kDeduct7);
    saga.reply(kDeduct7, OutcomeKind::not_executed, "503");
    engine_.snapshot = saga.snapshot();
  }
  /// use_coupon may have happened.
  void give_doubt() {
    Definition definition = shop();
    definition.steps[1].action.method.keys = KeysMode::none;
    ShopSaga saga(sealed(std::move(definition)));
    saga.succeed(kDeduct7);
    saga.succeed(kDeduct8);
    saga.send(kCoupon);
    saga.reply(kCoupon, OutcomeKind::unknown, "timeout");
    engine_.snapshot = saga.snapshot();
  }
  HttpResponse ask(std::string_view act, std::string body) {
    return post("/skald.v1.OperatorService/" + std::string(act), std::move(body));
  }
  template <class Command>
  Command asked() {
    return std::get<Command>(engine_.act_asked.value());
  }
};

TEST_F(OperatorRoutesTest, EveryActCarriesWhoWhyAndTheVersion) {
  const std::string common =
      R"("businessKey":"SN1","actor":"ann","reason":"because","expectedSeq":"7")";
  const std::string on_saga = "{" + common + "}";
  const std::string on_leg = "{" + common + R"(,"leg":"a")" + "}";
  const auto reaches = [&](std::string_view act, const std::string& body, auto command) {
    EXPECT_EQ(ask(act, body).status, 200U) << act;
    const auto reached = asked<decltype(command)>();
    EXPECT_EQ(reached.actor, (Actor{.name = "ann", .reason = "because"})) << act;
    if constexpr (requires { reached.leg; }) {
      EXPECT_EQ(reached.leg, "a") << act;
    }
    EXPECT_EQ(std::exchange(engine_.expected_seq, 0), 7U) << act;
  };
  reaches("Pause", on_saga, command::Pause{});
  reaches("Resume", on_saga, command::Resume{});
  reaches("Cancel", on_saga, command::Cancel{});
  reaches("Abandon", on_saga, command::Abandon{});
  reaches("Retry", on_leg, command::Retry{});
  reaches("Skip", on_leg, command::Skip{});
  reaches("MarkCompensated", on_leg, command::MarkDone{});
  reaches("Resolve", "{" + common + R"(,"leg":"a","answer":"did_not_happen","hold":true})",
          command::Resolve{});
  EXPECT_TRUE(asked<command::Resolve>().hold);
  EXPECT_FALSE(asked<command::Resolve>().happened);
}

TEST_F(OperatorRoutesTest, ResolveTellsTheResponse) {
  const std::string body =
      R"({"businessKey":"SN1","leg":"use_coupon","answer":"happened","reason":"seen",)"
      R"("response":{"text":"{\"id\": 12345678901234567890}"}})";
  give_doubt();
  EXPECT_EQ(ask("Resolve", body).status, 400U) << "use_coupon speaks protobuf";
  Definition json = shop();
  json.steps[1].action.method.protocol = Protocol::http_json;
  engine_.snapshot->definition = sealed(std::move(json));
  EXPECT_EQ(ask("Resolve", body).status, 200U);
  EXPECT_EQ(asked<command::Resolve>().response, R"({"id": 12345678901234567890})");
  EXPECT_EQ(asked<command::Resolve>().operation, Operation::action);
}

TEST_F(OperatorRoutesTest, ResolveMustSayWhich) {
  EXPECT_EQ(refused(ask("Resolve", R"({"businessKey":"SN1","leg":"a","reason":"r"})"), 400,
                    Errc::invalid_argument),
            "answer: say happened or did_not_happen");
}

TEST_F(OperatorRoutesTest, AmendChangesRequestAndEndpoint) {
  give_pending_leg();
  EXPECT_EQ(ask("Amend", R"({"businessKey":"SN1","leg":"deduct_stock[7]","reason":"moved",
                       "request":{"raw":"eA=="},"url":"http://127.0.0.1:9000/deduct"})")
                .status,
            200U);
  EXPECT_EQ(asked<command::Amend>().request, "x");
  EXPECT_EQ(asked<command::Amend>().endpoint,
            (Endpoint{.participant = "http://127.0.0.1:9000", .path = "/deduct"}));
}

TEST_F(OperatorRoutesTest, AnAddressThatIsNotAllowedIsRefused) {
  give_pending_leg();
  const auto with_url = [&](const std::string& url) {
    return ask("Amend", R"({"businessKey":"SN1","leg":"deduct_stock[7]","reason":"r","url":")" +
                            url + R"("})");
  };
  EXPECT_THAT(refused(with_url("http://169.254.169.254/x"), 403, Errc::permission_denied),
              HasSubstr("url: participants.allow"));
  EXPECT_THAT(refused(with_url("ftp://127.0.0.1/x"), 400, Errc::invalid_argument),
              HasSubstr("url: must begin with http://"));
  EXPECT_FALSE(engine_.act_asked.has_value());
}

TEST_F(OperatorRoutesTest, ADryRunShowsTheEffectAndTheDifference) {
  Definition json = shop();
  json.steps[0].action.method.protocol = Protocol::http_json;
  engine_.registered[0] = sealed(std::move(json));
  give_pending_leg();

  const HttpResponse response =
      ask("Amend", R"({"businessKey":"SN1","leg":"deduct_stock[7]","reason":"r","dryRun":true,
                       "request":{"json":{"sku":9}},"url":"http://127.0.0.1:1/x"})");

  EXPECT_EQ(response.status, 200U) << response.body;
  v1::ActResponse shown;
  ASSERT_TRUE(wire::decode_message(ConnectCodec::json, response.body, shown).has_value());
  EXPECT_TRUE(shown.dry_run());
  EXPECT_EQ(shown.effect(), "changes what is sent, or where, and tries it now");
  EXPECT_THAT(shown.diff(), ElementsAre("- inventory/Inventory/Deduct", "+ http://127.0.0.1:1/x",
                                        "  {", "-   \"sku\": 7", "+   \"sku\": 9", "  }"));
  EXPECT_EQ(shown.seq(), engine_.snapshot->state.seq);
  EXPECT_FALSE(engine_.act_asked.has_value());
}

TEST_F(OperatorRoutesTest, ADryRunOfAnIllegalActIsRefusedWithWhatIsLegal) {
  give_doubt();
  const HttpResponse response =
      ask("Skip", R"({"businessKey":"SN1","leg":"use_coupon","reason":"r","dryRun":true})");
  EXPECT_THAT(refused(response, 400, Errc::failed_precondition),
              HasSubstr("resolve it first; legal now: resolve use_coupon"));
}

TEST_F(OperatorRoutesTest, LegalActsSaysWhatAndWhyNot) {
  give_doubt();
  v1::LegalActsRequest request;
  request.set_saga_id(std::string(kSomeId));
  const auto words = [](const v1::LegalActsResponse& response) {
    std::vector<std::string> all;
    for (const auto& act : response.acts()) {
      all.push_back((act.legal() ? "yes " : "no ") + act.act() +
                    (act.leg().empty() ? "" : " " + act.leg()));
    }
    return all;
  };
  const auto on_saga = call<v1::LegalActsResponse>("/skald.v1.OperatorService/LegalActs", request);
  EXPECT_THAT(words(on_saga), ElementsAre("no retry", "yes pause", "no resume", "yes cancel",
                                          "yes abandon", "yes resolve use_coupon"));
  request.set_leg("use_coupon");
  const auto on_leg = call<v1::LegalActsResponse>("/skald.v1.OperatorService/LegalActs", request);
  EXPECT_THAT(words(on_leg),
              ElementsAre("no retry use_coupon", "no skip use_coupon", "yes resolve use_coupon",
                          "no amend use_coupon", "no mark-done use_coupon"));
  EXPECT_THAT(on_leg.acts(1).why_not(), HasSubstr("may have happened"));
  EXPECT_TRUE(on_leg.acts(2).requires_reason());
}

TEST_F(OperatorRoutesTest, TheHistorySaysWhatAnActFoundAndLeft) {
  ShopSaga saga(engine_.registered[0]);
  saga.succeed(kDeduct8);
  saga.send(kDeduct7);
  saga.reply(kDeduct7, OutcomeKind::not_executed, "503");
  const Actor ann{.name = "ann", .reason = "known"};
  saga.ask(command::Pause{ann});
  saga.ask(command::Amend{.actor = ann,
                          .leg = "deduct_stock[7]",
                          .request = R"({"sku":9})",
                          .endpoint = {},
                          .operation = {}});
  saga.ask(command::Skip{.actor = ann, .leg = "deduct_stock[7]"});
  saga.pass(Millis{1'000});
  saga.ask(command::Cancel{ann});
  engine_.saga_history =
      SagaHistory{.state = saga.state(), .definition = saga.definition(), .events = saga.events()};
  v1::HistoryRequest request;
  request.set_saga_id(std::string(kSomeId));
  request.set_payloads(true);
  std::vector<std::string> acts;
  for (const auto& event :
       call<v1::HistoryResponse>("/skald.v1.SagaService/History", request).events()) {
    if (event.actor().empty()) continue;
    acts.push_back(event.kind() + ": " + event.before() + " -> " + event.after());
    EXPECT_EQ(event.reason(), "known");
  }
  EXPECT_THAT(acts,
              ElementsAre("paused: running -> paused", R"(amended: {"sku":7} -> {"sku":9})",
                          "leg_skipped: acting -> skipped", "cancel_asked: paused -> paused"));
}

TEST(PayloadDiff, IsAsSmallAsTheDifference) {
  EXPECT_THAT(payload_diff(R"({"a":1,"b":[1,2],"c":"x"})", R"({"c":"x","b":[1,3],"a":1})"),
              ElementsAre("  {", "    \"a\": 1,", "    \"b\": [", "      1,", "-     2", "+     3",
                          "    ],", "    \"c\": \"x\"", "  }"));
  EXPECT_TRUE(payload_diff(R"({"a":1})", R"({ "a" : 1 })").empty());
  EXPECT_THAT(payload_diff("\x01", "{}"), ElementsAre("- \x01", "+ {", "+ }"));
}

}  // namespace
}  // namespace skald::api
