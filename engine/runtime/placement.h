// Which shard a saga lives on: equal ranges of the 64-bit placement.
#pragma once

#include <cstddef>
#include <cstdint>

#include "engine/store/store.h"

namespace skald {

[[nodiscard]] inline std::uint32_t shard_of(std::uint64_t placement, std::size_t shards) {
  return static_cast<std::uint32_t>((static_cast<unsigned __int128>(placement) * shards) >> 64);
}

/// shard_of() and range_of() agree for every placement.
[[nodiscard]] inline PlacementRange range_of(std::uint32_t shard, std::size_t shards) {
  const auto begin = [&](std::uint64_t s) -> unsigned __int128 {
    return ((static_cast<unsigned __int128>(s) << 64) + shards - 1) / shards;
  };
  return {.first = static_cast<std::uint64_t>(begin(shard)),
          .last = static_cast<std::uint64_t>(begin(shard + 1ULL) - 1)};
}

}  // namespace skald
