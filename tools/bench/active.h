// As many sagas as possible that are active at once.
#pragma once

#include <chrono>
#include <cstdint>
#include <vector>

#include "tools/bench/rows.h"
#include "tools/bench/test_bed.h"

namespace skald::bench {

struct ActivePlan {
  std::uint64_t sagas = 100'000;              // at once
  std::chrono::duration<double> measured{5};  // of the closed loop
};

/// Two rows, on a bed of their own beside `bed`. `active_calls`: each saga has a call out, which
/// the mall takes and does not answer until all are out. `active`: a closed loop of orders with so
/// many in flight. Nothing may be lost: every saga completes, and the mall has their traces.
[[nodiscard]] Result<std::vector<Row>> measure_active(TestBed& bed, const ActivePlan& plan);

}  // namespace skald::bench
