// `skaldd --check`: a store that nobody has open is checked, and what is wrong is printed.
#pragma once

#include "engine/server/config.h"

namespace skald::server {

/// Prints findings and what was looked at to stdout, progress and why it cannot be checked to
/// stderr. Gives what the process ends with: 0 sound, 1 it cannot be checked, 9 something is wrong.
[[nodiscard]] int check_store(const ServerConfig& config);

}  // namespace skald::server
