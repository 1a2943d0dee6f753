#include "tools/skaldctl/cli.h"

#include <fmt/format.h>

#include <algorithm>
#include <sstream>

#include "engine/base/version.h"
#include "tools/skaldctl/command_line.h"
#include "tools/skaldctl/table.h"
#include "tools/skaldctl/words.h"

namespace skald::ctl {
namespace {

/// What -o says, as far as that can be told of a line that cannot be read.
std::string format_asked(const std::vector<std::string>& arguments) {
  constexpr std::string_view kShort = "-o";
  constexpr std::string_view kLong = "--output";
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string_view here = arguments[i];
    if (here == kShort || here == kLong) return i + 1 < arguments.size() ? arguments[i + 1] : "";
    if (here.starts_with(std::string(kLong) + "=")) return arguments[i].substr(kLong.size() + 1);
    if (here.starts_with(kShort)) return arguments[i].substr(kShort.size());
  }
  return "";
}

/// CLI11 does not wrap what it says of a flag.
std::string wrapped_help(const std::string& help, std::size_t width) {
  constexpr std::size_t kDescriptions = 30;  // CLI11's column of them
  std::istringstream lines(help);
  std::string out;
  for (std::string line; std::getline(lines, line);) {
    const bool described = line.size() > kDescriptions && line[kDescriptions - 1] == ' ';
    out += described
               ? line.substr(0, kDescriptions) +
                     wrapped(std::string_view(line).substr(kDescriptions), width, kDescriptions)
               : line;
    out += '\n';
  }
  return out;
}

}  // namespace

CommandLine::CommandLine(const Terminal& terminal) : terminal_(terminal) {
  app_.footer(std::string(kExitCodesHelp));
  app_.require_subcommand(1);
  app_.fallthrough();  // global flags may also follow the verb
  add_global_flags();
  add_submit();
  add_list();
  add_stuck();
  add_reading_verbs();
  add_acting_verbs();
  add_replay();
  add_export();
  add_import();
  add_definitions();
  add_participants();
  add_alerts();
  add_stats();
  add_upkeep();
  add_batch();
  add_version();
  add_completion();
  add_man();
}

Exit CommandLine::run(std::vector<std::string> arguments, const Connector& connect) {
  const std::string asked = format_asked(arguments);
  std::ranges::reverse(arguments);  // CLI11 takes them from the back
  try {
    app_.parse(std::move(arguments));
  } catch (const CLI::ParseError& error) {  // tidy: allow(catch) a library's only way to say it
    if (error.get_exit_code() != 0) {
      if (!asked.empty()) arguments_.format = asked;
      return usage(error.what());
    }
    std::ostringstream out;
    app_.exit(error, out, out);
    terminal_.out(wrapped_help(out.str(), terminal_.width));
    return Exit::ok;
  }
  const auto format = format_named(arguments_.format);
  if (!format)
    return usage(
        fmt::format("-o \"{}\": one of table, wide, json, jsonl, yaml, name", arguments_.format));
  if (local_) return local_(*format);
  const auto timeout = read_duration(arguments_.timeout);
  if (!timeout) return usage(timeout.error().message);
  if (needs_saga_ && named_ways() != 1) {
    return usage("name the saga by its id, by --key or by --business-key");
  }
  auto api = connect(arguments_.server);
  if (!api) {
    say_error(terminal_, *format, api.error(), hint_of(api.error().code));
    return exit_of(api.error().code);
  }
  Session session{.api = **api,
                  .terminal = terminal_,
                  .format = *format,
                  .yes = arguments_.yes,
                  .actor = arguments_.actor,
                  .timeout = *timeout};
  return verb_(session);
}

Exit CommandLine::usage(const std::string& what) const {
  const Format format = format_named(arguments_.format).value_or(Format::table);
  say_error(terminal_, format, {Errc::invalid_argument, what}, "`skaldctl --help` shows the flags");
  return Exit::usage;
}

std::optional<std::string> CommandLine::environment(const char* name) const {
  return terminal_.environment ? terminal_.environment(name) : std::nullopt;
}

