#include "tools/bench/active.h"

#include <fmt/format.h>

#include <algorithm>

#include "tools/bench/batches.h"
#include "tools/bench/load.h"

namespace skald::bench {
namespace {

using SteadyClock = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;

constexpr Seconds kFillLimit{300};
constexpr Seconds kDrainLimit{300};
constexpr Seconds kRefillEvery{0.05};
// Limits are split among threads, sagas not quite evenly.
constexpr std::uint64_t kHeadroom = 2;
constexpr std::uint64_t kCallsMax = 100'000;  // that skaldd allows a participant

double megabytes(TestBed& bed) {
  return static_cast<double>(resident_bytes(bed.engine_pid())) / 1e6;
}

Result<Row> calls_out(TestBed& bed, const ActivePlan& plan) {
  Row row{
      .shape = "active_calls", .system = "skald", .in_flight = plan.sagas, .orders = plan.sagas};
  if (auto held = bed.ask(bed.mall_endpoint(), "/hold"); !held) {
    return std::unexpected(held.error());
  }
  const auto before = bed.engine_figures();
  if (!before) return std::unexpected(before.error());
  const double resident_before = megabytes(bed);
  auto begin = SteadyClock::now();
  Batches batches(
      bed, [&](std::uint64_t number, v1::SubmitRequest& to) { fill_held(bed.run(), number, to); });
  if (auto done = batches.add_and_wait(plan.sagas); !done) return std::unexpected(done.error());
  const auto full = bed.watch(
      [&](const EngineFigures& now) { return now.calls_out + now.calls_wait >= plan.sagas; },
      kFillLimit);
  if (!full) return std::unexpected(full.error());
  const double filled_s = seconds_since(begin);
  row.resident_mb = megabytes(bed);

  const auto mall_before = bed.mall_figures();
  begin = SteadyClock::now();
  if (auto go = bed.ask(bed.mall_endpoint(), "/go"); !go) return std::unexpected(go.error());
  const auto done = bed.watch(
      [&](const EngineFigures& now) { return now.completed - before->completed >= plan.sagas; },
      kDrainLimit);
  if (!done) return std::unexpected(done.error());
  const double drained_s = seconds_since(begin);
  const auto mall_after = bed.mall_figures();
  if (!mall_before) return std::unexpected(mall_before.error());
  if (!mall_after) return std::unexpected(mall_after.error());
  const std::int64_t traces = mall_after->branches - mall_before->branches;
  if (traces != static_cast<std::int64_t>(plan.sagas)) {
    return fail(Errc::failed_precondition, "active_calls: the mall has {} calls of {} sagas",
                traces, plan.sagas);
  }
  const auto sagas = static_cast<double>(plan.sagas);
  row.per_second = spread_of({sagas / drained_s});
  row.more = {{"calls_out", static_cast<double>(full->calls_out)},
              {"calls_wait", static_cast<double>(full->calls_wait)},
              {"filled_s", filled_s},
              {"drained_s", drained_s},
              {"resident_bytes_per_saga", (row.resident_mb - resident_before) * 1e6 / sagas}};
  return row;
}

/// Keeps so many orders open; their ends are seen in the engine's figures.
class ClosedLoop {
 public:
  ClosedLoop(TestBed& bed, const ActivePlan& plan)
      : bed_(bed),
        plan_(plan),
        batches_(
            bed,
            [&bed](std::uint64_t number, v1::SubmitRequest& to) {
              fill_order(bed.run(), number, to);
            },
            plan.sagas / Batches::kBatch + 1) {}

  Result<Row> run();

 private:
  Result<std::uint64_t> completed() {
    const auto now = bed_.engine_figures();
    if (!now) return std::unexpected(now.error());
    resident_mb_ = std::max(resident_mb_, megabytes(bed_));
    return now->completed - before_.completed;
  }
  Result<std::uint64_t> keep_full(Seconds time);

