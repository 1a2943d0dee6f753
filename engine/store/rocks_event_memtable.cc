#include "engine/store/rocks_event_memtable.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <deque>
#include <limits>
#include <mutex>
#include <new>
#include <thread>
#include <utility>
#include <vector>

namespace skald::rocks {
namespace {

constexpr std::size_t kMemtableBytesPerBucket = 671;  // 100,000 of them by default, 8 bytes each
constexpr std::uint32_t kListLengthMax = 64;  // entries of a bucket before it becomes a skip list
constexpr std::size_t kTrailerSize = 8;       // sequence and type behind a user key

/// An entry, and the first bytes of its key, which tell most entries apart without looking at them.
struct Entry {
  std::uint64_t first_bytes = 0;
  const char* key = nullptr;
};

std::uint64_t first_bytes_of(const rocksdb::Slice& internal_key) {
  std::uint64_t bytes = 0;
  const std::size_t size = internal_key.size() - kTrailerSize;
  for (std::size_t i = 0; i < sizeof(bytes); ++i) {
    bytes = bytes << 8 | (i < size ? static_cast<unsigned char>(internal_key[i]) : 0U);
  }
  return bytes;
}

/// Goes over the entries of a memtable that is written no more.
class SortedIterator final : public rocksdb::MemTableRep::Iterator {
 public:
  using Compare = rocksdb::MemTableRep::KeyComparator;

  SortedIterator(const Compare& compare, std::vector<Entry> entries)
      : compare_(compare), entries_(std::move(entries)), at_(entries_.size()) {
    std::ranges::sort(entries_, [this](const Entry& a, const Entry& b) {
      if (a.first_bytes != b.first_bytes) return a.first_bytes < b.first_bytes;
      return compare_(a.key, b.key) < 0;
    });
  }

  bool Valid() const override { return at_ < entries_.size(); }
  const char* key() const override { return entries_[at_].key; }
  void Next() override { ++at_; }
  void Prev() override { at_ = at_ == 0 ? entries_.size() : at_ - 1; }
  void Seek(const rocksdb::Slice& internal_key, const char*) override {
    at_ = static_cast<std::size_t>(
        std::ranges::partition_point(
            entries_, [&](const Entry& e) { return compare_(e.key, internal_key) < 0; }) -
        entries_.begin());
  }
  void SeekForPrev(const rocksdb::Slice& internal_key, const char* memtable_key) override {
    Seek(internal_key, memtable_key);
    if (!Valid() || compare_(key(), internal_key) > 0) Prev();
  }
  void SeekToFirst() override { at_ = 0; }
  void SeekToLast() override { at_ = entries_.empty() ? 0 : entries_.size() - 1; }

 private:
  const Compare& compare_;
  std::vector<Entry> entries_;
  std::size_t at_;
};

/// Where an iterator stands that RocksDB ends by its destructor alone: it would be in RocksDB's
/// arena, whose type is not public.
struct Room {
  alignas(SortedIterator) std::array<std::byte, sizeof(SortedIterator)> bytes;
};

class EventMemtable final : public rocksdb::MemTableRep {
 public:
  EventMemtable(const KeyComparator& compare, rocksdb::Allocator* allocator,
                std::unique_ptr<rocksdb::MemTableRep> lists)
      : MemTableRep(allocator), compare_(compare), lists_(std::move(lists)) {}

  rocksdb::KeyHandle Allocate(const std::size_t size, char** buffer) override {
    const rocksdb::KeyHandle handle = lists_->Allocate(size, buffer);
    allocated_ = *buffer;
    return handle;
  }
  /// Pre: `handle` is what Allocate() gave last, and its key is written.
  void Insert(rocksdb::KeyHandle handle) override {
    lists_->Insert(handle);
    entries_.push_back({first_bytes_of(compare_.decode_key(allocated_)), allocated_});
    entries_bytes_.store(entries_.capacity() * sizeof(Entry), std::memory_order_relaxed);
    writer_.store(std::this_thread::get_id(), std::memory_order_relaxed);
  }
  bool Contains(const char* key) const override { return lists_->Contains(key); }
  void MarkReadOnly() override {
    lists_->MarkReadOnly();
    read_only_.store(true, std::memory_order_release);
  }
  void MarkFlushed() override { lists_->MarkFlushed(); }
  void Get(const rocksdb::LookupKey& key, void* arg,
           bool (*tell)(void* arg, const char* entry)) override {
    lists_->Get(key, arg, tell);
  }
  std::size_t ApproximateMemoryUsage() override {
    return lists_->ApproximateMemoryUsage() + entries_bytes_.load(std::memory_order_relaxed);
  }
  Iterator* GetIterator(rocksdb::Arena* arena) override {
    if (!may_copy()) return lists_->GetIterator(arena);
    if (arena == nullptr) return new SortedIterator(compare_, entries_);
    void* room = nullptr;
    {
      const std::lock_guard lock(mutex_);
      room = rooms_.emplace_back().bytes.data();
    }
    return new (room) SortedIterator(compare_, entries_);
  }
  Iterator* GetDynamicPrefixIterator(rocksdb::Arena* arena) override {
    return lists_->GetDynamicPrefixIterator(arena);
  }
  bool IsMergeOperatorSupported() const override { return lists_->IsMergeOperatorSupported(); }
  bool IsSnapshotSupported() const override { return lists_->IsSnapshotSupported(); }

 private:
  /// Nobody writes it any more, or he who writes asks: recovery, which writes out what it has
  /// replayed. He sees what is there now, and an iterator need show no more.
  [[nodiscard]] bool may_copy() const {
    return read_only_.load(std::memory_order_acquire) ||
           writer_.load(std::memory_order_relaxed) == std::this_thread::get_id();
  }

  const KeyComparator& compare_;
  std::unique_ptr<rocksdb::MemTableRep> lists_;
  const char* allocated_ = nullptr;  // of the thread that writes, like entries_ until read_only_
  std::vector<Entry> entries_;
  std::atomic<std::size_t> entries_bytes_{0};
  std::atomic<bool> read_only_{false};
  std::atomic<std::thread::id> writer_{};
  std::mutex mutex_;  // guards rooms_
  std::deque<Room> rooms_;
};

class EventMemtables final : public rocksdb::MemTableRepFactory {
 public:
  explicit EventMemtables(std::size_t memtable_bytes)
      : lists_(rocksdb::NewHashLinkListRepFactory(1 + memtable_bytes / kMemtableBytesPerBucket, 0,
                                                  std::numeric_limits<int>::max(), false,
                                                  kListLengthMax)) {}

  const char* Name() const override { return "skald.EventMemtables"; }
  using MemTableRepFactory::CreateMemTableRep;
  rocksdb::MemTableRep* CreateMemTableRep(const rocksdb::MemTableRep::KeyComparator& compare,
                                          rocksdb::Allocator* allocator,
                                          const rocksdb::SliceTransform* prefix,
                                          rocksdb::Logger* logger) override {
    std::unique_ptr<rocksdb::MemTableRep> lists(
        lists_->CreateMemTableRep(compare, allocator, prefix, logger));
    return new EventMemtable(compare, allocator, std::move(lists));
  }

 private:
  std::unique_ptr<rocksdb::MemTableRepFactory> lists_;
};

}  // namespace

std::shared_ptr<rocksdb::MemTableRepFactory> event_memtable(std::size_t memtable_bytes) {
  return std::make_shared<EventMemtables>(memtable_bytes);
}

}  // namespace skald::rocks
