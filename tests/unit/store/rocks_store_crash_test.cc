// A process that writes is killed in the middle: every commit it was told of is there.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>

#include "tests/unit/store/log_of_commits.h"

namespace skald {
namespace {

// Runs store_writer until it has acknowledged `pairs` pairs, kills it, and gives the last number
// read.
std::uint64_t kill_after(const std::string& directory, std::uint64_t first, std::uint64_t pairs) {
  std::array<int, 2> pipe{};
  EXPECT_EQ(::pipe2(pipe.data(), O_CLOEXEC), 0);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, pipe[1], STDOUT_FILENO);
  std::string program = STORE_WRITER;
  std::string folder = directory;
  std::string from = std::to_string(first);
  const std::array<char*, 4> arguments = {program.data(), folder.data(), from.data(), nullptr};
  pid_t child = 0;
  EXPECT_EQ(::posix_spawn(&child, program.c_str(), &actions, nullptr, arguments.data(), environ),
            0);
  ::posix_spawn_file_actions_destroy(&actions);
  ::close(pipe[1]);
  std::string lines;
  bool killed = false;
  std::array<char, 4096> buffer{};
  while (true) {
    const ssize_t size = ::read(pipe[0], buffer.data(), buffer.size());
    if (size <= 0) break;
    lines.append(buffer.data(), static_cast<std::size_t>(size));
    if (!killed && static_cast<std::uint64_t>(std::ranges::count(lines, '\n')) >= pairs) {
      ::kill(child, SIGKILL);
      killed = true;
    }
  }
  ::close(pipe[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_TRUE(WIFSIGNALED(status));
  const std::size_t end = lines.rfind('\n');
  if (end == std::string::npos) return first - 1;
  const std::size_t begin = lines.rfind('\n', end - 1);
  const std::size_t from_line = begin == std::string::npos ? 0 : begin + 1;
  return std::stoull(lines.substr(from_line, end - from_line));
}

TEST(RocksStoreCrash, EveryAcknowledgedCommitSurvivesKill) {
  TempDir folder(TempDir::Where::memory);
  std::uint64_t next = 1;
  for (const std::uint64_t pairs : {1, 3, 40, 7, 150, 2}) {
    const std::uint64_t last = kill_after(folder.path(), next, pairs);
    ASSERT_GE(last + 1, next + pairs);
    auto store = RocksStore::open({.directory = folder.path()});
    ASSERT_TRUE(store.has_value()) << store.error().message;
    for (std::uint64_t number = 1; number <= last; ++number) {
      for (const std::uint64_t half : {1, 2}) {
        ASSERT_TRUE((*store)->load(conformance::id(number, half))->has_value()) << number;
      }
    }
    // The pair in the making is whole or not there at all, and the counts know it.
    const bool one_more = (*store)->load(conformance::id(last + 1, 1))->has_value();
    EXPECT_EQ((*store)->load(conformance::id(last + 1, 2))->has_value(), one_more);
    next = last + 1 + (one_more ? 1 : 0);
    EXPECT_EQ(conformance::count_of(**store, SagaStatus::running), 2 * (next - 1));
    const auto meta = (*store)->open_shard(0);
    ASSERT_TRUE(meta.has_value());
    EXPECT_EQ(meta->number, next - 1);
  }
}

}  // namespace
}  // namespace skald
