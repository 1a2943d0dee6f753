// The variants of the order saga: nothing fails, and every trouble at every operation that can have
// it, undoing included. They are found by running the definition, not written down.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tests/fault/crash_world.h"

namespace skald::fault {

struct Variant {
  std::string name;
  DefinitionPtr definition;
  std::map<Place, Trouble> troubles;
  /// Absent: completed or compensated, as the crash decides whether a cancel is heard.
  std::optional<SagaStatus> ends;
};

/// Of one definition. Those of the way back all begin with the pivot's refusal.
[[nodiscard]] std::vector<Variant> variants_of(const DefinitionPtr& definition);

}  // namespace skald::fault
