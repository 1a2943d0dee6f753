// Random but sound definitions: graphs, fan-outs, classes, conditions, waits, keys modes,
// protocols.
#pragma once

#include "engine/core/definition.h"
#include "tests/sim/random.h"

namespace skald::sim {

inline constexpr std::uint64_t kParticipants = 3;  // "p0", "p1", ...
inline constexpr std::uint64_t kSignals = 2;       // "s0", "s1"

struct DefinitionTaste {
  bool keyless = false;     // participants that keep no keys may appear
  bool short_keys = false;  // and such that keep them for seconds
};

/// As the typed builder makes them, with functions. Every definition passes validate().
[[nodiscard]] DefinitionPtr random_definition(Random& random, const std::string& name,
                                              std::uint32_t version, const DefinitionTaste& taste);

/// As a client sends them: read from data by the real codec, stored with their sagas.
[[nodiscard]] DefinitionPtr random_inline_definition(Random& random, const std::string& name,
                                                     const DefinitionTaste& taste);

}  // namespace skald::sim
