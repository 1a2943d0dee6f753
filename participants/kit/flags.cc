#include "participants/kit/flags.h"

#include <CLI/CLI.hpp>
#include <charconv>
#include <map>
#include <string>

namespace skald::kit {
namespace {

/// "HOST" or "HOST:PORT" into the options; the complaint, or nothing.
std::string take_listen(const std::string& text, ProgramOptions& options) {
  const auto colon = text.rfind(':');
  options.host = text.substr(0, colon);
  if (colon == std::string::npos) return "";
  const char* end = text.data() + text.size();
  const auto [parsed, error] = std::from_chars(text.data() + colon + 1, end, options.port);
  if (error != std::errc() || parsed != end) return "HOST or HOST:PORT";
  return "";
}

}  // namespace

void add_program_flags(CLI::App& app, ProgramOptions& options) {
  const auto listen = [&options](const CLI::results_t& values) {
    const auto complaint = take_listen(values.at(0), options);
    if (!complaint.empty()) throw CLI::ValidationError("--listen", complaint);
    return true;
  };
  const std::map<std::string, KeysMode> modes{
      {"none", KeysMode::none}, {"dedup", KeysMode::dedup}, {"barrier", KeysMode::barrier}};
  app.add_option("--listen", listen, "HOST, or HOST:PORT where there is one port (127.0.0.1)")
      ->type_name("HOST[:PORT]");
  app.add_option("--port-shift", options.port_shift, "added to every port of the mall");
  app.add_option("--data", options.data, "folder of the rows")->capture_default_str();
  app.add_option("--seed", options.seed, "JSON rows for a folder that was never seeded")
      ->check(CLI::ExistingFile);
  app.add_option("--keys", options.keys, "what is done with the keys that come with requests")
      ->transform(CLI::CheckedTransformer(modes).description("none|dedup|barrier"));
}

std::optional<int> parse_flags(CLI::App& app, int argc, char** argv) {
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kExitUsage;
  }
  return std::nullopt;
}

bool open_all(Program& program, std::span<const Service> services, const Logger& log) {
  if (program.options().port != 0 && services.size() > 1) {
    log.error("cannot start: --listen names one port for {} services; use --port-shift",
              services.size());
    return false;
  }
  for (const auto& service : services) {
    if (auto opened = program.open(service); !opened) {
      log.error("cannot start service={}: {}", service.name, opened.error().message);
      return false;
    }
  }
  return true;
}

int run_services(int argc, char** argv, std::string_view about, std::span<const Service> services) {
  ProgramOptions options;
  CLI::App app{std::string(about)};
  add_program_flags(app, options);
  if (const auto usage = parse_flags(app, argc, argv)) return *usage;
  const Logger log = Logger(LogOptions{}).named("mall");
  Program program(options, log);
  if (!open_all(program, services, log)) return kExitFailed;
  program.run();
  return 0;
}

}  // namespace skald::kit
