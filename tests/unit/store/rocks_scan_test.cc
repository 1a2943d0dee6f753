// The scan of every table: what decays is found although nobody reads it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "tests/unit/store/log_of_commits.h"

namespace skald {
namespace {

using conformance::at;
using conformance::id;
using conformance::ShardWriter;
using conformance::Tale;

class RocksScan : public testing::Test {
 protected:
  RocksScan() {
    {
      auto store = RocksStore::open({.directory = folder_.path()}).value();
      ShardWriter writer(*store, 0);
      for (std::uint64_t i = 1; i <= 40; ++i) {
        Tale tale(id(i));
        writer.commit(tale.start(at(0), {.idempotency_key = "key-" + std::to_string(i)}));
      }
    }
    store_ = RocksStore::open({.directory = folder_.path()}).value();  // writes the tables
  }

  std::vector<std::string> tables() const {
    std::vector<std::string> found;
    for (const auto& entry : std::filesystem::directory_iterator(folder_.path())) {
      if (entry.path().extension() == ".sst") found.push_back(entry.path().filename().string());
    }
    std::ranges::sort(found);
    return found;
  }

  TempDir folder_{TempDir::Where::memory};
  std::unique_ptr<RocksStore> store_;
};

TEST_F(RocksScan, GoesThroughEveryTableOnceAndEnds) {
  std::vector<std::string> scanned;
  std::uint64_t bytes = 0;
  std::string after;
  for (auto file = store_->scan_after(after); file && *file; file = store_->scan_after(after)) {
    after = (*file)->name;
    scanned.push_back(after);
    bytes += (*file)->bytes;
  }
  EXPECT_EQ(scanned, tables());
  ASSERT_FALSE(scanned.empty());
  EXPECT_GT(bytes, 0U);
  EXPECT_FALSE(store_->scan_after(after).value().has_value());
}

TEST_F(RocksScan, DamageThatNobodyHasReadIsNamedAndEndsWriting) {
  const std::string table = tables().front();
  const std::string path = folder_.path() + "/" + table;
  std::string bytes = read_bytes(path);
  bytes[bytes.size() / 4] ^= 0x20;
  write_bytes(path, bytes);

  const auto scanned = store_->scan_after("");

  ASSERT_FALSE(scanned.has_value());
  EXPECT_EQ(scanned.error().code, Errc::data_loss);
  EXPECT_THAT(scanned.error().message, testing::HasSubstr(table));
  EXPECT_EQ(store_->open_shard(0).error().code, Errc::unavailable);
}

}  // namespace
}  // namespace skald