  TestBed& bed_;
  const ActivePlan& plan_;
  Batches batches_;
  EngineFigures before_;
  double resident_mb_ = 0;
};

/// How many had completed at its end.
Result<std::uint64_t> ClosedLoop::keep_full(Seconds time) {
  const auto begin = SteadyClock::now();
  for (;;) {
    const auto done = completed();
    if (!done) return done;
    if (seconds_since(begin) >= time.count()) return done;
    const std::uint64_t wanted = *done + plan_.sagas;
    if (wanted > batches_.added()) batches_.add(wanted - batches_.added());
    bed_.pass(kRefillEvery);
  }
}

Result<Row> ClosedLoop::run() {
  const auto before = bed_.engine_figures();
  const auto mall_before = bed_.mall_figures();
  if (!before) return std::unexpected(before.error());
  if (!mall_before) return std::unexpected(mall_before.error());
  before_ = *before;
  batches_.add(plan_.sagas);
  const auto filled = bed_.watch(
      [&](const EngineFigures& now) {
        return now.in_memory >= plan_.sagas * 9 / 10 || now.completed - before_.completed > 0;
      },
      kFillLimit);
  if (!filled) return std::unexpected(filled.error());
  if (auto warm = keep_full(plan_.measured); !warm) return std::unexpected(warm.error());
  const auto first = completed();
  const double cpu = use_of(bed_.engine_pid()).cpu_s;
  const auto begin = SteadyClock::now();
  const auto last = keep_full(plan_.measured);
  if (!first) return std::unexpected(first.error());
  if (!last) return std::unexpected(last.error());
  const double took_s = seconds_since(begin);
  const double engine_cpu_s = use_of(bed_.engine_pid()).cpu_s - cpu;
  const auto busy = bed_.engine_figures();
  if (!busy) return std::unexpected(busy.error());

  if (auto done = batches_.wait(); !done) return std::unexpected(done.error());
  const auto ended = bed_.watch(
      [&](const EngineFigures& now) {
        return now.completed - before_.completed >= batches_.added();
      },
      kDrainLimit);
  const auto mall_after = bed_.mall_figures();
  if (!ended) return std::unexpected(ended.error());
  if (!mall_after) return std::unexpected(mall_after.error());
  const auto orders = static_cast<std::int64_t>(batches_.added());
  if (mall_after->orders - mall_before->orders != orders ||
      mall_after->locked - mall_before->locked != orders * kSkusPerOrder) {
    return fail(Errc::failed_precondition, "active: the mall has {} orders of {}",
                mall_after->orders - mall_before->orders, orders);
  }
  Row row{.shape = "active", .system = "skald", .in_flight = plan_.sagas};
  row.orders = batches_.added();
  const auto counted = static_cast<double>(*last - *first);
  row.per_second = spread_of({counted / took_s});
  row.engine_cpu_us = engine_cpu_s * 1e6 / counted;
  row.resident_mb = resident_mb_;
  row.more = {{"in_memory_at_end_of_measured", static_cast<double>(busy->in_memory)},
              {"calls_out", static_cast<double>(busy->calls_out)},
              {"calls_wait", static_cast<double>(busy->calls_wait)}};
  return row;
}

}  // namespace

Result<std::vector<Row>> measure_active(TestBed& bed, const ActivePlan& plan) {
  auto own = bed.beside(
      "active", {"--engine-active-sagas-max", fmt::to_string(plan.sagas * kHeadroom),
                 "--participants-in-flight-max", fmt::to_string(std::min(plan.sagas, kCallsMax)),
                 "--engine-inbox-max", "1000000"});
  if (!own) return std::unexpected(own.error());
  auto calls = calls_out(**own, plan);
  if (!calls) return std::unexpected(calls.error());
  auto loop = ClosedLoop(**own, plan).run();
  if (!loop) return std::unexpected(loop.error());
  return std::vector<Row>{std::move(*calls), std::move(*loop)};
}

}  // namespace skald::bench
