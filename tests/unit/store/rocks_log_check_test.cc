// The check of the logs: a torn tail of the last write is told from every other damage.
#include "engine/store/rocks_log_check.h"

#include <gtest/gtest.h>
#include <rocksdb/db.h>
#include <rocksdb/file_system.h>

#include <random>

#include "engine/store/rocks_keys.h"
#include "engine/store/rocks_mark.h"
#include "engine/store/rocks_options.h"
#include "tests/unit/store/log_of_commits.h"

namespace skald::rocks {
namespace {

constexpr std::size_t kBlock = 32 * 1024;

// Checks a folder that holds these logs and nothing else.
class Checked {
 public:
  explicit Checked(const std::vector<std::string>& logs) {
    for (std::size_t i = 0; i < logs.size(); ++i) {
      write_bytes(folder_.path() + "/" + name(i), logs[i]);
    }
    const auto files = rocksdb::FileSystem::Default();
    result_ = check_logs(*files, folder_.path());
  }
  static std::string name(std::size_t i) { return fmt::format("{:06}.log", i + 4); }

  [[nodiscard]] bool clean() const { return result_ && !result_->torn; }
  [[nodiscard]] bool torn_at(std::uint64_t offset) const {
    return result_ && result_->torn && result_->torn->offset == offset;
  }
  [[nodiscard]] bool refused() const { return !result_ && result_.error().code == Errc::data_loss; }
  [[nodiscard]] std::string said() const {
    if (!result_) return result_.error().message;
    return result_->torn
               ? fmt::format("torn at {}: {}", result_->torn->offset, result_->torn->reason)
               : "clean";
  }
  [[nodiscard]] const LogCheck& check() const { return *result_; }

