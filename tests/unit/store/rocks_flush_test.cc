// What a clean end leaves for the next open to replay.
#include <gtest/gtest.h>

#include "tests/unit/store/log_of_commits.h"

namespace skald {
namespace {

using conformance::at;
using conformance::id;
using conformance::ShardWriter;
using conformance::Tale;

void write_sagas(Store& store, std::uint64_t count) {
  ShardWriter writer(store, 0);
  for (std::uint64_t i = 1; i <= count; ++i) {
    Tale tale(id(i));
    writer.commit(tale.start(at(0)));
  }
}

TEST(RocksFlush, LeavesNothingToReplay) {
  TempDir folder(TempDir::Where::memory);
  {
    const auto store = RocksStore::open({.directory = folder.path()}).value();
    write_sagas(*store, 20);
    ASSERT_TRUE(store->flush().has_value());
  }
  const auto store = RocksStore::open({.directory = folder.path()});
  ASSERT_TRUE(store.has_value()) << store.error().message;
  EXPECT_EQ((*store)->log_check().writes, 0U);
  for (std::uint64_t i = 1; i <= 20; ++i) EXPECT_TRUE((*store)->load(id(i)).value().has_value());
}

TEST(RocksFlush, WithoutItTheLogHasEverything) {
  TempDir folder(TempDir::Where::memory);
  write_sagas(*RocksStore::open({.directory = folder.path()}).value(), 20);
  const auto store = RocksStore::open({.directory = folder.path()});
  ASSERT_TRUE(store.has_value()) << store.error().message;
  EXPECT_GE((*store)->log_check().writes, 20U);
  for (std::uint64_t i = 1; i <= 20; ++i) EXPECT_TRUE((*store)->load(id(i)).value().has_value());
}

}  // namespace
}  // namespace skald
