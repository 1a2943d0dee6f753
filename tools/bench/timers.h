// Timers that fall due by the thousand a second: how late the engine acts.
#pragma once

#include <cstdint>

#include "tools/bench/rows.h"
#include "tools/bench/test_bed.h"

namespace skald::bench {

struct TimerPlan {
  std::uint64_t count = 100'000;
  double per_second = 10'000;  // due, spread evenly
};

/// Sagas that wait for a timer and then call the mall, submitted long before the first is due. The
/// row's latencies are lateness: from the moment a timer was due by the saga's stored start to when
/// the mall got the call that follows it, so with the load from the store, the decision, the synced
/// write and the way there. A bed of its own beside `bed`.
[[nodiscard]] Result<Row> measure_timers(TestBed& bed, const TimerPlan& plan);

}  // namespace skald::bench
