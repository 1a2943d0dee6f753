#include "participants/kit/txn_runner.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace skald::kit {

TxnRunner::TxnRunner(RowStore& store, const Clock& clock, TxnRunnerOptions options)
    : store_(store), clock_(clock), options_(options), thread_([this] { run(); }) {}

TxnRunner::~TxnRunner() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void TxnRunner::submit(Work work, Done done) {
  std::optional<Error> refusal;
  {
    const std::lock_guard lock(mutex_);
    if (failure_) {
      refusal = failure_;
    } else if (queue_.size() >= options_.queue_max) {
      refusal = Error{
          Errc::resource_exhausted,
          fmt::format("{} requests are waiting (queue_max); ask again later", options_.queue_max)};
    } else {
      queue_.push_back({std::move(work), std::move(done)});
    }
  }
  if (refusal) return done(std::unexpected(*refusal));
  wake_.notify_one();
}

std::optional<Error> TxnRunner::failure() const {
  const std::lock_guard lock(mutex_);
  return failure_;
}

void TxnRunner::break_down(const Error& error) {
  const std::lock_guard lock(mutex_);
  if (failure_) return;
  failure_ = Error{Errc::unavailable,
                   fmt::format("storage failed, restart to recover: {}", error.message)};
}

void TxnRunner::run() {
  while (true) {
    std::vector<Job> jobs;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
      if (queue_.empty()) return;
      const auto count = std::min(queue_.size(), options_.group_max);
      const auto end = queue_.begin() + static_cast<std::ptrdiff_t>(count);
      jobs.assign(std::move_iterator(queue_.begin()), std::move_iterator(end));
      queue_.erase(queue_.begin(), end);
    }
    run_group(jobs);
  }
}

void TxnRunner::run_group(std::vector<Job>& group) {
  RowChanges changes;
  auto refusal = failure();  // jobs queued before the failure meet it here
  if (!refusal) {
    for (auto& job : group) {
      Txn txn(store_, changes, clock_.wall());
      job.work(txn);
      if (txn.failure()) {
        // The whole group is refused: an answer may rest on what could not be read.
        break_down(*txn.failure());
        break;
      }
      for (const auto& [key, value] : txn.changes()) changes.insert_or_assign(key, value);
    }
    if (!failure() && !changes.empty()) {
      if (auto written = store_.write(changes); !written) break_down(written.error());
    }
    refusal = failure();
  }
  for (auto& job : group) {
    if (refusal) {
      job.done(std::unexpected(*refusal));
    } else {
      job.done({});
    }
  }
}

}  // namespace skald::kit
