// Latencies of one system in one cell, exact: every one is kept until the quantiles are asked for.
#pragma once

#include <chrono>
#include <cstdint>
#include <vector>

namespace skald::bench {

struct Quantiles {
  double p50_ms = 0;
  double p95_ms = 0;
  double p99_ms = 0;
  double p999_ms = 0;
  double max_ms = 0;
};

class Latencies {
 public:
  void add(std::chrono::nanoseconds latency) {
    micros_.push_back(static_cast<std::uint32_t>(latency.count() / 1'000));
  }
  void add(const Latencies& other) {
    micros_.insert(micros_.end(), other.micros_.begin(), other.micros_.end());
  }
  [[nodiscard]] Quantiles quantiles();
  [[nodiscard]] std::size_t size() const { return micros_.size(); }

 private:
  std::vector<std::uint32_t> micros_;
};

/// Of values in any order; the middle one, or the mean of the two.
[[nodiscard]] double median(std::vector<double> values);

}  // namespace skald::bench
