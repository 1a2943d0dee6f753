#include "engine/runtime/committer.h"

#include <pthread.h>

#include <chrono>

namespace skald {
namespace {

void append(std::vector<Transition>& to, std::vector<Transition>&& more) {
  if (to.empty()) {
    to = std::move(more);
    return;
  }
  to.insert(to.end(), std::move_iterator(more.begin()), std::move_iterator(more.end()));
}

}  // namespace

Committer::Committer(Store& store, Options options, std::vector<ShardMeta> metas, Durable durable,
                     Failed failed, Logger log)
    : store_(store),
      options_(options),
      durable_(std::move(durable)),
      failed_(std::move(failed)),
      log_(std::move(log)),
      metas_(std::move(metas)),
      queues_(metas_.size()) {
  figures_.seconds = Histogram::of_seconds();
  figures_.batch = Histogram::of_counts();
  thread_ = std::jthread([this] { work(); });
}

Committer::~Committer() { stop(); }

void Committer::push(std::uint32_t shard, std::uint64_t number, Instant clock_high,
                     std::vector<Transition> transitions, std::vector<std::string> keys_removed,
                     std::vector<Note> notes, std::vector<EndedSaga> sagas_removed) {
  bool first = false;
  {
    const std::lock_guard lock(mutex_);
    first = queued_ == 0;
    queued_ += 1;
    queues_[shard].push_back({.number = number,
                              .clock_high = clock_high,
                              .transitions = std::move(transitions),
                              .keys_removed = std::move(keys_removed),
                              .notes = std::move(notes),
                              .sagas_removed = std::move(sagas_removed)});
  }
  if (first) wake_.notify_one();
}

void Committer::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
}

Committer::Figures Committer::figures() const {
  const std::lock_guard lock(mutex_);
  Figures copy = figures_;
  copy.queued = queued_;
  return copy;
}

bool Committer::has_room(const Taken& taken) const {
  return taken.transitions < options_.records_max && taken.bytes < options_.bytes_max &&
         taken.removed < options_.removals_max;
}

Committer::Taken Committer::take() {
  Taken taken;
  for (std::uint32_t shard = 0; shard < queues_.size(); ++shard) {
    auto& queue = queues_[shard];
    if (queue.empty()) continue;
    ShardBatch& batch = taken.batches.emplace_back();
    batch.shard = shard;
    batch.epoch = metas_[shard].epoch;
    batch.number = metas_[shard].number + 1;
    std::uint64_t number = 0;
    // At least one of each shard, which is told how far it is durable.
    while (!queue.empty() && (number == 0 || has_room(taken))) {
      Chunk& chunk = queue.front();
      number = chunk.number;
      batch.clock_high = chunk.clock_high;
      taken.transitions += chunk.transitions.size();
      for (const Transition& transition : chunk.transitions) {
        taken.bytes += transition.record.size();
      }
      append(batch.transitions, std::move(chunk.transitions));
      std::ranges::move(chunk.keys_removed, std::back_inserter(batch.keys_removed));
      std::ranges::move(chunk.notes, std::back_inserter(batch.notes));
      taken.removed += chunk.sagas_removed.size();
      std::ranges::move(chunk.sagas_removed, std::back_inserter(batch.sagas_removed));
      queue.pop_front();
      queued_ -= 1;
    }
    taken.numbers.emplace_back(shard, number);
  }
  return taken;
}

void Committer::work() {
  ::pthread_setname_np(::pthread_self(), "skald-commit");  // as top, perf and the bench see it
  for (;;) {
    Taken taken;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return stopping_ || queued_ > 0; });
      if (queued_ == 0) return;
      taken = take();
    }
    const auto begin = std::chrono::steady_clock::now();
    const Result<void> committed = store_.commit(taken.batches);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    if (!committed) {
      log_.error("commit failed; writing has ended, restart to recover code={} detail=\"{}\"",
                 name(committed.error().code), committed.error().message);
      failed_(committed.error());
      return;
    }
    {
      const std::lock_guard lock(mutex_);
      figures_.commits += 1;
      figures_.transitions += taken.transitions;
      figures_.bytes += taken.bytes;
      figures_.seconds.add(took.count());
      figures_.batch.add(static_cast<double>(taken.transitions));
    }
    for (const ShardBatch& batch : taken.batches) metas_[batch.shard].number = batch.number;
    bytes_since_look_ += taken.bytes;
    if (options_.bytes_per_look != 0 && bytes_since_look_ >= options_.bytes_per_look) {
      bytes_since_look_ = 0;
      options_.look();
    }
    for (const auto& [shard, number] : taken.numbers) durable_(shard, number);
  }
}

}  // namespace skald
