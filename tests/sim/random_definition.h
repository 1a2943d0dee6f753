// Random but sound definitions: graphs, fan-outs, classes, conditions, waits, keys modes.
#pragma once

#include "engine/core/definition.h"
#include "tests/sim/random.h"

namespace skald::sim {

struct DefinitionTaste {
  bool keyless = false;  // participants that keep no keys may appear
  bool waits = true;
};

/// Every definition it returns passes validate().
[[nodiscard]] DefinitionPtr random_definition(Random& random, const std::string& name,
                                              const DefinitionTaste& taste);

}  // namespace skald::sim
