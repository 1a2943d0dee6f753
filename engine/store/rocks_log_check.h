// Reads RocksDB's write-ahead logs before RocksDB does, and tells a torn, unacknowledged tail from
// any other damage. RocksDB alone cannot: it forgives a cut at the end of any log, and refuses a
// last record whose bytes are all there but wrong. Nothing here writes, except
// set_torn_tail_aside().
//
// The form of a log: blocks of 32 KiB, each a row of physical records: masked CRC-32C (4), length
// (2), type (1), for recycled logs also the log's number (4), then the payload. A write is one FULL
// record, or FIRST, MIDDLE..., LAST over several blocks, and begins with its sequence number (8)
// and its count of updates (4), little-endian. Source: rocksdb 7.8.3, db/log_format.h,
// db/log_reader.cc, db/write_batch.cc.
//
// What makes a tail unacknowledged: the committer syncs each write before it begins the next. So if
// no later write begins behind the damage, only the last one is hurt, and its sync never returned.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "engine/base/result.h"

namespace rocksdb {
class FileSystem;
}

namespace skald::rocks {

/// The end of the last log, that no later write follows.
struct TornTail {
  std::string log;           // file name, without its folder
  std::uint64_t offset = 0;  // end of the last whole write
  std::uint64_t size = 0;    // bytes from there to the end of the file
  std::string reason;        // what is wrong with them
  std::string copy;          // path of the bytes set aside; empty until set_torn_tail_aside()
};

struct LogCheck {
  std::uint64_t logs = 0;
  std::uint64_t writes = 0;   // whole ones
  std::uint64_t updates = 0;  // of keys, in those writes
  std::uint64_t bytes = 0;
  std::optional<TornTail> torn;  // absent: clean
};

/// Reads every log in `directory`; no directory, or one without logs, is clean.
/// Errors: data_loss (damage that is no torn tail of the last log: file, offset and what is wrong);
///         unavailable (a file cannot be read).
[[nodiscard]] Result<LogCheck> check_logs(rocksdb::FileSystem& files, const std::string& directory);

/// Copies the torn bytes to <directory>/torn/<log>.<now_ms> and cuts them off the log; both are
/// synced. Sets tail.copy. Errors: unavailable (which step failed); the log is cut only after the
/// copy is safe.
[[nodiscard]] Result<void> set_torn_tail_aside(rocksdb::FileSystem& files,
                                               const std::string& directory, std::int64_t now_ms,
                                               TornTail& tail);

}  // namespace skald::rocks
