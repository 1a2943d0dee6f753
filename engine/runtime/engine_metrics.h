// The engine's metrics as Prometheus text: every name, help and label in one place. Low
// cardinality: labels are statuses, outcomes and participants, never ids.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "engine/runtime/committer.h"
#include "engine/runtime/shard_driver.h"

namespace skald {

struct MetricsInput {
  const std::vector<ShardFigures>& shards;
  Committer::Figures committer;
  std::vector<std::pair<SagaStatus, std::uint64_t>> counts;
  std::uint64_t wall_jumps = 0;
  bool ready = false;
};

[[nodiscard]] std::string metrics_text(const MetricsInput& input);

}  // namespace skald
