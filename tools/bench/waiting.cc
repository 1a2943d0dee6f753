#include "tools/bench/waiting.h"

#include <chrono>

#include "tools/bench/batches.h"
#include "tools/bench/load.h"

namespace skald::bench {
namespace {

using SteadyClock = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;

constexpr Seconds kIdleWindow{2};
constexpr Seconds kRestLimit{300};

double idle_share(TestBed& bed) {
  bed.wait_for_quiet();
  const double before = use_of(bed.engine_pid()).cpu_s;
  bed.pass(kIdleWindow);
  return (use_of(bed.engine_pid()).cpu_s - before) / kIdleWindow.count();
}

}  // namespace

Result<Row> measure_waiting(TestBed& bed, std::uint64_t sagas,
                            const std::function<Result<double>()>& orders) {
  Row row{.shape = "waiting", .system = "skald", .orders = sagas};
  const auto rate_before = orders();
  if (!rate_before) return std::unexpected(rate_before.error());
  const auto resident_before = static_cast<double>(resident_bytes(bed.engine_pid()));
  const auto begin = SteadyClock::now();
  Batches waiting(bed, [run = bed.run()](std::uint64_t number, v1::SubmitRequest& to) {
    fill_waiting(run, number, to);
  });
  if (auto done = waiting.add_and_wait(sagas); !done) return std::unexpected(done.error());
  const double submit_s = seconds_since(begin);
  row.per_second = spread_of({static_cast<double>(sagas) / submit_s});
  const auto rate_at_once = orders();
  if (!rate_at_once) return std::unexpected(rate_at_once.error());
  const auto resting = SteadyClock::now();
  bed.wait_for_rest(kRestLimit);  // for compaction
  const double rest_s = seconds_since(resting);
  const double idle = idle_share(bed);
  const auto resident = static_cast<double>(resident_bytes(bed.engine_pid()));
  const auto peak = static_cast<double>(peak_resident_bytes(bed.engine_pid()));
  const auto rate_after = orders();
  if (!rate_after) return std::unexpected(rate_after.error());

  bed.stop_engine();
  const auto restart = SteadyClock::now();
  if (auto done = bed.start_engine(); !done) return std::unexpected(done.error());
  const double serving_s = bed.seconds_until("/healthz", restart);
  const double ready_s = bed.seconds_until("/readyz", restart);
  row.resident_mb = resident / 1e6;
  row.more = {
      {"waiting_sagas", static_cast<double>(sagas)},
      {"resident_bytes_per_waiting_saga",
       (resident - resident_before) / static_cast<double>(sagas)},
      {"resident_mb_most", peak / 1e6},
      {"orders_per_s_before", *rate_before},
      {"orders_per_s_at_once", *rate_at_once},
      {"orders_ratio_at_once", *rate_at_once / *rate_before},
      {"rest_s", rest_s},
      {"orders_per_s_beside_them", *rate_after},
      {"orders_ratio", *rate_after / *rate_before},
      {"idle_cores", idle},
      {"restart_serving_s", serving_s},
      {"restart_ready_s", ready_s},
      {"resident_mb_after_restart", static_cast<double>(resident_bytes(bed.engine_pid())) / 1e6}};
  return row;
}

}  // namespace skald::bench
