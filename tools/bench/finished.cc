#include "tools/bench/finished.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <optional>

#include "engine/base/hash.h"
#include "skald/v1/service.pb.h"
#include "tools/bench/batches.h"
#include "tools/bench/finished_store.h"
#include "tools/bench/load.h"
#include "tools/bench/skald_orders.h"

namespace skald::bench {
namespace {

using SteadyClock = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;

constexpr std::size_t kInFlight = 64;
constexpr std::uint64_t kQuestions = 300;
constexpr Seconds kRestLimit{600};       // for compaction
constexpr double kFar = 1e8;             // sagas
constexpr double kFarFromAtLeast = 1e6;  // below it a straight line says nothing
constexpr std::uint64_t kSeed = 8'317;

double bytes_of(const std::string& folder) {
  double bytes = 0;
  for (const auto& file : std::filesystem::recursive_directory_iterator(folder)) {
    std::error_code gone;  // by a compaction
    const auto size = file.is_regular_file(gone) ? file.file_size(gone) : 0;
    if (!gone) bytes += static_cast<double>(size);
  }
  return bytes;
}

class Measuring {
 public:
  Measuring(TestBed& small, TestBed& full, const FinishedPlan& plan)
      : small_(small), full_(full), plan_(plan) {}

  Result<Row> at(std::uint64_t size);

 private:
  Result<void> patterns();
  Result<void> fill(std::uint64_t size, Row& row);
  Result<void> start(Row& row);
  Result<void> orders(Row& row);
  Result<void> questions(Row& row);
  /// Milliseconds, asked one after another. Errors: those of the first that fails.
  Result<Quantiles> ask(TestBed& bed, std::string_view method,
                        const std::function<std::string(std::uint64_t)>& body);
  Result<void> ask(Row& row, std::string_view name, std::string_view method,
                   const std::function<std::string(std::uint64_t)>& body);
  Result<void> submissions(Row& row);
  std::string submission() {
    v1::SubmitRequest request;
    fill_order(full_.run() ^ kSeed, submitted_++, request);
    return request.SerializeAsString();
  }

