// A store filled with finished sagas, faster than they could be run: histories that skaldd has
// written are written again, through RocksStore, under ids, keys and times of their own.
#pragma once

#include <cstdint>
#include <string>

#include "engine/base/ids.h"
#include "engine/base/result.h"

namespace skald::bench {

struct Filled {
  std::uint64_t written = 0;
  std::uint64_t numbers = 0;  // written so, now and before: 0 and up
  double seconds = 0;
};

/// Until the store has `sagas` finished ones. Pre: nobody has it open, and skaldd has finished some
/// orders in it, the more the better: these are the patterns, taken in turn.
[[nodiscard]] Result<Filled> fill_with_finished(const std::string& directory, std::uint64_t sagas);

/// Of the saga of that number: its business key, which is its idempotency key too.
[[nodiscard]] std::string finished_key(std::uint64_t number);

}  // namespace skald::bench
