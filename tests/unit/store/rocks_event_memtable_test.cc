// The memtable of events against a map: what is read from one that is still written, from those
// that wait to be written out, and from the tables they become.
#include "engine/store/rocks_event_memtable.h"

#include <gtest/gtest.h>
#include <rocksdb/db.h>

#include <map>
#include <random>

#include "engine/base/ids.h"
#include "engine/store/rocks_options.h"
#include "tests/support/temp_dir.h"

namespace skald {
namespace {

constexpr std::size_t kSagas = 40;
constexpr std::uint64_t kWaiting = 3;  // memtables that must be full before they are written out

using Rows = std::map<std::string, std::string>;

class Events : public testing::Test {
 protected:
  Events() {
    rocksdb::Options options(
        rocksdb::Options(),
        rocks::event_options(rocks::block_cache(), {.memtable_bytes = 64 << 10}));
    options.create_if_missing = true;
    options.allow_concurrent_memtable_write = false;
    options.min_write_buffer_number_to_merge = static_cast<int>(kWaiting);
    options.max_write_buffer_number = 8;
    rocksdb::DB* opened = nullptr;
    EXPECT_TRUE(rocksdb::DB::Open(options, folder_.path(), &opened).ok());
    db_.reset(opened);
  }

  /// Sagas whose ids are anything, their records in the order they come; some put over, some gone.
  void write(int rows) {
    for (int i = 0; i < rows; ++i) {
      const std::string key = saga(random_() % kSagas) + number(random_() % 64);
      if (random_() % 8 == 0) {
        ASSERT_TRUE(db_->Delete(rocksdb::WriteOptions(), key).ok());
        rows_.erase(key);
      } else {
        const std::string value(random_() % 200, static_cast<char>('a' + i % 26));
        ASSERT_TRUE(db_->Put(rocksdb::WriteOptions(), key, value).ok());
        rows_[key] = value;
      }
    }
  }
  [[nodiscard]] std::uint64_t waiting() const {
    std::uint64_t count = 0;
    db_->GetIntProperty(rocksdb::DB::Properties::kNumImmutableMemTable, &count);
    return count;
  }
  void expect_all_in_order() const {
    rocksdb::ReadOptions options;
    options.total_order_seek = true;
    const std::unique_ptr<rocksdb::Iterator> it(db_->NewIterator(options));
    auto expected = rows_.begin();
    for (it->SeekToFirst(); it->Valid(); it->Next(), ++expected) {
      ASSERT_NE(expected, rows_.end());
      ASSERT_EQ(it->key().ToString(), expected->first);
      ASSERT_EQ(it->value().ToString(), expected->second);
    }
    EXPECT_EQ(expected, rows_.end());
  }
  void expect_found(int times) {
    rocksdb::ReadOptions options;
    options.total_order_seek = true;
    const std::unique_ptr<rocksdb::Iterator> it(db_->NewIterator(options));
    for (int i = 0; i < times; ++i) {
      const std::string from = saga(random_() % kSagas) + number(random_() % 64);
      it->Seek(from);
      const auto at_or_after = rows_.lower_bound(from);
      ASSERT_EQ(it->Valid(), at_or_after != rows_.end());
      if (it->Valid()) EXPECT_EQ(it->key().ToString(), at_or_after->first);
      it->SeekForPrev(from);
      const auto after = rows_.upper_bound(from);
      ASSERT_EQ(it->Valid(), after != rows_.begin());
      if (it->Valid()) EXPECT_EQ(it->key().ToString(), std::prev(after)->first);
    }
    it->SeekToLast();
    ASSERT_TRUE(it->Valid());
    EXPECT_EQ(it->key().ToString(), rows_.rbegin()->first);
    it->Prev();
    EXPECT_EQ(it->key().ToString(), std::prev(rows_.end(), 2)->first);
  }
  void expect_each_saga() const {
    for (std::size_t i = 0; i < kSagas; ++i) {
      rocksdb::ReadOptions options;
      options.prefix_same_as_start = true;
      const std::unique_ptr<rocksdb::Iterator> it(db_->NewIterator(options));
      auto expected = rows_.lower_bound(saga(i));
      for (it->Seek(saga(i)); it->Valid(); it->Next(), ++expected) {
        EXPECT_EQ(it->key().ToString(), expected->first);
      }
    }
  }

  static std::string saga(std::size_t i) {
    std::string bytes(SagaId::kBytesSize, '\x11');
    bytes[0] = static_cast<char>(i * 151);
    bytes[9] = static_cast<char>(i);  // beyond the bytes that are compared first
    return i % 4 == 0 ? std::string(SagaId::kBytesSize - 1, '\xFF') + static_cast<char>(i) : bytes;
  }
  static std::string number(std::uint64_t n) { return std::string(7, '\0') + static_cast<char>(n); }

  TempDir folder_{TempDir::Where::memory};
  std::unique_ptr<rocksdb::DB> db_;
  Rows rows_;
  std::mt19937_64 random_{7};
};

TEST_F(Events, AreReadInOrderWhileTheirMemtableIsWritten) {
  write(200);
  ASSERT_EQ(waiting(), 0U);
  expect_all_in_order();
  expect_found(100);
  expect_each_saga();
}

TEST_F(Events, AreReadInOrderFromMemtablesThatWaitToBeWrittenOut) {
  for (int i = 0; i < 200 && waiting() < kWaiting - 1; ++i) write(50);
  ASSERT_EQ(waiting(), kWaiting - 1);
  write(100);
  expect_all_in_order();
  expect_found(500);
  expect_each_saga();
}

TEST_F(Events, AreInTheTablesTheyBecome) {
  for (int i = 0; i < 5; ++i) {
    write(2'000);
    ASSERT_TRUE(db_->Flush(rocksdb::FlushOptions()).ok());
  }
  expect_all_in_order();
  expect_found(500);
  expect_each_saga();
}

}  // namespace
}  // namespace skald
