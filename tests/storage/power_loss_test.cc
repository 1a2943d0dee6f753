// Power loss at every sync boundary of a workload, five ways to lose what was not synced, and a
// second loss while the store comes back from the first.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "tests/storage/model_files.h"
#include "tests/storage/options.h"
#include "tests/storage/told.h"
#include "tests/storage/workload.h"
#include "tests/support/temp_dir.h"

namespace skald::storage {
namespace {

/// The disk at a sync, just before it took effect.
struct Boundary {
  std::unique_ptr<DiskModel> disk;
  std::size_t acknowledged = 0;  // commits
};

// Runs the whole workload on one disk, closing and opening the store now and then, and keeps the
// disk at every boundary.
std::vector<Boundary> boundaries_of(const Workload& workload, const std::string& directory) {
  constexpr std::size_t kCommitsPerLife = 75;
  DiskModel disk;
  disk.make_directory(directory);
  std::vector<Boundary> boundaries;
  std::atomic<std::size_t> acknowledged = 0;
  disk.at_sync([&](const DiskModel& now) {
    boundaries.push_back({.disk = std::make_unique<DiskModel>(now), .acknowledged = acknowledged});
  });
  while (acknowledged < workload.size()) {
    ModelEnv env(disk);
    auto store = RocksStore::open({.directory = directory, .env = &env, .sizes = kTinySizes});
    EXPECT_TRUE(store.has_value()) << store.error().message;
    const Epochs epochs = take_over(**store).value();
    for (std::size_t i = 0; i < kCommitsPerLife && acknowledged < workload.size(); ++i) {
      const auto done = (*store)->commit(workload.commit(acknowledged, epochs));
      EXPECT_TRUE(done.has_value()) << done.error().message;
      ++acknowledged;
    }
  }
  return boundaries;
}

class PowerLoss : public testing::Test {
 protected:
  // Opens what is left and demands everything acknowledged, nothing torn, nothing half; and the
  // same again after the power fails once more on the way.
  void come_back(const DiskModel& left, std::size_t acknowledged, Random& random, int losses) {
    DiskModel disk(left);
    std::unique_ptr<DiskModel> again;
    std::size_t syncs = 0;
    disk.at_sync([&](const DiskModel& now) {
      if (random() % ++syncs == 0) again = std::make_unique<DiskModel>(now);
    });
    open_and_compare(disk, acknowledged);
    disk.at_sync(nullptr);
    if (losses < 2 && again != nullptr) {
      const auto loss = static_cast<Loss>(random() % kLosses);
      come_back(*again->after(loss, random), acknowledged, random, losses + 1);
    }
  }

  void open_and_compare(DiskModel& disk, std::size_t acknowledged) {
    ++opened_;
    ModelEnv env(disk);
    auto store = RocksStore::open({.directory = folder_.path(), .env = &env, .sizes = kTinySizes});
    ASSERT_TRUE(store.has_value()) << store.error().message;
    const auto told = tell(**store, Detail::digest, {});
    ASSERT_TRUE(told.has_value()) << told.error().message;
    const auto held = workload_.held_by(**store);
    ASSERT_TRUE(held.has_value()) << held.error().message;
    ASSERT_GE(*held, acknowledged) << "an acknowledged commit is gone";
    ASSERT_LE(*held, acknowledged + 1) << "more is there than was ever written";
    ASSERT_TRUE(*told == workload_.told(*held)) << "the store is no prefix of what was written";
  }

  const std::uint64_t seed_ = seed_from_environment();
  const Workload workload_{{.seed = seed_}};
  TempDir folder_{TempDir::Where::memory};
  std::size_t opened_ = 0;
};

// What the disk held at any boundary, by kind: tables, logs, manifests.
std::string files_seen(const std::vector<Boundary>& boundaries, const std::string& directory) {
  std::set<std::string> all;
  for (const Boundary& boundary : boundaries) {
    for (const std::string& file : boundary.disk->children(directory)) all.insert(file);
  }
  const auto count = [&](auto is) { return std::ranges::count_if(all, is); };
  const auto tables = count([](const auto& file) { return file.ends_with(".sst"); });
  const auto logs = count([](const auto& file) { return file.ends_with(".log"); });
  const auto manifests = count([](const auto& file) { return file.starts_with("MANIFEST-"); });
  const auto left =
      std::ranges::count_if(boundaries.back().disk->children(directory),
                            [](const std::string& file) { return file.ends_with(".sst"); });
  EXPECT_GT(tables, left) << "no compaction took tables away";
  EXPECT_GT(logs, 10);
  EXPECT_GT(manifests, 4);
  return fmt::format("tables={} (at the end {}) logs={} manifests={}", tables, left, logs,
                     manifests);
}

TEST_F(PowerLoss, NothingAcknowledgedIsLostAtAnySyncBoundary) {
  const auto boundaries = boundaries_of(workload_, folder_.path());
  const std::string seen = files_seen(boundaries, folder_.path());
  Random random(seed_);
  for (std::size_t i = 0; i < boundaries.size(); ++i) {
    // A sample takes one kind of loss at each boundary, each in its turn.
    for (std::size_t loss = 0; loss < kLosses; ++loss) {
      if (!full() && (i + seed_) % kLosses != loss) continue;
      const auto left = boundaries[i].disk->after(static_cast<Loss>(loss), random);
      come_back(*left, boundaries[i].acknowledged, random, full() || i % 4 == 0 ? 1 : 2);
      if (HasFailure()) FAIL() << "boundary " << i << " " << name(static_cast<Loss>(loss));
    }
  }
  std::printf("commits=%zu boundaries=%zu opens=%zu %s\n", workload_.size(), boundaries.size(),
              opened_, seen.c_str());
}

}  // namespace
}  // namespace skald::storage
