#include <sys/mman.h>
#include <unistd.h>

#include <string>

#include "engine/base/check.h"
#include "engine/server/config.h"
#include "engine/server/setting_values.h"
#include "tests/fuzz/targets.h"

namespace skald::fuzz {
namespace {

using server::ConfigSources;
using server::LoadedConfig;

constexpr std::string_view kFilesEnd = "\n---8<---\n";  // behind it: environment and flags

/// A file that exists only while it is read.
class MemoryFile {
 public:
  explicit MemoryFile(std::string_view text) : fd_(::memfd_create("skald.yaml", 0)) {
    SKALD_CHECK(fd_ >= 0);
    while (!text.empty()) {
      const ssize_t written = ::write(fd_, text.data(), text.size());
      SKALD_CHECK(written > 0);
      text.remove_prefix(static_cast<std::size_t>(written));
    }
  }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;
  ~MemoryFile() { ::close(fd_); }
  [[nodiscard]] std::string path() const { return "/proc/self/fd/" + std::to_string(fd_); }

 private:
  int fd_;
};

/// The values without where they come from.
std::string values_of(const LoadedConfig& loaded) {
  LoadedConfig bare{.config = loaded.config};
  return server::print_config(bare);
}

void check_values(std::string_view text) {
  static_cast<void>(server::parse_number(text));
  static_cast<void>(server::parse_listen(text));
  static_cast<void>(server::parse_switch(text));
  if (const auto duration = server::parse_duration(text)) {
    const auto again = server::parse_duration(server::print_duration(*duration));
    SKALD_CHECK(again.has_value() && *again == *duration);
  }
  if (const auto size = server::parse_size(text)) {
    const auto again = server::parse_size(server::print_size(*size));
    SKALD_CHECK(again.has_value() && *again == *size);
  }
}

/// "log.level=debug" lines as flags; a line that begins with `$` is the environment's.
ConfigSources sources_of(const std::string& file, std::string_view rest) {
  std::map<std::string, std::string> environment;
  ConfigSources sources{.file = file};
  while (!rest.empty()) {
    std::string_view line = take_line(rest);
    const bool is_environment = line.starts_with('$');
    if (is_environment) line.remove_prefix(1);
    const std::size_t equals = std::min(line.find('='), line.size());
    std::string key(line.substr(0, equals));
    std::string value(line.substr(std::min(equals + 1, line.size())));
    check_values(value);
    if (is_environment) {
      environment[key] = value;
    } else {
      sources.flags.push_back({.key = key, .value = value});
    }
  }
  sources.environment = [environment](const std::string& name) {
    const auto found = environment.find(name);
    return found == environment.end() ? std::nullopt : std::optional(found->second);
  };
  return sources;
}

}  // namespace

void configuration(std::string_view input) {
  const std::size_t end = std::min(input.find(kFilesEnd), input.size());
  const MemoryFile file(input.substr(0, end));
  const std::string_view rest = input.substr(std::min(end + kFilesEnd.size(), input.size()));
  const auto loaded = server::load_config(sources_of(file.path(), rest));
  if (!loaded) {
    SKALD_CHECK(!loaded.error().message.empty());
    return;
  }
  const std::string printed = values_of(*loaded);
  const MemoryFile again(printed);
  const auto reloaded = server::load_config({.file = again.path()});
  SKALD_CHECK(reloaded.has_value(), "{}\n{}", reloaded.error().message, printed);
  SKALD_CHECK(values_of(*reloaded) == printed, "what is printed is no fixed point:\n{}", printed);
  SKALD_CHECK(reloaded->config.data == loaded->config.data, "{}", printed);
  SKALD_CHECK(reloaded->config.participant_urls == loaded->config.participant_urls, "{}", printed);
  SKALD_CHECK(reloaded->config.participants_allow == loaded->config.participants_allow);
}

}  // namespace skald::fuzz
