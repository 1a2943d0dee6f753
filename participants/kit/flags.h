// The flags that all programs of participants share, and the main() of those that have no others.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "participants/kit/program.h"

namespace CLI {
class App;
}

namespace skald::kit {

/// --listen HOST[:PORT], --port-shift N, --data DIR, --seed FILE, --keys none|dedup|barrier.
/// `options` is filled by the app's parse and outlives it.
void add_program_flags(CLI::App& app, ProgramOptions& options);

inline constexpr int kExitFailed = 1;  // could not start
inline constexpr int kExitUsage = 2;

/// Nothing when the program should go on, else the exit code: help was asked for (0), or the flags
/// are wrong.
[[nodiscard]] std::optional<int> parse_flags(CLI::App& app, int argc, char** argv);

/// Opens one service after the other; the first that cannot be opened is logged.
[[nodiscard]] bool open_all(Program& program, std::span<const Service> services, const Logger& log);

/// Parses, opens, runs. The exit code: 0 drained, else as above.
[[nodiscard]] int run_services(int argc, char** argv, std::string_view about,
                               std::span<const Service> services);

}  // namespace skald::kit
