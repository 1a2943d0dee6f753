// The command line of skaldd, and its --help.
#pragma once

#include <string>

#include "engine/server/config.h"

namespace skald::server {

struct CommandLine {
  ConfigSources sources;  // file and flags; the environment is the process's own
  bool print_config = false;
  bool check = false;  // the store, and leave
  bool version = false;
  int exit_code = -1;  // >= 0: leave with it, everything has been said
};

/// Prints help and mistakes itself.
[[nodiscard]] CommandLine parse_command_line(int argc, char** argv);

}  // namespace skald::server
