// RocksDB's own threads, which write tables and merge them, run behind those that answer somebody.
#pragma once

#include <rocksdb/listener.h>

namespace skald::rocks {

/// Where processors are few a merge would take half of one for seconds, and every order would wait
/// for its turn. Thread: RocksDB calls it on the thread that works.
class BackgroundThreads final : public rocksdb::EventListener {
 public:
  void OnFlushBegin(rocksdb::DB* db, const rocksdb::FlushJobInfo& job) override;
  void OnCompactionBegin(rocksdb::DB* db, const rocksdb::CompactionJobInfo& job) override;
};

}  // namespace skald::rocks
