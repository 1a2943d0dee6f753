// How the server is doing: once, or again and again.
#pragma once

#include <string>

#include "skald/v1/stats.pb.h"
#include "tools/skaldctl/verbs.h"

namespace skald::ctl {

[[nodiscard]] Exit stats(Session& session);
/// Drawn anew each second until somebody leaves; where there is no terminal, once.
[[nodiscard]] Exit top(Session& session);

/// What people see of it.
[[nodiscard]] std::string stats_text(const Terminal& terminal, const v1::Stats& stats);

}  // namespace skald::ctl
