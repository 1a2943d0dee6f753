// A crash with many open sagas, and what comes after it; and the very first start.
#pragma once

#include <cstdint>
#include <vector>

#include "tools/bench/rows.h"
#include "tools/bench/test_bed.h"

namespace skald::bench {

struct RestartPlan {
  std::uint64_t open = 1'000'000;   // of these
  std::uint64_t calling = 100'000;  // have a call out, unanswered,
  std::uint64_t due = 50'000;  // have a timer that falls due while nobody runs; the others wait
  [[nodiscard]] static RestartPlan of(std::uint64_t open) {
    return {.open = open, .calling = open / 10, .due = open / 20};
  }
};

/// skaldd is killed and started again at once, on a bed of its own beside `bed`. The row says when
/// it served, when every open saga that has something to do had been taken up, and when the calls
/// and timers of before the crash had been finished.
[[nodiscard]] Result<Row> measure_restart(TestBed& bed, const RestartPlan& plan);

/// From the start of the process on an empty store to the answer of the first completed order, the
/// middle of `rounds`; then what doing nothing costs.
[[nodiscard]] Result<Row> measure_start(TestBed& bed, int rounds);

}  // namespace skald::bench
