// How RocksDB is set up: every option that is not RocksDB's default, with its reason.
#pragma once

#include <rocksdb/cache.h>
#include <rocksdb/options.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "engine/base/log.h"

namespace skald::rocks {

/// How much is kept in memory and in one file. Small ones suit small machines.
struct Sizes {
  std::size_t memtable_bytes = 64ULL << 20;  // of each column family, before it is flushed
  std::uint64_t table_bytes = 64ULL << 20;   // of one table file that a compaction writes
};

/// Pre: `env` is null (the system's) or outlives the database.
[[nodiscard]] rocksdb::DBOptions database_options(
    rocksdb::Env* env, Logger log, std::vector<std::shared_ptr<rocksdb::EventListener>> listeners);
/// The cache of blocks that both column families share.
[[nodiscard]] std::shared_ptr<rocksdb::Cache> block_cache();
/// Column family "events".
[[nodiscard]] rocksdb::ColumnFamilyOptions event_options(std::shared_ptr<rocksdb::Cache> cache,
                                                         Sizes sizes = {});
/// Column family "default": index, timer, key and position rows.
[[nodiscard]] rocksdb::ColumnFamilyOptions row_options(std::shared_ptr<rocksdb::Cache> cache,
                                                       Sizes sizes = {});
/// One write: durable before it returns.
[[nodiscard]] rocksdb::WriteOptions write_options();

}  // namespace skald::rocks
