// The machine a run was made on, and what its disk has been asked so far.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace skald::bench {

struct Machine {
  std::string processor;
  unsigned cores = 0;
  double memory_gb = 0;
  std::string kernel;
  std::string disk;         // the device below the data folder; empty: unknown
  std::string file_system;  // its type number, for people: "ext4", "0x..."
};

[[nodiscard]] Machine this_machine(const std::string& data_folder);

/// Of the whole device, other processes included: the only counters that see what the file system
/// adds.
struct DiskUse {
  std::uint64_t written_bytes = 0;
  std::uint64_t flushes = 0;
};

/// nullopt: no such device in /proc/diskstats (a folder in memory, an overlay).
[[nodiscard]] std::optional<DiskUse> disk_use(const std::string& data_folder);

}  // namespace skald::bench
