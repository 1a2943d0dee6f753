// Runs a participant's transactions one after another on one thread, and writes many of them with
// one sync (group commit). One at a time means no lost update and no lock order to get wrong; one
// sync for many means that it is not slow.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "engine/base/clock.h"
#include "engine/base/result.h"
#include "participants/kit/row_store.h"
#include "participants/kit/txn.h"

namespace skald::kit {

struct TxnRunnerOptions {
  std::size_t queue_max = 10'000;  // transactions waiting; beyond it submit answers busy
  std::size_t group_max = 256;     // transactions that share one sync
};

/// Owns its thread: neither copied nor moved. The store and the clock outlive it.
class TxnRunner {
 public:
  using Work = std::move_only_function<void(Txn&)>;
  /// Called once, when what the transaction wrote is on disk (also when it wrote nothing, then
  /// together with its group), or with why it is not.
  using Done = std::move_only_function<void(Result<void>)>;

  TxnRunner(RowStore& store, const Clock& clock, TxnRunnerOptions options = {});
  /// Finishes what is queued, then joins.
  ~TxnRunner();
  TxnRunner(const TxnRunner&) = delete;
  TxnRunner& operator=(const TxnRunner&) = delete;

  /// Queues a transaction. `work` and `done` run on the runner's thread; `done` runs on the
  /// caller's when the transaction is refused.
  /// Errors (given to done): resource_exhausted, the queue is full and nothing was done;
  /// unavailable, a read or a write failed: every later transaction is refused until a restart.
  /// Thread: any.
  void submit(Work work, Done done);

  /// Why transactions are refused, once a read or a write has failed. Thread: any.
  [[nodiscard]] std::optional<Error> failure() const;

 private:
  struct Job {
    Work work;
    Done done;
  };

  void run();
  void run_group(std::vector<Job>& group);
  void break_down(const Error& error);

  RowStore& store_;
  const Clock& clock_;
  const TxnRunnerOptions options_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<Job> queue_;
  std::optional<Error> failure_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace skald::kit
