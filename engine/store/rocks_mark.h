// The mark: how far the store has got, kept in a file of its own beside the database, so that files
// which were cut short, lost or replaced by older ones cannot pass for a store that ends there.
// RocksDB's files prove that nothing is missing before their end, but not where the end was.
//
// <directory>/acknowledged, stored: format (4) | sequence (8) | manifest (8) | its bytes (8) |
// CRC-32C of all that (4), little-endian. It is overwritten in place behind every write and not
// synced for it: what it says was durable before, so an older value is only a weaker claim.
#pragma once

#include <rocksdb/listener.h>

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "engine/base/result.h"
#include "engine/store/rocks_log_check.h"
#include "engine/store/rocks_manifest_check.h"

namespace rocksdb {
class FSRandomRWFile;
}

namespace skald::rocks {

struct Mark {
  std::uint64_t sequence = 0;        // of the last acknowledged update
  std::uint64_t manifest = 0;        // the number of the manifest in use
  std::uint64_t manifest_bytes = 0;  // how far it was synced
  bool operator==(const Mark&) const = default;
};

struct FoundMark {
  std::optional<Mark> mark;  // none in a new directory, and in one that an older build wrote
  bool damaged = false;      // there is one, and it cannot be read
};

/// Errors: unavailable (the file is there and cannot be read).
[[nodiscard]] Result<FoundMark> read_mark(rocksdb::FileSystem& files, const std::string& directory);

/// Makes the file anew, whole and synced. Errors: unavailable.
[[nodiscard]] Result<void> write_mark(rocksdb::FileSystem& files, const std::string& directory,
                                      const Mark& mark);

/// Whether the manifest reaches as far as the mark says. Errors: data_loss, with the file named.
[[nodiscard]] Result<void> check_reaches(const Mark& mark,
                                         const std::optional<ManifestCheck>& manifest,
                                         const std::string& directory);
/// The same of the logs: false where they alone do not tell, because what the mark speaks of has
/// moved into tables, or is lost.
[[nodiscard]] Result<bool> check_reaches(const Mark& mark, const LogCheck& logs,
                                         const std::string& directory);
/// The same of the database, once its logs and tables are read. Errors: data_loss.
[[nodiscard]] Result<void> check_reaches(const Mark& mark, std::uint64_t last_sequence,
                                         const LogCheck& logs, const std::string& directory);

/// Keeps the mark. RocksDB tells it of new tables, its owner of writes.
/// Thread: every call from any thread.
class MarkKeeper final : public rocksdb::EventListener {
 public:
  MarkKeeper(rocksdb::FileSystem& files, std::string directory);
  ~MarkKeeper() override;

  /// Makes the file if it is missing, and writes and syncs where the database now stands.
  /// Errors: unavailable.
  [[nodiscard]] Result<void> begin(rocksdb::DB& db);
  /// Pre: begun; everything up to `sequence` is synced. Errors: unavailable.
  [[nodiscard]] Result<void> acknowledge(std::uint64_t sequence);

  void OnFlushCompleted(rocksdb::DB* db, const rocksdb::FlushJobInfo& job) override;
  void OnCompactionCompleted(rocksdb::DB* db, const rocksdb::CompactionJobInfo& job) override;

 private:
  void note_manifest(rocksdb::DB& db);
  [[nodiscard]] Result<void> make();
  [[nodiscard]] Result<void> write();

  rocksdb::FileSystem& files_;
  std::string directory_;
  std::mutex mutex_;  // guards all below
  Mark mark_;
  std::unique_ptr<rocksdb::FSRandomRWFile> file_;  // null until begun
};

}  // namespace skald::rocks
