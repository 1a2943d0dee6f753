// skaldd, as a process: parse, build, run, drain.
#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>

#include "engine/base/version.h"
#include "engine/server/check_store.h"
#include "engine/server/config.h"
#include "engine/server/exit_codes.h"
#include "engine/server/flags.h"
#include "engine/server/signals.h"
#include "engine/server/wiring.h"
#include "engine/wire/connect.h"

namespace {

int complain(int code, const std::string& message) {
  fmt::print(stderr, "skaldd: {}\n", message);
  return code;
}

}  // namespace

int main(int argc, char** argv) {
  using namespace skald;
  using namespace skald::server;

  const CommandLine line = parse_command_line(argc, argv);
  if (line.exit_code >= 0) return line.exit_code;
  if (line.version) return fmt::print("skaldd {}\n", kVersion), 0;
  const auto loaded = load_config(line.sources);
  if (!loaded) return complain(kUsage, loaded.error().message);
  for (const std::string& warning : loaded->warnings) complain(0, "warning: " + warning);
  if (line.print_config) return fmt::print("{}", print_config(*loaded)), 0;
  const ServerConfig& config = loaded->config;
  if (config.data.empty()) return complain(kUsage, "--data DIR is required (see --help)");

  wire::keep_protobuf_quiet();

  if (line.check) return check_store(config);

  TerminationSignals signals;  // before any thread, so that all of them leave signals to it
  const Logger log({.level = config.log_level, .format = config.log_format});
  const Logger server_log = log.named("server");
  auto daemon = Daemon::start(config, log);
  if (!daemon) {
    const int code = daemon.error().code == Errc::invalid_argument ? kUsage : kFailed;
    return complain(code, daemon.error().message);
  }
  fmt::print("skaldd ready listen={} pid={}\n", (*daemon)->listen(), ::getpid());
  std::fflush(stdout);
  server_log.info("started version={} listen={} data={}", kVersion, (*daemon)->listen(),
                  config.data);

  const int number = signals.wait();
  server_log.info("draining signal={} grace_ms={}; a second signal stops at once", number,
                  config.drain_grace.count());
  signals.stop_at_next();
  (*daemon)->drain();
  server_log.info("stopped");
  return 0;
}
