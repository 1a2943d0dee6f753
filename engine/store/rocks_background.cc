#include "engine/store/rocks_background.h"

#include "engine/base/thread_priority.h"

namespace skald::rocks {
namespace {

// A full memtable that nobody writes out stops all writes, so flushes are held back less.
constexpr int kFlushNice = 5;
constexpr int kCompactionNice = 10;

}  // namespace

void BackgroundThreads::OnFlushBegin(rocksdb::DB*, const rocksdb::FlushJobInfo&) {
  step_back(kFlushNice);
}

void BackgroundThreads::OnCompactionBegin(rocksdb::DB*, const rocksdb::CompactionJobInfo&) {
  step_back(kCompactionNice);
}

}  // namespace skald::rocks
