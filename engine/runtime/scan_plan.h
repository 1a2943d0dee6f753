// When the next file of a store is read and held against its checksums.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "engine/base/time.h"
#include "engine/store/store_check.h"

namespace skald {

/// One round reads every file once, no faster than `bytes_per_second`; the next begins `every`
/// after this one began. Knows no clock; one user at a time.
class ScanPlan {
 public:
  /// `every` 0: never.
  ScanPlan(Millis every, std::uint64_t bytes_per_second)
      : every_(every), bytes_per_second_(bytes_per_second) {}

  struct Round {
    std::string after;  // the file that was read last; empty: none yet
    std::uint64_t files = 0;
    std::uint64_t bytes = 0;
    Instant began{};
  };

  [[nodiscard]] bool is_due(Instant now) const { return every_ != Millis{0} && now >= next_; }
  [[nodiscard]] const std::string& after() const { return round_.after; }
  void read(const ScannedFile& file, Instant now) {
    if (round_.files == 0) round_.began = now;
    round_.after = file.name;
    round_.files += 1;
    round_.bytes += file.bytes;
    const auto needs = static_cast<std::int64_t>(file.bytes * 1'000 / bytes_per_second_);
    next_ = add_saturated(now, Millis{needs});
  }
  /// What the round has read.
  Round end_round(Instant now) {
    if (round_.files == 0) round_.began = now;
    next_ = add_saturated(round_.began, every_);
    return std::exchange(round_, {});
  }
  /// Nothing is read any more.
  void give_up() { next_ = kNever; }

 private:
  Millis every_;
  std::uint64_t bytes_per_second_;
  Round round_;
  Instant next_{};
};

}  // namespace skald
