// Histogram: counts in fixed buckets, as Prometheus reads them. Not synchronised; its owner is.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace skald {

class Histogram {
 public:
  static constexpr std::size_t kBuckets = 14;

  Histogram() = default;
  /// 50 microseconds to 10 seconds.
  [[nodiscard]] static Histogram of_seconds();
  /// 1 to 8192, powers of two.
  [[nodiscard]] static Histogram of_counts();

  void add(double value);
  void merge(const Histogram& other);

  /// Appends the Prometheus text of one histogram with its HELP and TYPE.
  void append_text(std::string& out, std::string_view name, std::string_view help) const;
  [[nodiscard]] std::uint64_t count() const { return count_; }

 private:
  std::array<double, kBuckets> bounds_{};
  std::array<std::uint64_t, kBuckets> counts_{};  // not cumulative; beyond the last: in count_ only
  std::uint64_t count_ = 0;
  double sum_ = 0;
};

}  // namespace skald
