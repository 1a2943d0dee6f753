// Threads for calls that block (store reads, name resolution), so that I/O threads never do.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace skald {

/// Thread: run() from any thread. A job tells its result itself, by posting it to where it belongs.
class BlockingPool {
 public:
  using Job = std::move_only_function<void()>;

  /// Pre: threads >= 1.
  explicit BlockingPool(std::uint32_t threads);
  /// Runs what was accepted, then joins.
  ~BlockingPool();
  BlockingPool(const BlockingPool&) = delete;
  BlockingPool& operator=(const BlockingPool&) = delete;

  void run(Job job);
  /// Runs what was accepted, then joins; later jobs are dropped. Idempotent.
  void stop();

 private:
  void work();

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Job> jobs_;
  bool stopping_ = false;
  std::vector<std::jthread> threads_;
};

}  // namespace skald
