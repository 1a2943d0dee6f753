// Sagas that live in a store: what the engine's committer would write for them, commit by commit,
// from a seed, and what a store must tell after each.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "engine/store/rocks_store.h"
#include "tests/conformance/store_world.h"
#include "tests/storage/disk_model.h"

namespace skald::storage {

inline constexpr std::uint32_t kShards = 2;

/// So small that flushes, compactions and new logs happen within a few commits.
inline constexpr rocks::Sizes kTinySizes{.memtable_bytes = 64 << 10, .table_bytes = 32 << 10};

using Epochs = std::array<std::uint64_t, kShards>;
/// Opens every shard. Errors: as Store::open_shard.
[[nodiscard]] Result<Epochs> take_over(Store& store);

struct WorkloadShape {
  std::uint64_t seed = 1;
  std::size_t sagas = 200;
  std::size_t together = 20;        // sagas that are open at a time
  std::size_t transitions_max = 5;  // of one commit
  std::size_t record_bytes_max = 1'500;
};

class Workload {
 public:
  explicit Workload(WorkloadShape shape);

  [[nodiscard]] std::size_t size() const { return commits_.size(); }
  /// The batches of a commit, from the owner of these epochs.
  [[nodiscard]] std::vector<ShardBatch> commit(std::size_t number, const Epochs& epochs) const;
  /// What a store with the first `commits` commits tells.
  [[nodiscard]] const std::string& told(std::size_t commits) const { return told_.at(commits); }
  [[nodiscard]] const std::vector<SagaId>& ids() const { return ids_; }
  /// How many commits a store holds, by the positions of its shards; takes the shards over.
  /// Errors: as Store::open_shard; data_loss where the positions are of no prefix.
  [[nodiscard]] Result<std::size_t> held_by(Store& store) const;

 private:
  struct Positions {
    std::array<std::uint64_t, kShards> numbers{};
    bool operator==(const Positions&) const = default;
  };
  void write_one(WorkloadShape shape);
  Transition start(std::size_t record_bytes_max);
  Transition advance(conformance::Tale& tale, std::size_t record_bytes_max);
  void grow(Transition& transition, std::size_t record_bytes_max);
  std::size_t below(std::size_t bound) { return random_() % bound; }

  Random random_;
  std::int64_t clock_ = 0;
  std::vector<conformance::Tale> open_;
  std::vector<std::string> ended_keys_;
  std::vector<SagaId> ids_;
  std::vector<std::vector<ShardBatch>> commits_;
  std::vector<Positions> positions_;
  std::vector<std::string> told_;
};

}  // namespace skald::storage
