#include "engine/server/flags.h"

#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>
#include <memory>

#include "engine/server/exit_codes.h"
#include "engine/server/man_page.h"

namespace skald::server {
namespace {

std::string footer() {
  std::string text =
      "A setting comes from the file, then SKALD_* in the environment, then flags; the last one "
      "wins.\n"
      "`skaldd --print-config` shows every setting and where it comes from; `skaldd --man | man -l "
      "-` is the manual.\n"
      "SIGTERM drains; a second one stops at once.\n"
      "Exit codes:\n";
  for (const auto& [code, means] : kExitCodes) text += fmt::format("  {:>3}  {}\n", code, means);
  return text;
}

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

/// What the command line gives without being a setting of one key: these the settings follow.
void add_flags_of_its_own(CLI::App& app, CommandLine& line) {
  app.add_option("--config", line.sources.file, "YAML file of settings")->envname("SKALD_CONFIG");
  auto* flags = &line.sources.flags;
  for (const Shorthand& shorthand : shorthands()) {
    const std::string key(shorthand.flag);
    app.add_option_function<std::vector<std::string>>(
           "--" + key,
           [flags, key](const std::vector<std::string>& all) {
             for (const std::string& one : all) flags->push_back({key, one});
           },
           std::string(shorthand.help))
        ->type_name(std::string(shorthand.expected))
        ->expected(1)
        ->take_all();
  }
  app.add_flag("--print-config", line.print_config, "print the effective configuration and leave");
  app.add_flag("--check", line.check,
               "check the store of --data, which no skaldd may have open; print what is wrong, and "
               "leave");
  app.add_flag("--man", line.man, "print the manual page, as roff, and leave");
  app.add_flag("--version", line.version, "print the version and leave");
}

std::vector<FlagText> texts_of(const CLI::App& app) {
  std::vector<FlagText> texts;
  for (const CLI::Option* option : app.get_options()) {
    const bool takes_value = option->get_expected_max() > 0;
    texts.push_back({.name = option->get_name(),
                     .value = takes_value ? option->get_type_name() : "",
                     .help = option->get_description()});
  }
  return texts;
}

void add_settings(CLI::App& app, std::vector<FlagValue>* flags) {
  for (const Setting& setting : settings()) {
    const std::string key(setting.key);
    const std::string help(setting.help);
    const std::string name = flag_names(setting);
    if (is_switch(setting)) {
      app.add_flag_callback(name, [flags, key] { flags->push_back({key, "true"}); }, help);
    } else {
      app.add_option_function<std::string>(
          name, [flags, key](const std::string& value) { flags->push_back({key, value}); }, help);
    }
  }
}

}  // namespace

CommandLine parse_command_line(int argc, char** argv) {
  CommandLine line;
  line.sources.environment = process_environment;
  line.sources.environment_names = process_environment_names();
  CLI::App app("Skald: runs sagas durably, and finishes or undoes each of them.", "skaldd");
  app.footer(footer());
  add_flags_of_its_own(app, line);
  const std::vector<FlagText> texts = texts_of(app);
  add_settings(app, &line.sources.flags);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {  // tidy: allow(catch) a library's only way to say it
    line.exit_code = app.exit(error) == 0 ? 0 : kUsage;
  }
  if (line.exit_code < 0 && line.man) {
    fmt::print("{}", man_page(texts));
    line.exit_code = kDrained;
  }
  return line;
}

}  // namespace skald::server
