// The engine's metrics as Prometheus text: every name, help and label in one place. Low
// cardinality: labels are definitions, steps, statuses, outcomes, participants and webhooks, never
// ids; how many of each are told apart is bounded.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "engine/runtime/committer.h"
#include "engine/runtime/outbox.h"
#include "engine/runtime/shard_driver.h"

namespace skald {

struct MetricsInput {
  const std::vector<ShardFigures>& shards;
  Committer::Figures committer;
  std::vector<std::pair<SagaStatus, std::uint64_t>> counts;
  std::vector<DefinitionCount> definitions;
  std::vector<AlertTargetFigures> webhooks;
  double stuck_longest_s = 0;  // 0: nothing is stuck
  std::uint64_t wall_jumps = 0;
  bool ready = false;
};

/// Definitions with counts of their own; the others are one, without a name.
inline constexpr std::size_t kDefinitionsShownMax = 200;

/// All shards as if they were one; participants without their methods.
[[nodiscard]] ShardFigures sum_figures(const std::vector<ShardFigures>& shards);

[[nodiscard]] std::string metrics_text(const MetricsInput& input);

}  // namespace skald
