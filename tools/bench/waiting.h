// Many sagas that wait: what each costs in memory, whether new orders slow down, what idling costs,
// and how fast a restart serves again.
#pragma once

#include <cstdint>
#include <functional>

#include "tools/bench/rows.h"
#include "tools/bench/test_bed.h"

namespace skald::bench {

/// `orders` measures orders a second, before the sagas are there and after. Leaves them in the
/// store.
[[nodiscard]] Result<Row> measure_waiting(TestBed& bed, std::uint64_t sagas,
                                          const std::function<Result<double>()>& orders);

}  // namespace skald::bench