 private:
  TempDir folder_{TempDir::Where::memory};
  Result<LogCheck> result_;
};

std::string flipped(std::string bytes, std::size_t at, char mask = 0x10) {
  bytes[at] = static_cast<char>(bytes[at] ^ mask);
  return bytes;
}

TEST(RocksLogCheck, ANewFolderIsClean) {
  EXPECT_TRUE(Checked({}).clean());
  const auto files = rocksdb::FileSystem::Default();
  EXPECT_TRUE(check_logs(*files, "/no/such/folder").has_value());
}

TEST(RocksLogCheck, WhatTheStoreWroteIsClean) {
  const LogOfCommits log;
  const Checked checked({log.bytes});
  ASSERT_TRUE(checked.clean()) << checked.said();
  EXPECT_EQ(checked.check().writes, log.ends.size());
  EXPECT_EQ(checked.check().bytes, log.bytes.size());
}

TEST(RocksLogCheck, EveryCutOfTheLastWriteIsATornTail) {
  const LogOfCommits log;
  for (std::uint64_t size = log.last(); size <= log.bytes.size(); ++size) {
    const Checked checked({log.bytes.substr(0, size)});
    if (size == log.last() || size == log.bytes.size()) {
      EXPECT_TRUE(checked.clean()) << size << " " << checked.said();
    } else {
      ASSERT_TRUE(checked.torn_at(log.last())) << size << " " << checked.said();
      EXPECT_EQ(checked.check().torn->size, size - log.last());
      EXPECT_EQ(checked.check().torn->log, Checked::name(0));
    }
  }
}

TEST(RocksLogCheck, AFlippedByteBeforeTheLastWriteIsRefusedWithFileAndOffset) {
  const LogOfCommits log;
  for (std::size_t at = 0; at < log.last(); ++at) {
    for (const char mask : {char{0x01}, char{0x10}, static_cast<char>(0x80)}) {
      const Checked checked({flipped(log.bytes, at, mask)});
      ASSERT_TRUE(checked.refused()) << at << " " << checked.said();
      EXPECT_NE(checked.said().find(Checked::name(0)), std::string::npos);
      EXPECT_NE(checked.said().find("offset"), std::string::npos);
    }
  }
}

TEST(RocksLogCheck, AFlippedByteOfTheLastWriteIsATornTail) {
  const LogOfCommits log;
  for (std::size_t at = log.last(); at < log.bytes.size(); ++at) {
    const Checked checked({flipped(log.bytes, at)});
    ASSERT_TRUE(checked.torn_at(log.last())) << at << " " << checked.said();
  }
}

TEST(RocksLogCheck, ZerosOrGarbageFromAnyPlaceOfTheLastWriteAreATornTail) {
  const LogOfCommits log;
  std::mt19937_64 random(8317);
  for (std::uint64_t from = log.last(); from <= log.bytes.size(); ++from) {
    const std::string kept = log.bytes.substr(0, from);
    std::string garbage(200, '\0');
    for (char& byte : garbage) byte = static_cast<char>(random());
    for (const std::string& tail :
         {std::string(100, '\0'), std::string(2 * kBlock, '\0'), garbage}) {
      // The write's own last bytes may be zeros.
      const bool whole = (kept + tail).starts_with(log.bytes);
      const Checked checked({kept + tail});
      ASSERT_TRUE(checked.torn_at(whole ? log.bytes.size() : log.last()))
          << from << " " << checked.said();
    }
  }
}

TEST(RocksLogCheck, ZerosInTheMiddleAreRefused) {
  const LogOfCommits log;
  std::string bytes = log.bytes;
  for (std::uint64_t at = log.ends[2]; at < log.ends[3]; ++at) bytes[at] = '\0';
  EXPECT_TRUE(Checked({bytes}).refused());
}

TEST(RocksLogCheck, AWriteTakenOutOfTheMiddleIsRefused) {
  const LogOfCommits log;
  const Checked checked({log.bytes.substr(0, log.ends[2]) + log.bytes.substr(log.ends[3])});
  EXPECT_TRUE(checked.refused()) << checked.said();
}

// Pages of one unfinished write may reach the disk in any order.
TEST(RocksLogCheck, ATornWriteOverManyBlocksIsOneTornTailWhicheverPagesAreLost) {
  const LogOfCommits log(4, {.commit = 4, .bytes = 5 * kBlock});
  ASSERT_TRUE(Checked({log.bytes}).clean());
  std::mt19937_64 random(8317);
  for (int round = 0; round < 200; ++round) {
    std::string bytes = log.bytes;
    constexpr std::size_t kPage = 4096;
    bool lost = false;
    for (std::size_t page = log.last() / kPage; page <= bytes.size() / kPage; ++page) {
      if (random() % 3 != 0) continue;
      const std::size_t from = std::max<std::size_t>(page * kPage, log.last());
      const std::size_t to = std::min((page + 1) * kPage, bytes.size());
      for (std::size_t at = from; at < to; ++at) lost = lost || bytes[at] != '\0';
      for (std::size_t at = from; at < to; ++at) bytes[at] = '\0';
    }
    if (random() % 2 == 0) {
      lost = true;
      bytes.resize(log.last() + 1 + random() % (bytes.size() - log.last() - 1));
    }
    const Checked checked({bytes});
    ASSERT_TRUE(lost ? checked.torn_at(log.last()) : checked.clean())
        << "round " << round << " " << checked.said();
  }
}

TEST(RocksLogCheck, DamageToAWriteOverManyBlocksIsRefusedWhenAnotherFollows) {
  const LogOfCommits log(5, {.commit = 4, .bytes = 5 * kBlock});
  std::mt19937_64 random(8317);
  for (int round = 0; round < 200; ++round) {
    const std::uint64_t at = log.ends[4] + random() % (log.ends[5] - log.ends[4]);
    const Checked checked({flipped(log.bytes, at)});
    ASSERT_TRUE(checked.refused()) << at << " " << checked.said();
  }
}

TEST(RocksLogCheck, SeveralLogsGoOnFromOneAnother) {
  const LogOfCommits log;
  const std::string first = log.bytes.substr(0, log.ends[3]);
  const std::string second = log.bytes.substr(log.ends[3]);
  EXPECT_TRUE(Checked({first, second}).clean());
  EXPECT_TRUE(Checked({first, second, ""}).clean());
  EXPECT_TRUE(
      Checked({first, second.substr(0, second.size() - 3)}).torn_at(log.last() - log.ends[3]));
}

TEST(RocksLogCheck, ATornTailOfAnEarlierLogIsRefused) {
  const LogOfCommits log;
  const std::string first = log.bytes.substr(0, log.ends[3] - 3);
  const std::string second = log.bytes.substr(log.ends[3]);
  for (const std::vector<std::string>& logs :
       {std::vector<std::string>{first, second}, std::vector<std::string>{first, ""}}) {
    const Checked checked(logs);
    ASSERT_TRUE(checked.refused());
    EXPECT_NE(checked.said().find(Checked::name(0)), std::string::npos) << checked.said();
  }
}

TEST(RocksLogCheck, LogsOutOfOrderAreRefused) {
  const LogOfCommits log;
  EXPECT_TRUE(Checked({log.bytes.substr(log.ends[3]), log.bytes.substr(0, log.ends[3])}).refused());
}

TEST(RocksLogCheck, SettingATailAsideKeepsItsBytesAndLeavesACleanLog) {
  const LogOfCommits log;
  TempDir folder(TempDir::Where::memory);
  const std::string path = folder.path() + "/000004.log";
  write_bytes(path, log.bytes.substr(0, log.bytes.size() - 1));
  const auto files = rocksdb::FileSystem::Default();
  auto check = check_logs(*files, folder.path());
  ASSERT_TRUE(check && check->torn);
  const auto done = set_torn_tail_aside(*files, folder.path(), 1'234, *check->torn);
  ASSERT_TRUE(done.has_value()) << done.error().message;
  EXPECT_EQ(check->torn->copy, folder.path() + "/torn/000004.log.1234");
  EXPECT_EQ(read_bytes(check->torn->copy),
            log.bytes.substr(log.last(), log.bytes.size() - 1 - log.last()));
  EXPECT_EQ(read_bytes(path), log.bytes.substr(0, log.last()));
  EXPECT_FALSE(check_logs(*files, folder.path())->torn);
}

// --- The store at open ---

TEST(RocksStoreOpen, SetsATornTailAsideReportsItAndGoesOn) {
  const LogOfCommits log;
  for (std::uint64_t cut = 1; log.last() + cut < log.bytes.size(); cut += 13) {
    TempDir folder(TempDir::Where::memory);
    std::filesystem::copy(log.folder.path(), folder.path(),
                          std::filesystem::copy_options::recursive);
    const std::string path = folder.path() + "/" + log.log.filename().string();
    write_bytes(path, log.bytes.substr(0, log.last() + cut));
    write_bytes(folder.path() + "/acknowledged", log.mark_before_last);
    {
      auto store = RocksStore::open({.directory = folder.path()});
      ASSERT_TRUE(store.has_value()) << cut << " " << store.error().message;
      ASSERT_TRUE((*store)->log_check().torn.has_value());
      EXPECT_EQ((*store)->log_check().torn->offset, log.last());
      EXPECT_EQ(read_bytes((*store)->log_check().torn->copy), log.bytes.substr(log.last(), cut));
      for (std::uint64_t i = 1; i <= 5; ++i) {
        EXPECT_TRUE((*store)->load(conformance::id(i))->has_value()) << i;
      }
      EXPECT_FALSE((*store)->load(conformance::id(6))->has_value());
      EXPECT_EQ(conformance::count_of(**store, SagaStatus::running), 5u);
      conformance::ShardWriter writer(**store, 0);
      EXPECT_EQ(writer.meta().number, 5u);
      conformance::Tale again(conformance::id(6));
      writer.commit(again.start(conformance::at(9)));
    }
    auto store = RocksStore::open({.directory = folder.path()});
    ASSERT_TRUE(store.has_value());
    EXPECT_FALSE((*store)->log_check().torn.has_value());
    EXPECT_TRUE((*store)->load(conformance::id(6))->has_value());
  }
}

// The same cuts of a write that was acknowledged: the mark knows of it.
TEST(RocksStoreOpen, RefusesALogThatEndsBeforeAnAcknowledgedWriteAndTouchesNothing) {
  const LogOfCommits log;
  for (const std::uint64_t size : {log.last(), log.last() + 1, log.bytes.size() - 1, log.ends[2]}) {
    const std::string bad = log.bytes.substr(0, size);
    write_bytes(log.log, bad);
    for (int attempt = 0; attempt < 2; ++attempt) {
      const auto store = RocksStore::open({.directory = log.folder.path()});
      ASSERT_FALSE(store.has_value()) << size;
      EXPECT_EQ(store.error().code, Errc::data_loss);
      EXPECT_NE(store.error().message.find(log.log.filename().string()), std::string::npos);
      EXPECT_EQ(read_bytes(log.log), bad);
    }
  }
  write_bytes(log.log, log.bytes);
  EXPECT_TRUE(RocksStore::open({.directory = log.folder.path()}).has_value());
}

TEST(RocksStoreOpen, RefusesADirectoryWithoutItsCurrentOrItsLastLog) {
  for (const char* file : {"CURRENT", "log"}) {
    const LogOfCommits log;
    const std::filesystem::path folder = log.folder.path();
    const std::filesystem::path gone = std::string_view(file) == "log" ? log.log : folder / file;
    std::filesystem::rename(gone, folder / "elsewhere");
    const auto store = RocksStore::open({.directory = log.folder.path()});
    ASSERT_FALSE(store.has_value()) << file;
    EXPECT_EQ(store.error().code, Errc::data_loss) << store.error().message;
    std::filesystem::rename(folder / "elsewhere", gone);
    EXPECT_TRUE(RocksStore::open({.directory = log.folder.path()}).has_value()) << file;
  }
}

TEST(RocksStoreOpen, GoesOnWithoutAMarkAndMakesOneAnew) {
  const LogOfCommits log;
  const std::string mark = log.folder.path() + "/acknowledged";
  for (const bool gone : {true, false}) {
    if (gone) {
      std::filesystem::remove(mark);
    } else {
      write_bytes(mark, "no mark");
    }
    EXPECT_TRUE(RocksStore::open({.directory = log.folder.path()}).has_value());
    const auto files = rocksdb::FileSystem::Default();
    EXPECT_TRUE(read_mark(*files, log.folder.path())->mark.has_value());
  }
}

TEST(RocksStoreOpen, RefusesAFlippedByteInTheMiddleOfALogAndTouchesNothing) {
  const LogOfCommits log;
  const std::string bad = flipped(log.bytes, (log.ends[3] + log.ends[4]) / 2);
  write_bytes(log.log, bad);
  const auto store = RocksStore::open({.directory = log.folder.path()});
  ASSERT_FALSE(store.has_value());
  EXPECT_EQ(store.error().code, Errc::data_loss);
  EXPECT_NE(store.error().message.find(log.log.filename().string()), std::string::npos);
  EXPECT_EQ(read_bytes(log.log), bad);
  EXPECT_FALSE(std::filesystem::exists(log.folder.path() + "/torn"));
}

// A log cut exactly between two writes looks whole; RocksDB's manifest knows how long a closed one
// was.
TEST(RocksStoreOpen, RefusesAnEarlierLogThatLostWholeWrites) {
  LogOfCommits log;
  const std::vector<rocksdb::ColumnFamilyDescriptor> families = {
      {rocksdb::kDefaultColumnFamilyName, row_options(block_cache())},
      {"events", event_options(block_cache())}};
  rocksdb::DB* opened = nullptr;
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  auto options = database_options(nullptr, {}, {});
  ASSERT_TRUE(rocksdb::DB::Open(options, log.folder.path(), families, &handles, &opened).ok());
  std::unique_ptr<rocksdb::DB> db(opened);
  const auto earlier = logs_in(log.folder.path()).back();
  ASSERT_TRUE(db->Put(write_options(), handles[0],
                      "\x7F"
                      "a",
                      "1")
                  .ok());
  const auto cut = std::filesystem::file_size(earlier);
  ASSERT_TRUE(db->Put(write_options(), handles[1], std::string(kEventKeySize, 'b'), "2").ok());
  ASSERT_TRUE(db->Flush({}, handles[1]).ok());  // begins a new log; the rows still need the old one
  ASSERT_TRUE(db->Put(write_options(), handles[0],
                      "\x7F"
                      "c",
                      "3")
                  .ok());
  for (auto* handle : handles) ASSERT_TRUE(db->DestroyColumnFamilyHandle(handle).ok());
  db.reset();
  ASSERT_EQ(logs_in(log.folder.path()).size(), 2u);
  std::filesystem::resize_file(earlier, cut);
  const auto store = RocksStore::open({.directory = log.folder.path()});
  ASSERT_FALSE(store.has_value());
  EXPECT_EQ(store.error().code, Errc::data_loss) << store.error().message;
}

}  // namespace
}  // namespace skald::rocks
