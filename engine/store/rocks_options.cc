#include "engine/store/rocks_options.h"

#include <rocksdb/cache.h>
#include <rocksdb/env.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/listener.h>
#include <rocksdb/memtablerep.h>
#include <rocksdb/slice_transform.h>
#include <rocksdb/table.h>

#include <utility>

#include "engine/base/ids.h"
#include "engine/store/rocks_event_memtable.h"
#include "engine/store/rocks_info_log.h"
#include "engine/store/rocks_keys.h"

namespace skald::rocks {
namespace {

constexpr int kMemtablesMax = 4;
constexpr std::uint64_t kLogBytesMax = 128ULL << 20;  // bounds what a restart replays
constexpr std::uint64_t kBytesPerSync = 1ULL << 20;
constexpr std::size_t kBlockCacheBytes = 64ULL << 20;  // shared by both column families
constexpr int kBloomBitsPerKey = 10;
constexpr double kMemtableBloomShare = 0.02;  // of the memtable's size: about 10 bits for each row
constexpr int kBackgroundJobs =
    2;  // fewer than 8: before 7.9 a retried flush could reorder updates

rocksdb::BlockBasedTableOptions table_options(std::shared_ptr<rocksdb::Cache> cache) {
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = std::move(cache);
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(kBloomBitsPerKey));
  return table;
}

rocksdb::ColumnFamilyOptions common_options(Sizes sizes) {
  rocksdb::ColumnFamilyOptions options;
  options.write_buffer_size = sizes.memtable_bytes;
  options.max_write_buffer_number = kMemtablesMax;
  options.target_file_size_base = sizes.table_bytes;
  options.level_compaction_dynamic_level_bytes = true;
  options.compression = rocksdb::kLZ4Compression;
  options.bottommost_compression = rocksdb::kZSTD;
  return options;
}

// Where a row goes in the memtable is looked for from the last one of its kind with the same first
// byte: keys that follow time or count up stand next to it, a random one among a 256th of the rows.
class RowsOfAKind final : public rocksdb::SliceTransform {
 public:
  const char* Name() const override { return "skald.RowsOfAKind"; }
  bool InDomain(const rocksdb::Slice& key) const override { return key.size() >= kPrefixSize; }
  rocksdb::Slice Transform(const rocksdb::Slice& key) const override {
    return {key.data(), kPrefixSize};
  }

 private:
  static constexpr std::size_t kPrefixSize = 2;
};

}  // namespace

std::shared_ptr<rocksdb::Cache> block_cache() { return rocksdb::NewLRUCache(kBlockCacheBytes); }

rocksdb::DBOptions database_options(
    rocksdb::Env* env, Logger log, std::vector<std::shared_ptr<rocksdb::EventListener>> listeners) {
  rocksdb::DBOptions options;
  if (env != nullptr) options.env = env;
  options.create_if_missing = true;
  options.create_missing_column_families = true;
  options.listeners = std::move(listeners);
  options.info_log = std::make_shared<InfoLog>(std::move(log));
  options.info_log_level = options.info_log->GetInfoLogLevel();

  // Durability. A write is synced by WriteOptions.sync and by nothing else: no SyncWAL()
  // (before 7.10 it upset the tracking of logs), no manual_wal_flush (before 9.7 column families
  // could part). Only a torn tail is forgiven at open, and rocks_log_check has taken that away
  // before.
  options.wal_recovery_mode = rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords;
  options.track_and_verify_wals_in_manifest = true;
  options.paranoid_checks = true;
  options.recycle_log_file_num = 0;
  options.manual_wal_flush = false;
  options.wal_compression = rocksdb::kNoCompression;
  // No recovery behind our back: after a background error nobody writes until the next open.
  options.max_bgerror_resume_count = 0;

  // One committer thread writes: what several writers would need costs time for nothing.
  options.allow_concurrent_memtable_write = false;
  options.enable_pipelined_write = false;

  options.max_background_jobs = kBackgroundJobs;
  options.max_total_wal_size = kLogBytesMax;
  options.bytes_per_sync = kBytesPerSync;
  return options;
}

rocksdb::ColumnFamilyOptions event_options(std::shared_ptr<rocksdb::Cache> cache, Sizes sizes) {
  rocksdb::ColumnFamilyOptions options = common_options(sizes);
  rocksdb::BlockBasedTableOptions table = table_options(std::move(cache));
  table.whole_key_filtering = false;  // records are read by saga, never one by one
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  options.prefix_extractor.reset(rocksdb::NewFixedPrefixTransform(SagaId::kBytesSize));
  options.memtable_factory = event_memtable(sizes.memtable_bytes);
  return options;
}

rocksdb::ColumnFamilyOptions row_options(std::shared_ptr<rocksdb::Cache> cache, Sizes sizes) {
  rocksdb::ColumnFamilyOptions options = common_options(sizes);
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table_options(std::move(cache))));
  options.memtable_insert_with_hint_prefix_extractor = std::make_shared<RowsOfAKind>();
  options.memtable_whole_key_filtering = true;  // most keys that are asked for are new
  options.memtable_prefix_bloom_size_ratio = kMemtableBloomShare;
  return options;
}

rocksdb::WriteOptions write_options() {
  rocksdb::WriteOptions options;
  options.sync = true;
  return options;
}

}  // namespace skald::rocks
