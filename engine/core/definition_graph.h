// The order of a definition's steps as a graph of indexes: who needs whom, what is reachable, what
// goes round in circles. Knows names and `after` only; what the order must satisfy is in
// validate.cc.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/core/definition.h"

namespace skald {

using StepEdges = std::vector<std::vector<std::uint16_t>>;

struct DefinitionGraph {
  StepEdges needs;      // direct dependencies of each step, ascending, without repeats
  StepEdges needed_by;  // the reverse
};

/// Resolves `after`. Appends to `mistakes` (never null): unknown references, a step after itself,
/// repeated references. Such references are left out of the graph. Names that occur twice resolve
/// to the first. Pre: at most kStepsMax steps are indexed; later ones are left out.
[[nodiscard]] DefinitionGraph definition_graph(const Definition& definition,
                                               std::vector<std::string>* mistakes);

/// Every step after its needs, lower index first where there is a choice; shorter than the number
/// of steps where there is a cycle.
[[nodiscard]] std::vector<std::uint16_t> topological_order(const DefinitionGraph& graph);

/// Steps that lie on a cycle or between two; empty without one.
[[nodiscard]] std::vector<std::uint16_t> cyclic_steps(const DefinitionGraph& graph);

/// A name as it may stand in an error message, whatever was sent: bounded, visible ASCII.
[[nodiscard]] std::string shown_name(std::string_view text);

/// For each step, whether it can be reached from `from` along `edges` in one step or more.
[[nodiscard]] std::vector<bool> reachable(const StepEdges& edges, std::uint16_t from);

}  // namespace skald
