// What operators wait for: list, count, stuck by cause and show, in a store of many sagas on this
// machine's disk.
//
//   list_bench [SAGAS] [DIR] [ROUNDS]     1,000,000 sagas; DIR: a folder in it is made and removed
//
// The store is filled through RocksStore::commit(): three definitions, a month of starts, 1 % stuck
// in 12 causes, 4 % undone in 9, the others completed; each saga has three records and a business
// key. Then it is opened again, and every question is asked ROUNDS times, each time another one.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "engine/base/hash.h"
#include "engine/runtime/saga_reader.h"
#include "engine/store/list_page.h"
#include "engine/store/rocks_store.h"
#include "engine/wire/stored.h"

namespace skald {
namespace {

constexpr std::size_t kSteps = 8;
constexpr std::size_t kPayloadBytes = 90;
constexpr std::size_t kBatch = 1'000;  // sagas of one commit
constexpr std::int64_t kMonthMs = 30LL * 86'400'000;
constexpr Instant kFirst = from_unix_ms(1'700'000'000'000);
constexpr Instant kNow = kFirst + Millis{kMonthMs};
constexpr std::uint64_t kStuckCauses = 4;   // of each definition
constexpr std::uint64_t kUndoneCauses = 3;  // likewise
constexpr double kSecondsMax = 0.050;       // at the 99th percentile, what operators were promised

double seconds(clockid_t clock = CLOCK_MONOTONIC) {
  timespec now{};
  ::clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

/// The same saga for the same number, whoever asks.
class Population {
 public:
  explicit Population(std::uint64_t sagas) : sagas_(sagas) {}

  [[nodiscard]] std::uint64_t size() const { return sagas_; }
  static SagaId id(std::uint64_t n) { return {.placement = mix64(n), .serial = n}; }
  static std::string business_key(std::uint64_t n) { return fmt::format("order-{}", n); }
  static std::string definition(std::uint64_t n) {
    return n % 10 < 7 ? "create_order" : n % 10 < 9 ? "cancel_order" : "refund_order";
  }

  [[nodiscard]] SagaSummary started(std::uint64_t n) const {
    const auto ms = static_cast<std::int64_t>(static_cast<double>(n) / static_cast<double>(sagas_) *
                                              static_cast<double>(kMonthMs));
    return {.definition = definition(n),
            .version = 1,
            .business_key = business_key(n),
            .started_at = kFirst + Millis{ms}};
  }
  [[nodiscard]] static SagaSummary ended(std::uint64_t n, SagaSummary summary) {
    const std::uint64_t lot = mix64(n ^ 0x5EED) % 1'000;
    const Instant when = summary.started_at + Millis{1'500};
    summary.status = SagaStatus::completed;
    if (lot < 10) fail(summary, SagaStatus::stuck, lot * 7 % kStuckCauses, when);
    if (lot >= 10 && lot < 50) {
      fail(summary, SagaStatus::compensated, kStuckCauses + lot % kUndoneCauses, when);
    }
    if (is_terminal(summary.status)) summary.ended_at = when;
    return summary;
  }

 private:
  static void fail(SagaSummary& summary, SagaStatus status, std::uint64_t kind, Instant when) {
    static constexpr std::string_view kFailing[] = {"deduct_stock", "use_coupon", "write_order"};
    FailureClass failure{.step = std::string(kFailing[kind % 3]),
                         .participant = kind % 3 == 0 ? "inventory" : "promotion",
                         .operation = Operation::compensation,
                         .outcome = kind % 2 == 0 ? OutcomeKind::rejected : OutcomeKind::unknown,
                         .code = kind % 2 == 0 ? "failed_precondition" : "timeout",
                         .message = fmt::format("reason {} of sku #",
                                                std::string(1, static_cast<char>('a' + kind)))};
    failure.cause.value = hash64(summary.definition, kind + 1);
    summary.status = status;
    summary.failure = std::move(failure);
    summary.since = when;
  }

  std::uint64_t sagas_;
};

Transition transition(const SagaId& id, std::uint64_t& seq, const std::vector<Event>& events) {
  Transition t{.id = id, .first_seq = seq + 1, .count = static_cast<std::uint32_t>(events.size())};
  wire::encode_events(events, t.record);
  seq += events.size();
  return t;
}

/// A saga's life in three records.
void live(const Population& population, std::uint64_t n, std::vector<Transition>& to) {
  const SagaId id = Population::id(n);
  const SagaSummary begun = population.started(n);
  const SagaSummary done = Population::ended(n, begun);
  std::uint64_t seq = 0;
  Transition& start = to.emplace_back(
      transition(id, seq,
                 {{.at = begun.started_at,
                   .body = event::Started{.definition = begun.definition,
                                          .version = 1,
                                          .steps = kSteps,
                                          .business_key = begun.business_key,
                                          .input = std::string(kPayloadBytes, 'i')}}}));
  start.after = begun;
  std::vector<Event> middle;
  for (std::uint16_t step = 0; step < kSteps; ++step) {
    middle.push_back({.at = begun.started_at,
                      .body = event::StepStarted{
                          .step = step, .legs = {{.request = std::string(kPayloadBytes, 'q')}}}});
    middle.push_back({.at = begun.started_at, .body = event::Intended{.leg = {.step = step}}});
    middle.push_back({.at = begun.started_at,
                      .body = event::Answered{.leg = {.step = step},
                                              .outcome = {.kind = OutcomeKind::succeeded},
                                              .response = std::string(kPayloadBytes, 'r'),
                                              .stage = LegStage::done}});
  }
  to.push_back(transition(id, seq, middle));
  Transition& end =
      to.emplace_back(transition(id, seq, {{.at = begun.started_at, .body = event::Completed{}}}));
  end.before = begun;
  end.after = done;
}

Result<void> fill(const std::string& directory, const Population& population) {
  auto store = RocksStore::open({.directory = directory});
  if (!store) return std::unexpected(store.error());
  const auto meta = (*store)->open_shard(0);
  if (!meta) return std::unexpected(meta.error());
  std::uint64_t number = meta->number;
  for (std::uint64_t n = 0; n < population.size();) {
    ShardBatch batch{.epoch = meta->epoch, .number = ++number, .clock_high = kNow};
    for (std::size_t i = 0; i < kBatch && n < population.size(); ++i, ++n) {
      live(population, n, batch.transitions);
    }
    if (auto done = (*store)->commit({&batch, 1}); !done) return done;
  }
  return {};
}

/// One kind of question, asked again and again.
class Questions {
 public:
  Questions(Store& store, const Population& population, std::size_t rounds)
      : store_(store), population_(population), rounds_(rounds) {
    std::printf("%-36s %9s %9s %9s %11s %8s\n", "question", "p50 ms", "p99 ms", "max ms",
                "CPU p99 ms", "answers");
  }

  void list(const std::string& what, const std::function<ListQuery(std::uint64_t)>& query) {
    ask(what, [&](std::uint64_t n) {
      const auto page = store_.list(query(n));
      return page ? static_cast<std::int64_t>(page->sagas.size()) : -1;
    });
  }
  void count(const std::string& what, std::string_view text) {
    ask(what, [&](std::uint64_t) {
      const auto page = store_.count({.filter = filter::parse(text).value(), .now = kNow});
      return page ? static_cast<std::int64_t>(page->count) : -1;
    });
  }
  void groups(const std::string& what, GroupBy by, std::string_view text) {
    ask(what, [&](std::uint64_t) {
      const auto groups =
          store_.groups({.by = by, .filter = filter::parse(text).value(), .now = kNow});
      return groups && groups->complete ? static_cast<std::int64_t>(groups->groups.size()) : -1;
    });
  }
  void show() {
    ask("show: one saga's whole history", [&](std::uint64_t n) {
      const auto history = read_history(store_, Population::id(n));
      return history && *history ? static_cast<std::int64_t>((*history)->events.size()) : -1;
    });
  }
  [[nodiscard]] bool all_in_time() const { return all_in_time_; }

 private:
  template <class Ask>
  void ask(const std::string& what, Ask&& question) {
    std::vector<double> times;
    std::vector<double> cpu;  // of this thread: what is left on a quiet machine
    std::int64_t answers = 0;
    for (std::size_t i = 0; i < rounds_; ++i) {
      const std::uint64_t n = random_() % population_.size();
      const double before = seconds();
      const double cpu_before = seconds(CLOCK_THREAD_CPUTIME_ID);
      answers = question(n);
      cpu.push_back(seconds(CLOCK_THREAD_CPUTIME_ID) - cpu_before);
      times.push_back(seconds() - before);
      if (answers < 0) std::exit(1);
    }
    std::ranges::sort(times);
    std::ranges::sort(cpu);
    const double p99 = times[times.size() * 99 / 100];
    all_in_time_ = all_in_time_ && p99 <= kSecondsMax;
    std::printf("%-36s %9.3f %9.3f %9.3f %11.3f %8lld%s\n", what.c_str(),
                times[times.size() / 2] * 1e3, p99 * 1e3, times.back() * 1e3,
                cpu[cpu.size() * 99 / 100] * 1e3, static_cast<long long>(answers),
                p99 <= kSecondsMax ? "" : "  too slow");
  }

  Store& store_;
  const Population& population_;
  std::size_t rounds_;
  std::mt19937_64 random_{8317};
  bool all_in_time_ = true;
};

ListQuery searching(std::string_view text, ListOrder order = ListOrder::newest) {
  return {.filter = filter::parse(text).value(), .now = kNow, .order = order};
}

bool ask_everything(Store& store, const Population& population, std::size_t rounds) {
  Questions ask(store, population, rounds);
  ask.list("list: newest 50", [](std::uint64_t) { return searching(""); });
  ask.list("list: oldest 50", [](std::uint64_t) { return searching("", ListOrder::oldest); });
  ask.list("list: 50 anywhere in the month", [&](std::uint64_t n) {
    ListQuery query = searching("");
    query.page_token =
        page_token({.started_at = population.started(n).started_at, .id = Population::id(n)});
    return query;
  });
  ask.list("list: status = stuck", [](std::uint64_t) { return searching("status = stuck"); });
  ask.list("list: longest stuck first",
           [](std::uint64_t) { return searching("", ListOrder::longest_stuck); });
  ask.list("list: of one cause", [](std::uint64_t n) {
    const std::uint64_t cause = hash64(Population::definition(n), n % kStuckCauses + 1);
    return searching("status = stuck and cause = " + CauseId{.value = cause}.text());
  });
  ask.list("list: step, error, age", [](std::uint64_t) {
    return searching(
        "definition = create_order and status in (stuck, compensating) and step = deduct_stock "
        "and error ~ \"reason a\" and age > 10m");
  });
  ask.list("list: one business key", [](std::uint64_t n) {
    return searching("business_key = " + Population::business_key(n));
  });
  ask.list("list: one id",
           [](std::uint64_t n) { return searching("id = " + Population::id(n).text()); });
  ask.list("list: what no saga has (one page)",
           [](std::uint64_t) { return searching("idempotency_key = none"); });
  ask.count("count: all", "");
  ask.count("count: status = stuck", "status = stuck");
  ask.count("count: definition, step, error",
            "definition = create_order and step = deduct_stock and error ~ timeout");
  ask.count("count: stuck for more than a day", "stuck_for > 1d");
  ask.groups("stuck by cause", GroupBy::cause, "status = stuck");
  ask.groups("stuck by step", GroupBy::step, "status = stuck");
  ask.groups("stuck by participant", GroupBy::participant, "status = stuck");
  ask.groups("undone by cause", GroupBy::cause, "status = compensated");
  ask.show();
  return ask.all_in_time();
}

int run(std::uint64_t sagas, const std::filesystem::path& parent, std::size_t rounds) {
  const std::filesystem::path directory = parent / "skald-list-bench";
  std::filesystem::remove_all(directory);
  const Population population(sagas);
  double before = seconds();
  if (auto filled = fill(directory.string(), population); !filled) {
    std::fprintf(stderr, "list_bench: %s\n", filled.error().message.c_str());
    return 1;
  }
  std::printf("%llu sagas written in %.1f s\n", static_cast<unsigned long long>(sagas),
              seconds() - before);
  before = seconds();
  bool in_time = false;
  {
    auto store = RocksStore::open({.directory = directory.string()});
    if (!store) {
      std::fprintf(stderr, "list_bench: %s\n", store.error().message.c_str());
      return 1;
    }
    std::printf("opened in %.2f s; each question is asked %zu times\n", seconds() - before, rounds);
    in_time = ask_everything(**store, population, rounds);
  }
  std::filesystem::remove_all(directory);
  std::printf("within %.0f ms at the 99th percentile: %s\n", kSecondsMax * 1e3,
              in_time ? "every question" : "not every question");
  return 0;
}

}  // namespace
}  // namespace skald

int main(int argc, char** argv) {
  constexpr std::uint64_t kSagas = 1'000'000;
  constexpr std::size_t kRounds = 1'000;
  const std::uint64_t sagas = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : kSagas;
  const std::string parent = argc > 2 ? argv[2] : std::filesystem::temp_directory_path().string();
  const std::size_t rounds = argc > 3 ? std::strtoull(argv[3], nullptr, 10) : kRounds;
  if (sagas == 0 || rounds == 0) {
    std::fprintf(stderr, "usage: list_bench [SAGAS] [DIR] [ROUNDS]\n");
    return 2;
  }
  return skald::run(sagas, parent, rounds);
}
