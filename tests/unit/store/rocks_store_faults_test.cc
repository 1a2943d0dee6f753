// What RocksStore does when files fail: writing ends, reads go on, and the next open finds every
// acknowledged commit.
#include <gtest/gtest.h>

#include "engine/store/rocks_keys.h"
#include "tests/unit/store/faulty_files.h"
#include "tests/unit/store/log_of_commits.h"

namespace skald {
namespace {

using conformance::at;
using conformance::count_of;
using conformance::id;
using conformance::ShardWriter;
using conformance::Tale;

Result<std::unique_ptr<RocksStore>> open_at(const std::string& directory, FaultyEnv* faulty,
                                            std::uint64_t reserve = 0) {
  return RocksStore::open({.directory = directory,
                           .disk_reserve_bytes = reserve,
                           .env = faulty != nullptr ? faulty->env.get() : nullptr});
}

TEST(RocksStoreFaults, EveryCommitIsSyncedBeforeItIsAcknowledged) {
  TempDir folder(TempDir::Where::memory);
  FaultyEnv faulty;
  auto store = open_at(folder.path(), &faulty);
  ASSERT_TRUE(store.has_value()) << store.error().message;
  EXPECT_EQ(faulty.files->unsynced_log_bytes(), 0);
  ShardWriter writer(**store, 0);
  EXPECT_EQ(faulty.files->unsynced_log_bytes(), 0);
  for (std::uint64_t i = 0; i < 5; ++i) {
    Tale tale(id(i));
    writer.commit(tale.start(at(0)));
    EXPECT_EQ(faulty.files->unsynced_log_bytes(), 0);
  }
}

TEST(RocksStoreFaults, AFailedSyncEndsWritingAndReadsGoOn) {
  TempDir folder(TempDir::Where::memory);
  FaultyEnv faulty;
  auto store = open_at(folder.path(), &faulty);
  ASSERT_TRUE(store.has_value());
  ShardWriter writer(**store, 0);
  Tale before(id(1));
  writer.commit(before.start(at(0)));

  faulty.files->fail(2, FaultyFiles::Fault::error, false,
                     ".log");  // the append passes, the sync not
  Tale lost(id(2));
  const auto failed = writer.try_commit({lost.start(at(1))});
  ASSERT_TRUE(faulty.files->failed());
  ASSERT_FALSE(failed.has_value());
  EXPECT_EQ(failed.error().code, Errc::unavailable);

  faulty.files->heal();
  Tale later(id(3));
  const auto refused = writer.try_commit({later.start(at(2))});
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error(), failed.error());
  EXPECT_EQ((*store)->open_shard(9).error().code, Errc::unavailable);

  EXPECT_TRUE((*store)->load(id(1))->has_value());
  EXPECT_FALSE((*store)->load(id(2))->has_value());
  EXPECT_EQ(count_of(**store, SagaStatus::running), 1u);
  EXPECT_EQ((*store)->list({})->sagas.size(), 1u);

