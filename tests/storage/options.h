// How the tests of this folder are run: a sample from a seed, or everything.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <random>

namespace skald::storage {

/// SKALD_SEED, or a new one; printed, so that the run can be repeated.
inline std::uint64_t seed_from_environment() {
  const char* given = std::getenv("SKALD_SEED");
  const std::uint64_t seed =
      given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device{}();
  std::printf("seed: SKALD_SEED=%llu runs this again\n", static_cast<unsigned long long>(seed));
  return seed;
}

/// SKALD_FULL=1: every case instead of a sample.
inline bool full() {
  const char* given = std::getenv("SKALD_FULL");
  return given != nullptr && *given == '1';
}

}  // namespace skald::storage
