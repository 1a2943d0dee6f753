#include "tools/bench/latencies.h"

#include <algorithm>
#include <cmath>

namespace skald::bench {

Quantiles Latencies::quantiles() {
  if (micros_.empty()) return {};
  std::ranges::sort(micros_);
  const auto at = [this](double share) {
    const auto rank = std::ceil(share * static_cast<double>(micros_.size()));
    const auto index = static_cast<std::size_t>(std::max(rank, 1.0)) - 1;
    return static_cast<double>(micros_[index]) / 1e3;
  };
  return {.p50_ms = at(0.5),
          .p95_ms = at(0.95),
          .p99_ms = at(0.99),
          .p999_ms = at(0.999),
          .max_ms = static_cast<double>(micros_.back()) / 1e3};
}

double median(std::vector<double> values) {
  if (values.empty()) return 0;
  std::ranges::sort(values);
  const std::size_t middle = values.size() / 2;
  if (values.size() % 2 == 1) return values[middle];
  return (values[middle - 1] + values[middle]) / 2;
}

}  // namespace skald::bench
