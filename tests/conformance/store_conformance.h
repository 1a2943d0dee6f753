// The promises of engine/store/store.h as one typed suite: a store is a store after it passes.
//
//   struct MyStore {    // a world of its own for each test
//     Store& store();   // opened, empty at first
//     Store& reopen();  // closed and opened again; where anything outlives it
//   };
//   INSTANTIATE_TYPED_TEST_SUITE_P(Mine, StoreConformance, MyStore);
//   INSTANTIATE_TYPED_TEST_SUITE_P(Mine, StoreListConformance, MyStore);  // its own header
//   INSTANTIATE_TYPED_TEST_SUITE_P(Mine, StoreSearchConformance, MyStore);  // likewise
//   INSTANTIATE_TYPED_TEST_SUITE_P(Mine, StoreDurability, MyStore);  // where anything outlives it
//   INSTANTIATE_TYPED_TEST_SUITE_P(Mine, StoreSearchDurability, MyStore);  // likewise
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <thread>

#include "tests/conformance/store_world.h"

namespace skald::conformance {

template <class World>
class StoreConformance : public testing::Test {
 protected:
  Store& store() { return world_.store(); }
  auto& reopen() { return world_.reopen(); }

 private:
  World world_;
};
TYPED_TEST_SUITE_P(StoreConformance);

// --- Shards and fencing ---

TYPED_TEST_P(StoreConformance, ANewShardBeginsAtNothingInEpochOne) {
  const auto meta = this->store().open_shard(7);
  ASSERT_TRUE(meta.has_value());
  EXPECT_EQ(meta->epoch, 1u);
  EXPECT_EQ(meta->number, 0u);
  EXPECT_EQ(meta->clock_high, Instant{});
}

TYPED_TEST_P(StoreConformance, OpeningAShardAgainRaisesItsEpochAndKeepsItsNumber) {
  ShardWriter writer(this->store(), 7);
  Tale tale(id(1));
  writer.commit(tale.start(at(0)));
  const auto meta = this->store().open_shard(7);
  ASSERT_TRUE(meta.has_value());
  EXPECT_EQ(meta->epoch, 2u);
  EXPECT_EQ(meta->number, 1u);
  EXPECT_EQ(meta->clock_high, kNoon);
  EXPECT_EQ(this->store().open_shard(8)->epoch, 1u);
}

TYPED_TEST_P(StoreConformance, AShardIsToldTheLatestClockOfAll) {
  ShardWriter writer(this->store(), 1);
  Tale tale(id(1));
  writer.commit(tale.start(at(0)));

  // Then: who starts again with fewer shards knows how late it was for those that are gone.
  const auto meta = this->store().open_shard(0);
  ASSERT_TRUE(meta.has_value());
  EXPECT_EQ(meta->clock_high, kNoon);
}

TYPED_TEST_P(StoreConformance, AReplacedOwnerIsFencedAndWritesNothing) {
  ShardWriter old_owner(this->store(), 1);
  ShardWriter new_owner(this->store(), 1);
  Tale tale(id(1));
  const auto refused = old_owner.try_commit({tale.start(at(0))});
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, Errc::aborted);
  EXPECT_FALSE(this->store().load(id(1))->has_value());
  EXPECT_EQ(count_of(this->store(), SagaStatus::running), 0u);
  Tale other(id(2));
  new_owner.commit(other.start(at(0)));
}

TYPED_TEST_P(StoreConformance, AShardThatNobodyOpenedIsFenced) {
  Tale tale(id(1));
  ShardBatch batch{.shard = 1, .epoch = 0, .number = 1};
  batch.transitions.push_back(tale.start(at(0)));
  const auto refused = this->store().commit({&batch, 1});
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, Errc::aborted);
}

TYPED_TEST_P(StoreConformance, ABatchNumberIsNeitherRepeatedNorSkipped) {
  ShardWriter writer(this->store(), 1);
  Tale first(id(1));
  writer.commit(first.start(at(0)));
  Tale second(id(2));
  for (const std::uint64_t number : {0u, 1u, 3u}) {
    ShardBatch batch = writer.batch({second.start(at(0))});
    batch.number = number;
    const auto refused = this->store().commit({&batch, 1});
    ASSERT_FALSE(refused.has_value()) << number;
    EXPECT_EQ(refused.error().code, Errc::aborted);
    EXPECT_FALSE(this->store().load(id(2))->has_value());
  }
}

