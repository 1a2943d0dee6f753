// How RocksDB is set up: every option that is not RocksDB's default, with its reason.
#pragma once

#include <rocksdb/cache.h>
#include <rocksdb/options.h>

#include <memory>

namespace skald::rocks {

/// Pre: `env` is null (the system's) or outlives the database.
[[nodiscard]] rocksdb::DBOptions database_options(rocksdb::Env* env,
                                                  std::shared_ptr<rocksdb::EventListener> listener);
/// The cache of blocks that both column families share.
[[nodiscard]] std::shared_ptr<rocksdb::Cache> block_cache();
/// Column family "events".
[[nodiscard]] rocksdb::ColumnFamilyOptions event_options(std::shared_ptr<rocksdb::Cache> cache);
/// Column family "default": index, timer, key and position rows.
[[nodiscard]] rocksdb::ColumnFamilyOptions row_options(std::shared_ptr<rocksdb::Cache> cache);
/// One write: durable before it returns.
[[nodiscard]] rocksdb::WriteOptions write_options();

}  // namespace skald::rocks
