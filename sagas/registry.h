// Every definition that ships with the engine, all versions that may still have open sagas. The
// server registers them at start.
#pragma once

#include <vector>

#include "engine/core/definition.h"

namespace skald::sagas {

/// Sealed, sorted by name and version. A definition that does not build is a bug of this folder and
/// ends the process, naming its mistakes.
[[nodiscard]] std::vector<DefinitionPtr> all_definitions();

}  // namespace skald::sagas
