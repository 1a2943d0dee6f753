// The check of CURRENT and the manifest: torn tails are told from damage, and nothing passes for
// new that was written before.
#include "engine/store/rocks_manifest_check.h"

#include <gtest/gtest.h>
#include <rocksdb/file_system.h>

#include "tests/unit/store/log_of_commits.h"

namespace skald::rocks {
namespace {

class RocksManifestCheck : public testing::Test {
 protected:
  [[nodiscard]] Result<std::optional<ManifestCheck>> check() const {
    const auto files = rocksdb::FileSystem::Default();
    return check_manifest(*files, directory_);
  }
  void expect_refused(std::string_view saying) const {
    const auto found = check();
    ASSERT_FALSE(found.has_value());
    EXPECT_EQ(found.error().code, Errc::data_loss);
    EXPECT_NE(found.error().message.find(saying), std::string::npos) << found.error().message;
  }

  const LogOfCommits log_;
  const std::string directory_ = log_.folder.path();
  const std::string name_ = (*check())->name;
  const std::string path_ = directory_ + "/" + name_;
  const std::string bytes_ = read_bytes(path_);
};

TEST_F(RocksManifestCheck, WhatRocksDbWroteIsSoundToItsEnd) {
  const auto found = check();
  ASSERT_TRUE(found && *found);
  EXPECT_FALSE((*found)->torn);
  EXPECT_EQ((*found)->end, bytes_.size());
  EXPECT_EQ(manifest_number((*found)->name), (*found)->number);
}

TEST_F(RocksManifestCheck, EveryCutOrGarbageBehindARecordIsATornTail) {
  for (std::size_t size = bytes_.size() - 1; size > bytes_.size() / 2; --size) {
    for (const std::string& tail : {std::string(), std::string(20, '\0'), std::string(9, 'x')}) {
      write_bytes(path_, bytes_.substr(0, size) + tail);
      const auto found = check();
      ASSERT_TRUE(found && *found) << size;
      EXPECT_LE((*found)->end, size + tail.size());  // a record's own last bytes may be zeros
      if ((*found)->end != size + tail.size()) {
        ASSERT_TRUE((*found)->torn) << size;
        EXPECT_EQ((*found)->torn->offset, (*found)->end);
      }
    }
  }
}

TEST_F(RocksManifestCheck, DamageBeforeAnotherRecordIsRefusedWithFileAndOffset) {
  for (std::size_t at = 0; at < bytes_.size() / 2; ++at) {
    std::string bad = bytes_;
    bad[at] = static_cast<char>(bad[at] ^ 0x10);
    write_bytes(path_, bad);
    expect_refused(name_ + " is damaged at offset");
  }
}

TEST_F(RocksManifestCheck, ACurrentThatNamesNoManifestIsRefused) {
  for (const char* text : {"", "MANIFEST-", "MANIFEST-000001", "MANIFEST-00000x\n", "rubbish\n"}) {
    write_bytes(directory_ + "/CURRENT", text);
    expect_refused("CURRENT");
  }
  write_bytes(directory_ + "/CURRENT", "MANIFEST-999999\n");
  expect_refused("MANIFEST-999999, which is missing");
}

TEST_F(RocksManifestCheck, TablesWithoutACurrentAreNoNewStore) {
  std::filesystem::remove(directory_ + "/CURRENT");
  EXPECT_FALSE(check()->has_value());
  write_bytes(directory_ + "/000007.sst", "table");
  expect_refused("000007.sst");
}

}  // namespace
}  // namespace skald::rocks
