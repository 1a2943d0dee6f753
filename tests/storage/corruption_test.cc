// Damage in every file of a store of 10,000 sagas: it is said, with the file or saga named, or it
// is harmless: all sagas, keys, rows and counts are as they were. Never an older state, never less.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "engine/store/rocks_log_format.h"
#include "tests/storage/model_files.h"
#include "tests/storage/options.h"
#include "tests/storage/told.h"
#include "tests/storage/workload.h"
#include "tests/support/temp_dir.h"

namespace skald::storage {
namespace {

constexpr std::size_t kSagas = 10'000;
constexpr std::size_t kEarlier = 2;  // moments before the end
constexpr std::size_t kPage = 4096;
constexpr rocks::Sizes kSizes{.memtable_bytes = 512 << 10, .table_bytes = 256 << 10};

// What was done to one file.
struct Damage {
  std::string file;  // without its folder
  std::string what;
  std::optional<std::string> bytes;  // nullopt: the file is gone
};

// A store as kill -9 leaves it, logs and all, and what stood in its files at half time.
class Victim {
 public:
  explicit Victim(std::uint64_t seed) : workload_(shape(seed)) {
    DiskModel disk;
    disk.make_directory(folder_.path());
    const std::size_t half = workload_.size() / 2;
    std::size_t written = 0;
    for (const std::size_t until : {half, workload_.size()}) {
      ModelEnv env(disk);
      auto store = RocksStore::open({.directory = folder_.path(), .env = &env, .sizes = kSizes});
      EXPECT_TRUE(store.has_value()) << store.error().message;
      const Epochs epochs = take_over(**store).value();
      for (; written < until; ++written) {
        if (written == until - 40) earlier_.push_back(std::make_unique<DiskModel>(disk));
        const auto done = (*store)->commit(workload_.commit(written, epochs));
        EXPECT_TRUE(done.has_value()) << done.error().message;
      }
      if (until == half) continue;
      sound_ = std::make_unique<DiskModel>(disk);
    }
  }

  [[nodiscard]] std::vector<std::string> files() const { return sound_->children(folder_.path()); }
  [[nodiscard]] std::string path(const std::string& file) const {
    return folder_.path() + "/" + file;
  }
  [[nodiscard]] std::string bytes(const std::string& file) const {
    return *sound_->read(*sound_->find(path(file)));
  }
  /// What the file held at two earlier moments, where that was something else.
  [[nodiscard]] std::vector<std::string> older(const std::string& file) const {
    std::vector<std::string> found;
    for (const auto& disk : earlier_) {
      const auto then = disk->find(path(file));
      if (then != nullptr && *disk->read(*then) != bytes(file)) found.push_back(*disk->read(*then));
    }
    return found;
  }
  [[nodiscard]] const DiskModel& sound() const { return *sound_; }
  [[nodiscard]] const DiskModel& earlier(std::size_t which) const { return *earlier_.at(which); }
  [[nodiscard]] const Workload& workload() const { return workload_; }
  [[nodiscard]] const std::string& directory() const { return folder_.path(); }

 private:
  static WorkloadShape shape(std::uint64_t seed) {
    return {.seed = seed,
            .sagas = kSagas,
            .together = 300,
            .transitions_max = 60,
            .record_bytes_max = 100};
  }

  TempDir folder_{TempDir::Where::memory};
  Workload workload_;
  std::vector<std::unique_ptr<DiskModel>> earlier_;
  std::unique_ptr<DiskModel> sound_;
};

std::string flipped(std::string bytes, std::size_t at, unsigned bit) {
  bytes[at] = static_cast<char>(bytes[at] ^ (1U << bit));
  return bytes;
}

bool is_log(const std::string& file) {
  return file.ends_with(".log") || file.starts_with("MANIFEST-");
}

// Where records of a log end.
std::vector<std::size_t> record_ends(std::string_view bytes) {
  std::vector<std::size_t> ends;
  for (std::size_t block = 0; block < bytes.size(); block += rocks::kBlockSize) {
    const std::string_view here = bytes.substr(block, rocks::kBlockSize);
    for (std::size_t at = 0; at < here.size();) {
      const auto record = rocks::read_physical(here.substr(at));
      if (!record) break;
      at += record->size;
      ends.push_back(block + at);
    }
  }
  return ends;
}

class Corruption : public testing::Test {
 protected:
  // A file's number is its name too: RocksDB speaks of "log number 12", and of 000012.ldb where
  // 000012.sst is missing. The last log of all, when it is gone, nobody has heard of.
  static bool names(const std::string& message, const std::string& file) {
    const std::string stem = file.substr(0, file.find('.'));
    const std::size_t digit = stem.find_first_of("123456789");
    return message.find(stem) != std::string::npos ||
           message.find("saga_id=") != std::string::npos ||
           message.find("a later one is missing") != std::string::npos ||
           (digit != std::string::npos &&
            message.find(" " + stem.substr(digit)) != std::string::npos);
  }

