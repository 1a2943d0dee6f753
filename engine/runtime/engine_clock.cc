#include "engine/runtime/engine_clock.h"

#include <algorithm>

namespace skald {
namespace {

Millis to_millis(std::chrono::nanoseconds t) { return std::chrono::duration_cast<Millis>(t); }

}  // namespace

EngineClock::EngineClock(Clock& clock, Instant high_water, Logger log)
    : clock_(clock),
      log_(std::move(log)),
      steady_start_(clock.steady()),
      base_ms_(to_unix_ms(std::max(high_water, clock.wall()))),
      last_slew_(steady_start_) {
  last_offset_ = clock_.wall() - now();
}

Instant EngineClock::now() const {
  const auto passed = to_millis(clock_.steady() - steady_start_);
  return from_unix_ms(base_ms_.load(std::memory_order_relaxed) + passed.count());
}

Millis EngineClock::slew() {
  const auto steady = clock_.steady();
  const auto passed = to_millis(steady - last_slew_);
  last_slew_ = steady;
  const Millis offset = clock_.wall() - now();
  const Millis change = offset - last_offset_;
  if (change > kJumpMin || change < -kJumpMin) {
    jumps_.fetch_add(1, std::memory_order_relaxed);
    log_.warn("wall clock jumped change_ms={} offset_ms={}; engine time is slewed", change.count(),
              offset.count());
  }
  // Forward by leaning; backward by standing still is not needed: engine time may stay ahead.
  const std::int64_t lean_max = std::max<std::int64_t>(0, passed.count()) * kSlewPerMille / 1'000;
  const std::int64_t lean = std::clamp<std::int64_t>(offset.count(), 0, lean_max);
  base_ms_.fetch_add(lean, std::memory_order_relaxed);
  last_offset_ = offset - Millis{lean};
  return offset;
}

}  // namespace skald
