// The check of a store: silent on sound ones, those of earlier versions included, and it names
// every kind of damage that is planted below the engine, with the saga it hurts.
#include <gtest/gtest.h>
#include <rocksdb/db.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "engine/store/rocks_options.h"
#include "engine/store/rocks_store.h"
#include "engine/wire/stored.h"
#include "tests/conformance/store_world.h"
#include "tests/storage/golden_stories.h"
#include "tests/support/temp_dir.h"

namespace skald::storage {
namespace {

namespace fs = std::filesystem;
using conformance::ShardWriter;
using rocks::Bytestring;
using rocks::RowKind;

CheckReport check(const std::string& directory) {
  const auto report = RocksStore::check_closed({.directory = directory}, {});
  EXPECT_TRUE(report.has_value()) << report.error().message;
  return report.value_or(CheckReport{});
}

std::string told(const CheckReport& report) {
  std::string text;
  for (const Finding& finding : report.findings) {
    text += fmt::format("{}: {}; should be: {}\n", finding.saga ? finding.saga->text() : "store",
                        finding.what, finding.expected);
  }
  return text;
}

/// The database below the engine: rows put and taken as only damage does.
class Below {
 public:
  explicit Below(const std::string& directory) {
    std::vector<rocksdb::ColumnFamilyHandle*> handles;
    rocksdb::DB* opened = nullptr;
    const auto cache = rocks::block_cache();
    const auto status =
        rocksdb::DB::Open(rocks::database_options(rocksdb::Env::Default(), Logger(), {}), directory,
                          {{rocksdb::kDefaultColumnFamilyName, rocks::row_options(cache, {})},
                           {"events", rocks::event_options(cache, {})}},
                          &handles, &opened);
    EXPECT_TRUE(status.ok()) << status.ToString();
    db_.reset(opened);
    rows_ = handles[0];
    events_ = handles[1];
  }
  ~Below() {
    (void)db_->DestroyColumnFamilyHandle(rows_);
    (void)db_->DestroyColumnFamilyHandle(events_);
  }
  Below(const Below&) = delete;
  Below& operator=(const Below&) = delete;

  void put(const std::string& key, const std::string& value) {
    EXPECT_TRUE(db_->Put({}, rows_, key, value).ok());
  }
  void take(const std::string& key) { EXPECT_TRUE(db_->Delete({}, rows_, key).ok()); }
  void put_record(const std::string& key, const std::string& value) {
    EXPECT_TRUE(db_->Put({}, events_, key, value).ok());
  }
  void take_record(const std::string& key) { EXPECT_TRUE(db_->Delete({}, events_, key).ok()); }
  /// The first row of a kind that has `part` in its key.
  std::pair<std::string, std::string> row(RowKind kind, const std::string& part = "") {
    const std::unique_ptr<rocksdb::Iterator> rows(db_->NewIterator({}, rows_));
    const std::string prefix = Bytestring().begin(kind).view();
    for (rows->Seek(prefix); rows->Valid() && rows->key().starts_with(prefix); rows->Next()) {
      const std::string key = rows->key().ToString();
      if (key.find(part) != std::string::npos) return {key, rows->value().ToString()};
    }
    ADD_FAILURE() << "no such row of kind " << static_cast<int>(kind);
    return {};
  }
  std::string record(const std::string& key) {
    std::string value;
    EXPECT_TRUE(db_->Get({}, events_, key, &value).ok());
    return value;
  }

 private:
  std::unique_ptr<rocksdb::DB> db_;
  rocksdb::ColumnFamilyHandle* rows_ = nullptr;
  rocksdb::ColumnFamilyHandle* events_ = nullptr;
};

class Doctor : public testing::Test {
 protected:
  void SetUp() override {
    auto store = RocksStore::open({.directory = folder_.path()});
    ASSERT_TRUE(store.has_value()) << store.error().message;
    ShardWriter writer(**store, 0);
    for (std::size_t which = 0; which < 2; ++which) {
      for (const Story& story : stories_) {
        if (which < story.records.size()) writer.commit(transition_of(story, which));
      }
    }
    ASSERT_TRUE(writer.try_commit({}, {"key-7"}).has_value());
  }

