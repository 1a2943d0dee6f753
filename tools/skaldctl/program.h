// Starting a program that is installed beside this one.
#pragma once

#include <string>
#include <vector>

#include "tools/skaldctl/exit_codes.h"
#include "tools/skaldctl/terminal.h"

namespace skald::ctl {

/// Runs it with our standard streams and waits for it; what it ends with is the answer, where that
/// is one of ours. Looked for in our own directory, then in PATH.
[[nodiscard]] Exit run_beside(const Terminal& terminal, const std::string& name,
                              const std::vector<std::string>& arguments);

}  // namespace skald::ctl
