// What a commit costs: transitions a second through RocksStore::commit() on this machine's disk,
// the committer's CPU per transition, updates per transition and log bytes per saga.
//
//   commit_bench [DIR] [SECONDS]     DIR: on the disk to measure; a folder in it is made and
//   removed
//
// The load: sagas with an idempotency key and a business key, ten records each (a start, eight
// steps, an end) of about 200 bytes, in batches of 1, 16, 64 and 256 transitions. The records are
// encoded before.
#include <rocksdb/env.h>
#include <rocksdb/file_system.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <random>
#include <vector>

#include "engine/store/rocks_store.h"
#include "engine/wire/stored.h"

namespace skald {
namespace {

constexpr std::size_t kStepsPerSaga = 8;
constexpr std::size_t kPayloadBytes = 90;  // request and response of a step: a record of 200 bytes
constexpr std::size_t kSagasAtOnce = 4'096;

double seconds(clockid_t clock) {
  timespec now{};
  ::clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

// Gives the transitions of many sagas, each in its own order, so that batches hold sagas at every
// stage.
class Load {
 public:
  Transition next() {
    if (open_.size() < kSagasAtOnce) open_.push_back({.id = {.placement = random_(), .serial = 1}});
    Saga& saga = open_[random_() % open_.size()];
    if (saga.steps == 0) return start(saga);
    if (saga.steps <= kStepsPerSaga) return step(saga);
    Transition last = end(saga);
    saga = {.id = {.placement = random_(), .serial = 1}};
    return last;
  }

 private:
  struct Saga {
    SagaId id;
    std::size_t steps = 0;
    std::uint64_t seq = 0;
    SagaSummary summary;
  };

  Transition record(Saga& saga, const std::vector<Event>& events) {
    Transition t{.id = saga.id,
                 .first_seq = saga.seq + 1,
                 .count = static_cast<std::uint32_t>(events.size())};
    wire::encode_events(events, t.record);
    saga.seq += events.size();
    ++saga.steps;
    return t;
  }
  Transition start(Saga& saga) {
    const std::string key = saga.id.text();
    saga.summary = {.definition = "create_order",
                    .version = 1,
                    .business_key = "order-" + key,
                    .idempotency_key = key,
                    .started_at = now_};
    Transition t =
        record(saga, {{.at = now_,
                       .body = event::Started{.definition = "create_order",
                                              .version = 1,
                                              .steps = kStepsPerSaga,
                                              .idempotency_key = key,
                                              .business_key = "order-" + key,
                                              .input = std::string(kPayloadBytes, 'i')}}});
    t.after = saga.summary;
    t.new_key = KeyRow{.key = key, .saga = saga.id, .body_hash = 1};
    return t;
  }
  Transition step(Saga& saga) {
    const auto number = static_cast<std::uint16_t>(saga.steps);
    return record(
        saga, {{.at = now_,
                .body = event::Answered{.leg = {.step = number},
                                        .outcome = {.kind = OutcomeKind::succeeded},
                                        .response = std::string(kPayloadBytes, 'r'),
                                        .stage = LegStage::done}},
               {.at = now_,
                .body = event::StepStarted{.step = number,
                                           .legs = {{.request = std::string(kPayloadBytes, 'q')}}}},
               {.at = now_, .body = event::Intended{.leg = {.step = number}}}});
  }
  Transition end(Saga& saga) {
    Transition t = record(saga, {{.at = now_, .body = event::Completed{}}});
    t.before = saga.summary;
    saga.summary.status = SagaStatus::completed;
    saga.summary.ended_at = now_ += Millis{1};
    t.after = saga.summary;
    return t;
  }

  std::mt19937_64 random_{8317};
  std::vector<Saga> open_;
  Instant now_ = from_unix_ms(1'700'000'000'000);
};

int fail_with(const Error& error) {
  std::fprintf(stderr, "commit_bench: %s\n", error.message.c_str());
  return 1;
}

int measure(const std::string& directory, std::size_t batch_size, double limit) {
  Load load;
  double wall = 0;
  double cpu = 0;
  std::size_t commits = 0;
  {
    auto store = RocksStore::open({.directory = directory});
    if (!store) return fail_with(store.error());
    const auto meta = (*store)->open_shard(0);
    if (!meta) return fail_with(meta.error());
    while (wall < limit) {
      ShardBatch batch{.epoch = meta->epoch, .number = meta->number + 1 + commits};
      for (std::size_t i = 0; i < batch_size; ++i) batch.transitions.push_back(load.next());
      const double wall_before = seconds(CLOCK_MONOTONIC);
      const double cpu_before = seconds(CLOCK_THREAD_CPUTIME_ID);
      if (auto done = (*store)->commit({&batch, 1}); !done) return fail_with(done.error());
      cpu += seconds(CLOCK_THREAD_CPUTIME_ID) - cpu_before;
      wall += seconds(CLOCK_MONOTONIC) - wall_before;
      ++commits;
    }
  }
  const auto files = rocksdb::Env::Default()->GetFileSystem();
  const auto logs = rocks::check_logs(*files, directory);
  if (!logs) return fail_with(logs.error());
  const auto transitions = static_cast<double>(commits * batch_size);
  const auto logged = static_cast<double>(logs->writes) * static_cast<double>(batch_size);
  std::printf("%6zu %14.0f %10.3f %14.2f %13.2f %17.0f\n", batch_size, transitions / wall,
              wall / static_cast<double>(commits) * 1e3, cpu / transitions * 1e6,
              static_cast<double>(logs->updates) / logged,
              static_cast<double>(logs->bytes) / logged * (kStepsPerSaga + 2));
  return 0;
}

// What one step's record costs to encode and to decode: three small events and two payloads.
void measure_encoding(Load& load) {
  Transition sample = load.next();
  while (sample.after) sample = load.next();
  const auto events = wire::decode_events(sample.record);
  constexpr int kRounds = 200'000;
  std::string bytes;
  double before = seconds(CLOCK_THREAD_CPUTIME_ID);
  for (int i = 0; i < kRounds; ++i) {
    bytes.clear();
    wire::encode_events(*events, bytes);
  }
  const double encoding = seconds(CLOCK_THREAD_CPUTIME_ID) - before;
  before = seconds(CLOCK_THREAD_CPUTIME_ID);
  std::size_t decoded = 0;
  for (int i = 0; i < kRounds; ++i) decoded += wire::decode_events(bytes)->size();
  const double decoding = seconds(CLOCK_THREAD_CPUTIME_ID) - before;
  std::printf("record of %zu bytes, %zu events: encode %.2f us, decode %.2f us\n", bytes.size(),
              decoded / kRounds, encoding / kRounds * 1e6, decoding / kRounds * 1e6);
}

int run(const std::filesystem::path& parent, double limit) {
  Load sample;
  measure_encoding(sample);
  std::printf("%6s %14s %10s %14s %13s %17s\n", "batch", "transitions/s", "commit ms",
              "CPU us/trans.", "updates/trans.", "log bytes/saga");
  for (const std::size_t batch : {1, 16, 64, 256}) {
    const std::filesystem::path directory = parent / "skald-commit-bench";
    std::filesystem::remove_all(directory);
    const int code = measure(directory.string(), batch, limit);
    std::filesystem::remove_all(directory);
    if (code != 0) return code;
  }
  return 0;
}

}  // namespace
}  // namespace skald

int main(int argc, char** argv) {
  constexpr double kSeconds = 2;
  const std::string parent = argc > 1 ? argv[1] : std::filesystem::temp_directory_path().string();
  return skald::run(parent, argc > 2 ? std::atof(argv[2]) : kSeconds);
}
