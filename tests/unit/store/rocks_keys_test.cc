// Key bytes are stored: these must never change.
#include "engine/store/rocks_keys.h"

#include <gtest/gtest.h>

#include "engine/store/rocks_batch.h"
#include "tests/unit/store/updates.h"

namespace skald::rocks {
namespace {

constexpr SagaId kId{.placement = 0x0102030405060708ULL, .serial = 0x1112131415161718ULL};
constexpr Instant kAt = from_unix_ms(0x18BCFE56800);

TEST(RocksKeys, NumbersOfKindsAreFixed) {
  EXPECT_EQ(static_cast<char>(RowKind::format), 1);
  EXPECT_EQ(static_cast<char>(RowKind::shard), 2);
  EXPECT_EQ(static_cast<char>(RowKind::count), 3);
  EXPECT_EQ(static_cast<char>(RowKind::listed), 4);
  EXPECT_EQ(static_cast<char>(RowKind::active), 5);
  EXPECT_EQ(static_cast<char>(RowKind::submission_key), 6);
  EXPECT_EQ(static_cast<char>(RowKind::business_key), 7);
  EXPECT_EQ(static_cast<char>(RowKind::timer), 8);
  EXPECT_EQ(static_cast<char>(RowKind::ended), 9);
  EXPECT_EQ(static_cast<char>(RowKind::definition), 10);
  EXPECT_EQ(static_cast<char>(RowKind::counted), 11);
  EXPECT_EQ(static_cast<char>(RowKind::cause), 12);
  EXPECT_EQ(static_cast<char>(RowKind::cause_saga), 13);
  EXPECT_EQ(static_cast<char>(RowKind::stuck_since), 14);
}

std::vector<std::string> updates_of(const Transition& transition) {
  rocksdb::WriteBatch batch;
  SagaCounts counts;
  counts.restore_name(0, "d");
  for (std::uint8_t i = 1; i <= kSagaStatusCount; ++i) {
    counts.restore(0, static_cast<SagaStatus>(i), 1);
  }
  BatchWriter(batch, {}).transition(transition, counts);
  Updates updates;
  EXPECT_TRUE(batch.Iterate(&updates).ok());
  return updates.lines;
}

const SagaSummary kRunning{.definition = "d",
                           .version = 1,
                           .business_key = "b",
                           .idempotency_key = "k",
                           .started_at = kAt};

TEST(RocksKeys, AStartWritesItsRecordAndOneRowPerIndex) {
  const Transition start{.id = kId,
                         .first_seq = 1,
                         .count = 2,
                         .record = "record",
                         .after = kRunning,
                         .timer_after = kAt,
                         .new_key = KeyRow{.key = "k", .saga = kId, .body_hash = 7}};
  EXPECT_EQ(updates_of(start),
            (std::vector<std::string>{
                // record
                "put 010203040506070811121314151617180000000000000001 = 000000027265636f7264",
                // timer
                "put 088000018bcfe5680001020304050607081112131415161718 = ",
                // idempotency key
                "put 066b = 0102030405060708111213141516171800000000000000078000018bcfe56800",
                // list
                "put 04017ffffe74301a97fffefdfcfbfaf9f8f7eeedecebeae9e8e7 = "
                "010a016410012a016232016b3880a0abfef9629170eb11",
                // active
                "put 0501020304050607081112131415161718 = ",
                // business key
                "put 070001627ffffe74301a97fffefdfcfbfaf9f8f7eeedecebeae9e8e7 = "}));
}

TEST(RocksKeys, AnEndMovesTheListRowAndNotesWhenItEnded) {
  SagaSummary completed = kRunning;
  completed.status = SagaStatus::completed;
  completed.ended_at = kAt + Millis{1};
  const Transition end{.id = kId,
                       .first_seq = 3,
                       .count = 1,
                       .record = "record",
                       .before = kRunning,
                       .after = completed};
  EXPECT_EQ(updates_of(end),
            (std::vector<std::string>{
                "put 010203040506070811121314151617180000000000000003 = 000000017265636f7264",
                "delete 04017ffffe74301a97fffefdfcfbfaf9f8f7eeedecebeae9e8e7",
                "put 04057ffffe74301a97fffefdfcfbfaf9f8f7eeedecebeae9e8e7 = "
                "010a0164100118052a016232016b3880a0abfef96240027a905fc4",
                "delete 0501020304050607081112131415161718",
                "put 098000018bcfe5680101020304050607081112131415161718 = 6b"}));
}

// What an end costs beside its own rows: one count row for each status that changed. Its bytes are
// no more than those of format 1, whose key and value had 10.
TEST(RocksKeys, ACommitOfOneDefinitionWritesOneCountRowPerStatus) {
  SagaCounts counts;
  counts.restore_name(0, "create_order");
  counts.restore(0, SagaStatus::running, 300);
  counts.restore(0, SagaStatus::completed, 1'000'000);
  counts.leave("create_order", SagaStatus::running);
  counts.enter("create_order", SagaStatus::completed);
  rocksdb::WriteBatch batch;
  BatchWriter(batch, {}).counts(counts);
  Updates updates;
  EXPECT_TRUE(batch.Iterate(&updates).ok());
  EXPECT_EQ(updates.lines, (std::vector<std::string>{
                               "put 0b010000 = ab02",
                               "put 0b050000 = c1843d",
                           }));
}

TEST(RocksKeys, AStuckSagaHasARowByItsCauseAndOneByItsTime) {
  SagaSummary stuck = kRunning;
  stuck.status = SagaStatus::stuck;
  stuck.failure = FailureClass{.step = "s",
                               .participant = {},
                               .code = {},
                               .message = {},
                               .cause = {.value = 0x2122232425262728ULL}};
  stuck.since = kAt + Millis{1};
  rocksdb::WriteBatch batch;
  CauseChanges changes;
  BatchWriter writer(batch, {});
  writer.add_causes(kId, stuck, changes);
  ASSERT_EQ(changes.changes().size(), 1U);
  writer.cause(changes.changes().begin()->first,
               {.count = 3, .cause = changes.changes().begin()->second.cause});
  Updates updates;
  EXPECT_TRUE(batch.Iterate(&updates).ok());
  EXPECT_EQ(updates.lines,
            (std::vector<std::string>{
                "put 0d0421222324252627287ffffe74301a97fffefdfcfbfaf9f8f7eeedecebeae9e8e7 = ",
                "put 0e8000018bcfe5680101020304050607081112131415161718 = 8000018bcfe56800",
                "put 0c042122232425262728 = "
                "0000000000000003010a0164120e0a01732004392827262524232221e71982a9"}));
}

TEST(RocksKeys, AStepWritesItsRecordAlone) {
  const Transition step{.id = kId, .first_seq = 3, .count = 1, .record = "record"};
  EXPECT_EQ(updates_of(step).size(), 1u);
}

TEST(RocksKeys, OrderOfKeysIsOrderOfTimeAndIds) {
  Bytestring a;
  Bytestring b;
  const ListPosition older{.started_at = from_unix_ms(-5), .id = kId};
  const ListPosition newer{.started_at = from_unix_ms(7), .id = kId};
  EXPECT_LT(a.begin().instant(older.started_at).view(), b.begin().instant(newer.started_at).view());
  EXPECT_GT(a.begin().newest_first(older).view(), b.begin().newest_first(newer).view());
  EXPECT_EQ(ByteReader(a.begin().newest_first(older).view()).newest_first(), older);
  EXPECT_EQ(ByteReader(a.begin().instant(kNever).view()).instant(), kNever);
  EXPECT_EQ(ByteReader(a.begin().id(kId).view()).id(), kId);
}

TEST(RocksKeys, WhatIsTooShortIsNotSound) {
  ByteReader reader("1234");
  EXPECT_EQ(reader.number64(), 0u);
  EXPECT_FALSE(reader.sound());
  EXPECT_FALSE(read_key_value("short").has_value());
}

TEST(RocksKeys, TheEndOfAPrefixIsBehindAllItsKeys) {
  EXPECT_EQ(after_prefix("ab"), "ac");
  EXPECT_EQ(after_prefix("a\xFF"), "b");
  EXPECT_EQ(after_prefix("\xFF\xFF"), "");
}

}  // namespace
}  // namespace skald::rocks
