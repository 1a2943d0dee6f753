// The command line of skaldd, its --help and its --man.
#pragma once

#include <string>

#include "engine/server/config.h"

namespace skald::server {

struct CommandLine {
  ConfigSources sources;  // file and flags; the environment is the process's own
  bool print_config = false;
  bool check = false;  // the store, and leave
  bool man = false;
  bool version = false;
  int exit_code = -1;  // >= 0: leave with it, everything has been said
};

/// Prints help, the manual page and mistakes itself.
[[nodiscard]] CommandLine parse_command_line(int argc, char** argv);

}  // namespace skald::server