  store->reset();
  store = open_at(folder.path(), &faulty);
  ASSERT_TRUE(store.has_value()) << store.error().message;
  EXPECT_TRUE((*store)->load(id(1))->has_value());
  ShardWriter next(**store, 0);
  Tale after(id(4));
  next.commit(after.start(at(3)));
}

constexpr std::uint64_t kPairs = 4;

// Opens, writes, and tells which pairs were acknowledged; stops at the first error.
std::vector<std::uint64_t> write_pairs(const std::string& directory, FaultyEnv& faulty) {
  std::vector<std::uint64_t> acknowledged;
  auto store = open_at(directory, &faulty);
  if (!store || !(*store)->open_shard(0)) return acknowledged;
  for (std::uint64_t number = 1; number <= kPairs; ++number) {
    Tale a(id(number, 1));
    Tale b(id(number, 2));
    ShardBatch batch{.epoch = 1, .number = number};
    batch.transitions.push_back(a.start(at(0), {.idempotency_key = std::to_string(number)}));
    batch.transitions.push_back(b.start(at(0)));
    if (!(*store)->commit({&batch, 1})) break;
    acknowledged.push_back(number);
  }
  return acknowledged;
}

// What must hold after the next open on sound files.
void expect_all_there(const std::string& directory,
                      const std::vector<std::uint64_t>& acknowledged) {
  auto store = open_at(directory, nullptr);
  ASSERT_TRUE(store.has_value()) << store.error().message;
  for (const std::uint64_t number : acknowledged) {
    ASSERT_TRUE((*store)->load(id(number, 1))->has_value()) << number;
    ASSERT_TRUE((*store)->find_key(std::to_string(number))->has_value()) << number;
  }
  // At most the one that failed is there as well, and then whole; its pair's other half too.
  const std::uint64_t sagas = count_of(**store, SagaStatus::running);
  EXPECT_EQ(sagas % 2, 0u);
  EXPECT_LE(sagas / 2, acknowledged.size() + 1);
  EXPECT_EQ((*store)->list({})->sagas.size(), sagas);
  const auto meta = (*store)->open_shard(0);
  ASSERT_TRUE(meta.has_value());
  EXPECT_EQ(meta->number, sagas / 2);
}

// Breaks the first operation on files, then the second, and so on until none is left to break.
void fail_each_operation(FaultyFiles::Fault fault, bool for_ever) {
  std::int64_t n = 1;
  for (;; ++n) {
    TempDir folder(TempDir::Where::memory);
    FaultyEnv faulty;
    faulty.files->fail(n, fault, for_ever);
    const auto acknowledged = write_pairs(folder.path(), faulty);
    const bool failed = faulty.files->failed();
    expect_all_there(folder.path(), acknowledged);
    if (testing::Test::HasFailure()) FAIL() << "operation " << n;
    if (!failed) {
      EXPECT_EQ(acknowledged.size(), kPairs);
      break;
    }
  }
  std::printf("operations broken: %lld\n", static_cast<long long>(n - 1));
  EXPECT_GT(n, 20);
}

// A write that fails is a short one, a sync or a rename that fails did nothing.
TEST(RocksStoreFaults, NothingAcknowledgedIsLostWhicheverOperationFails) {
  fail_each_operation(FaultyFiles::Fault::short_write, false);
}
TEST(RocksStoreFaults, NothingAcknowledgedIsLostWheneverTheDiskGetsFull) {
  fail_each_operation(FaultyFiles::Fault::no_space, true);
}

TEST(RocksStoreFaults, BelowTheDiskReserveNewSagasAreRefusedAndOpenOnesGoOn) {
  TempDir folder(TempDir::Where::memory);
  FaultyEnv faulty;
  constexpr std::uint64_t kReserve = 1'000;
  auto store = open_at(folder.path(), &faulty, kReserve);
  ASSERT_TRUE(store.has_value());
  ShardWriter writer(**store, 0);
  Tale open(id(1));
  writer.commit(open.start(at(0)));

  faulty.files->set_free_bytes(kReserve - 1);
  EXPECT_EQ(*(*store)->bytes_available(), kReserve - 1);
  Tale fresh(id(2));
  const Transition start = fresh.start(at(1));
  const auto refused = writer.try_commit({start});
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, Errc::resource_exhausted);
  EXPECT_NE(refused.error().message.find("disk reserve"), std::string::npos);
  EXPECT_FALSE((*store)->load(id(2))->has_value());
  writer.commit(open.step(at(2)));
  writer.commit(open.become(SagaStatus::completed, at(3)));

  faulty.files->set_free_bytes(kReserve);
  writer.commit(start);
}

TEST(RocksStoreFaults, ASecondOpenerIsRefusedByTheNameOfTheHolder) {
  TempDir folder(TempDir::Where::memory);
  auto first = open_at(folder.path(), nullptr);
  ASSERT_TRUE(first.has_value());
  const auto second = open_at(folder.path(), nullptr);
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().code, Errc::failed_precondition);
  EXPECT_NE(second.error().message.find("process " + std::to_string(::getpid())), std::string::npos)
      << second.error().message;
  first->reset();
  EXPECT_TRUE(open_at(folder.path(), nullptr).has_value());
}

