#include "tools/bench/restart.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <optional>

#include "tools/bench/batches.h"
#include "tools/bench/load.h"
#include "tools/bench/skald_orders.h"

namespace skald::bench {
namespace {

using SteadyClock = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;

constexpr Seconds kFillLimit{300};
constexpr Seconds kResumeLimit{300};
constexpr Seconds kDueLead{2};  // timers fall due so long after the last submission
constexpr double kSubmitsPerSecond = 10'000;
constexpr std::uint64_t kHeadroom = 20'000;  // sagas in memory until they are durable
constexpr std::uint64_t kCallsMax = 100'000;
constexpr Seconds kFirstLimit{30};
constexpr Seconds kSettle{3};
constexpr Seconds kIdleWindow{5};

std::uint64_t bytes_in(const std::string& folder, std::string_view suffix) {
  std::uint64_t bytes = 0;
  for (const auto& file : std::filesystem::directory_iterator(folder)) {
    if (file.is_regular_file() && file.path().native().ends_with(suffix)) bytes += file.file_size();
  }
  return bytes;
}

std::size_t lines_with(const std::string& path, std::string_view text) {
  std::ifstream file(path);
  std::size_t lines = 0;
  for (std::string line; std::getline(file, line);) lines += line.contains(text) ? 1 : 0;
  return lines;
}

/// The open sagas: with a call out, with a timer, and waiting for a signal.
Result<void> open_sagas(TestBed& bed, const RestartPlan& plan) {
  Batches waiting(bed, [&bed](std::uint64_t number, v1::SubmitRequest& to) {
    fill_waiting(bed.run(), number, to);
  });
  const std::uint64_t others = plan.open - plan.calling - plan.due;
  if (auto done = waiting.add_and_wait(others); !done) return done;
  Batches calling(bed, [&bed](std::uint64_t number, v1::SubmitRequest& to) {
    fill_held(bed.run(), number, to);
  });
  if (auto done = calling.add_and_wait(plan.calling); !done) return done;
  const auto out = bed.watch(
      [&](const EngineFigures& now) { return now.calls_out + now.calls_wait >= plan.calling; },
      kFillLimit);
  if (!out) return std::unexpected(out.error());
  const auto due_at = SteadyClock::now() +
                      std::chrono::duration_cast<SteadyClock::duration>(
                          kDueLead + Seconds(static_cast<double>(plan.due) / kSubmitsPerSecond));
  Batches due(bed, [&](std::uint64_t number, v1::SubmitRequest& to) {
    const auto left = std::chrono::duration_cast<Millis>(due_at - SteadyClock::now());
    fill_timer(bed.run(), number, std::max(left, Millis{1}), to);
  });
  if (auto done = due.add_and_wait(plan.due); !done) return done;
  const auto now = bed.engine_figures();
  if (!now) return std::unexpected(now.error());
  if (now->completed == 0) return {};
  return fail(Errc::failed_precondition, "restart: {} timers were due before the crash",
              now->completed);
}

Result<Row> crash(TestBed& bed, const RestartPlan& plan) {
  if (auto held = bed.ask(bed.mall_endpoint(), "/hold"); !held) {
    return std::unexpected(held.error());
  }
  if (auto opened = open_sagas(bed, plan); !opened) return std::unexpected(opened.error());
  const auto resident_before = static_cast<double>(resident_bytes(bed.engine_pid())) / 1e6;
  bed.crash_engine();
  bed.pass(kDueLead);  // the timers fall due
  if (auto go = bed.ask(bed.mall_endpoint(), "/go"); !go) return std::unexpected(go.error());
  const auto log_mb = static_cast<double>(bytes_in(bed.store_folder(), ".log")) / 1e6;
  const std::size_t lines = lines_with(bed.engine_log(), "recover");

  const auto begin = SteadyClock::now();
  if (auto done = bed.start_engine(); !done) return std::unexpected(done.error());
  const double serving_s = bed.seconds_until("/healthz", begin);
  const double ready_s = bed.seconds_until("/readyz", begin);
  const std::uint64_t to_do = plan.calling + plan.due;
  const auto resumed =
      bed.watch([to_do](const EngineFigures& now) { return now.completed >= to_do; }, kResumeLimit);
  if (!resumed) return std::unexpected(resumed.error());
  const double resumed_s = seconds_since(begin);
  const auto mall = bed.mall_figures();
  if (!mall) return std::unexpected(mall.error());
  if (mall->branches != static_cast<std::int64_t>(to_do)) {
    return fail(Errc::failed_precondition, "restart: the mall has {} calls of {} sagas",
                mall->branches, to_do);
  }
  Row row{.shape = "restart", .system = "skald", .orders = plan.open};
  row.per_second = spread_of({static_cast<double>(to_do) / resumed_s});
  row.resident_mb = static_cast<double>(resident_bytes(bed.engine_pid())) / 1e6;
  row.more = {
      {"open_sagas", static_cast<double>(plan.open)},
      {"with_a_call_out", static_cast<double>(plan.calling)},
      {"with_a_timer_due", static_cast<double>(plan.due)},
      {"log_mb_to_replay", log_mb},
      {"restart_serving_s", serving_s},
      {"restart_ready_s", ready_s},
      {"restart_resumed_s", resumed_s},
      {"resident_mb_before", resident_before},
      {"lines_of_progress", static_cast<double>(lines_with(bed.engine_log(), "recover") - lines)}};
  return row;
}

/// Seconds until an order has completed, from the start of the process. Pre: the engine is stopped.
Result<double> first_order(TestBed& bed) {
  std::filesystem::remove_all(bed.store_folder());
  const auto begin = SteadyClock::now();
  if (auto started = bed.start_engine(); !started) return std::unexpected(started.error());
  const auto orders = skald_orders(bed.io(), bed.engine_endpoint(), "order_parallel", bed.run());
  std::optional<Ending> ending;
  orders->place({.number = bed.take_numbers()}, [&ending](Ending how) { ending = how; });
  static_cast<void>(run_until(bed.io(), [&] { return ending.has_value(); }, kFirstLimit));
  if (ending == Ending::completed) return seconds_since(begin);
  return fail(Errc::failed_precondition, "start: the first order has not completed");
}

}  // namespace

Result<Row> measure_restart(TestBed& bed, const RestartPlan& plan) {
  auto own = bed.beside(
      "restart", {"--engine-active-sagas-max", fmt::to_string(plan.calling * 2 + kHeadroom),
                  "--participants-in-flight-max", fmt::to_string(std::min(plan.calling, kCallsMax)),
                  "--engine-inbox-max", "1000000"});
  if (!own) return std::unexpected(own.error());
  return crash(**own, plan);
}

Result<Row> measure_start(TestBed& bed, int rounds) {
  auto own = bed.beside("start");
  if (!own) return std::unexpected(own.error());
  TestBed& fresh = **own;
  std::vector<double> seconds;
  for (int round = 0; round < rounds; ++round) {
    fresh.stop_engine();
    const auto took = first_order(fresh);
    if (!took) return std::unexpected(took.error());
    seconds.push_back(*took);
  }
  fresh.pass(kSettle);
  const auto before = fresh.engine_figures();
  const ProcessUse use = use_of(fresh.engine_pid());
  fresh.pass(kIdleWindow);
  const ProcessUse use_after = use_of(fresh.engine_pid());
  const auto after = fresh.engine_figures();
  if (!before) return std::unexpected(before.error());
  if (!after) return std::unexpected(after.error());
  Row row{.shape = "start", .system = "skald", .orders = static_cast<std::uint64_t>(rounds)};
  const Spread first = spread_of(seconds);
  row.per_second = spread_of({1 / first.middle});
  row.resident_mb = static_cast<double>(resident_bytes(fresh.engine_pid())) / 1e6;
  row.more = {
      {"first_completed_s", first.middle},
      {"first_completed_s_most", first.most},
      {"idle_resident_mb", row.resident_mb},
      {"idle_cores", (use_after.cpu_s - use.cpu_s) / kIdleWindow.count()},
      {"idle_syncs", static_cast<double>(after->commits - before->commits)},
      {"idle_written_bytes", static_cast<double>(use_after.written_bytes - use.written_bytes)}};
  return row;
}

}  // namespace skald::bench
