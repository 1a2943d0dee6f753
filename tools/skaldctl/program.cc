#include "tools/skaldctl/program.h"

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <system_error>

namespace skald::ctl {
namespace {

/// Where the program is; its bare name where PATH must tell.
std::string find_beside(const std::string& name) {
  namespace fs = std::filesystem;
  std::error_code failed;
  const fs::path self = fs::read_symlink("/proc/self/exe", failed);
  if (failed) return name;
  // Installed they stand together; in a build tree skaldd is in the engine's folder.
  for (const fs::path& place :
       {self.parent_path() / name, self.parent_path() / "../../engine" / name}) {
    if (::access(place.c_str(), X_OK) == 0) return place.string();
  }
  return name;
}

}  // namespace

Exit run_beside(const Terminal& terminal, const std::string& name,
                const std::vector<std::string>& arguments) {
  const std::string program = find_beside(name);
  std::vector<std::string> words = {program};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  pid_t child = 0;
  const int failed =
      ::posix_spawnp(&child, program.c_str(), nullptr, nullptr, argv.data(), environ);
  if (failed != 0) {
    terminal.err("error: cannot start " + program + ": " + std::system_category().message(failed) +
                 "\n");
    return Exit::server;
  }
  int status = 0;
  if (::waitpid(child, &status, 0) != child || !WIFEXITED(status)) return Exit::server;
  return static_cast<Exit>(WEXITSTATUS(status));
}

}  // namespace skald::ctl
