// The one committer thread: takes what all shards have written since the last commit, commits it
// with one sync, and tells each shard how far it is durable. No timer: while one commit runs the
// next gathers.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "engine/base/histogram.h"
#include "engine/base/log.h"
#include "engine/store/store.h"

namespace skald {

class Committer {
 public:
  /// Called on the committer's thread: everything of `shard` up to Ready::number `number` is
  /// durable.
  using Durable = std::function<void(std::uint32_t shard, std::uint64_t number)>;
  /// Called once on the committer's thread, after which nothing is committed any more (rule 13).
  using Failed = std::function<void(const Error& error)>;

  struct Options {
    std::size_t records_max = 1'024;  // of one commit, unless a single Ready has more
    std::size_t bytes_max = 1 << 20;
    std::size_t bytes_per_look = 0;  // 0: never
    std::function<void()> look;      // called each time so many bytes of records are durable
    std::size_t removals_max = 64;   // sagas removed by one commit: it has to read their rows
  };

  /// `metas`: each shard's position, as open_shard() gave it.
  Committer(Store& store, Options options, std::vector<ShardMeta> metas, Durable durable,
            Failed failed, Logger log);
  ~Committer();
  Committer(const Committer&) = delete;
  Committer& operator=(const Committer&) = delete;

  /// Thread: any; calls of one shard in the order of their numbers.
  void push(std::uint32_t shard, std::uint64_t number, Instant clock_high,
            std::vector<Transition> transitions, std::vector<std::string> keys_removed,
            std::vector<Note> notes, std::vector<EndedSaga> sagas_removed);
  /// Commits what was pushed, then stops. Idempotent.
  void stop();

  struct Figures {
    std::uint64_t commits = 0;
    std::uint64_t transitions = 0;
    std::uint64_t bytes = 0;
    std::size_t queued = 0;
    Histogram seconds;
    Histogram batch;
  };
  [[nodiscard]] Figures figures() const;

 private:
  struct Chunk {
    std::uint64_t number = 0;
    Instant clock_high{};
    std::vector<Transition> transitions;
    std::vector<std::string> keys_removed;
    std::vector<Note> notes;
    std::vector<EndedSaga> sagas_removed;
  };
  struct Taken {
    std::vector<ShardBatch> batches;
    std::vector<std::pair<std::uint32_t, std::uint64_t>> numbers;  // (shard, number)
    std::size_t transitions = 0;
    std::size_t removed = 0;  // sagas
    std::size_t bytes = 0;
  };

  void work();
  [[nodiscard]] Taken take();
  [[nodiscard]] bool has_room(const Taken& taken) const;

  Store& store_;
  const Options options_;
  Durable durable_;
  Failed failed_;
  Logger log_;
  std::vector<ShardMeta> metas_;      // committer thread only
  std::size_t bytes_since_look_ = 0;  // likewise

  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<std::deque<Chunk>> queues_;  // by shard
  std::size_t queued_ = 0;                 // chunks
  bool stopping_ = false;
  Figures figures_;
  std::jthread thread_;
};

}  // namespace skald
