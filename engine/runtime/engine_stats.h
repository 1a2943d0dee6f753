// EngineStats: how the engine is doing now, for people who look. Rates are over the last seconds,
// so they need a memory: RateWindow. Pure.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "engine/base/histogram.h"
#include "engine/base/time.h"
#include "engine/store/store.h"

namespace skald {

/// Since the engine started; rates are differences of two.
struct EngineTotals {
  std::uint64_t submitted = 0;
  std::uint64_t completed = 0;
  std::uint64_t compensated = 0;
  std::uint64_t became_stuck = 0;
  std::uint64_t calls = 0;
  std::uint64_t queries = 0;
  std::uint64_t transitions = 0;
  std::uint64_t commits = 0;
  Histogram commit_seconds;
};

struct EngineStats {
  Instant now{};
  Instant started_at{};
  EngineTotals totals;
  EngineTotals lately;  // of the last `window`
  Millis window{0};     // 0: it has only begun
  std::vector<DefinitionCount> counts;
  std::optional<Instant> stuck_since;  // of the saga that is stuck longest
  std::size_t in_memory = 0;
  std::size_t waiters = 0;
  std::size_t inbox = 0;
  std::size_t commit_queue = 0;
};

/// Not synchronised; its owner is.
class RateWindow {
 public:
  static constexpr Millis kEvery{1'000};
  static constexpr std::size_t kKept = 11;  // so rates are over ten seconds

  /// Keeps it when kEvery has passed since the last one.
  void add(Instant now, const EngineTotals& totals);
  /// What has come since the oldest that is kept, and since when; all of it before the first.
  struct Since {
    EngineTotals totals;
    Millis window{0};
  };
  [[nodiscard]] Since since_oldest(Instant now, const EngineTotals& totals) const;

 private:
  struct Sample {
    Instant at{};
    EngineTotals totals;
  };
  std::deque<Sample> samples_;
};

}  // namespace skald
