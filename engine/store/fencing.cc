#include "engine/store/fencing.h"

#include <algorithm>

namespace skald {

ShardMeta Fencing::position(std::uint32_t shard) const {
  const auto found = shards_.find(shard);
  return found == shards_.end() ? ShardMeta{} : found->second;
}

ShardMeta Fencing::next_owner(std::uint32_t shard) const {
  ShardMeta meta = position(shard);
  ++meta.epoch;
  for (const auto& [other, stood] : shards_) {
    meta.clock_high = std::max(meta.clock_high, stood.clock_high);
  }
  return meta;
}

Result<std::map<std::uint32_t, ShardMeta>> Fencing::advance(
    std::span<const ShardBatch> batches) const {
  std::map<std::uint32_t, ShardMeta> after;
  for (const ShardBatch& batch : batches) {
    ShardMeta& meta = after.try_emplace(batch.shard, position(batch.shard)).first->second;
    if (meta.epoch == 0 || batch.epoch != meta.epoch) {
      return fail(Errc::aborted,
                  "fenced: shard={} is at epoch={}, the batch comes from epoch={}; its writer has "
                  "been replaced and must stop",
                  batch.shard, meta.epoch, batch.epoch);
    }
    if (batch.number != meta.number + 1) {
      return fail(Errc::aborted,
                  "fenced: shard={} epoch={} holds batch number={}, so the next is not number={}",
                  batch.shard, meta.epoch, meta.number, batch.number);
    }
    meta.number = batch.number;
    meta.clock_high = std::max(meta.clock_high, batch.clock_high);
  }
  return after;
}

}  // namespace skald
