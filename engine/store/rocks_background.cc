#include "engine/store/rocks_background.h"

#include "engine/base/thread_priority.h"

namespace skald::rocks {

void BackgroundThreads::OnFlushBegin(rocksdb::DB*, const rocksdb::FlushJobInfo&) {
  step_back(kBehindNice);
}

void BackgroundThreads::OnCompactionBegin(rocksdb::DB*, const rocksdb::CompactionJobInfo&) {
  step_back(kFarBehindNice);
}

}  // namespace skald::rocks
