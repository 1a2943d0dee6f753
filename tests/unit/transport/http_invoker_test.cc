#include "engine/transport/http_invoker.h"

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <memory>
#include <optional>

#include "engine/net/http_server.h"
#include "engine/transport/saga_headers.h"

namespace skald {
namespace {

constexpr Millis kLong{20'000};  // never reached by a test that passes

/// A participant and an invoker on one loop, which the test itself runs.
class World {
 public:
  explicit World(HttpInvokerOptions options = {}) {
    server =
        std::move(HttpServer::listen(io, {}, [this](HttpRequest request, HttpResponder respond) {
                    requests.push_back(std::move(request));
                    if (silent) return waiting.push_back(std::move(respond));
                    respond(response);
                  }).value());
    origin = "http://127.0.0.1:" + std::to_string(server->port());
    options.participants.emplace("inventory", ParticipantPlace{origin + "/base/"});
    options.participants.emplace(
        "named", ParticipantPlace{"http://peer.test:" + std::to_string(server->port())});
    invoker = make_http_invoker(io, pool, clock, std::move(options));
  }
  ~World() {
    invoker.reset();
    pool.stop();
  }

  InvocationResult invoke(Invocation call) {
    std::optional<InvocationResult> result;
    invoker->invoke(std::move(call), [&](InvocationResult told) { result = std::move(told); });
    EXPECT_FALSE(result.has_value()) << "done inside invoke()";
    while (!result && io.run_one_for(kLong) > 0) {
    }
    return std::move(result).value();
  }

  SystemClock clock;
  boost::asio::io_context io{1};
  BlockingPool pool{1};
  std::vector<HttpRequest> requests;
  std::vector<HttpResponder> waiting;
  HttpResponse response{
      .status = 200, .headers = {{"content-type", "application/proto"}}, .body = "receipt"};
  bool silent = false;
  std::string origin;
  std::unique_ptr<HttpServer> server;
  std::unique_ptr<Invoker> invoker;
};

Method method_at(std::string participant) {
  Method method;
  method.participant = std::move(participant);
  method.path = "/inventory.InventoryRpc/DeductStock";
  method.keys = KeysMode::barrier;
  return method;
}

Invocation call_of(const Method& method) {
  return {.saga_id = {.placement = 0x0123456789abcdef, .serial = 0x1122334455667788},
          .leg = "deduct_stock[7]",
          .operation = Operation::compensation,
          .attempt = 3,
          .idempotency_key = R"(saga/deduct_stock[7]/"x\y")",
          .definition = {},
          .method = &method,
          .request = "stock",
          .timeout = kLong};
}

HostLookup resolving_to(std::vector<std::string> addresses, int* lookups = nullptr) {
  return [addresses, lookups](const std::string& host) -> Result<std::vector<IpAddress>> {
    if (lookups != nullptr) ++*lookups;
    std::vector<IpAddress> parsed;
    for (const std::string& address : addresses) parsed.push_back(*IpAddress::parse(address));
    if (parsed.empty()) return fail(Errc::unavailable, "name {} cannot be resolved", host);
    return parsed;
  };
}

// Of a call that an operator moved, nobody else holds the method.
TEST(HttpInvoker, KeepsTheMethodUntilItsAnswerIsRead) {
  World world;
  auto moved = std::make_shared<const Method>(method_at("inventory"));
  const std::weak_ptr<const Method> held = moved;
  Invocation call = call_of(*moved);
  call.amended = std::move(moved);
  std::optional<bool> was_held;
  world.invoker->invoke(std::move(call),
                        [&](const InvocationResult&) { was_held = !held.expired(); });
  while (!was_held && world.io.run_one_for(kLong) > 0) {
  }
  EXPECT_EQ(was_held, true);
}

TEST(HttpInvoker, SendsWhoWhatAndHowLong) {
  World world;
  Method method = method_at("inventory");
  method.headers = {{"X-Tenant", "a"}};
  const InvocationResult result = world.invoke(call_of(method));
  EXPECT_EQ(result.outcome, (Outcome{.kind = OutcomeKind::succeeded, .code = "200"}));
  EXPECT_EQ(result.response, "receipt");
  ASSERT_EQ(world.requests.size(), 1U);
  const HttpRequest& request = world.requests[0];
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.target, "/base/inventory.InventoryRpc/DeductStock");
  EXPECT_EQ(request.body, "stock");
  const auto header = [&](std::string_view name) {
    const std::string* value = find_header(request.headers, name);
    return value == nullptr ? "absent" : *value;
  };
  EXPECT_EQ(header("content-type"), "application/proto");
  EXPECT_EQ(header("connect-protocol-version"), "1");
  EXPECT_EQ(header("idempotency-key"), R"("saga/deduct_stock[7]/\"x\\y\"")");
  EXPECT_EQ(header("skald-saga-id"), call_of(method).saga_id.text());
  EXPECT_EQ(header("skald-leg"), "deduct_stock[7]");
  EXPECT_EQ(header("skald-operation"), "compensation");
  EXPECT_EQ(header("skald-attempt"), "3");
  EXPECT_GT(std::stoi(header("skald-deadline-ms")), 0);
  EXPECT_LE(std::stoi(header("skald-deadline-ms")), kLong.count());
  EXPECT_EQ(header("connect-timeout-ms"), header("skald-deadline-ms"));
  EXPECT_EQ(header("traceparent"), traceparent(call_of(method)));
  EXPECT_EQ(header("x-tenant"), "a");
}

TEST(HttpInvoker, SpeaksTheMethodsProtocol) {
  World world;
  world.response.headers = {{"content-type", "application/json"}};
  world.response.body = "{}";
  Method method = method_at(world.origin);
  for (const Protocol protocol : {Protocol::connect_json, Protocol::http_json}) {
    method.protocol = protocol;
    EXPECT_EQ(world.invoke(call_of(method)).outcome.kind, OutcomeKind::succeeded);
    const auto& headers = world.requests.back().headers;
    EXPECT_EQ(*find_header(headers, "content-type"), "application/json");
    EXPECT_EQ(find_header(headers, "connect-protocol-version") != nullptr,
              protocol == Protocol::connect_json);
  }
}

TEST(HttpInvoker, ARefusalCarriesNoResponse) {
  World world;
  world.response.status = 409;
  const Method method = method_at("inventory");
  const InvocationResult result = world.invoke(call_of(method));
  EXPECT_EQ(result.outcome.kind, OutcomeKind::rejected);
  EXPECT_EQ(result.response, "");
  Invocation again = call_of(method);
  again.after_unknown = true;
  EXPECT_EQ(world.invoke(std::move(again)).outcome.kind, OutcomeKind::pending);
}

TEST(HttpInvoker, ASilentParticipantIsUnknownWhenItsTimeIsOver) {
  World world;
  world.silent = true;
  const Method method = method_at("inventory");
  Invocation call = call_of(method);
  call.timeout = Millis{30};
  const InvocationResult result = world.invoke(std::move(call));
  EXPECT_EQ(result.outcome.kind, OutcomeKind::unknown);
  EXPECT_EQ(result.outcome.code, "timeout");
}

TEST(HttpInvoker, NothingLeavesForAnAddressThatIsNotAllowed) {
  World world({.lookup = resolving_to({"127.0.0.1", "169.254.169.254"})});
  for (const std::string participant :
       {"http://169.254.169.254", "http://10.0.0.1", "http://[::ffff:10.0.0.1]:80", "named"}) {
    const Method method = method_at(participant);
    const Outcome outcome = world.invoke(call_of(method)).outcome;
    EXPECT_EQ(outcome.kind, OutcomeKind::not_executed) << participant;
    EXPECT_TRUE(outcome.configuration_alert) << participant;
    EXPECT_EQ(outcome.code, "permission_denied");
    EXPECT_NE(outcome.message.find("participants.allow"), std::string::npos);
  }
  EXPECT_TRUE(world.requests.empty());
}

TEST(HttpInvoker, NothingLeavesForWhatCannotBeRead) {
  World world;
  for (const std::string participant : {"nobody", "ftp://127.0.0.1", "http://u@127.0.0.1",
                                        "http://2130706433", "https://127.0.0.1"}) {
    const Method method = method_at(participant);
    const Outcome outcome = world.invoke(call_of(method)).outcome;
    EXPECT_EQ(outcome.kind, OutcomeKind::not_executed) << participant;
    EXPECT_TRUE(outcome.configuration_alert) << participant;
  }
  Method method = method_at("inventory");
  method.path = "/x\r\nHost: y";
  EXPECT_TRUE(world.invoke(call_of(method)).outcome.configuration_alert);
  EXPECT_TRUE(world.requests.empty());
}

TEST(HttpInvoker, ResolvesANameOnceAndChecksItEveryTime) {
  int lookups = 0;
  World world({.lookup = resolving_to({"127.0.0.1"}, &lookups)});
  const Method method = method_at("named");
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(world.invoke(call_of(method)).outcome.kind, OutcomeKind::succeeded);
  }
  EXPECT_EQ(lookups, 1);
  EXPECT_EQ(*find_header(world.requests[0].headers, "host"),
            "peer.test:" + std::to_string(world.server->port()));
}

TEST(HttpInvoker, ANameThatDoesNotResolveIsNotExecutedWithoutAnAlert) {
  World world({.lookup = resolving_to({})});
  const Method method = method_at("named");
  for (int i = 0; i < 2; ++i) {
    const Outcome outcome = world.invoke(call_of(method)).outcome;
    EXPECT_EQ(outcome.kind, OutcomeKind::not_executed);
    EXPECT_FALSE(outcome.configuration_alert);
    EXPECT_EQ(outcome.message, "name peer.test cannot be resolved");
  }
}

TEST(HttpInvoker, ValidateNamesEveryUrlThatCannotBeRead) {
  const auto mistakes =
      validate({.participants = {{"a", {"http://ok"}}, {"b", {"x"}}, {"c", {"http://"}}}});
  ASSERT_EQ(mistakes.size(), 2U);
  EXPECT_TRUE(mistakes[0].starts_with("b: "));
  EXPECT_TRUE(mistakes[1].starts_with("c: "));
}

TEST(Traceparent, IsTheSagaAndTheAttempt) {
  const Method method = method_at("inventory");
  Invocation call = call_of(method);
  const std::string trace = traceparent(call);
  EXPECT_EQ(trace.substr(0, 36), "00-0123456789abcdef1122334455667788-");
  EXPECT_EQ(trace.size(), 55U);
  EXPECT_TRUE(trace.ends_with("-01"));
  EXPECT_EQ(traceparent(call), trace);
  call.attempt = 4;
  EXPECT_NE(traceparent(call), trace);
  call = call_of(method);
  call.operation = Operation::action;
  EXPECT_NE(traceparent(call), trace);
  call.saga_id = {};
  EXPECT_EQ(traceparent(call).substr(0, 36), "00-00000000000000000000000000000001-");
}

}  // namespace
}  // namespace skald
