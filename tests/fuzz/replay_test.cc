// Every input that is kept, through its target, without libFuzzer: in any build, in a second.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "engine/wire/connect.h"
#include "tests/fuzz/targets.h"

namespace skald::fuzz {
namespace {

namespace fs = std::filesystem;

fs::path folder(std::string_view kind, std::string_view target) {
  const char* root = std::getenv("SKALD_SOURCE_DIR");
  return fs::path(root != nullptr ? root : ".") / "tests/fuzz" / kind / target;
}

std::vector<fs::path> files_in(const fs::path& folder) {
  std::vector<fs::path> files;
  if (fs::exists(folder)) {
    for (const auto& entry : fs::directory_iterator(folder)) files.push_back(entry.path());
  }
  std::ranges::sort(files);
  return files;
}

std::string read_file(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

class Replay : public testing::TestWithParam<Target> {
 protected:
  static void SetUpTestSuite() { wire::keep_protobuf_quiet(); }
};

TEST_P(Replay, HoldsForTheCorpus) {
  const auto files = files_in(folder("corpus", GetParam().name));
  EXPECT_FALSE(files.empty()) << "a target without a corpus begins from nothing";
  for (const fs::path& file : files) {
    SCOPED_TRACE(file.string());
    GetParam().run(read_file(file));
  }
}

TEST_P(Replay, HoldsForWhatOnceBrokeIt) {
  for (const fs::path& file : files_in(folder("regressions", GetParam().name))) {
    SCOPED_TRACE(file.string());
    GetParam().run(read_file(file));
  }
}

// Cuts and changed bytes of the corpus: what a few seconds of fuzzing would try first.
TEST_P(Replay, HoldsForTheCorpusCutAndChanged) {
  constexpr std::size_t kCuts = 64;
  for (const fs::path& file : files_in(folder("corpus", GetParam().name))) {
    SCOPED_TRACE(file.string());
    const std::string whole = read_file(file);
    for (std::size_t i = 0; i < kCuts; ++i) {
      const std::size_t at = whole.size() * i / kCuts;
      GetParam().run(std::string_view(whole).substr(0, at));
      if (at == whole.size()) continue;
      std::string changed = whole;
      changed[at] = static_cast<char>(changed[at] ^ (1 << (i % 8)));
      GetParam().run(changed);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Targets, Replay, testing::ValuesIn(kTargets),
                         [](const auto& chosen) { return std::string(chosen.param.name); });

}  // namespace
}  // namespace skald::fuzz