  /// The one story of this definition.
  const Story& story(std::string_view definition) {
    for (const Story& one : stories_) {
      if (fold(one.history).definition == definition) return one;
    }
    ADD_FAILURE() << definition;
    return stories_.front();
  }
  static std::string id_bytes(const SagaId& id) { return Bytestring().id(id).view(); }
  static std::string record_key(const SagaId& id, std::uint64_t seq) {
    return Bytestring().id(id).number64(seq).view();
  }
  /// Exactly one finding, about this saga, with these words.
  void expect_one(const std::optional<SagaId>& saga, const std::string& words) {
    const CheckReport report = check(folder_.path());
    EXPECT_EQ(report.wrong, 1u) << told(report);
    ASSERT_FALSE(report.findings.empty());
    EXPECT_EQ(report.findings.front().saga, saga) << told(report);
    EXPECT_NE(told(report).find(words), std::string::npos) << told(report);
  }

  const std::vector<Story> stories_ = golden_stories();
  const TempDir folder_{TempDir::Where::memory};
};

TEST_F(Doctor, ASoundStoreIsSilent) {
  const CheckReport report = check(folder_.path());
  EXPECT_EQ(report.wrong, 0u) << told(report);
  EXPECT_EQ(report.sagas, stories_.size());
  EXPECT_GT(report.records, report.sagas);
  EXPECT_GT(report.rows, report.sagas);
}

TEST_F(Doctor, AMissingRowIsNamed) {
  const SagaId running = story("running").id;
  Below(folder_.path()).take(Bytestring().begin(RowKind::active).id(running).view());
  expect_one(running, "no row `active`");
}

TEST_F(Doctor, AMissingTimerIsNamed) {
  const SagaId waiting = story("waiting_for_a_timer").id;
  {
    Below below(folder_.path());
    below.take(below.row(RowKind::timer, id_bytes(waiting)).first);
  }
  expect_one(waiting, "should be: a timer at");
}

TEST_F(Doctor, ATimerOfAnEndedSagaIsNamed) {
  const SagaId ended = story("completed").id;
  Below(folder_.path())
      .put(Bytestring().begin(RowKind::timer).instant(conformance::at(5)).id(ended).view(), "");
  expect_one(ended, "its history says status=completed");
}

TEST_F(Doctor, AWrongListRowIsNamed) {
  const SagaId running = story("running").id;
  {
    Below below(folder_.path());
    const std::string place =
        Bytestring()
            .newest_first({.started_at = fold(story("running").history).started_at, .id = running})
            .view();
    auto [key, value] = below.row(RowKind::listed, place);
    SagaSummary summary = *wire::decode_summary(value);
    summary.definition = "another";
    value.clear();
    wire::encode_summary(summary, value);
    below.put(key, value);
  }
  expect_one(running, "definition=another");
}

TEST_F(Doctor, ARowOfASagaThatIsNotThereIsNamed) {
  const SagaId nobody{.placement = 7, .serial = 7};
  Below(folder_.path()).put(Bytestring().begin(RowKind::active).id(nobody).view(), "");
  expect_one(nobody, "there is no such saga");
}

TEST_F(Doctor, AKeyThatLeadsElsewhereIsNamed) {
  const SagaId running = story("running").id;
  {
    Below below(folder_.path());
    const auto [key, value] = below.row(RowKind::submission_key, "key-1");
    below.put(Bytestring().begin(RowKind::submission_key).bytes("stranger").view(), value);
  }
  expect_one(running, "an idempotency key's row");
}

TEST_F(Doctor, AnOpenSagaWithoutItsKeyIsNamed) {
  const SagaId running = story("running").id;
  Below(folder_.path()).take(Bytestring().begin(RowKind::submission_key).bytes("key-1").view());
  expect_one(running, "no row of its idempotency key");
}

TEST_F(Doctor, AnEndedSagaThatNobodyWouldRemoveIsNamed) {
  const SagaId ended = story("compensated").id;  // its key is gone
  {
    Below below(folder_.path());
    below.take(below.row(RowKind::removable, id_bytes(ended)).first);
  }
  expect_one(ended, "no row `removal`");
}

TEST_F(Doctor, AMissingBusinessKeyIsNamed) {
  const SagaId running = story("running").id;
  {
    Below below(folder_.path());
    below.take(below.row(RowKind::business_key, "trip-1").first);
  }
  expect_one(running, "no row `business key`");
}

TEST_F(Doctor, AWrongCountIsNamed) {
  {
    Below below(folder_.path());
    const auto [key, value] = below.row(RowKind::counted);
    below.put(key, Bytestring().begin().varint(9).view());
  }
  expect_one(std::nullopt, "a count of 9 sagas");
}

TEST_F(Doctor, AMissingRecordIsNamed) {
  const SagaId completed = story("completed").id;
  Below(folder_.path()).take_record(record_key(completed, 1));
  expect_one(completed, "events from seq=1 are missing");
}

TEST_F(Doctor, ADamagedRecordIsNamed) {
  const SagaId completed = story("completed").id;
  {
    Below below(folder_.path());
    std::string record = below.record(record_key(completed, 1));
    record[record.size() / 2] = static_cast<char>(record[record.size() / 2] ^ 1);
    below.put_record(record_key(completed, 1), record);
  }
  expect_one(completed, "a record seq=1 that is damaged");
}

TEST_F(Doctor, ARecordThatComesTwiceIsNamed) {
  const SagaId completed = story("completed").id;
  {
    Below below(folder_.path());
    below.put_record(record_key(completed, 2), below.record(record_key(completed, 1)));
  }
  expect_one(completed, "the next record is seq=2");
}

TEST_F(Doctor, AStoreInUseIsRefusedWithItsHolder) {
  const auto store = RocksStore::open({.directory = folder_.path()});
  ASSERT_TRUE(store.has_value());
  const auto refused = RocksStore::check_closed({.directory = folder_.path()}, {});
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, Errc::failed_precondition);
  EXPECT_NE(refused.error().message.find(std::to_string(::getpid())), std::string::npos);
  // It can be asked instead.
  const auto report = (*store)->check({});
  ASSERT_TRUE(report.has_value());
  EXPECT_EQ(report->wrong, 0u) << told(*report);
}

TEST_F(Doctor, WhatIsNoStoreStaysAsItIs) {
  const TempDir empty(TempDir::Where::memory);
  const auto refused = RocksStore::check_closed({.directory = empty.path()}, {});
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, Errc::not_found);
  EXPECT_TRUE(fs::is_empty(empty.path()));
}

