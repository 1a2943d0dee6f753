// One scenario run in a process of its own, so that a failed check or an endless loop of what is
// simulated is a finding like any other.
#pragma once

#include <string>
#include <vector>

#include "tests/sim/scenario.h"

namespace skald::sim {

struct TrialResult {
  std::vector<std::string> wrongs;  // "died ..." and "hangs ..." among them
  std::uint64_t story_hash = 0;
  std::string story;  // when asked for
};

enum class Telling : std::uint8_t { silent = 1, story };

[[nodiscard]] TrialResult try_scenario(const Scenario& scenario, Telling telling);

/// The smallest scenario found that breaks the same rule: without faults, sagas and disturbances
/// that it does not need. Bounded in trials.
[[nodiscard]] Scenario minimise(const Scenario& failing, const std::string& rule);

}  // namespace skald::sim
