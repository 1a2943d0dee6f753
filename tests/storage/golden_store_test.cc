// Stores written by every version, which this one must open: tests/golden/store_vN, and beside it
// in store_vN.txt what it holds. Writing a new one: `tools/x storage golden N`.
#include <gtest/gtest.h>
#include <rocksdb/env.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "engine/core/evolve.h"
#include "engine/store/rocks_store.h"
#include "tests/conformance/store_world.h"
#include "tests/storage/golden_stories.h"
#include "tests/storage/told.h"
#include "tests/support/temp_dir.h"

namespace skald::storage {
namespace {

namespace fs = std::filesystem;
using conformance::ShardWriter;

fs::path golden() {
  const char* root = std::getenv("SKALD_SOURCE_DIR");
  return fs::path(root != nullptr ? root : ".") / "tests" / "golden";
}

// Tables hold the name of the machine that wrote them.
class Nowhere final : public rocksdb::EnvWrapper {
 public:
  Nowhere() : EnvWrapper(Env::Default()) {}
  rocksdb::Status GetHostName(char* name, std::uint64_t size) override {
    constexpr std::string_view kName = "golden";
    if (size <= kName.size()) return rocksdb::Status::InvalidArgument();
    *std::ranges::copy(kName, name).out = '\0';
    return rocksdb::Status::OK();
  }
};

// What a store holds, and what its histories fold to.
std::string tell_all(RocksStore& store) {
  auto told = tell(store, Detail::bytes);
  EXPECT_TRUE(told.has_value()) << told.error().message;
  std::string text = told.value_or("");
  for (const ListedSaga& listed : conformance::all_pages(store, {})) {
    SagaState state;
    for (const auto& record : (*store.load(listed.id))->records) {
      const auto events = wire::decode_events(record.bytes);
      EXPECT_TRUE(events.has_value()) << events.error().message;
      for (const Event& event : *events) evolve(state, event);
    }
    EXPECT_EQ(state.status, listed.summary.status) << listed.id.text();
    text += fmt::format("folded {} {} seq={} steps={} in_flight={}\n", listed.id.text(),
                        name(state.status), state.seq, state.steps.size(), state.in_flight);
  }
  return text;
}

std::string read_text(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

std::string positions(RocksStore& store) {
  const auto meta = store.open_shard(0);
  EXPECT_TRUE(meta.has_value());
  return fmt::format("shard 0 epoch={} number={} clock_high={}\n", meta->epoch, meta->number,
                     to_unix_ms(meta->clock_high));
}

TEST(GoldenStore, EveryStoreOfEveryVersionOpensAndHoldsWhatItHeld) {
  int stores = 0;
  for (const auto& entry : fs::directory_iterator(golden())) {
    const std::string version = entry.path().filename().string();
    if (!entry.is_directory() || !version.starts_with("store_v")) continue;
    TempDir folder(TempDir::Where::memory);
    fs::copy(entry.path(), folder.path(), fs::copy_options::recursive);
    auto store = RocksStore::open({.directory = folder.path()});
    ASSERT_TRUE(store.has_value()) << version << ": " << store.error().message;
    const std::string expected = read_text(golden() / (version + ".txt"));
    EXPECT_EQ(tell_all(**store) + positions(**store), expected) << version;
    // And it goes on: a later write, and another start.
    ShardWriter writer(**store, 0);
    conformance::Tale tale(conformance::id(99));
    writer.commit(tale.start(conformance::at(0)));
    store->reset();
    store = RocksStore::open({.directory = folder.path()});
    ASSERT_TRUE(store.has_value()) << version << ": " << store.error().message;
    EXPECT_TRUE((*store)->load(conformance::id(99))->has_value());
    ++stores;
  }
  EXPECT_GE(stores, 1);
}

TEST(GoldenStore, TheSagasOfTheNextOneAreInEveryState) {
  std::set<std::string> states;
  for (const Story& story : golden_stories()) {
    const SagaState state = fold(story.history);
    states.insert(std::string(name(state.status)) + (story.waiting ? " waiting" : ""));
  }
  for (const char* state :
       {"running", "running waiting", "stuck", "compensating", "completed", "compensated"}) {
    EXPECT_TRUE(states.contains(state)) << state;
  }
}

// A store as this version writes it: some of it in tables, some in a log. With
// SKALD_GOLDEN_STORE=FOLDER, which must not be there, it stays, and FOLDER.txt says what it holds.
TEST(GoldenStore, TheNextOneIsWrittenAndOpens) {
  const char* asked = std::getenv("SKALD_GOLDEN_STORE");
  TempDir elsewhere(TempDir::Where::memory);
  const fs::path folder = asked != nullptr ? fs::path(asked) : fs::path(elsewhere.path()) / "store";
  ASSERT_FALSE(fs::exists(folder)) << "a golden store is never overwritten: " << folder;
  Nowhere env;
  const auto stories = golden_stories();
  for (std::size_t which = 0; which < 2; ++which) {
    auto store = RocksStore::open({.directory = folder.string(), .env = &env});
    ASSERT_TRUE(store.has_value()) << store.error().message;
    ShardWriter writer(**store, 0);
    for (const Story& story : stories) {
      if (which < story.records.size()) writer.commit(transition_of(story, which));
    }
    if (which == 1) ASSERT_TRUE(writer.try_commit({}, {"key-7"}).has_value());
  }
  TempDir copy(TempDir::Where::memory);
  fs::copy(folder, copy.path(), fs::copy_options::recursive);
  auto store = RocksStore::open({.directory = copy.path()});
  ASSERT_TRUE(store.has_value()) << store.error().message;
  std::ofstream(folder.string() + ".txt") << tell_all(**store) << positions(**store);
  // These are no part of what is stored, and tell of this machine.
  std::vector<fs::path> useless;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with("OPTIONS") || name == "holder") {
      useless.push_back(entry.path());
    }
  }
  for (const fs::path& path : useless) fs::remove(path);
}

}  // namespace
}  // namespace skald::storage
