#include "tests/storage/workload.h"

#include <algorithm>
#include <set>

#include "engine/store/memory_store.h"
#include "tests/storage/told.h"

namespace skald::storage {
namespace {

using conformance::at;
using conformance::Tale;

constexpr std::size_t kToldMax = 2'000;  // beyond it only the last state is told

}  // namespace

Result<Epochs> take_over(Store& store) {
  Epochs epochs{};
  for (std::uint32_t shard = 0; shard < kShards; ++shard) {
    const auto meta = store.open_shard(shard);
    if (!meta) return std::unexpected(meta.error());
    epochs.at(shard) = meta->epoch;
  }
  return epochs;
}

Workload::Workload(WorkloadShape shape) : random_(shape.seed) {
  positions_.push_back({});
  while (ids_.size() < shape.sagas || !open_.empty()) write_one(shape);
  MemoryStore reference;
  const Epochs epochs = take_over(reference).value();
  const auto tell_now = [&] { told_.push_back(tell(reference, Detail::digest, {}).value()); };
  tell_now();
  for (std::size_t i = 0; i < commits_.size(); ++i) {
    const auto batches = commit(i, epochs);
    EXPECT_TRUE(reference.commit(batches).has_value());
    if (commits_.size() <= kToldMax) tell_now();
  }
  if (commits_.size() > kToldMax) {
    told_.resize(commits_.size());
    tell_now();
  }
}

std::vector<ShardBatch> Workload::commit(std::size_t number, const Epochs& epochs) const {
  std::vector<ShardBatch> batches = commits_.at(number);
  for (ShardBatch& batch : batches) batch.epoch = epochs.at(batch.shard);
  return batches;
}

// A commit of some shards, as the committer gathers them.
void Workload::write_one(WorkloadShape shape) {
  clock_ += 1 + static_cast<std::int64_t>(below(50));
  std::array<ShardBatch, kShards> batches;
  std::set<std::size_t> touched;
  const std::size_t transitions = 1 + below(shape.transitions_max);
  for (std::size_t i = 0; i < transitions; ++i) {
    Transition t;
    if (ids_.size() < shape.sagas && open_.size() < shape.together) {
      touched.insert(open_.size());
      t = start(shape.record_bytes_max);
    } else {
      if (open_.empty()) break;
      const std::size_t which = below(open_.size());
      if (!touched.insert(which).second) continue;
      t = advance(open_[which], shape.record_bytes_max);
    }
    batches.at(t.id.placement >> 63).transitions.push_back(std::move(t));
  }
  std::erase_if(open_, [&](const Tale& tale) {
    const bool done =
        is_terminal(tale.summary().status) || (ids_.size() == shape.sagas && tale.seq() > 6);
    if (done && is_terminal(tale.summary().status) && !tale.summary().idempotency_key.empty()) {
      ended_keys_.push_back(tale.summary().idempotency_key);
    }
    return done;
  });
  if (ended_keys_.size() > 20 && below(8) == 0) {
    batches[0].keys_removed.push_back(ended_keys_.front());
    ended_keys_.erase(ended_keys_.begin());
  }
  Positions next = positions_.back();
  std::vector<ShardBatch> made;
  for (std::uint32_t shard = 0; shard < kShards; ++shard) {
    ShardBatch& batch = batches.at(shard);
    if (batch.transitions.empty() && batch.keys_removed.empty()) continue;
    batch.shard = shard;
    batch.number = ++next.numbers.at(shard);
    batch.clock_high = at(clock_);
    made.push_back(std::move(batch));
  }
  if (made.empty()) return;
  commits_.push_back(std::move(made));
  positions_.push_back(next);
}

Transition Workload::start(std::size_t record_bytes_max) {
  const SagaId id{.placement = random_(), .serial = ids_.size() + 1};
  ids_.push_back(id);
  open_.emplace_back(id);
  SagaSummary with{.definition = below(3) == 0 ? "cancel_order" : "create_order"};
  if (below(2) == 0) with.business_key = "order-" + std::to_string(below(50));
  if (below(4) != 0) with.idempotency_key = "key-" + std::to_string(ids_.size());
  Transition t = open_.back().start(at(clock_), std::move(with));
  grow(t, record_bytes_max);
  return t;
}

Transition Workload::advance(Tale& tale, std::size_t record_bytes_max) {
  Transition t;
  switch (below(8)) {
    case 0:
      t = tale.wait(at(clock_ + static_cast<std::int64_t>(below(5'000))), at(clock_));
      break;
    case 1:
      t = tale.become(SagaStatus::stuck, at(clock_));
      break;
    case 2:
      t = tale.become(SagaStatus::compensating, at(clock_));
      break;
    case 3:
      t = tale.become(below(4) == 0 ? SagaStatus::compensated : SagaStatus::completed, at(clock_));
      break;
    default:
      t = tale.step(at(clock_));
      break;
  }
  grow(t, record_bytes_max);
  return t;
}

// Gives a record of one event the bytes of a real request or answer.
void Workload::grow(Transition& transition, std::size_t record_bytes_max) {
  if (record_bytes_max == 0) return;
  Bytes output(below(record_bytes_max), '\0');
  for (char& byte : output) byte = static_cast<char>('a' + random_() % 26);
  const std::vector<Event> one = {
      {.at = at(clock_), .body = event::Computed{.output = std::move(output)}}};
  transition.record.clear();
  wire::encode_events(one, transition.record);
}

Result<std::size_t> Workload::held_by(Store& store) const {
  Positions found;
  for (std::uint32_t shard = 0; shard < kShards; ++shard) {
    const auto meta = store.open_shard(shard);
    if (!meta) return std::unexpected(meta.error());
    found.numbers.at(shard) = meta->number;
  }
  const auto place = std::ranges::find(positions_, found);
  if (place != positions_.end()) return static_cast<std::size_t>(place - positions_.begin());
  return fail(Errc::data_loss, "positions {} and {} are of no prefix of the commits",
              found.numbers[0], found.numbers[1]);
}

}  // namespace skald::storage
