#include "engine/runtime/histogram.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace skald {

Histogram Histogram::of_seconds() {
  Histogram h;
  h.bounds_ = {50e-6, 100e-6, 250e-6, 500e-6, 1e-3, 2.5e-3, 5e-3,
               10e-3, 25e-3,  50e-3,  0.1,    0.5,  2,      10};
  return h;
}

Histogram Histogram::of_counts() {
  Histogram h;
  double bound = 1;
  for (double& b : h.bounds_) {
    b = bound;
    bound *= 2;
  }
  return h;
}

void Histogram::add(double value) {
  const auto bucket = std::ranges::lower_bound(bounds_, value);
  if (bucket != bounds_.end()) counts_[static_cast<std::size_t>(bucket - bounds_.begin())] += 1;
  count_ += 1;
  sum_ += value;
}

void Histogram::merge(const Histogram& other) {
  bounds_ = other.bounds_;
  for (std::size_t i = 0; i < kBuckets; ++i) counts_[i] += other.counts_[i];
  count_ += other.count_;
  sum_ += other.sum_;
}

void Histogram::append_text(std::string& out, std::string_view name, std::string_view help) const {
  auto to = std::back_inserter(out);
  fmt::format_to(to, "# HELP {0} {1}\n# TYPE {0} histogram\n", name, help);
  std::uint64_t below = 0;
  for (std::size_t i = 0; i < kBuckets; ++i) {
    below += counts_[i];
    fmt::format_to(to, "{}_bucket{{le=\"{}\"}} {}\n", name, bounds_[i], below);
  }
  fmt::format_to(to, "{0}_bucket{{le=\"+Inf\"}} {1}\n{0}_sum {2}\n{0}_count {1}\n", name, count_,
                 sum_);
}

}  // namespace skald