TYPED_TEST_P(StoreConformance, BatchesOfOneCallAreAtomicTogether) {
  ShardWriter good(this->store(), 1);
  ShardWriter fenced(this->store(), 2);
  Tale first(id(1));
  Tale second(id(2));
  std::vector<ShardBatch> batches = {good.batch({first.start(at(0))}),
                                     fenced.batch({second.start(at(0))})};
  batches[1].epoch += 1;
  ASSERT_FALSE(this->store().commit(batches).has_value());
  EXPECT_FALSE(this->store().load(id(1))->has_value());
  batches[1].epoch -= 1;
  ASSERT_TRUE(this->store().commit(batches).has_value());
  EXPECT_TRUE(this->store().load(id(1))->has_value());
  EXPECT_TRUE(this->store().load(id(2))->has_value());
}

TYPED_TEST_P(StoreConformance, OneCallMayHoldSeveralBatchesOfOneShard) {
  ShardWriter writer(this->store(), 1);
  Tale tale(id(1));
  std::vector<ShardBatch> batches = {writer.batch({tale.start(at(0))})};
  writer.written();
  batches.push_back(writer.batch({tale.step(at(1))}));
  writer.written();
  ASSERT_TRUE(this->store().commit(batches).has_value());
  EXPECT_EQ((*this->store().load(id(1)))->records.size(), 2u);
  EXPECT_EQ(this->store().open_shard(1)->number, 2u);
}

// --- Histories ---

TYPED_TEST_P(StoreConformance, LoadGivesEveryRecordOfOneSagaInOrder) {
  ShardWriter writer(this->store(), 1);
  // Neighbours in the order of ids, which must not be mixed.
  std::vector<Tale> tales = {Tale(id(5, 0)), Tale(id(5, 1)), Tale(id(5, ~0ULL)), Tale(id(6, 0))};
  std::vector<std::vector<Bytes>> written(tales.size());
  for (int round = 0; round < 300; ++round) {
    std::vector<Transition> transitions;
    for (std::size_t i = 0; i < tales.size(); ++i) {
      Tale& tale = tales[i];
      transitions.push_back(round == 0 ? tale.start(at(0)) : tale.step(at(round), 1 + round % 3));
      written[i].push_back(transitions.back().record);
    }
    ASSERT_TRUE(writer.try_commit(std::move(transitions)).has_value());
  }
  for (std::size_t i = 0; i < tales.size(); ++i) {
    const auto saga = this->store().load(tales[i].id());
    ASSERT_TRUE(saga.has_value() && saga->has_value());
    EXPECT_EQ((*saga)->id, tales[i].id());
    ASSERT_EQ((*saga)->records.size(), written[i].size());
    for (std::size_t r = 0; r < written[i].size(); ++r) {
      EXPECT_EQ((*saga)->records[r].bytes, written[i][r]);
    }
  }
}

TYPED_TEST_P(StoreConformance, ASagaThatIsNotThereIsNoError) {
  const auto saga = this->store().load(id(1));
  ASSERT_TRUE(saga.has_value());
  EXPECT_FALSE(saga->has_value());
}

TYPED_TEST_P(StoreConformance, AHoleInAHistoryIsDataLossThatNamesThePlace) {
  ShardWriter writer(this->store(), 1);
  Tale tale(id(1));
  const Transition first = tale.start(at(0));
  const Transition lost = tale.step(at(1), 2);
  writer.commit(first, tale.step(at(2)));
  const auto saga = this->store().load(id(1));
  ASSERT_FALSE(saga.has_value());
  EXPECT_EQ(saga.error().code, Errc::data_loss);
  EXPECT_NE(saga.error().message.find(id(1).text()), std::string::npos);
  EXPECT_NE(saga.error().message.find("seq=2"), std::string::npos) << saga.error().message;
}

