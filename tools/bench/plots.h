// A run's curves as SVG, one file each. Pure but for write_plots().
#pragma once

#include <span>
#include <string>
#include <vector>

#include "engine/base/result.h"
#include "tools/bench/rows.h"

namespace skald::bench {

struct Series {
  std::string name;
  std::vector<double> values;   // one for each label; NaN: none
  std::vector<Spread> spreads;  // likewise, or empty: drawn as bars
};

struct Chart {
  std::string title;
  std::string below;  // what the labels are
  std::vector<std::string> labels;
  std::vector<Series> series;
  bool logarithmic = false;
};

[[nodiscard]] std::string svg(const Chart& chart);

/// Orders a second, the ratio, and latencies over orders in flight, for each share of short orders.
/// Returns the files written. Errors: unavailable.
[[nodiscard]] Result<std::vector<std::string>> write_plots(const std::string& folder,
                                                           std::span<const Row> rows);

}  // namespace skald::bench
