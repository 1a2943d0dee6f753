// What finished sagas cost those that come after them: the same questions to stores of several
// sizes, and what would follow for a hundred million.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "tools/bench/rows.h"
#include "tools/bench/test_bed.h"

namespace skald::bench {

struct FinishedPlan {
  std::vector<std::uint64_t> sizes{1'000'000, 10'000'000};  // ascending
  int rounds = 5;
  std::chrono::duration<double> warm{0.3};
  std::chrono::duration<double> measured{2};
  /// A bed for each size is kept here, and what its store has already is not written again; empty:
  /// they are in the folder of `bed`.
  std::string keep_in;
};

/// A row for each size, each a store of its own. Orders a second are compared with those of `bed`,
/// whose store is small, in turn. From two sizes on the last row has what a straight line through
/// the last two gives for a hundred million.
[[nodiscard]] Result<std::vector<Row>> measure_finished(TestBed& bed, const FinishedPlan& plan);

}  // namespace skald::bench
