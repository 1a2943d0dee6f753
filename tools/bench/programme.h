// Which shapes are measured at which loads, in which order; and how systems take turns.
#pragma once

#include <chrono>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "tools/bench/restart.h"
#include "tools/bench/rows.h"
#include "tools/bench/test_bed.h"
#include "tools/bench/timers.h"

namespace skald::bench {

struct Programme {
  std::vector<std::size_t> in_flight{1, 16, 64, 256, 1'024};
  std::vector<int> short_percents{0, 10};
  std::vector<double> open_shares{0.3, 0.7};  // of what the closed loop reached at 64
  int rounds = 5;                             // each gives one pair
  std::chrono::duration<double> warm{0.3};
  std::chrono::duration<double> measured{2};
  std::uint64_t waiting_sagas = 1'000'000;
  TimerPlan timers;
  std::uint64_t active_sagas = 100'000;
  RestartPlan restart;
  std::vector<std::uint64_t> finished_sizes;  // none: the shape is left out
  std::string finished_folder;                // kept; empty: made for the run
  std::set<std::string> shapes;               // only these; empty: all
};

/// Told each row as soon as it is known.
using OnRow = std::function<void(const Row&)>;

/// Errors: those of TestBed::measure().
[[nodiscard]] Result<std::vector<Row>> run_programme(TestBed& bed, const Programme& programme,
                                                     const OnRow& on_row);

/// The shapes that `Programme::shapes` may name.
[[nodiscard]] std::vector<std::string> shape_names();

}  // namespace skald::bench
