// The command line of skaldctl: reads arguments, runs one verb.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "tools/skaldctl/api_client.h"
#include "tools/skaldctl/exit_codes.h"
#include "tools/skaldctl/terminal.h"

namespace skald::ctl {

using Connector = std::function<Result<std::unique_ptr<ApiClient>>(const std::string& server)>;

/// `arguments` without the program's name. Connects only when the verb needs it.
[[nodiscard]] Exit run(std::vector<std::string> arguments, const Terminal& terminal,
                       const Connector& connect);

}  // namespace skald::ctl
