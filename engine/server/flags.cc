#include "engine/server/flags.h"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>
#include <memory>

namespace skald::server {
namespace {

constexpr int kUsageExit = 2;

constexpr const char* kFooter =
    "A setting comes from the file, then SKALD_* in the environment, then flags; the last one "
    "wins.\n"
    "`skaldd --print-config` shows every setting and where it comes from.\n"
    "SIGTERM drains; a second one stops at once.\n"
    "Exit codes: 0 drained, 1 failed, 2 wrong usage or configuration, 9 --check found something "
    "wrong.";

std::optional<std::string> process_environment(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  if (value == nullptr) return std::nullopt;
  return std::string(value);
}

std::vector<std::string> process_environment_names() {
  std::vector<std::string> names;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    names.emplace_back(text.substr(0, text.find('=')));
  }
  return names;
}

/// A switch is given without a value.
bool is_switch(const Setting& setting) { return setting.key == "insecure_listen"; }

}  // namespace

CommandLine parse_command_line(int argc, char** argv) {
  CommandLine line;
  line.sources.environment = process_environment;
  line.sources.environment_names = process_environment_names();
  CLI::App app("Skald: runs sagas durably, and finishes or undoes each of them.", "skaldd");
  app.footer(kFooter);
  auto* flags = &line.sources.flags;
  app.add_option("--config", line.sources.file, "YAML file of settings")->envname("SKALD_CONFIG");
  app.add_option_function<std::vector<std::string>>(
         "--participant",
         [flags](const std::vector<std::string>& all) {
           for (const std::string& one : all) flags->push_back({"participant", one});
         },
         "name=url of a participant; may be repeated")
      ->type_name("NAME=URL")
      ->expected(1)
      ->take_all();
  app.add_option_function<std::vector<std::string>>(
         "--retention",
         [flags](const std::vector<std::string>& all) {
           for (const std::string& one : all) flags->push_back({"retention", one});
         },
         "of one definition: create_order.completed=30d; may be repeated")
      ->type_name("DEFINITION.STATUS=DURATION")
      ->expected(1)
      ->take_all();
  app.add_option_function<std::vector<std::string>>(
         "--webhook",
         [flags](const std::vector<std::string>& all) {
           for (const std::string& one : all) flags->push_back({"webhook", one});
         },
         "name=url of who is told of alerts; may be repeated")
      ->type_name("NAME=URL")
      ->expected(1)
      ->take_all();
  for (const Setting& setting : settings()) {
    const std::string key(setting.key);
    const std::string help(setting.help);
    std::string name = flag_name(key);
    if (key == "engine.threads") name += ",--threads";
    if (is_switch(setting)) {
      app.add_flag_callback(name, [flags, key] { flags->push_back({key, "true"}); }, help);
    } else {
      app.add_option_function<std::string>(
          name, [flags, key](const std::string& value) { flags->push_back({key, value}); }, help);
    }
  }
  app.add_flag("--print-config", line.print_config, "print the effective configuration and leave");
  app.add_flag("--check", line.check,
               "check the store of --data, which no skaldd may have open; print what is wrong, and "
               "leave");
  app.add_flag("--version", line.version, "print the version and leave");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {  // tidy: allow(catch) a library's only way to say it
    line.exit_code = app.exit(error) == 0 ? 0 : kUsageExit;
  }
  return line;
}

}  // namespace skald::server