TYPED_TEST_P(StoreConformance, ARecordTakesThePlaceOfThoseThatItFolds) {
  ShardWriter writer(this->store(), 1);
  Tale tale(id(1));
  Tale neighbour(id(1, 2));
  writer.commit(tale.start(at(0)), tale.step(at(1)), neighbour.start(at(1)), neighbour.step(at(1)));
  // One that is stored, and one of the same commit.
  const Transition same_commit = tale.step(at(2), 2);
  const Transition folding = tale.fold({2, 3}, at(3));
  writer.commit(same_commit, folding, tale.step(at(4)));
  const auto saga = this->store().load(id(1));
  ASSERT_TRUE(saga.has_value() && saga->has_value()) << saga.error().message;
  ASSERT_EQ((*saga)->records.size(), 3u);
  EXPECT_EQ((*saga)->records[1].first_seq, 2u);
  EXPECT_EQ((*saga)->records[1].bytes, folding.record);
  EXPECT_EQ((*saga)->records[2].first_seq, 6u);
  EXPECT_EQ((*this->store().load(id(1, 2)))->records.size(), 2u);
  // What was folded is folded again with what came since.
  writer.commit(tale.fold({2, 6}, at(5)));
  const auto again = this->store().load(id(1));
  ASSERT_TRUE(again.has_value() && again->has_value()) << again.error().message;
  ASSERT_EQ((*again)->records.size(), 2u);
  EXPECT_EQ((*again)->records[1].first_seq, 2u);
}

TYPED_TEST_P(StoreConformance, ARefusedFoldTakesNothingAway) {
  ShardWriter writer(this->store(), 1);
  Tale tale(id(1));
  writer.commit(tale.start(at(0)), tale.step(at(1)), tale.step(at(2)));
  ShardBatch late = writer.batch({tale.fold({2, 3}, at(3))});
  late.epoch += 1;
  ASSERT_FALSE(this->store().commit({&late, 1}).has_value());
  EXPECT_EQ((*this->store().load(id(1)))->records.size(), 3u);
}

// --- Keys ---

TYPED_TEST_P(StoreConformance, AnIdempotencyKeyLeadsToItsSaga) {
  ShardWriter writer(this->store(), 1);
  Tale tale(id(1));
  writer.commit(tale.start(at(0), {.idempotency_key = std::string("k\0\xFF", 3)}));
  const auto row = this->store().find_key(std::string_view("k\0\xFF", 3));
  ASSERT_TRUE(row.has_value() && row->has_value());
  EXPECT_EQ((*row)->saga, id(1));
  EXPECT_EQ((*row)->body_hash, tale.body_hash());
  EXPECT_EQ((*row)->key, std::string_view("k\0\xFF", 3));
  EXPECT_FALSE(this->store().find_key("k")->has_value());
  const auto in_memory = this->store().find_key_in_memory(std::string_view("k\0\xFF", 3));
  ASSERT_TRUE(in_memory.has_value());
  EXPECT_EQ((*in_memory)->value(), row->value());
  EXPECT_FALSE((*this->store().find_key_in_memory("k"))->has_value());
  EXPECT_FALSE(this->store().find_key("")->has_value());
}

TYPED_TEST_P(StoreConformance, ExpiredKeysAreListedOldestFirstUntilRemoved) {
  ShardWriter writer(this->store(), 1);
  std::vector<Tale> tales;
  for (std::uint64_t i = 0; i < 5; ++i) {
    tales.emplace_back(id(10 + i));
    writer.commit(tales[i].start(at(0), {.idempotency_key = "key-" + std::to_string(i)}));
  }
  Tale keyless(id(20));
  writer.commit(keyless.start(at(0)), keyless.become(SagaStatus::completed, at(1)));
  // Ended in the order 2, 1, 0; 3 is still running, 4 was abandoned later.
  writer.commit(tales[2].become(SagaStatus::completed, at(10)));
  writer.commit(tales[1].become(SagaStatus::compensated, at(20)));
  writer.commit(tales[0].become(SagaStatus::completed, at(30)));
  writer.commit(tales[4].become(SagaStatus::abandoned, at(40)));

  const auto keys = [&](Instant before, std::size_t limit, PlacementRange range = {}) {
    std::vector<std::string> found;
    const auto rows = this->store().expired_keys(range, before, limit);
    EXPECT_TRUE(rows.has_value());
    for (const KeyRow& row : *rows) found.push_back(row.key);
    return found;
  };
  using Keys = std::vector<std::string>;
  EXPECT_EQ(keys(at(30), 10), (Keys{"key-2", "key-1"}));  // `before` is exclusive
  EXPECT_EQ(keys(at(31), 10), (Keys{"key-2", "key-1", "key-0"}));
  EXPECT_EQ(keys(at(99), 1), (Keys{"key-2"}));
  EXPECT_EQ(keys(at(99), 10, {.first = 11, .last = 12}), (Keys{"key-2", "key-1"}));
  const auto rows = this->store().expired_keys({}, at(11), 1);
  EXPECT_EQ(rows->at(0),
            (KeyRow{.key = "key-2", .saga = id(12), .body_hash = tales[2].body_hash()}));

  ASSERT_TRUE(writer.try_commit({}, {"key-2", "key-0", "no such key"}).has_value());
  EXPECT_FALSE(this->store().find_key("key-2")->has_value());
  EXPECT_EQ(keys(at(99), 10), (Keys{"key-1", "key-4"}));
  EXPECT_TRUE(this->store().load(id(12))->has_value());  // the saga stays
}

