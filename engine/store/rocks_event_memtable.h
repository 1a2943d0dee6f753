// The memtable of events: a short list for each saga, found by hash, and cheap to write out.
#pragma once

#include <rocksdb/memtablerep.h>

#include <cstddef>
#include <memory>

namespace skald::rocks {

/// Records are read by saga only, so an insertion looks at a few entries instead of walking down a
/// list of all: RocksDB's hash of linked lists. But for one thing: to write that out in the order
/// of its keys RocksDB builds a skip list of all entries first, which is nine tenths of what a
/// flush costs, and a second of processor for 64 MiB. Here they are sorted instead. Pre: keys are
/// ordered bytewise, and one thread writes.
[[nodiscard]] std::shared_ptr<rocksdb::MemTableRepFactory> event_memtable(
    std::size_t memtable_bytes);

}  // namespace skald::rocks
