// Fencing: who may write to a shard, and with which batch number. Shared by every store that keeps
// its shards' positions in memory; how positions are kept on disk is the store's business.
#pragma once

#include <cstdint>
#include <map>
#include <span>

#include "engine/base/result.h"
#include "engine/store/store.h"

namespace skald {

/// Thread: none of its own; the store's writing lock guards it.
class Fencing {
 public:
  /// A shard's position as last persisted.
  void restore(std::uint32_t shard, const ShardMeta& meta) { shards_[shard] = meta; }

  /// The position that open_shard() persists: the next epoch, the number as it was, and the latest
  /// clock of all shards: with fewer threads than before, some of them have no owner any more.
  [[nodiscard]] ShardMeta next_owner(std::uint32_t shard) const;

  /// The positions after `batches`, one per shard they touch. Errors: aborted, as Store::commit
  /// says.
  [[nodiscard]] Result<std::map<std::uint32_t, ShardMeta>> advance(
      std::span<const ShardBatch> batches) const;

 private:
  [[nodiscard]] ShardMeta position(std::uint32_t shard) const;

  std::map<std::uint32_t, ShardMeta> shards_;
};

/// Whether a transition makes a saga that was not there.
[[nodiscard]] inline bool starts_saga(const Transition& transition) {
  return !transition.before && transition.after;
}

}  // namespace skald