TYPED_TEST_P(StoreConformance, ARemovedKeyMayBeUsedAgain) {
  ShardWriter writer(this->store(), 1);
  Tale first(id(1, 1));
  writer.commit(first.start(at(0), {.idempotency_key = "key"}));
  writer.commit(first.become(SagaStatus::completed, at(1)));
  ASSERT_TRUE(writer.try_commit({}, {"key"}).has_value());
  Tale second(id(1, 2));
  writer.commit(second.start(at(2), {.idempotency_key = "key"}));
  EXPECT_EQ((*this->store().find_key("key"))->saga, second.id());
  EXPECT_TRUE(this->store().expired_keys({}, at(99), 10)->empty());
  writer.commit(second.become(SagaStatus::completed, at(3)));
  EXPECT_EQ(this->store().expired_keys({}, at(99), 10)->size(), 1u);
}

TYPED_TEST_P(StoreConformance, ABusinessKeyLeadsToItsSagasNewestFirst) {
  ShardWriter writer(this->store(), 1);
  Tale a(id(3)), b(id(1)), c(id(2)), longer(id(4)), nul(id(5));
  writer.commit(a.start(at(5), {.business_key = "order-1"}),
                b.start(at(7), {.business_key = "order-1"}),
                c.start(at(7), {.business_key = "order-1"}),
                longer.start(at(9), {.business_key = "order-10"}),
                nul.start(at(9), {.business_key = std::string("order-1\0", 8)}));
  writer.commit(b.become(SagaStatus::completed, at(8)));
  const auto find = [&](std::string_view key, std::size_t limit) {
    return *this->store().find_business_key(key, limit);
  };
  EXPECT_EQ(find("order-1", 10), (std::vector<SagaId>{id(2), id(1), id(3)}));
  EXPECT_EQ(find("order-1", 2), (std::vector<SagaId>{id(2), id(1)}));
  EXPECT_EQ(find("order-10", 10), (std::vector<SagaId>{id(4)}));
  EXPECT_EQ(find(std::string_view("order-1\0", 8), 10), (std::vector<SagaId>{id(5)}));
  EXPECT_TRUE(find("order", 10).empty());
}

// --- What recovery reads ---

TYPED_TEST_P(StoreConformance, ActiveSagasAreThoseNeitherEndedNorWaiting) {
  ShardWriter writer(this->store(), 1);
  Tale a(id(1)), b(id(2)), c(id(3)), d(id(4)), e(id(5));
  writer.commit(a.start(at(0)), b.start(at(0)), c.start(at(0)), d.start(at(0)), e.start(at(0)));
  writer.commit(a.become(SagaStatus::stuck, at(1)), b.wait(at(9), at(1)),
                c.become(SagaStatus::completed, at(1)), d.wait(std::nullopt, at(1)));
  writer.commit(d.wake(at(2)));
  EXPECT_EQ(*this->store().active({}, std::nullopt, 10),
            (std::vector<SagaId>{id(1), id(4), id(5)}));
}

TYPED_TEST_P(StoreConformance, ActiveSagasComeByRangeAndResume) {
  ShardWriter writer(this->store(), 1);
  std::vector<Tale> tales = {Tale(id(0, 0)), Tale(id(0, 5)), Tale(id(7, 1)),
                             Tale(id(7, 2)), Tale(id(8, 0)), Tale(id(~0ULL, ~0ULL))};
  for (Tale& tale : tales) writer.commit(tale.start(at(0)));
  const auto active = [&](PlacementRange range, std::optional<SagaId> after, std::size_t limit) {
    return *this->store().active(range, after, limit);
  };
  using Ids = std::vector<SagaId>;
  EXPECT_EQ(active({.first = 1, .last = 7}, {}, 10), (Ids{id(7, 1), id(7, 2)}));
  EXPECT_EQ(active({.first = 8}, {}, 10), (Ids{id(8, 0), id(~0ULL, ~0ULL)}));
  EXPECT_EQ(active({.first = 7}, id(0, 5), 10).front(), id(7, 1));
  EXPECT_EQ(active({}, id(~0ULL, ~0ULL), 10), Ids{});
  Ids all;
  std::optional<SagaId> after;
  while (true) {
    const Ids some = active({}, after, 2);
    if (some.empty()) break;
    all.insert(all.end(), some.begin(), some.end());
    after = all.back();
  }
  EXPECT_EQ(all.size(), tales.size());
  EXPECT_TRUE(std::ranges::is_sorted(all));
}

