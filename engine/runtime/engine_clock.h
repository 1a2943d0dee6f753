// Engine time (rule 8): the stored high-water mark, re-based on wall time at start, advanced by the
// steady clock. A wall jump while running does not move it: it is slewed, and told.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

#include "engine/base/clock.h"
#include "engine/base/log.h"

namespace skald {

/// Thread: now() from any thread.
class EngineClock {
 public:
  /// Pre: `high_water` is the greatest stored mark of all shards.
  EngineClock(Clock& clock, Instant high_water, Logger log);

  /// Never goes back, over restarts too.
  [[nodiscard]] Instant now() const;

  /// Compares with wall time and leans towards it by at most kSlewPerMille of the time passed since
  /// the last call. Returns how far wall time is ahead. Call about once a second, from one thread.
  Millis slew();
  [[nodiscard]] std::uint64_t wall_jumps() const { return jumps_.load(std::memory_order_relaxed); }

  static constexpr std::int64_t kSlewPerMille = 100;
  static constexpr Millis kJumpMin{1'000};  // a change of the offset beyond this counts as a jump

 private:
  Clock& clock_;
  Logger log_;
  std::chrono::nanoseconds steady_start_;
  std::atomic<std::int64_t> base_ms_;  // engine time at steady_start_, slewed
  std::chrono::nanoseconds last_slew_;
  Millis last_offset_{0};
  std::atomic<std::uint64_t> jumps_{0};
};

}  // namespace skald
