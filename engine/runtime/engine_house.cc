// What goes on by itself: the clock, the disk reserve, old keys; and draining.
#include <algorithm>
#include <thread>

#include "engine/runtime/engine_metrics.h"
#include "engine/runtime/engine_on_threads.h"

namespace skald {
namespace {

constexpr Millis kHousekeepingEvery{250};      // so long a full disk may be filled further
constexpr std::uint32_t kKeysEvery = 20;       // housekeeping rounds between sweeps of expired keys
constexpr std::uint32_t kStuckEvery = 8;       // rounds between looks at who is stuck longest
constexpr std::uint32_t kSagasEvery = 4;       // likewise, of ended sagas: a second
constexpr std::size_t kKeysPerSweep = 16'384;  // of one shard
constexpr Millis kDrainPoll{2};

}  // namespace

void EngineOnThreads::keep_house() {
  clock_->slew();
  judge_disk();
  for (auto& driver : drivers_) driver->refresh_figures();
  if (++house_rounds_ % kKeysEvery == 0) sweep_keys();
  if (house_rounds_ % kStuckEvery == 1) look_at_stuck();
  {
    const EngineTotals now = totals(sum_figures(shard_figures()).counters);
    const std::lock_guard lock(rates_mutex_);
    rates_.add(clock_->now(), now);
  }
  if (house_rounds_ % kSagasEvery == 0) upkeep_->sweep(clock_->now());
  upkeep_->scan(clock_->now());
  house_timer_->expires_after(kHousekeepingEvery);
  house_timer_->async_wait([this](const boost::system::error_code& ec) {
    if (!ec) keep_house();
  });
}

// From the house timer and from the committer: one judges, whoever comes meanwhile leaves it to
// him.
void EngineOnThreads::judge_disk() {
  if (judging_disk_.exchange(true, std::memory_order_acquire)) return;
  blocking_.run([this] {
    look_at_disk();
    judging_disk_.store(false, std::memory_order_release);
  });
}

void EngineOnThreads::look_at_disk() {
  const auto available = parts_.store.bytes_available();
  const bool low = available && *available < parts_.options.disk_reserve_bytes;
  if (low == disk_low_ || draining_) return;
  disk_low_ = low;
  std::optional<Error> closed;
  if (low) {
    closed =
        Error{Errc::resource_exhausted,
              fmt::format("disk: {} bytes are left, below disk_reserve_bytes={}; open sagas go on",
                          *available, parts_.options.disk_reserve_bytes)};
    parts_.log.named("runtime").error("submissions are refused: {}", closed->message);
  }
  for (auto& driver : drivers_) driver->post(input::Admission{.closed = closed});
}

void EngineOnThreads::sweep_keys() {
  blocking_.run([this] {
    const Instant before = clock_->now() - parts_.options.key_retention;
    for (std::uint32_t i = 0; i < drivers_.size(); ++i) {
      auto rows = parts_.store.expired_keys(range_of(i, drivers_.size()), before, kKeysPerSweep);
      if (rows && !rows->empty()) drivers_[i]->post(input::ExpireKeys{.rows = std::move(*rows)});
    }
  });
}

void EngineOnThreads::look_at_stuck() {
  blocking_.run([this] {
    ListQuery query{.order = ListOrder::longest_stuck, .limit = 1};
    query.statuses.push_back(SagaStatus::stuck);
    query.now = clock_->now();
    const auto page = parts_.store.list(query);
    if (!page) return;
    stuck_since_ms_.store(page->sagas.empty() ? 0 : to_unix_ms(page->sagas.front().summary.since),
                          std::memory_order_relaxed);
  });
}

void EngineOnThreads::check_store(Answer<CheckReport> answer) {
  read<CheckReport>([this] { return upkeep_->check(); }, std::move(answer));
}

void EngineOnThreads::back_up(std::string directory, Answer<CheckReport> answer) {
  read<CheckReport>([this, to = std::move(directory)] { return upkeep_->back_up(to); },
                    std::move(answer));
}

void EngineOnThreads::drain(Millis grace) {
  if (stopped_ || draining_.exchange(true)) return;
  const Error told{
      Errc::unavailable,
      "draining: this server is stopping; ask again with the same key after the restart"};
  for (auto& driver : drivers_) driver->post(input::Admission{.closed = told, .draining = true});
  if (outbox_) outbox_->stop();
  const auto in_flight = [this] {
    return std::ranges::any_of(drivers_,
                               [](const auto& driver) { return driver->in_flight() > 0; });
  };
  const auto until = parts_.clock.steady() + grace;
  while (in_flight() && parts_.clock.steady() < until) std::this_thread::sleep_for(kDrainPoll);
  for (auto& driver : drivers_) driver->barrier();  // the last answers are written
  committer_->stop();
  for (auto& driver : drivers_) driver->barrier();  // and given
  for (auto& driver : drivers_) driver->writing_failed(told);
  for (auto& driver : drivers_) driver->barrier();
  stop_threads();
}

void EngineOnThreads::stop_threads() {
  if (std::exchange(stopped_, true)) return;
  // Inputs first, then what they wrote, then the threads that would be told.
  if (committer_) committer_->stop();
  for (auto& driver : drivers_) driver->stop();
  outbox_.reset();
  if (upkeep_) upkeep_->stop();
  blocking_.stop();
}

}  // namespace skald