TYPED_TEST_P(StoreConformance, TimersComeEarliestFirstAndResume) {
  ShardWriter writer(this->store(), 1);
  std::vector<Tale> tales;
  const std::vector<std::int64_t> dues = {50, 10, 30, 10, 90};
  for (std::uint64_t i = 0; i < dues.size(); ++i) {
    tales.emplace_back(id(i + 1));
    writer.commit(tales[i].start(at(0)));
    writer.commit(tales[i].wait(at(dues[i]), at(1)));
  }
  const auto timers = [&](Instant until, std::optional<TimerRow> after, std::size_t limit,
                          PlacementRange range = {}) {
    std::vector<SagaId> found;
    for (const TimerRow& row : *this->store().timers(range, until, after, limit)) {
      found.push_back(row.id);
    }
    return found;
  };
  using Ids = std::vector<SagaId>;
  EXPECT_EQ(timers(at(50), {}, 10), (Ids{id(2), id(4), id(3), id(1)}));  // `until` is inclusive
  EXPECT_EQ(timers(at(49), {}, 10), (Ids{id(2), id(4), id(3)}));
  EXPECT_EQ(timers(kNever, {}, 2), (Ids{id(2), id(4)}));
  EXPECT_EQ(timers(kNever, TimerRow{.due = at(10), .id = id(2)}, 10),
            (Ids{id(4), id(3), id(1), id(5)}));
  EXPECT_EQ(timers(kNever, TimerRow{.due = at(20), .id = id(0)}, 1), (Ids{id(3)}));
  EXPECT_EQ(timers(kNever, {}, 10, {.first = 3, .last = 4}), (Ids{id(4), id(3)}));
  EXPECT_EQ(this->store().timers({}, at(10), {}, 1)->at(0).due, at(10));
  EXPECT_TRUE(timers(at(9), {}, 10).empty());
}

TYPED_TEST_P(StoreConformance, ATimerMovesAndGoesWithItsTransition) {
  ShardWriter writer(this->store(), 1);
  Tale tale(id(1));
  writer.commit(tale.start(at(0)), tale.wait(at(50), at(1)));
  writer.commit(tale.wait(at(20), at(2)));
  EXPECT_EQ(this->store().timers({}, kNever, {}, 10)->size(), 1u);
  EXPECT_EQ(this->store().timers({}, kNever, {}, 10)->at(0).due, at(20));
  writer.commit(tale.step(at(3)));
  EXPECT_EQ(this->store().timers({}, kNever, {}, 10)->size(), 1u);
  writer.commit(tale.wake(at(4)));
  EXPECT_TRUE(this->store().timers({}, kNever, {}, 10)->empty());
}

TYPED_TEST_P(StoreConformance, ThereIsRoom) { EXPECT_GT(*this->store().bytes_available(), 0u); }

// --- Readers beside the writer ---

