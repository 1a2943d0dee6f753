// explain: why a saga is where it is, what happens next and when, and what may be asked of it:
// plain words from one snapshot. What is legal is not decided here: core/legal_acts.h is asked.
#pragma once

#include <string>
#include <vector>

#include "engine/runtime/engine.h"

namespace skald::api {

/// Something that may be asked of the saga in this state.
struct LegalCommand {
  std::string verb;     // an act's name, or "signal"
  std::string subject;  // a leg, empty for the saga as a whole; signal: its name
  std::string effect;   // what it would do
  bool requires_reason = false;
  std::string choice;  // resolve: "happened" or "did-not-happen"
  bool operator==(const LegalCommand&) const = default;
};

struct Explanation {
  std::string why;
  std::string next;
  Instant next_at = kNever;  // kNever: nothing is scheduled
  std::vector<std::string>
      needs_person;  // one line per operation or step, at most kExplainLinesMax
  std::vector<LegalCommand> commands;
};

inline constexpr std::size_t kExplainLinesMax = 20;  // further ones are counted in a last line
inline constexpr std::size_t kExplainLegsMax = 5;    // legs whose acts are offered

/// Pure; not for hot paths.
[[nodiscard]] Explanation explain(const SagaSnapshot& snapshot);

}  // namespace skald::api
