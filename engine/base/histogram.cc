#include "engine/base/histogram.h"

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

Histogram Histogram::since(const Histogram& earlier) const {
  Histogram later = *this;
  for (std::size_t i = 0; i < kBuckets; ++i) later.counts_[i] -= earlier.counts_[i];
  later.count_ -= earlier.count_;
  later.sum_ -= earlier.sum_;
  return later;
}

double Histogram::quantile(double share) const {
  const double wanted = share * static_cast<double>(count_);
  double below = 0;
  double low = 0;
  for (std::size_t i = 0; i < kBuckets && count_ != 0; ++i) {
    const auto here = static_cast<double>(counts_[i]);
    if (below + here >= wanted) return low + (bounds_[i] - low) * (wanted - below) / here;
    below += here;
    low = bounds_[i];
  }
  return low;
}

void Histogram::append_text(std::string& out, std::string_view name, std::string_view help) const {
  fmt::format_to(std::back_inserter(out), "# HELP {0} {1}\n# TYPE {0} histogram\n", name, help);
  append_lines(out, name, "");
}

void Histogram::append_lines(std::string& out, std::string_view name,
                             std::string_view labels) const {
  auto to = std::back_inserter(out);
  std::uint64_t below = 0;
  for (std::size_t i = 0; i < kBuckets; ++i) {
    below += counts_[i];
    fmt::format_to(to, "{}_bucket{{{}le=\"{}\"}} {}\n", name, labels, bounds_[i], below);
  }
  fmt::format_to(to, "{}_bucket{{{}le=\"+Inf\"}} {}\n", name, labels, count_);
  const std::string_view bare = labels.substr(0, labels.empty() ? 0 : labels.size() - 1);
  const std::string shown = bare.empty() ? "" : fmt::format("{{{}}}", bare);
  fmt::format_to(to, "{0}_sum{1} {2}\n{0}_count{1} {3}\n", name, shown, sum_, count_);
}

}  // namespace skald
