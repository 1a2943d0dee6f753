// How many shards an engine has: one on each of its threads.
#pragma once

#include <algorithm>
#include <cstddef>
#include <thread>

#include "engine/runtime/options.h"

namespace skald {

/// As the options say; where they leave it open, one core is left to the thread that commits, and
/// to RocksDB's own: with as many shards as cores they take turns, and each finds less to do at
/// once. At least 1.
[[nodiscard]] inline std::size_t shard_count(const EngineOptions& options) {
  if (options.threads != 0) return options.threads;
  return std::max(2U, std::thread::hardware_concurrency()) - 1;
}

}  // namespace skald