TEST(RocksStoreFaults, AFormatOfTheFutureIsRefused) {
  TempDir folder(TempDir::Where::memory);
  ASSERT_TRUE(open_at(folder.path(), nullptr).has_value());
  {
    rocksdb::DB* opened = nullptr;
    std::vector<rocksdb::ColumnFamilyHandle*> handles;
    const std::vector<rocksdb::ColumnFamilyDescriptor> families = {
        {rocksdb::kDefaultColumnFamilyName, {}}, {"events", {}}};
    ASSERT_TRUE(rocksdb::DB::Open({}, folder.path(), families, &handles, &opened).ok());
    const std::unique_ptr<rocksdb::DB> db(opened);
    const std::string future = rocks::Bytestring().number64(rocks::kFormatVersion + 1).view();
    ASSERT_TRUE(db->Put({}, "\x01", future).ok());
    for (auto* handle : handles) ASSERT_TRUE(db->DestroyColumnFamilyHandle(handle).ok());
  }
  const auto store = open_at(folder.path(), nullptr);
  ASSERT_FALSE(store.has_value());
  EXPECT_EQ(store.error().code, Errc::failed_precondition);
  EXPECT_NE(store.error().message.find(fmt::format("format version {}", rocks::kFormatVersion + 1)),
            std::string::npos);
}

// Damage below the logs: every file, in many places. Either it is said, or nothing is missing.
TEST(RocksStoreFaults, DamageInAnyFileIsFoundOrHarmless) {
  TempDir sound(TempDir::Where::memory);
  constexpr std::uint64_t kSagas = 40;
  {
    auto store = open_at(sound.path(), nullptr);
    ShardWriter writer(**store, 0);
    for (std::uint64_t i = 1; i <= kSagas; ++i) {
      Tale tale(id(i));
      writer.commit(tale.start(at(0), {.idempotency_key = "key-" + std::to_string(i)}));
    }
  }
  // The second open writes the tables.
  ASSERT_TRUE(open_at(sound.path(), nullptr).has_value());
  int found = 0;
  int harmless = 0;
  for (const auto& entry : std::filesystem::directory_iterator(sound.path())) {
    const std::string name = entry.path().filename().string();
    const std::string bytes = read_bytes(entry.path());
    constexpr std::size_t kPlaces = 12;
    for (std::size_t place = 0; place < kPlaces && bytes.size() > kPlaces; ++place) {
      TempDir folder(TempDir::Where::memory);
      std::filesystem::copy(sound.path(), folder.path(), std::filesystem::copy_options::recursive);
      std::string bad = bytes;
      bad[place * bytes.size() / kPlaces] ^= 0x20;
      write_bytes(folder.path() + "/" + name, bad);
      auto store = open_at(folder.path(), nullptr);
      bool said = !store.has_value();
      for (std::uint64_t i = 1; !said && i <= kSagas; ++i) {
        const auto saga = (*store)->load(id(i));
        const auto key = (*store)->find_key("key-" + std::to_string(i));
        said = !saga.has_value() || !key.has_value();
        ASSERT_TRUE(said || (saga->has_value() && key->has_value())) << name << " place " << place;
      }
      if (!said) {
        const auto page = (*store)->list({.limit = kListPageMax});
        said = !page.has_value();
        ASSERT_TRUE(said || page->sagas.size() == kSagas) << name << " place " << place;
      }
      // What was found while reading ends writing too.
      if (store && said) EXPECT_EQ((*store)->open_shard(0).error().code, Errc::unavailable);
      ++(said ? found : harmless);
    }
  }
  std::printf("flips found=%d harmless=%d\n", found, harmless);
  EXPECT_GT(found, 10);
}

}  // namespace
}  // namespace skald
