// skaldctl, as a process.
#include <string>
#include <vector>

#include "tools/skaldctl/cli.h"

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  const skald::ctl::Terminal terminal = skald::ctl::process_terminal();
  return static_cast<int>(skald::ctl::run(arguments, terminal, skald::ctl::connect_api));
}
