// What must be true of every saga after every event, whatever happened to it. Checks, no rules: it
// is written from the design and shares no decision with rules_*.cc. Used by tests and by the
// simulator.
#pragma once

#include <string>
#include <vector>

#include "engine/core/definition.h"
#include "engine/core/state.h"

namespace skald {

/// One sentence for each invariant that does not hold, with the step's or leg's name; empty when
/// all hold. Pre: state was folded from events of a saga of this (sealed) definition.
/// Pure. Cost: a pass over all legs; for checking, not for the hot path.
[[nodiscard]] std::vector<std::string> violated(const Definition& definition,
                                                const SagaState& state);

}  // namespace skald
