// The simulator's one source of chance: everything is drawn from a seed. Whatever concerns one
// thing (an attempt, a submission, a disturbance) is drawn from the seed and that thing's name, so
// that leaving another thing out of a run changes as little as possible: see minimise.h.
#pragma once

#include <cstdint>
#include <initializer_list>

#include "engine/base/hash.h"

namespace skald::sim {

class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(mix64(seed)) {}
  /// The chance that belongs to what these words name.
  static Random of(std::initializer_list<std::uint64_t> words) {
    std::uint64_t seed = 0;
    for (const std::uint64_t word : words) seed = mix64(seed ^ word);
    return Random(seed);
  }

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

 private:
  std::uint64_t state_;
};

}  // namespace skald::sim
