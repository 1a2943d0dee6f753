// What single parts cost, by Google Benchmark: deciding, folding, encoding, committing, one call.
//
//   micro_bench [--benchmark_filter=...] [--benchmark_format=json]
//
// The saga is an order of three SKUs as shipped; the store is in a folder of its own below the
// temporary folder, synced as in production.
#include <benchmark/benchmark.h>

#include <boost/asio/io_context.hpp>
#include <filesystem>
#include <thread>

#include "engine/base/check.h"
#include "engine/base/hash.h"
#include "engine/core/decide.h"
#include "engine/core/evolve.h"
#include "engine/net/http_client.h"
#include "engine/net/http_server.h"
#include "engine/store/rocks_store.h"
#include "engine/wire/stored.h"
#include "sagas/create_order_chain.h"
#include "tools/bench/mock_mall.h"
#include "tools/bench/orders.h"

namespace skald {
namespace {

constexpr Instant kNow = from_unix_ms(1'700'000'000'000);

/// One order run to its end in memory: its definition, and every event of it.
class OrderStory {
 public:
  OrderStory() : definition_(*sagas::order_parallel()) {
    const bench::Order order{.number = 1};
    input_ = bench::order_request(order).SerializeAsString();
  }

  /// Runs the saga once and returns how many commands that took.
  std::size_t run() {
    state_ = {};
    events_.clear();
    commands_ = 0;
    queue_.clear();
    command(command::Start{.id = {.placement = 1, .serial = 2},
                           .idempotency_key = "key",
                           .business_key = "B00000001",
                           .body_hash = 1,
                           .input = input_});
    while (!queue_.empty()) {
      const Send send = queue_.front();
      queue_.erase(queue_.begin());
      command(command::Reply{.leg = send.leg,
                             .operation = send.operation,
                             .attempt = send.attempt,
                             .outcome = {.kind = OutcomeKind::succeeded},
                             .response = answer_of(send)});
    }
    return commands_;
  }
  [[nodiscard]] const std::vector<Event>& events() const { return events_; }
  [[nodiscard]] const SagaState& state() const { return state_; }

 private:
  void command(command::Body body) {
    Decision decision;
    decide_into({.at = kNow, .body = std::move(body)}, decision);
    for (std::size_t i = 0; i < decision.wants.size(); ++i) {
      const Want want = decision.wants[i];
      decide_into(
          {.at = kNow, .body = command::Dispatch{.leg = want.leg, .operation = want.operation}},
          decision);
    }
    for (Event& event : decision.events) events_.push_back(std::move(event));
    queue_.insert(queue_.end(), decision.sends.begin(), decision.sends.end());
  }
  void decide_into(const Command& asked, Decision& decision) {
    ++commands_;
    const auto decided = decide(*definition_, state_, asked, decision);
    SKALD_CHECK(decided.has_value());
  }
  Bytes answer_of(const Send& send) {
    const StepDefinition& step = definition_->steps[send.leg.step];
    const LegState& leg = state_.steps[send.leg.step].legs[send.leg.leg];
    const HttpRequest request{
        .method = "POST", .target = step.action.method.path, .body = leg.request};
    return mall_.answer(request).body;
  }

  DefinitionPtr definition_;
  bench::MockMall mall_;
  Bytes input_;
  SagaState state_;
  std::vector<Event> events_;
  std::vector<Send> queue_;
  std::size_t commands_ = 0;
};

/// A whole order decided, its participants' answers included.
void decide_order(benchmark::State& state) {
  OrderStory story;
  std::size_t commands = 0;
  for (auto _ : state) commands = story.run();
  SKALD_CHECK(story.state().status == SagaStatus::completed);
  state.counters["commands"] = static_cast<double>(commands);
}
BENCHMARK(decide_order);

void evolve_order(benchmark::State& state) {
  OrderStory story;
  story.run();
  for (auto _ : state) {
    SagaState folded;
    for (const Event& event : story.events()) evolve(folded, event);
    benchmark::DoNotOptimize(folded.seq);
  }
  state.counters["events"] = static_cast<double>(story.events().size());
}
BENCHMARK(evolve_order);

void encode_order(benchmark::State& state) {
  OrderStory story;
  story.run();
  Bytes bytes;
  for (auto _ : state) {
    bytes.clear();
    wire::encode_events(story.events(), bytes);
    benchmark::DoNotOptimize(bytes.data());
  }
  state.counters["bytes"] = static_cast<double>(bytes.size());
}
BENCHMARK(encode_order);

void decode_order(benchmark::State& state) {
  OrderStory story;
  story.run();
  Bytes bytes;
  wire::encode_events(story.events(), bytes);
  for (auto _ : state) benchmark::DoNotOptimize(wire::decode_events(bytes)->size());
}
BENCHMARK(decode_order);

/// Batches of new sagas' first records; the range is the batch.
void commit_batch(benchmark::State& state) {
  const auto folder = std::filesystem::temp_directory_path() / "skald-micro-bench";
  std::filesystem::remove_all(folder);
  {
    auto store = RocksStore::open({.directory = folder.string()});
    SKALD_CHECK(store.has_value());
    const auto meta = (*store)->open_shard(0);
    std::uint64_t serial = 0;
    std::uint64_t number = meta->number;
    for (auto _ : state) {
      ShardBatch batch{.epoch = meta->epoch, .number = ++number};
      for (std::int64_t i = 0; i < state.range(0); ++i) {
        Transition& t = batch.transitions.emplace_back();
        t.id = {.placement = mix64(++serial), .serial = serial};
        t.first_seq = 1;
        t.count = 3;
        t.record = std::string(216, 'r');
      }
      const auto committed = (*store)->commit({&batch, 1});
      SKALD_CHECK(committed.has_value());
    }
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
  std::filesystem::remove_all(folder);
}
BENCHMARK(commit_batch)->Arg(1)->Arg(64)->Arg(256)->UseRealTime();

/// One POST of 100 bytes there and back, client and server on one thread.
void http_call(benchmark::State& state) {
  boost::asio::io_context io{1};
  auto server = HttpServer::listen(io, {}, [](HttpRequest request, HttpResponder respond) {
    respond({.status = 200, .headers = {}, .body = std::move(request.body)});
  });
  SKALD_CHECK(server.has_value());
  const auto client = HttpClient::create(io, {});
  const HttpEndpoint endpoint{.host = "127.0.0.1", .ip = "127.0.0.1", .port = (*server)->port()};
  for (auto _ : state) {
    bool answered = false;
    client->call(endpoint, {.method = "POST", .target = "/a", .body = std::string(100, 'x')},
                 Millis{1'000}, [&](const Exchange&) { answered = true; });
    while (!answered) io.run_one();
  }
}
BENCHMARK(http_call);

}  // namespace
}  // namespace skald

BENCHMARK_MAIN();
