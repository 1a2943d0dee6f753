#include "tools/bench/batches.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "engine/wire/connect.h"
#include "tools/bench/load.h"
#include "tools/bench/orders.h"

namespace skald::bench {
namespace {

constexpr Millis kBatchTimeout{120'000};
constexpr std::chrono::duration<double> kSubmitLimit{1'800};
constexpr std::uint64_t kSignalTimeoutMs = 86'400'000;
constexpr std::uint32_t kHeldTimeoutMs = 300'000;  // of one attempt

v1::Step& add_step(v1::Definition& definition, std::string_view name) {
  v1::Step& step = *definition.add_steps();
  step.set_name(std::string(name));
  return step;
}

/// To a participant that skaldd knows by name, so that calls may share connections.
v1::Operation& add_call(v1::Definition& definition, std::string_view name,
                        std::string_view participant, std::string_view path) {
  v1::Step& step = add_step(definition, name);
  step.set_class_(v1::CallClass::pivot);
  v1::Operation& action = *step.mutable_action();
  action.set_participant(std::string(participant));
  action.set_path(std::string(path));
  action.set_protocol(v1::Protocol::http_json);
  action.set_keys(v1::KeysMode::barrier);
  step.mutable_payload()->set_text(R"({"amount":30})");
  return action;
}

v1::Definition& begin(std::string_view name, std::uint64_t run, std::uint64_t number,
                      v1::SubmitRequest& to) {
  to.set_idempotency_key(fmt::format("{}{:x}-{}", name, run, number));
  to.set_wait(v1::WaitMode::accepted);
  v1::Definition& definition = *to.mutable_inline_definition();
  definition.set_name(std::string(name));
  definition.set_version(1);
  return definition;
}

}  // namespace

Batches::Batches(TestBed& bed, FillSubmission fill, std::size_t at_once)
    : bed_(bed),
      fill_(std::move(fill)),
      at_once_(at_once),
      client_(HttpClient::create(bed.io(), {})) {}

void Batches::add(std::uint64_t count) {
  wanted_ += count;
  while (open_ < at_once_ && sent_ < wanted_) next();
}

Result<void> Batches::wait() {
  const bool done = run_until(bed_.io(), [this] { return open_ == 0; }, kSubmitLimit);
  if (done && failed_ == 0) return {};
  return fail(Errc::failed_precondition, "of {} submissions {} were not accepted: {}", sent_,
              failed_, complaint_.empty() ? "no answer" : complaint_);
}

void Batches::next() {
  const std::uint64_t count = std::min(kBatch, wanted_ - sent_);
  v1::SubmitBatchRequest batch;
  for (std::uint64_t i = 0; i < count; ++i) fill_(sent_ + i, *batch.add_items());
  sent_ += count;
  ++open_;
  client_->call(bed_.engine_endpoint(),
                wire::connect_request("/skald.v1.SagaService/SubmitBatch",
                                      wire::ConnectCodec::proto, batch.SerializeAsString()),
                kBatchTimeout,
                [this, count](const Exchange& exchange) { answered(exchange, count); });
}

void Batches::answered(const Exchange& exchange, std::uint64_t count) {
  --open_;
  const bool ok = exchange.end == ExchangeEnd::answered && exchange.response.status == 200;
  if (!ok) {
    failed_ += count;
    complaint_ = exchange.end == ExchangeEnd::answered ? exchange.response.body : exchange.detail;
    return;
  }
  v1::SubmitBatchResponse response;
  response.ParseFromString(exchange.response.body);
  for (const auto& item : response.items()) {
    if (!item.has_error()) continue;
    if (failed_++ == 0) complaint_ = item.error().message();
  }
  if (sent_ < wanted_) next();
}

void fill_waiting(std::uint64_t run, std::uint64_t number, v1::SubmitRequest& to) {
  v1::Step& step = add_step(begin("waiting", run, number, to), "approval");
  step.mutable_wait()->set_signal("approved");
  step.mutable_wait()->set_timeout_ms(kSignalTimeoutMs);
}

void fill_timer(std::uint64_t run, std::uint64_t number, Millis timer, v1::SubmitRequest& to) {
  v1::Definition& definition = begin("timer", run, number, to);
  add_step(definition, "due")
      .mutable_wait()
      ->set_timeout_ms(static_cast<std::uint64_t>(timer.count()));
  add_call(definition, "told", "order", "/branch/due");
}

void fill_held(std::uint64_t run, std::uint64_t number, v1::SubmitRequest& to) {
  // Two participants: skaldd allows 100,000 calls to one.
  add_call(begin("held", run, number, to), "call", number % 2 == 0 ? "inventory" : "order",
           "/branch/held")
      .set_timeout_ms(kHeldTimeoutMs);
}

void fill_order(std::uint64_t run, std::uint64_t number, v1::SubmitRequest& to) {
  const Order order{.number = number};
  to.set_definition("order_parallel");
  to.set_input_proto(order_request(order).SerializeAsString());
  to.set_business_key(order_id(run, order));
  to.set_idempotency_key(to.business_key());
  to.set_wait(v1::WaitMode::accepted);
}

std::uint64_t number_of_key(std::string_view key) {
  const std::string_view digits = key.substr(key.rfind('-') + 1);
  std::uint64_t number = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), number);
  return number;
}

}  // namespace skald::bench
