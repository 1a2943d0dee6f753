// RocksStore: the Store contract on one RocksDB directory. Every commit is one WriteBatch and one
// sync. Keys are in rocks_keys.h, options in rocks_options.h, what is read before opening in
// rocks_log_check.h.
#pragma once

#include <rocksdb/db.h>

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/log.h"
#include "engine/store/directory_lock.h"
#include "engine/store/fencing.h"
#include "engine/store/rocks_batch.h"
#include "engine/store/rocks_health.h"
#include "engine/store/rocks_log_check.h"
#include "engine/store/rocks_mark.h"
#include "engine/store/rocks_options.h"
#include "engine/store/store.h"

namespace skald {

struct RocksOptions {
  std::string directory;                 // made if missing
  std::uint64_t disk_reserve_bytes = 0;  // below it, commits that start sagas are refused
  rocksdb::Env* env =
      nullptr;  // borrowed, outlives the store; null: the system's. Faults slide in here
  rocks::Sizes sizes;
  Logger log;
};

/// Thread: as Store says. commit() and open_shard() exclude each other.
class RocksStore final : public Store {
 public:
  /// Locks the directory, checks manifest and logs and that they reach as far as writes were
  /// acknowledged, sets torn tails aside, and opens the database, which rewrites and syncs what the
  /// logs hold. Errors: failed_precondition (another process, named; a
  /// newer format); data_loss (damage, with file
  ///         and offset); unavailable (files that cannot be read or written).
  [[nodiscard]] static Result<std::unique_ptr<RocksStore>> open(RocksOptions options);
  ~RocksStore() override;
  RocksStore(const RocksStore&) = delete;
  RocksStore& operator=(const RocksStore&) = delete;

  /// What was found in the logs at open, the torn tail included.
  [[nodiscard]] const rocks::LogCheck& log_check() const { return log_check_; }

  Result<ShardMeta> open_shard(std::uint32_t shard) override;
  Result<void> commit(std::span<const ShardBatch> batches) override;
  Result<std::optional<StoredSaga>> load(const SagaId& id) override;
  Result<std::optional<KeyRow>> find_key(std::string_view key) override;
  std::optional<Result<std::optional<KeyRow>>> find_key_in_memory(std::string_view key) override;
  Result<std::vector<SagaId>> find_business_key(std::string_view business_key,
                                                std::size_t limit) override;
  Result<ListPage> list(const ListQuery& query) override;
  Result<std::vector<std::pair<SagaStatus, std::uint64_t>>> count_by_status() override;
  Result<std::vector<TimerRow>> timers(PlacementRange range, Instant until,
                                       std::optional<TimerRow> after, std::size_t limit) override;
  Result<std::vector<SagaId>> active(PlacementRange range, std::optional<SagaId> after,
                                     std::size_t limit) override;
  Result<std::vector<KeyRow>> expired_keys(PlacementRange range, Instant before,
                                           std::size_t limit) override;
  Result<std::vector<Note>> notes(std::string_view prefix) override;
  Result<std::uint64_t> bytes_available() override;

 private:
  explicit RocksStore(RocksOptions options);

  [[nodiscard]] Result<void> check_files();
  [[nodiscard]] Result<void> set_aside(std::optional<rocks::TornTail>& torn);
  [[nodiscard]] Result<void> open_database();
  /// Whether tables hold what the logs do not: opens and closes the database, writing nothing.
  [[nodiscard]] Result<void> check_tables_reach(const rocks::Mark& mark);
  [[nodiscard]] std::vector<rocksdb::ColumnFamilyDescriptor> column_families() const;
  [[nodiscard]] Result<void> check_format();
  [[nodiscard]] Result<void> restore_positions();
  [[nodiscard]] Result<void> admit(std::span<const ShardBatch> batches);
  [[nodiscard]] Result<void> write();
  [[nodiscard]] Result<void> remove_key(rocks::BatchWriter& writer, const std::string& key);

  /// Reads of the column family "default". Not found: nullopt.
  [[nodiscard]] Result<std::optional<std::string>> get(const rocksdb::ReadOptions& options,
                                                       const std::string& key);
  [[nodiscard]] Result<std::optional<rocks::KeyValue>> get_key(const rocksdb::ReadOptions& options,
                                                               std::string_view key);
  /// The summary of the saga at this place of the list, whichever wanted status it has.
  [[nodiscard]] Result<std::optional<SagaSummary>> get_summary(const rocksdb::ReadOptions& options,
                                                               const ListPosition& position,
                                                               const ListQuery& wanted);
  [[nodiscard]] Result<SagaSummary> read_summary(const ListPosition& position,
                                                 std::string_view value);
  [[nodiscard]] Result<ListPage> list_by_status(const ListQuery& query,
                                                const std::optional<ListPosition>& after);
  [[nodiscard]] Result<ListPage> list_by_business_key(const ListQuery& query,
                                                      const std::optional<ListPosition>& after);
  /// Damage or an I/O error met while reading: writing ends too, since nobody knows what else is
  /// hurt.
  [[nodiscard]] Error read_failed(std::string_view what, const rocksdb::Status& status);
  [[nodiscard]] Error damaged(std::string what);

  RocksOptions options_;
  rocks::LogCheck log_check_;
  std::optional<rocks::Mark> mark_found_;
  std::shared_ptr<rocks::Health> health_;
  std::shared_ptr<rocks::MarkKeeper> mark_;
  std::unique_ptr<DirectoryLock> lock_;
  std::unique_ptr<rocksdb::DB> db_;
  std::vector<std::unique_ptr<rocksdb::ColumnFamilyHandle>> handles_;  // gone before db_
  rocks::ColumnFamilies families_;

  std::mutex writing_;  // guards fencing_ and batch_
  Fencing fencing_;
  rocksdb::WriteBatch batch_;  // kept for its memory

  std::mutex counting_;  // guards counts_
  rocks::StatusCounts counts_{};
};

}  // namespace skald