  TestBed& small_;
  TestBed& full_;
  const FinishedPlan& plan_;
  std::uint64_t submitted_ = 0;
  std::uint64_t numbers_ = 0;  // of finished sagas to ask for
};

/// Orders of the definition, counted at rest in the mall. Of the engine that runs now.
Subject subject(TestBed& bed) {
  return {.system = "skald",
          .shape = "finished",
          .taker = skald_orders(bed.io(), bed.engine_endpoint(), "order_parallel", bed.run())};
}

/// Some orders, one in twenty undone.
Result<void> Measuring::patterns() {
  Subject orders = subject(full_);
  auto sample = full_.measure(
      orders,
      {.in_flight = kInFlight, .warm = Seconds(0), .measured = Seconds(0.5), .short_percent = 5});
  if (!sample) return std::unexpected(sample.error());
  return {};
}

Result<void> Measuring::fill(std::uint64_t size, Row& row) {
  if (auto done = patterns(); !done) return done;
  full_.stop_engine();
  const auto filled = fill_with_finished(full_.store_folder(), size);
  if (!filled) return std::unexpected(filled.error());
  numbers_ = filled->numbers;
  if (numbers_ == 0) {
    return fail(Errc::invalid_argument, "finished: {} sagas are no more than its patterns", size);
  }
  row.more.emplace_back("written_sagas", static_cast<double>(filled->written));
  row.more.emplace_back("written_s", filled->seconds);
  // What the fill has left to be merged is merged before anything is measured.
  if (auto started = full_.start_engine(); !started) return started;
  const auto begin = SteadyClock::now();
  full_.wait_for_rest(kRestLimit);
  row.more.emplace_back("rest_s", seconds_since(begin));
  full_.stop_engine();
  const double bytes = bytes_of(full_.store_folder());
  row.more.emplace_back("disk_gb", bytes / 1e9);
  row.more.emplace_back("disk_bytes_per_saga", bytes / static_cast<double>(size));
  return {};
}

Result<void> Measuring::start(Row& row) {
  const auto begin = SteadyClock::now();
  if (auto started = full_.start_engine(); !started) return started;
  row.more.emplace_back("restart_serving_s", full_.seconds_until("/healthz", begin));
  row.more.emplace_back("restart_ready_s", full_.seconds_until("/readyz", begin));
  full_.pass(Seconds(1));
  row.more.emplace_back("resident_mb_after_start",
                        static_cast<double>(resident_bytes(full_.engine_pid())) / 1e6);
  return {};
}

/// Beside the small store, each once in a round and first in turn.
Result<void> Measuring::orders(Row& row) {
  Subject subjects[] = {subject(small_), subject(full_)};
  TestBed* const beds[] = {&small_, &full_};
  std::vector<double> rates[2];
  std::vector<double> ratios;
  Latencies latencies[2];
  const LoadPlan plan{.in_flight = kInFlight, .warm = plan_.warm, .measured = plan_.measured};
  for (int round = 0; round < plan_.rounds; ++round) {
    for (int i = 0; i < 2; ++i) {
      const int which = round % 2 == 0 ? i : 1 - i;
      const auto sample = beds[which]->measure(subjects[which], plan);
      if (!sample) return std::unexpected(sample.error());
      rates[which].push_back(sample->load.per_second);
      latencies[which].add(sample->load.latencies);
      row.orders += which == 1 ? sample->load.placed : 0;
    }
    ratios.push_back(rates[1].back() / rates[0].back());
  }
  row.per_second = spread_of(rates[1]);
  row.latency = latencies[1].quantiles();
  const Spread ratio = spread_of(ratios);
  row.more.insert(row.more.end(), {{"orders_ratio_to_small_store", ratio.middle},
                                   {"orders_ratio_least", ratio.least},
                                   {"orders_ratio_most", ratio.most},
                                   {"orders_per_s_small_store", median(rates[0])},
                                   {"order_p99_ms_small_store", latencies[0].quantiles().p99_ms}});
  return {};
}

Result<Quantiles> Measuring::ask(TestBed& bed, std::string_view method,
                                 const std::function<std::string(std::uint64_t)>& body) {
  Latencies latencies;
  const std::string target = fmt::format("/skald.v1.SagaService/{}", method);
  for (std::uint64_t i = 0; i < kQuestions; ++i) {
    const auto begin = SteadyClock::now();
    const auto answer = bed.ask(bed.engine_endpoint(), target, body(i));
    if (!answer) return std::unexpected(answer.error());
    latencies.add(SteadyClock::now() - begin);
  }
  return latencies.quantiles();
}

Result<void> Measuring::ask(Row& row, std::string_view name, std::string_view method,
                            const std::function<std::string(std::uint64_t)>& body) {
  const auto found = ask(full_, method, body);
  if (!found) return std::unexpected(found.error());
  row.more.emplace_back(fmt::format("{}_p50_ms", name), found->p50_ms);
  row.more.emplace_back(fmt::format("{}_p99_ms", name), found->p99_ms);
  return {};
}

/// One after another, acknowledged when durable, beside those of the small store.
Result<void> Measuring::submissions(Row& row) {
  const auto body = [this](std::uint64_t) { return submission(); };
  const auto small = ask(small_, "Submit", body);
  if (!small) return std::unexpected(small.error());
  row.more.emplace_back("submit_p50_ms_small_store", small->p50_ms);
  row.more.emplace_back("submit_p99_ms_small_store", small->p99_ms);
  return ask(row, "submit", "Submit", body);
}

Result<void> Measuring::questions(Row& row) {
  if (auto done = submissions(row); !done) return done;
  full_.wait_for_quiet();
  const auto some = [this](std::uint64_t i) { return finished_key(mix64(i ^ kSeed) % numbers_); };
  auto done = ask(row, "show", "Get", [&some](std::uint64_t i) {
    v1::GetRequest request;
    request.set_idempotency_key(some(i));
    return request.SerializeAsString();
  });
  if (!done) return done;
  done = ask(row, "list_newest", "List", [](std::uint64_t) {
    v1::ListRequest request;
    request.set_limit(50);
    return request.SerializeAsString();
  });
  if (!done) return done;
  return ask(row, "list_business_key", "List", [&some](std::uint64_t i) {
    v1::ListRequest request;
    request.set_business_key(some(i));
    return request.SerializeAsString();
  });
}

Result<Row> Measuring::at(std::uint64_t size) {
  Row row{.shape = "finished", .system = "skald", .in_flight = kInFlight};
  row.more.emplace_back("finished_sagas", static_cast<double>(size));
  if (auto done = fill(size, row); !done) return std::unexpected(done.error());
  if (auto done = start(row); !done) return std::unexpected(done.error());
  if (auto done = orders(row); !done) return std::unexpected(done.error());
  if (auto done = questions(row); !done) return std::unexpected(done.error());
  row.resident_mb = static_cast<double>(resident_bytes(full_.engine_pid())) / 1e6;
  row.more.emplace_back("resident_mb", row.resident_mb);
  return row;
}

std::optional<double> figure(const Row& row, std::string_view name) {
  const auto found = std::ranges::find(row.more, name, [](const auto& f) { return f.first; });
  if (found == row.more.end()) return std::nullopt;
  return found->second;
}

/// Straight lines, of what adds up; times of answers are no such thing.
void extrapolate(const Row& from, Row& to) {
  const double size = *figure(to, "finished_sagas");
  const double sizes = size - *figure(from, "finished_sagas");
  for (const std::string_view name :
       {"disk_gb", "resident_mb_after_start", "restart_serving_s", "restart_ready_s"}) {
    const double value = *figure(to, name);
    const double slope = (value - *figure(from, name)) / sizes;
    to.more.emplace_back(fmt::format("{}_at_100m", name), value + slope * (kFar - size));
  }
}

}  // namespace

Result<std::vector<Row>> measure_finished(TestBed& bed, const FinishedPlan& plan) {
  std::vector<Row> rows;
  for (const std::uint64_t size : plan.sizes) {
    const std::string name = fmt::format("finished-{}", size);
    auto own = plan.keep_in.empty() ? bed.beside(name)
                                    : bed.in_folder(fmt::format("{}/{}", plan.keep_in, name));
    if (!own) return std::unexpected(own.error());
    auto row = Measuring(bed, **own, plan).at(size);
    if (!row) return std::unexpected(row.error());
    rows.push_back(std::move(*row));
  }
  if (rows.size() > 1 && *figure(rows.back(), "finished_sagas") >= kFarFromAtLeast) {
    extrapolate(rows[rows.size() - 2], rows.back());
  }
  return rows;
}

}  // namespace skald::bench
