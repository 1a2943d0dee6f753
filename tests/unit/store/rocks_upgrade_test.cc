// A store that format 1 wrote opens, and is searched like any other from then on.
#include <gtest/gtest.h>
#include <rocksdb/db.h>

#include "engine/store/rocks_batch.h"
#include "engine/store/rocks_store.h"
#include "tests/conformance/store_world.h"
#include "tests/support/temp_dir.h"

namespace skald {
namespace {

using conformance::at;
using conformance::count_all;
using conformance::failure_of;
using conformance::filtered;
using conformance::id;
using conformance::ShardWriter;
using conformance::Tale;
using rocks::Bytestring;
using rocks::RowKind;

std::unique_ptr<RocksStore> open_at(const std::string& directory) {
  auto store = RocksStore::open({.directory = directory});
  EXPECT_TRUE(store.has_value()) << store.error().message;
  return store ? std::move(*store) : nullptr;
}

/// Takes away what format 1 has not, and puts its counts instead.
void make_format_1(const std::string& directory, const StatusCounts& counts,
                   std::string_view left_behind = {}) {
  rocksdb::DB* opened = nullptr;
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  const std::vector<rocksdb::ColumnFamilyDescriptor> families = {
      {rocksdb::kDefaultColumnFamilyName, {}}, {"events", {}}};
  ASSERT_TRUE(rocksdb::DB::Open({}, directory, families, &handles, &opened).ok());
  const std::unique_ptr<rocksdb::DB> db(opened);
  const std::string begin = Bytestring().begin(RowKind::definition).view();
  const std::string end = rocks::after_prefix(Bytestring().begin(RowKind::stuck_since).view());
  ASSERT_TRUE(db->DeleteRange({}, handles[0], begin, end).ok());
  for (std::uint8_t i = 0; i < counts.size(); ++i) {
    const std::string key = Bytestring().begin(RowKind::count).byte(i + 1).view();
    ASSERT_TRUE(db->Put({}, key, Bytestring().begin().number64(counts.at(i)).view()).ok());
  }
  ASSERT_TRUE(db->Put({}, Bytestring().begin(RowKind::format).view(),
                      Bytestring().begin().number64(1).view())
                  .ok());
  if (!left_behind.empty()) ASSERT_TRUE(db->Put({}, std::string(left_behind), "").ok());
  for (auto* handle : handles) ASSERT_TRUE(db->DestroyColumnFamilyHandle(handle).ok());
}

TEST(RocksUpgrade, AStoreOfFormatOneIsIndexedOnceAtItsFirstOpen) {
  const TempDir folder(TempDir::Where::memory);
  Tale a(id(1)), b(id(2)), c(id(3));
  {
    const auto store = open_at(folder.path());
    ShardWriter writer(*store, 1);
    writer.commit(a.start(at(1), {.definition = "pay"}), b.start(at(2), {.definition = "pay"}),
                  c.start(at(3), {.definition = "ship"}));
    writer.commit(a.become(SagaStatus::stuck, at(4)), b.become(SagaStatus::completed, at(4)));
  }
  // An upgrade that was interrupted left a row behind.
  const std::string stray = Bytestring()
                                .begin(RowKind::cause_saga)
                                .byte(4)
                                .number64(77)
                                .newest_first({.started_at = at(9), .id = id(9)})
                                .view();
  make_format_1(folder.path(), {1, 0, 0, 1, 1, 0, 0}, stray);
  for (int round = 0; round < 2; ++round) {  // the second open finds nothing to do
    const auto store = open_at(folder.path());
    EXPECT_EQ(*store->count_by_definition(),
              (std::vector<DefinitionCount>{{"pay", SagaStatus::stuck, 1},
                                            {"pay", SagaStatus::completed, 1},
                                            {"ship", SagaStatus::running, 1}}));
    EXPECT_EQ(conformance::count_of(*store, SagaStatus::stuck), 1U);
    EXPECT_EQ(count_all(*store, {.filter = filtered("definition = pay")}), 2U);
    // What it is stuck on is not known before it is written again.
    const auto groups = store->groups({.filter = filtered("status = stuck")});
    ASSERT_EQ(groups->groups.size(), 1U);
    EXPECT_EQ(groups->groups[0].failure, FailureClass{});
    const auto stuck = store->list({.order = ListOrder::longest_stuck});
    EXPECT_EQ(conformance::ids_of(*stuck), (std::vector<SagaId>{id(1)}));
  }
  const auto store = open_at(folder.path());
  ShardWriter writer(*store, 1);
  writer.commit(a.fail(SagaStatus::stuck, failure_of("charge", 2), at(20)));
  const auto groups = store->groups({.filter = filtered("status = stuck")});
  ASSERT_EQ(groups->groups.size(), 1U);
  EXPECT_EQ(groups->groups[0].failure, failure_of("charge", 2));
  writer.commit(a.become(SagaStatus::completed, at(30)));
  EXPECT_TRUE(store->groups({.filter = filtered("status = stuck")})->groups.empty());
}

TEST(RocksUpgrade, AnEmptyStoreOfFormatOneIsFine) {
  const TempDir folder(TempDir::Where::memory);
  open_at(folder.path());
  make_format_1(folder.path(), {});
  const auto store = open_at(folder.path());
  ShardWriter writer(*store, 1);
  Tale a(id(1));
  writer.commit(a.start(at(1)));
  EXPECT_EQ(conformance::count_of(*store, SagaStatus::running), 1U);
}

TEST(RocksUpgrade, EndedSagasOfAStoreOfFormatTwoMayGoOnceTheirKeysHaveGone) {
  const TempDir folder(TempDir::Where::memory);
  Tale keyless(id(1)), keyed(id(2)), key_gone(id(3)), open(id(4));
  {
    const auto store = open_at(folder.path());
    ShardWriter writer(*store, 1);
    writer.commit(keyless.start(at(0)), keyed.start(at(0), {.idempotency_key = "a"}),
                  key_gone.start(at(0), {.idempotency_key = "b"}), open.start(at(0)));
    writer.commit(keyless.become(SagaStatus::completed, at(1)),
                  keyed.become(SagaStatus::completed, at(2)),
                  key_gone.become(SagaStatus::completed, at(3)));
    ASSERT_TRUE(writer.try_commit({}, {"b"}).has_value());
  }
  {
    rocksdb::DB* opened = nullptr;
    std::vector<rocksdb::ColumnFamilyHandle*> handles;
    const std::vector<rocksdb::ColumnFamilyDescriptor> families = {
        {rocksdb::kDefaultColumnFamilyName, {}}, {"events", {}}};
    ASSERT_TRUE(rocksdb::DB::Open({}, folder.path(), families, &handles, &opened).ok());
    const std::unique_ptr<rocksdb::DB> db(opened);
    const std::string begin = Bytestring().begin(RowKind::removable).view();
    ASSERT_TRUE(db->DeleteRange({}, handles[0], begin, rocks::after_prefix(begin)).ok());
    ASSERT_TRUE(db->Put({}, Bytestring().begin(RowKind::format).view(),
                        Bytestring().begin().number64(2).view())
                    .ok());
    for (auto* handle : handles) ASSERT_TRUE(db->DestroyColumnFamilyHandle(handle).ok());
  }
  const auto store = open_at(folder.path());
  const RetentionRule rule{.status = SagaStatus::completed, .ended_before = at(9)};
  const auto found = store->removable({&rule, 1}, 9);
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(*found,
            (std::vector<EndedSaga>{{.id = id(1), .started_at = at(0)},
                                    {.id = id(3), .started_at = at(0), .idempotency_key = "b"}}));
}

}  // namespace
}  // namespace skald