int CommandLine::named_ways() const {
  const SagaName& saga = arguments_.saga;
  return int{!saga.id.empty()} + int{!saga.key.empty()} + int{!saga.business_key.empty()};
}

CLI::App* CommandLine::verb(CLI::App& parent, const std::string& name, const std::string& help,
                            std::function<Exit(Session&)> run) {
  CLI::App* made = parent.add_subcommand(name, help);
  made->callback([this, run = std::move(run)] { verb_ = run; });
  return made;
}

CLI::App* CommandLine::saga_verb(const std::string& name, const std::string& help,
                                 std::function<Exit(Session&)> run) {
  CLI::App* made = app_.add_subcommand(name, help);
  made->add_option("SAGA", arguments_.saga.id, "id of the saga");
  made->add_option("--key", arguments_.saga.key, "or its idempotency key");
  made->add_option("--business-key", arguments_.saga.business_key,
                   "or its business key: the newest saga with it");
  made->callback([this, run = std::move(run)] {
    verb_ = run;
    needs_saga_ = true;
  });
  return made;
}

void CommandLine::add_global_flags() {
  arguments_.server = environment("SKALD_SERVER").value_or(kServerDefault);
  app_.add_option("--server", arguments_.server, "address of skaldd; also in SKALD_SERVER")
      ->capture_default_str();
  app_.add_option("-o,--output", arguments_.format, "table, wide, json, jsonl, yaml or name")
      ->capture_default_str();
  app_.add_option("--timeout", arguments_.timeout, "how long to wait for a saga")
      ->capture_default_str();
  arguments_.actor = environment("USER").value_or(environment("LOGNAME").value_or(""));
  app_.add_option("--actor", arguments_.actor, "who acts, as recorded")->capture_default_str();
  app_.add_flag("-y,--yes", arguments_.yes, "do not ask before what cannot be taken back");
}

void CommandLine::add_version() {
  app_.add_subcommand("version", "of skaldctl")->callback([this] {
    local_ = [this](Format format) {
      terminal_.out(is_for_programs(format)
                        ? print_facts(format, {{"name", "skaldctl"}, {"version", kVersion}})
                        : fmt::format("skaldctl {}\n", kVersion));
      return Exit::ok;
    };
  });
}

void CommandLine::add_completion() {
  CLI::App* made = app_.add_subcommand("completion", "script for bash, zsh or fish");
  made->add_option("SHELL", arguments_.shell, "bash, zsh or fish")->required();
  made->callback([this] {
    local_ = [this](Format) {
      const auto script = completion_script(arguments_.shell, verb_words());
      if (!script) return usage("completion: one of bash, zsh, fish");
      terminal_.out(*script);
      return Exit::ok;
    };
  });
}

std::vector<VerbWords> CommandLine::verb_words() const {
  std::vector<VerbWords> words;
  for (const CLI::App* top : app_.get_subcommands([](const CLI::App*) { return true; })) {
    words.push_back(words_of(*top, top->get_name()));
    for (const CLI::App* below : top->get_subcommands([](const CLI::App*) { return true; })) {
      words.push_back(words_of(*below, top->get_name() + " " + below->get_name()));
    }
  }
  return words;
}

VerbWords CommandLine::words_of(const CLI::App& app, std::string verb) const {
  VerbWords made{.verb = std::move(verb), .help = app.get_description(), .flags = {}, .live = {}};
  const auto add = [&made](const CLI::App& of) {
    for (const CLI::Option* option : of.get_options()) {
      for (const std::string& name : option->get_lnames()) made.flags.push_back("--" + name);
    }
  };
  add(app);
  add(app_);
  const auto takes = [&app](const std::string& argument) {
    return app.get_option_no_throw(argument) != nullptr;
  };
  if (takes("SAGA")) {
    made.live = "list -o name --limit 20";
  } else if (takes("DEFINITION") || takes("NAME")) {
    made.live = "definitions list -o name";
  } else if (takes("PARTICIPANT")) {
    made.live = "participants -o name";
  }
  return made;
}

Exit run(std::vector<std::string> arguments, const Terminal& terminal, const Connector& connect) {
  return CommandLine(terminal).run(std::move(arguments), connect);
}

}  // namespace skald::ctl
