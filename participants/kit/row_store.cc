// RowStore on RocksDB. One column family: a participant's rows are few kinds and share every write.
#include "participants/kit/row_store.h"

#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/listener.h>
#include <rocksdb/options.h>
#include <rocksdb/table.h>
#include <rocksdb/write_batch.h>

#include <utility>

#include "engine/base/thread_priority.h"

namespace skald::kit {
namespace {

constexpr int kMemtablesMax = 4;  // a burst goes on while one of them is written out
constexpr std::uint64_t kBytesPerSync = 1ULL << 20;  // or a log's sync waits for a whole table
constexpr std::size_t kBlockCacheBytes = 64ULL << 20;
constexpr int kBloomBitsPerKey = 10;

// Nearly every transaction asks for a key that is not there: the barrier's row of a call that comes
// for the first time. A filter answers that from memory, however many rows there are.
rocksdb::BlockBasedTableOptions table_options() {
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = rocksdb::NewLRUCache(kBlockCacheBytes);
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(kBloomBitsPerKey));
  return table;
}

// Who writes tables runs behind who answers.
class Background final : public rocksdb::EventListener {
 public:
  void OnFlushBegin(rocksdb::DB*, const rocksdb::FlushJobInfo&) override { step_back(kBehindNice); }
  void OnCompactionBegin(rocksdb::DB*, const rocksdb::CompactionJobInfo&) override {
    step_back(kFarBehindNice);
  }
};

class RocksRows final : public RowStore {
 public:
  RocksRows(std::unique_ptr<rocksdb::DB> db, std::string dir)
      : db_(std::move(db)), dir_(std::move(dir)) {}

  Result<std::optional<std::string>> get(std::string_view key) override {
    std::string value;
    const auto status = db_->Get(rocksdb::ReadOptions(), {key.data(), key.size()}, &value);
    if (status.IsNotFound()) return std::nullopt;
    if (!status.ok()) return fail(Errc::unavailable, "read dir={}: {}", dir_, status.ToString());
    return value;
  }

  Result<std::vector<Row>> scan(const RowRange& range) override {
    const bool up = range.order == ScanOrder::ascending;
    std::unique_ptr<rocksdb::Iterator> it(db_->NewIterator(rocksdb::ReadOptions()));
    up ? seek_up(*it, range) : seek_down(*it, range);
    std::vector<Row> rows;
    for (; it->Valid() && rows.size() < range.rows_max; up ? it->Next() : it->Prev()) {
      if (!it->key().starts_with(range.prefix)) break;
      rows.push_back({it->key().ToString(), it->value().ToString()});
    }
    if (!it->status().ok()) {
      return fail(Errc::unavailable, "scan dir={}: {}", dir_, it->status().ToString());
    }
    return rows;
  }

  Result<void> write(const RowChanges& changes) override {
    rocksdb::WriteBatch batch;
    for (const auto& [key, value] : changes) {
      const auto status = value ? batch.Put(key, *value) : batch.Delete(key);
      if (!status.ok()) return fail(Errc::unavailable, "batch: {}", status.ToString());
    }
    rocksdb::WriteOptions synced;
    synced.sync = true;
    const auto status = db_->Write(synced, &batch);
    if (!status.ok()) return fail(Errc::unavailable, "write dir={}: {}", dir_, status.ToString());
    return {};
  }

 private:
  static void seek_up(rocksdb::Iterator& it, const RowRange& range) {
    it.Seek(range.after.empty() ? range.prefix : range.after);
    if (!range.after.empty() && it.Valid() && it.key() == range.after) it.Next();
  }

  static void seek_down(rocksdb::Iterator& it, const RowRange& range) {
    if (!range.after.empty()) {
      it.SeekForPrev(range.after);
      if (it.Valid() && it.key() == range.after) it.Prev();
      return;
    }
    // The last key with the prefix: just before the prefix's successor.
    std::string end = range.prefix;
    while (!end.empty() && static_cast<unsigned char>(end.back()) == 0xFF) end.pop_back();
    if (end.empty()) return it.SeekToLast();
    end.back() = static_cast<char>(static_cast<unsigned char>(end.back()) + 1);
    it.SeekForPrev(end);
    if (it.Valid() && it.key() == end) it.Prev();
  }

  std::unique_ptr<rocksdb::DB> db_;
  std::string dir_;
};

}  // namespace

Result<std::unique_ptr<RowStore>> open_rocks_rows(const std::string& dir) {
  rocksdb::Options options;
  options.create_if_missing = true;
  options.paranoid_checks = true;
  options.max_background_jobs = 2;
  options.listeners.push_back(std::make_shared<Background>());
  options.max_write_buffer_number = kMemtablesMax;
  options.bytes_per_sync = kBytesPerSync;
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table_options()));
  options.max_bgerror_resume_count = 0;  // a background error is fatal: reopen decides
  options.recycle_log_file_num = 0;
  options.keep_log_file_num = 4;
  // Only a torn tail of the last log is forgiven; any other damage refuses to open.
  options.wal_recovery_mode = rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords;
  rocksdb::DB* raw = nullptr;
  const auto status = rocksdb::DB::Open(options, dir, &raw);
  std::unique_ptr<rocksdb::DB> db(raw);
  if (!status.ok()) return fail(Errc::unavailable, "open dir={}: {}", dir, status.ToString());
  return std::make_unique<RocksRows>(std::move(db), dir);
}

}  // namespace skald::kit
