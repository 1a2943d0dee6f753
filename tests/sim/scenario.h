// A scenario: one world to be run, and run again. The seed says everything; the rest leaves things
// out of it (minimise.h), so that what is wrong can be seen. As text it is a regression file.
#pragma once

#include <bitset>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/result.h"
#include "tests/sim/faults.h"

namespace skald::sim {

struct Scenario {
  std::uint64_t seed = 1;
  std::bitset<kFaults> without;                            // faults left out
  std::optional<std::vector<std::uint32_t>> sagas;         // only these submissions
  std::optional<std::vector<std::uint32_t>> disturbances;  // only these, of those planned
  bool operator==(const Scenario&) const = default;
};

/// One line for each field; lines that begin with # are for people.
[[nodiscard]] std::string text_of(const Scenario& scenario);
/// Errors: invalid_argument naming the line.
[[nodiscard]] Result<Scenario> parse_scenario(std::string_view text);

/// What one run came to.
struct Verdict {
  std::vector<std::string> wrongs;  // empty: all is well. Each begins with its rule: "I1 ..."
  std::uint64_t story_hash = 0;     // of all that happened: equal for equal scenarios
};

/// The rule that was broken first: "I1".
[[nodiscard]] std::string rule_of(const std::vector<std::string>& wrongs);

}  // namespace skald::sim
