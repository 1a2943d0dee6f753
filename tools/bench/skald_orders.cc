#include "tools/bench/skald_orders.h"

#include <fmt/format.h>

#include <boost/asio/io_context.hpp>
#include <utility>

#include "engine/wire/connect.h"
#include "skald/v1/service.pb.h"

namespace skald::bench {
namespace {

constexpr std::uint32_t kWaitMs = 60'000;
constexpr Millis kCallTimeout{65'000};

Ending ending_of(const Exchange& exchange) {
  if (exchange.end != ExchangeEnd::answered) return Ending::failed;
  if (exchange.response.status == 429) return Ending::refused;
  v1::SagaAnswer answer;
  if (exchange.response.status != 200 || !answer.ParseFromString(exchange.response.body)) {
    return Ending::failed;
  }
  if (answer.status() == v1::SagaStatus::completed) return Ending::completed;
  if (answer.status() == v1::SagaStatus::compensated) return Ending::undone;
  return Ending::failed;
}

/// Sends submissions made by a function of the order.
class Submitter final : public OrderTaker {
 public:
  using Fill = std::function<void(const Order&, v1::SubmitRequest&)>;
  Submitter(boost::asio::io_context& io, HttpEndpoint engine, std::uint64_t run, Fill fill)
      : client_(
            HttpClient::create(io, {.idle_timeout = Millis{600'000}, .idle_per_host_max = 4'096})),
        endpoint_(std::move(engine)),
        run_(run),
        fill_(std::move(fill)) {}

  void place(const Order& order, Done done) override {
    v1::SubmitRequest submit;
    fill_(order, submit);
    submit.set_business_key(order_id(run_, order));
    submit.set_idempotency_key(submit.business_key());
    submit.set_wait(v1::WaitMode::done);
    submit.set_timeout_ms(kWaitMs);
    HttpRequest request = wire::connect_request(
        "/skald.v1.SagaService/Submit", wire::ConnectCodec::proto, submit.SerializeAsString());
    client_->call(
        endpoint_, std::move(request), kCallTimeout,
        [done = std::move(done)](const Exchange& exchange) mutable { done(ending_of(exchange)); });
  }

 private:
  std::unique_ptr<HttpClient> client_;
  HttpEndpoint endpoint_;
  std::uint64_t run_;
  Fill fill_;
};

v1::Definition branch_definition(const HttpEndpoint& mall, Branches branches) {
  const std::string origin = fmt::format("http://{}:{}", mall.ip, mall.port);
  v1::Definition definition;
  definition.set_name(branches.at_once ? "fan_out" : "transfer");
  definition.set_version(1);
  const auto operation = [&](v1::Operation& to, std::string_view path) {
    to.set_url(origin + std::string(path));
    to.set_protocol(v1::Protocol::http_json);
    to.set_keys(v1::KeysMode::barrier);
  };
  for (int i = 0; i < branches.count; ++i) {
    v1::Step& step = *definition.add_steps();
    step.set_name(fmt::format("branch_{}", i));
    operation(*step.mutable_action(), i == 0 ? "/branch/out" : "/branch/in");
    operation(*step.mutable_compensation(), "/branch/undo");
    step.mutable_payload()->set_text(R"({"amount":30})");
    if (branches.at_once) step.mutable_after();
  }
  return definition;
}

}  // namespace

std::unique_ptr<OrderTaker> skald_orders(boost::asio::io_context& io, HttpEndpoint engine,
                                         std::string definition, std::uint64_t run) {
  return std::make_unique<Submitter>(
      io, std::move(engine), run,
      [definition = std::move(definition)](const Order& order, v1::SubmitRequest& submit) {
        submit.set_definition(definition);
        submit.set_input_proto(order_request(order).SerializeAsString());
      });
}

std::unique_ptr<OrderTaker> skald_branches(boost::asio::io_context& io, HttpEndpoint engine,
                                           const HttpEndpoint& mall, Branches branches,
                                           std::uint64_t run) {
  return std::make_unique<Submitter>(
      io, std::move(engine), run,
      [definition = branch_definition(mall, branches)](const Order&, v1::SubmitRequest& submit) {
        *submit.mutable_inline_definition() = definition;
      });
}

}  // namespace skald::bench