// Each commit starts two sagas of one business key: no reader may ever see one of them alone.
TYPED_TEST_P(StoreConformance, ReadersSeeWholeCommitsOnly) {
  ShardWriter writer(this->store(), 1);
  std::atomic<bool> done = false;
  std::atomic<std::uint64_t> acknowledged = 0;
  std::thread reader([&] {
    bool last_round = false;
    do {
      last_round = done;
      const std::uint64_t at_least = acknowledged;
      const auto page = this->store().list({.business_key = "pair", .limit = kListPageMax});
      ASSERT_TRUE(page.has_value());
      EXPECT_EQ(page->sagas.size() % 2, 0u);
      EXPECT_GE(page->sagas.size(), at_least);
    } while (!last_round && !this->HasFailure());
  });
  for (std::uint64_t i = 0; i < 100; ++i) {
    Tale a(id(i, 1)), b(id(i, 2));
    writer.commit(a.start(at(0), {.business_key = "pair"}),
                  b.start(at(1'000), {.business_key = "pair"}));
    acknowledged += 2;
  }
  done = true;
  reader.join();
}

TYPED_TEST_P(StoreConformance, NotesAreFoundByPrefixUntilTheyGo) {
  ShardWriter writer(this->store(), 1);
  const auto note = [&](std::string name, std::optional<Bytes> value) {
    ShardBatch one = writer.batch({});
    one.notes.push_back({.name = std::move(name), .value = std::move(value)});
    ASSERT_TRUE(this->store().commit({&one, 1}).has_value());
    writer.written();
  };
  note("hold/b", "1");
  note("hold/a", "2");
  note("job/1", "3");
  note("hold/b", "4");
  const std::vector<Note> holds{{.name = "hold/a", .value = "2"}, {.name = "hold/b", .value = "4"}};
  EXPECT_EQ(*this->store().notes("hold/"), holds);
  note("hold/a", std::nullopt);
  EXPECT_EQ(this->store().notes("hold/")->size(), 1u);
  EXPECT_EQ(this->store().notes("")->size(), 2u);
}

REGISTER_TYPED_TEST_SUITE_P(
    StoreConformance, AShardIsToldTheLatestClockOfAll, NotesAreFoundByPrefixUntilTheyGo,
    ANewShardBeginsAtNothingInEpochOne, OpeningAShardAgainRaisesItsEpochAndKeepsItsNumber,
    AReplacedOwnerIsFencedAndWritesNothing, AShardThatNobodyOpenedIsFenced,
    ABatchNumberIsNeitherRepeatedNorSkipped, BatchesOfOneCallAreAtomicTogether,
    OneCallMayHoldSeveralBatchesOfOneShard, LoadGivesEveryRecordOfOneSagaInOrder,
    ASagaThatIsNotThereIsNoError, AHoleInAHistoryIsDataLossThatNamesThePlace,
    ARecordTakesThePlaceOfThoseThatItFolds, ARefusedFoldTakesNothingAway,
    AnIdempotencyKeyLeadsToItsSaga, ExpiredKeysAreListedOldestFirstUntilRemoved,
    ARemovedKeyMayBeUsedAgain, ABusinessKeyLeadsToItsSagasNewestFirst,
    ActiveSagasAreThoseNeitherEndedNorWaiting, ActiveSagasComeByRangeAndResume,
    TimersComeEarliestFirstAndResume, ATimerMovesAndGoesWithItsTransition, ThereIsRoom,
    ReadersSeeWholeCommitsOnly);

// --- After a restart ---

template <class World>
class StoreDurability : public StoreConformance<World> {};
TYPED_TEST_SUITE_P(StoreDurability);

TYPED_TEST_P(StoreDurability, EverythingIsThereAfterReopening) {
  Tale a(id(1)), b(id(2)), c(id(3));
  {
    ShardWriter writer(this->store(), 1);
    writer.commit(a.start(at(0), {.business_key = "x", .idempotency_key = "ka"}),
                  b.start(at(1), {.idempotency_key = "kb"}), c.start(at(2)));
    writer.commit(a.wait(at(70), at(3)), b.become(SagaStatus::completed, at(4)));
  }
  Store& store = this->reopen();
  EXPECT_EQ((*store.load(id(1)))->records.size(), 2u);
  EXPECT_EQ((*store.find_key("ka"))->saga, id(1));
  EXPECT_EQ(store.find_business_key("x", 9)->size(), 1u);
  EXPECT_EQ(ids_of(*store.list({})), (std::vector<SagaId>{id(3), id(2), id(1)}));
  EXPECT_EQ(count_of(store, SagaStatus::running), 2u);
  EXPECT_EQ(count_of(store, SagaStatus::completed), 1u);
  EXPECT_EQ(store.timers({}, kNever, {}, 9)->at(0).due, at(70));
  EXPECT_EQ(*store.active({}, {}, 9), (std::vector<SagaId>{id(3)}));
  EXPECT_EQ(store.expired_keys({}, at(99), 9)->at(0).key, "kb");
  const auto meta = store.open_shard(1);
  EXPECT_EQ(meta->epoch, 2u);
  EXPECT_EQ(meta->number, 2u);
  EXPECT_EQ(meta->clock_high, kNoon);
}

REGISTER_TYPED_TEST_SUITE_P(StoreDurability, EverythingIsThereAfterReopening);

}  // namespace skald::conformance
