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

  /// What has been added since `earlier`, a copy of this one.
  [[nodiscard]] Histogram since(const Histogram& earlier) const;

  /// Appends the Prometheus text of one histogram with its HELP and TYPE.
  void append_text(std::string& out, std::string_view name, std::string_view help) const;
  /// Its lines alone; `labels` is empty, or `definition="x",` with a comma at its end.
  void append_lines(std::string& out, std::string_view name, std::string_view labels) const;
  [[nodiscard]] std::uint64_t count() const { return count_; }
  [[nodiscard]] double mean() const { return count_ == 0 ? 0 : sum_ / double(count_); }
  /// The value below which `share` of all are, within its bucket; 0 of none. 0 < share <= 1.
  [[nodiscard]] double quantile(double share) const;

 private:
  std::array<double, kBuckets> bounds_{};
  std::array<std::uint64_t, kBuckets> counts_{};  // not cumulative; beyond the last: in count_ only
  std::uint64_t count_ = 0;
  double sum_ = 0;
};

}  // namespace skald