  // "" where the damage was said or is harmless; otherwise what went wrong.
  std::string judge(DiskModel& disk, const std::string& file) {
    ModelEnv env(disk);
    auto store = RocksStore::open({.directory = victim_.directory(), .env = &env, .sizes = kSizes});
    if (!store) return said(store.error(), file);
    const auto told = tell(**store, Detail::digest, victim_.workload().ids());
    if (!told) {
      const bool writes = (*store)->open_shard(0).has_value();
      return writes ? "writing goes on after damage was read" : said(told.error(), file);
    }
    ++harmless_;
    if (*told == victim_.workload().told(victim_.workload().size())) return "";
    const auto held = victim_.workload().held_by(**store);
    return fmt::format("silent: {} of {} commits", held.value_or(0), victim_.workload().size());
  }
  std::string said(const Error& error, const std::string& file) {
    ++said_;
    if (!file.empty() && !names(error.message, file)) return "not named: " + error.message;
    return error.code == Errc::data_loss || error.code == Errc::unavailable
               ? ""
               : "a strange error: " + error.message;
  }

  void hurt(const Damage& damage) {
    DiskModel disk(victim_.sound());
    const std::string path = victim_.path(damage.file);
    if (damage.bytes) {
      disk.plant(path, *damage.bytes);
    } else {
      disk.remove(path);
    }
    const std::string wrong = judge(disk, damage.file);
    if (!wrong.empty()) ADD_FAILURE() << damage.file << " " << damage.what << ": " << wrong;
    ++kinds_[damage.file.substr(0, damage.file.find_first_of("-0"))];
  }

  // One bit in each page; a sample takes some pages of each file.
  void flip(const std::string& file) {
    const std::string bytes = victim_.bytes(file);
    const std::size_t pages = (bytes.size() + kPage - 1) / kPage;
    const std::size_t taken =
        full() ? pages : std::min<std::size_t>(pages, file.ends_with(".sst") ? 1 : 3);
    for (std::size_t i = 0; i < taken; ++i) {
      const std::size_t page = full() ? i : random_() % pages;
      const std::size_t at =
          page * kPage + random_() % std::min(kPage, bytes.size() - page * kPage);
      const auto bit = static_cast<unsigned>(random_() % 8);
      hurt({.file = file,
            .what = fmt::format("bit {} of byte {} of {}", bit, at, bytes.size()),
            .bytes = flipped(bytes, at, bit)});
    }
  }

  void cut(const std::string& file) {
    const std::string bytes = victim_.bytes(file);
    if (bytes.empty()) return;
    std::vector<std::size_t> sizes = {0, bytes.size() - 1, random_() % bytes.size()};
    if (is_log(file)) {
      std::vector<std::size_t> ends = record_ends(bytes);
      std::erase(ends, bytes.size());
      const std::size_t taken = full() ? ends.size() : std::min<std::size_t>(ends.size(), 3);
      std::ranges::shuffle(ends, random_);
      sizes.insert(sizes.end(), ends.begin(), ends.begin() + static_cast<std::ptrdiff_t>(taken));
    } else if (!full()) {
      sizes = {sizes[random_() % sizes.size()]};
    }
    for (const std::size_t size : sizes) {
      hurt({.file = file,
            .what = fmt::format("cut from {} to {}", bytes.size(), size),
            .bytes = bytes.substr(0, size)});
    }
  }

  const std::uint64_t seed_ = seed_from_environment();
  Random random_{seed_};
  Victim victim_{seed_};
  std::size_t said_ = 0;
  std::size_t harmless_ = 0;
  std::map<std::string, std::size_t> kinds_;
};

TEST_F(Corruption, IsSaidWithTheFileNamedOrHarmless) {
  const auto files = victim_.files();
  DiskModel same(victim_.sound());
  ASSERT_EQ(judge(same, ""), "") << "undamaged";
  for (const std::string& file : files) {
    flip(file);
    cut(file);
    if (full() || !file.ends_with(".sst") || random_() % 4 == 0) {
      hurt({.file = file, .what = "gone", .bytes = std::nullopt});
    }
    for (const std::string& bytes : victim_.older(file)) {
      hurt({.file = file, .what = "replaced by an older one", .bytes = bytes});
    }
  }
  for (std::size_t which = 0; which < kEarlier; ++which) {
    // Everything but the tables and the mark as it was once: a copy put back by halves.
    DiskModel disk(victim_.sound());
    for (const std::string& file : files) {
      if (!file.ends_with(".sst") && file != "acknowledged") disk.remove(victim_.path(file));
    }
    for (const std::string& file : victim_.earlier(which).children(victim_.directory())) {
      if (file.ends_with(".sst") || file == "acknowledged") continue;
      const auto then = victim_.earlier(which).find(victim_.path(file));
      disk.plant(victim_.path(file), *victim_.earlier(which).read(*then));
    }
    EXPECT_EQ(judge(disk, ""), "") << "an older set of logs and manifests";
  }
  std::printf("files=%zu said=%zu harmless=%zu:", files.size(), said_, harmless_);
  for (const auto& [kind, count] : kinds_) {
    std::printf(" %s=%zu", kind.empty() ? "(numbered)" : kind.c_str(), count);
  }
  std::printf("\n");
  EXPECT_GT(said_, 60u);
}

}  // namespace
}  // namespace skald::storage
