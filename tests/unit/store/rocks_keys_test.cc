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
}

std::vector<std::string> updates_of(const Transition& transition) {
  rocksdb::WriteBatch batch;
  StatusCounts counts{};
  counts.fill(1);
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
