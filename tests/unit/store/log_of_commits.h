// A store with a few commits, closed again; and where in its log each of them ends.
#pragma once

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "engine/store/rocks_store.h"
#include "tests/conformance/store_world.h"
#include "tests/support/temp_dir.h"

namespace skald {

inline std::string read_bytes(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

inline void write_bytes(const std::filesystem::path& path, std::string_view bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

inline std::vector<std::filesystem::path> logs_in(const std::string& directory) {
  std::vector<std::filesystem::path> logs;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    if (entry.path().extension() == ".log") logs.push_back(entry.path());
  }
  std::ranges::sort(logs);
  return logs;
}

/// Which commit has a record of so many bytes, to make it span blocks.
struct BigRecord {
  std::uint64_t commit = 0;
  std::size_t bytes = 0;
};

struct LogOfCommits {
  explicit LogOfCommits(std::uint64_t commits = 6, BigRecord big = {}) {
    auto store = RocksStore::open({.directory = folder.path()});
    EXPECT_TRUE(store.has_value()) << store.error().message;
    log = logs_in(folder.path()).back();
    ends.push_back(std::filesystem::file_size(log));
    conformance::ShardWriter writer(**store, 0);
    ends.push_back(std::filesystem::file_size(log));
    for (std::uint64_t i = 1; i <= commits; ++i) {
      mark_before_last = read_bytes(folder.path() + "/acknowledged");
      conformance::Tale tale(conformance::id(i));
      Transition t = tale.start(conformance::at(static_cast<std::int64_t>(i)));
      if (i == big.commit) {
        const std::vector<Event> one = {{.body = event::Computed{.output = Bytes(big.bytes, 'p')}}};
        t.record.clear();
        wire::encode_events(one, t.record);
      }
      writer.commit(t);
      ends.push_back(std::filesystem::file_size(log));
    }
    store->reset();
    bytes = read_bytes(log);
    EXPECT_EQ(bytes.size(), ends.back());
  }

  /// Where the last commit begins.
  [[nodiscard]] std::uint64_t last() const { return ends[ends.size() - 2]; }

  TempDir folder{TempDir::Where::memory};
  std::filesystem::path log;
  std::string bytes;
  std::string mark_before_last;  // the mark as it was when the last commit was still being written
  std::vector<std::uint64_t> ends;  // of each write, in bytes; the first is the format row's
};

}  // namespace skald
