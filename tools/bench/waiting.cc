#include "tools/bench/waiting.h"

#include <chrono>

#include "tools/bench/skald_orders.h"

namespace skald::bench {
namespace {

using SteadyClock = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;

constexpr int kBatch = 500;
constexpr std::size_t kBatchesAtOnce = 8;
constexpr Millis kBatchTimeout{120'000};
constexpr Seconds kSubmitLimit{600};
constexpr Seconds kIdleWindow{2};
constexpr Seconds kReadyLimit{120};

/// Submits them in batches, a few at a time.
class Submitting {
 public:
  Submitting(TestBed& bed, std::uint64_t sagas)
      : bed_(bed), client_(HttpClient::create(bed.io(), {})), sagas_(sagas) {}

  Result<void> run() {
    for (std::size_t i = 0; i < kBatchesAtOnce; ++i) next();
    const bool done = run_until(bed_.io(), [this] { return open_ == 0; }, kSubmitLimit);
    if (!done || failed_ > 0) {
      return fail(Errc::failed_precondition, "waiting sagas: {} of {} batches failed", failed_,
                  sagas_ / kBatch);
    }
    return {};
  }

 private:
  void next() {
    if (submitted_ >= sagas_) return;
    const auto count = static_cast<int>(std::min<std::uint64_t>(kBatch, sagas_ - submitted_));
    ++open_;
    HttpRequest request{.method = "POST",
                        .target = "/skald.v1.SagaService/SubmitBatch",
                        .headers = {{"Content-Type", "application/proto"}},
                        .body = waiting_batch(bed_.run(), submitted_, count)};
    submitted_ += static_cast<std::uint64_t>(count);
    client_->call(bed_.engine_endpoint(), std::move(request), kBatchTimeout,
                  [this](const Exchange& exchange) {
                    --open_;
                    const bool ok =
                        exchange.end == ExchangeEnd::answered && exchange.response.status == 200;
                    if (!ok) ++failed_;
                    if (ok) next();
                  });
  }

  TestBed& bed_;
  std::unique_ptr<HttpClient> client_;
  const std::uint64_t sagas_;
  std::uint64_t submitted_ = 0;
  std::size_t open_ = 0;
  std::size_t failed_ = 0;
};

double idle_share(TestBed& bed) {
  bed.wait_for_quiet();
  const double before = use_of(bed.engine_pid()).cpu_s;
  const auto end = SteadyClock::now() + kIdleWindow;
  static_cast<void>(run_until(bed.io(), [&] { return SteadyClock::now() >= end; }, kReadyLimit));
  return (use_of(bed.engine_pid()).cpu_s - before) / kIdleWindow.count();
}

/// Seconds until `target` answers 200.
double seconds_until(TestBed& bed, std::string_view target, SteadyClock::time_point begin) {
  while (SteadyClock::now() - begin < kReadyLimit) {
    if (bed.ask(bed.engine_endpoint(), target)) break;
  }
  return Seconds(SteadyClock::now() - begin).count();
}

}  // namespace

Result<Row> measure_waiting(TestBed& bed, std::uint64_t sagas,
                            const std::function<Result<double>()>& orders) {
  Row row{.shape = "waiting", .system = "skald", .orders = sagas};
  const auto rate_before = orders();
  if (!rate_before) return std::unexpected(rate_before.error());
  const auto resident_before = static_cast<double>(resident_bytes(bed.engine_pid()));
  const auto begin = SteadyClock::now();
  if (auto done = Submitting(bed, sagas).run(); !done) return std::unexpected(done.error());
  const double submit_s = Seconds(SteadyClock::now() - begin).count();
  row.per_second = spread_of({static_cast<double>(sagas) / submit_s});
  const double idle = idle_share(bed);
  const auto resident = static_cast<double>(resident_bytes(bed.engine_pid()));
  const auto rate_after = orders();
  if (!rate_after) return std::unexpected(rate_after.error());

  bed.stop_engine();
  const auto restart = SteadyClock::now();
  if (auto done = bed.start_engine(); !done) return std::unexpected(done.error());
  const double serving_s = seconds_until(bed, "/healthz", restart);
  const double ready_s = seconds_until(bed, "/readyz", restart);
  row.resident_mb = resident / 1e6;
  row.more = {
      {"waiting_sagas", static_cast<double>(sagas)},
      {"resident_bytes_per_waiting_saga",
       (resident - resident_before) / static_cast<double>(sagas)},
      {"orders_per_s_before", *rate_before},
      {"orders_per_s_beside_them", *rate_after},
      {"orders_ratio", *rate_after / *rate_before},
      {"idle_cores", idle},
      {"restart_serving_s", serving_s},
      {"restart_ready_s", ready_s},
      {"resident_mb_after_restart", static_cast<double>(resident_bytes(bed.engine_pid())) / 1e6}};
  return row;
}

}  // namespace skald::bench
