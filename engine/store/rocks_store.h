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
#include "engine/store/rocks_rows.h"
#include "engine/store/saga_counts.h"
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

  /// Checks a store that nobody has opened, and changes nothing in it: its files as at open, then
  /// every row against the histories. Errors: not_found (there is no store), failed_precondition
  /// (a process has it open, named; another format), data_loss (open() would refuse it).
  [[nodiscard]] static Result<CheckReport> check_closed(RocksOptions options,
                                                        const CheckOptions& check);

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
  Result<CountPage> count(const CountQuery& query) override;
  Result<FailureGroups> groups(const GroupQuery& query) override;
  Result<std::vector<std::pair<SagaStatus, std::uint64_t>>> count_by_status() override;
  Result<std::vector<DefinitionCount>> count_by_definition() override;
  Result<std::vector<TimerRow>> timers(PlacementRange range, Instant until,
                                       std::optional<TimerRow> after, std::size_t limit) override;
  Result<std::vector<SagaId>> active(PlacementRange range, std::optional<SagaId> after,
                                     std::size_t limit) override;
  Result<std::vector<KeyRow>> expired_keys(PlacementRange range, Instant before,
                                           std::size_t limit) override;
  Result<std::vector<Note>> notes(std::string_view prefix) override;
  Result<std::vector<EndedSaga>> removable(std::span<const RetentionRule> rules,
                                           std::size_t limit) override;
  Result<CheckReport> check(const CheckOptions& options) override;
  Result<CheckReport> back_up(const std::string& directory, const CheckOptions& options) override;
  Result<void> flush() override;
  Result<std::optional<ScannedFile>> scan_after(std::string_view after) override;
  Result<std::uint64_t> bytes_available() override;

 private:
  explicit RocksStore(RocksOptions options);

  /// Reads manifest and logs, and whether they reach as far as the mark says. Changes nothing.
  [[nodiscard]] Result<void> check_files();
  [[nodiscard]] Result<void> set_torn_tails_aside();
  [[nodiscard]] Result<void> set_aside(std::optional<rocks::TornTail>& torn);
  [[nodiscard]] Result<void> open_database();
  /// Opens the database without writing anything.
  [[nodiscard]] Result<void> open_read_only();
  void close_database();
  /// Whether tables hold what the logs do not: opens and closes the database, writing nothing.
  [[nodiscard]] Result<void> check_tables_reach(const rocks::Mark& mark);
  [[nodiscard]] Result<void> copy_to(const std::string& directory);
  [[nodiscard]] std::vector<rocksdb::ColumnFamilyDescriptor> column_families() const;
  [[nodiscard]] Result<void> check_format();
  [[nodiscard]] Result<void> restore_positions();
  [[nodiscard]] Result<void> admit(std::span<const ShardBatch> batches);
  [[nodiscard]] Result<void> write();
  [[nodiscard]] Result<void> remove_key(rocks::BatchWriter& writer, const std::string& key);
  /// False: it has not ended, or its key is still there; nothing of it goes.
  [[nodiscard]] Result<bool> remove_saga(rocks::BatchWriter& writer, const EndedSaga& saga,
                                         rocks::CauseChanges& changes);

  /// Everything but what fencing and admission have judged already.
  [[nodiscard]] Result<void> fill_batch(rocks::BatchWriter& writer,
                                        std::span<const ShardBatch> batches);
  /// The rows by cause of a transition that changes a row.
  [[nodiscard]] Result<void> write_causes(rocks::BatchWriter& writer, const Transition& transition,
                                          rocks::CauseChanges& changes);
  /// The rows of the causes themselves, with their counts.
  [[nodiscard]] Result<void> write_causes(rocks::BatchWriter& writer,
                                          const rocks::CauseChanges& changes);
  /// Brings a store of format 1 to ours: its rows by cause and its counts by definition.
  [[nodiscard]] Result<void> index_failures();
  [[nodiscard]] Result<void> index_status(SagaStatus status, std::uint64_t& done);
  [[nodiscard]] Result<void> clear_indexes();
  /// The same of format 2: its rows of ended sagas that have no key.
  [[nodiscard]] Result<void> index_removable();

  [[nodiscard]] Result<std::optional<rocks::KeyValue>> get_key(const rocksdb::ReadOptions& options,
                                                               std::string_view key);

  RocksOptions options_;
  rocks::LogCheck log_check_;
  std::optional<rocks::TornTail> torn_manifest_;
  std::optional<rocks::Mark> mark_found_;
  std::shared_ptr<rocks::Health> health_;
  std::shared_ptr<rocks::MarkKeeper> mark_;
  std::unique_ptr<DirectoryLock> lock_;
  std::unique_ptr<rocksdb::DB> db_;
  std::vector<std::unique_ptr<rocksdb::ColumnFamilyHandle>> handles_;  // gone before db_
  rocks::ColumnFamilies families_;
  std::optional<rocks::RowReader> reader_;  // since the database is open

  std::mutex writing_;  // guards fencing_, batch_ and changes of counts_
  Fencing fencing_;
  rocksdb::WriteBatch batch_;  // kept for its memory

  SagaCounts counts_;  // changed by commits only
};

}  // namespace skald
