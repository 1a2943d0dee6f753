// The simulator's one source of chance: everything is drawn from a seed.
#pragma once

#include <cstdint>

#include "engine/base/hash.h"

namespace skald::sim {

class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(mix64(seed)) {}

  std::uint64_t next() { return mix64(state_++); }
  /// In [0, bound). Pre: bound > 0.
  std::uint64_t below(std::uint64_t bound) { return next() % bound; }
  /// In [low, high].
  std::uint64_t between(std::uint64_t low, std::uint64_t high) {
    return low + below(high - low + 1);
  }
  bool chance(double probability) {
    return static_cast<double>(next() >> 11) * 0x1.0p-53 < probability;
  }
  [[nodiscard]] Random fork() { return Random(next()); }

 private:
  std::uint64_t state_;
};

}  // namespace skald::sim
