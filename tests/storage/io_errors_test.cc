// The n-th call of a kind fails, for every n, once and for ever: no acknowledged commit is lost, a
// failed write ends writing, reads answer what was acknowledged or an error, and the next open on
// sound files works.
#include <gtest/gtest.h>

#include "tests/storage/model_files.h"
#include "tests/storage/options.h"
#include "tests/storage/told.h"
#include "tests/storage/workload.h"
#include "tests/support/temp_dir.h"

namespace skald::storage {
namespace {

constexpr std::size_t kLives = 2;  // opens of one run: a flush, a new log and a replay are in it

struct Case {
  FaultPlan plan;
  std::string text() const {
    return fmt::format("{} of {} number {} {}", name(plan.fault), name(plan.call), plan.n,
                       plan.for_ever ? "and all after it" : "once");
  }
};

class IoErrors : public testing::Test {
 protected:
  // The core path on failing files: open, commit, read, close; and once more. Gives the number of
  // acknowledged commits.
  std::size_t run(ModelEnv& faulty) {
    std::size_t acknowledged = 0;
    for (std::size_t life = 0; life < kLives; ++life) {
      auto store =
          RocksStore::open({.directory = folder_.path(), .env = &faulty, .sizes = kTinySizes});
      if (!store) continue;
      const std::size_t until = workload_.size() * (life + 1) / kLives;
      if (!commit_some(**store, until, acknowledged)) return acknowledged;
      const auto told = tell(**store);
      if (told) {
        EXPECT_TRUE(*told == workload_.told(acknowledged)) << "a read answered something else";
      } else {
        EXPECT_TRUE(faulty.files().failed()) << told.error().message;
      }
    }
    return acknowledged;
  }

  // False: nobody knows any more how many commits are on disk, one more than acknowledged or not.
  bool commit_some(RocksStore& store, std::size_t until, std::size_t& acknowledged) {
    const auto epochs = take_over(store);
    if (!epochs) return true;
    while (acknowledged < until) {
      const auto done = store.commit(workload_.commit(acknowledged, *epochs));
      if (!done) {
        EXPECT_EQ(done.error().code, Errc::unavailable) << done.error().message;
        const auto again = store.commit(workload_.commit(acknowledged, *epochs));
        EXPECT_FALSE(again.has_value()) << "a failed write did not end writing";
        const auto told = tell(store);
        EXPECT_TRUE(!told || *told == workload_.told(acknowledged)) << "reads are not what was";
        return false;
      }
      ++acknowledged;
    }
    return true;
  }

  void expect_all_there(DiskModel& disk, std::size_t acknowledged) {
    ModelEnv sound(disk);
    auto store =
        RocksStore::open({.directory = folder_.path(), .env = &sound, .sizes = kTinySizes});
    ASSERT_TRUE(store.has_value()) << store.error().message;
    const auto told = tell(**store);
    ASSERT_TRUE(told.has_value()) << told.error().message;
    const auto held = workload_.held_by(**store);
    ASSERT_TRUE(held.has_value()) << held.error().message;
    EXPECT_GE(*held, acknowledged);
    EXPECT_LE(*held, acknowledged + 1);
    EXPECT_TRUE(*told == workload_.told(*held));
  }

  // Breaks call 1, then `step` further, and so on until none is left to break.
  void break_each(Call call, Fault fault, bool for_ever) {
    const std::int64_t step = full() ? 1 : 4;
    std::int64_t n = 1 + static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(step));
    for (;; n += step) {
      const Case one{{.call = call, .n = n, .fault = fault, .for_ever = for_ever}};
      DiskModel disk;
      disk.make_directory(folder_.path());
      ModelEnv env(disk);
      env.files().plan(one.plan);
      const std::size_t acknowledged = run(env);
      if (!env.files().failed()) break;
      expect_all_there(disk, acknowledged);
      ++cases_;
      if (HasFailure()) FAIL() << one.text();
    }
    std::printf("%s of %s, %s: up to %lld\n", std::string(name(fault)).c_str(),
                std::string(name(call)).c_str(), for_ever ? "for ever" : "once",
                static_cast<long long>(n - step));
  }

  const std::uint64_t seed_ = seed_from_environment();
  Random random_{seed_};
  const Workload workload_{{.seed = seed_, .sagas = 10, .together = 6, .record_bytes_max = 12'000}};
  TempDir folder_{TempDir::Where::memory};
  std::size_t cases_ = 0;
};

TEST_F(IoErrors, NoCallThatFailsLosesAnAcknowledgedCommit) {
  for (const bool for_ever : {false, true}) {
    for (std::size_t call = 0; call < kCalls && !HasFailure(); ++call) {
      break_each(static_cast<Call>(call), Fault::io_error, for_ever);
    }
    if (!HasFailure()) break_each(Call::append, Fault::short_write, for_ever);
    for (const Call call : {Call::append, Call::sync, Call::open}) {
      if (!HasFailure()) break_each(call, Fault::no_space, for_ever);
    }
  }
  std::printf("cases=%zu\n", cases_);
  EXPECT_GT(cases_, 100u);
}

}  // namespace
}  // namespace skald::storage