TEST_F(Doctor, ABackupHoldsWhatWasAcknowledgedAndIsAStoreOfItsOwn) {
  const std::string copy = folder_.path() + "-copy";
  {
    const auto store = RocksStore::open({.directory = folder_.path()});
    ASSERT_TRUE(store.has_value());
    const auto report = (*store)->back_up(copy, {});
    ASSERT_TRUE(report.has_value()) << report.error().message;
    EXPECT_EQ(report->wrong, 0u) << told(*report);
    EXPECT_EQ(report->sagas, stories_.size());
    const auto again = (*store)->back_up(copy, {});
    ASSERT_FALSE(again.has_value());
    EXPECT_EQ(again.error().code, Errc::already_exists);
    // What is written later is not in it.
    ShardWriter writer(**store, 0);
    conformance::Tale tale(conformance::id(99));
    writer.commit(tale.start(conformance::at(0)));
  }
  {
    const auto restored = RocksStore::open({.directory = copy});
    ASSERT_TRUE(restored.has_value()) << restored.error().message;
    for (const Story& story : stories_) {
      EXPECT_TRUE((*restored)->load(story.id)->has_value()) << story.id.text();
    }
    EXPECT_FALSE((*restored)->load(conformance::id(99))->has_value());
    ShardWriter writer(**restored, 0);
    conformance::Tale tale(conformance::id(98));
    writer.commit(tale.start(conformance::at(0)));
  }
  fs::remove_all(copy);
}

TEST(DoctorOfGoldenStores, EveryStoreOfEveryVersionIsSound) {
  const char* root = std::getenv("SKALD_SOURCE_DIR");
  const fs::path golden = fs::path(root != nullptr ? root : ".") / "tests" / "golden";
  int stores = 0;
  for (const auto& entry : fs::directory_iterator(golden)) {
    const std::string version = entry.path().filename().string();
    if (!entry.is_directory() || !version.starts_with("store_v")) continue;
    const TempDir folder(TempDir::Where::memory);
    fs::copy(entry.path(), folder.path(), fs::copy_options::recursive);
    const CheckReport as_it_is = check(folder.path());
    EXPECT_EQ(as_it_is.wrong, 0u) << version << "\n" << told(as_it_is);
    EXPECT_GT(as_it_is.sagas, 0u) << version;
    // And once this build has opened it.
    ASSERT_TRUE(RocksStore::open({.directory = folder.path()}).has_value());
    const CheckReport opened = check(folder.path());
    EXPECT_EQ(opened.wrong, 0u) << version << "\n" << told(opened);
    ++stores;
  }
  EXPECT_GE(stores, 1);
}

}  // namespace
}  // namespace skald::storage
