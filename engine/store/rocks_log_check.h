// Reads RocksDB's write-ahead logs before RocksDB does, and tells a torn, unacknowledged tail from
// any other damage. RocksDB alone cannot: it forgives a cut at the end of any log, and refuses a
// last record whose bytes are all there but wrong. Nothing here writes.
//
// A write is one logical record (rocks_log_format.h) and begins with its sequence number (8) and
// its count of updates (4), little-endian. Source: rocksdb 7.8.3, db/write_batch.cc.
//
// What makes a tail unacknowledged: the committer syncs each write before it begins the next. So if
// no later write begins behind the damage, only the last one is hurt, and its sync never returned.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "engine/base/result.h"
#include "engine/store/rocks_torn_tail.h"

namespace rocksdb {
class FileSystem;
}

namespace skald::rocks {

struct LogCheck {
  std::uint64_t logs = 0;
  std::uint64_t writes = 0;   // whole ones
  std::uint64_t updates = 0;  // of keys, in those writes
  std::uint64_t bytes = 0;
  std::uint64_t next_sequence = 0;    // behind the last whole write; 0: there is none
  std::string last_log;               // its name
  std::uint64_t last_log_writes = 0;  // whole ones
  std::optional<TornTail> torn;       // absent: clean
};

/// Reads every log in `directory`; no directory, or one without logs, is clean.
/// Errors: data_loss (damage that is no torn tail of the last log: file, offset and what is wrong);
///         unavailable (a file cannot be read).
[[nodiscard]] Result<LogCheck> check_logs(rocksdb::FileSystem& files, const std::string& directory);

}  // namespace skald::rocks
