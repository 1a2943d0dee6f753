// Hashes that never change: they are stored (placement, body fingerprints) or decide behaviour that
// must be the same after a restart (jitter). Golden tests fix their values.
#pragma once

#include <cstdint>
#include <string_view>

namespace skald {

/// Stable 64-bit hash of bytes (XXH64-class quality; fixed by golden tests). Pure.
[[nodiscard]] std::uint64_t hash64(std::string_view bytes, std::uint64_t seed = 0);

/// Finalizer that spreads an integer over 64 bits (splitmix64). Pure.
[[nodiscard]] constexpr std::uint64_t mix64(std::uint64_t x) {
  x += 0x9E3779B97F4A7C15ULL;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ULL;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBULL;
  return x ^ (x >> 31);
}

/// CRC-32C (Castagnoli), as RocksDB uses it. `crc` continues an earlier value. Pure.
[[nodiscard]] std::uint32_t crc32c(std::string_view bytes, std::uint32_t crc = 0);

}  // namespace skald
