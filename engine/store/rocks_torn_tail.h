// The torn end of a log or manifest: bytes that were being written when the power failed, and that
// nobody was told of. Finding one is the checks' business.
#pragma once

#include <cstdint>
#include <string>

#include "engine/base/result.h"

namespace rocksdb {
class FileSystem;
}

namespace skald::rocks {

/// The end of the last log, or of the manifest, that nothing later follows.
struct TornTail {
  std::string log;           // file name, without its folder
  std::uint64_t offset = 0;  // end of the last whole write
  std::uint64_t size = 0;    // bytes from there to the end of the file
  std::string reason;        // what is wrong with them
  std::string copy;          // path of the bytes set aside; empty until set_torn_tail_aside()
};

/// Copies the torn bytes to <directory>/torn/<log>.<now_ms> and cuts them off the log; both are
/// synced. Sets tail.copy. Errors: unavailable (which step failed); the log is cut only after the
/// copy is safe.
[[nodiscard]] Result<void> set_torn_tail_aside(rocksdb::FileSystem& files,
                                               const std::string& directory, std::int64_t now_ms,
                                               TornTail& tail);
/// The directory's entries are durable when it returns.
[[nodiscard]] Result<void> sync_directory(rocksdb::FileSystem& files, const std::string& directory);

}  // namespace skald::rocks
