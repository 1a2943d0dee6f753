#include "tools/skaldctl/cli.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <map>
#include <memory>
#include <sstream>

#include "engine/base/version.h"
#include "tools/skaldctl/completion.h"
#include "tools/skaldctl/verbs.h"
#include "tools/skaldctl/verbs_alerts.h"
#include "tools/skaldctl/words.h"

namespace skald::ctl {
namespace {

constexpr std::string_view kFilterHelp =
    "e.g. 'status = stuck and step = deduct_stock and error ~ timeout and age > 10m'";
constexpr const char* kServerDefault = "http://127.0.0.1:7900";

/// Everything the flags fill in; one verb uses some of it.
struct Arguments {
  std::string server = kServerDefault;
  std::string format = "table";
  std::string timeout = "10s";
  std::string actor;
  bool yes = false;
  SagaName saga;
  SubmitArguments submit;
  ListArguments list;
  StuckArguments stuck;
  SignalArguments signal;
  HoldArguments hold;
  std::string until;
  ActArguments act;
  ReplayArguments replay;
  ExportArguments exported;
  ImportArguments imported;
  bool simulate = false;
  bool payloads = false;
  std::string definition;
  std::uint32_t version = 0;
  std::string directory;
  std::string backup;
  std::string shell;
  std::string webhook;
};

class CommandLine {
 public:
  explicit CommandLine(const Terminal& terminal) : terminal_(terminal) {
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
    add_upkeep();
    add_version();
    add_completion();
  }

  Exit run(std::vector<std::string> arguments, const Connector& connect) {
    std::ranges::reverse(arguments);  // CLI11 takes them from the back
    try {
      app_.parse(std::move(arguments));
    } catch (const CLI::ParseError& error) {  // tidy: allow(catch) a library's only way to say it
      std::ostringstream out;
      std::ostringstream err;
      const bool help = app_.exit(error, out, err) == 0;
      terminal_.out(out.str());
      terminal_.err(err.str());
      return help ? Exit::ok : Exit::usage;
    }
    if (local_) return local_();
    const auto format = format_named(arguments_.format);
    if (!format)
      return usage(
          fmt::format("-o \"{}\": one of table, wide, json, jsonl, yaml, name", arguments_.format));
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

 private:
  Exit usage(const std::string& what) const {
    const Format format = format_named(arguments_.format).value_or(Format::table);
    say_error(terminal_, format, {Errc::invalid_argument, what},
              "`skaldctl --help` shows the flags");
    return Exit::usage;
  }

  [[nodiscard]] std::optional<std::string> environment(const char* name) const {
    return terminal_.environment ? terminal_.environment(name) : std::nullopt;
  }

  [[nodiscard]] int named_ways() const {
    const SagaName& saga = arguments_.saga;
    return int{!saga.id.empty()} + int{!saga.key.empty()} + int{!saga.business_key.empty()};
  }

  void add_global_flags() {
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

  CLI::App* verb(CLI::App& parent, const std::string& name, const std::string& help,
                 std::function<Exit(Session&)> run) {
    CLI::App* made = parent.add_subcommand(name, help);
    made->callback([this, run = std::move(run)] { verb_ = run; });
    return made;
  }

  /// The saga a verb is about: an id, or one of its keys.
  CLI::App* saga_verb(const std::string& name, const std::string& help,
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

  void add_submit() {
    CLI::App* made = verb(app_, "submit", "start a saga",
                          [this](Session& s) { return ctl::submit(s, arguments_.submit); });
    SubmitArguments& to = arguments_.submit;
    made->add_option("DEFINITION", to.definition, "name of a registered definition");
    made->add_option("--version", to.version, "its version; the newest without it");
    made->add_option("--inline", to.inline_file, "file with a definition as JSON, instead");
    made->add_option("-i,--input", to.input, "JSON, @file, or - for standard input");
    made->add_option("--key", to.key, "idempotency key: the same key is the same saga");
    made->add_option("--business-key", to.business_key, "an order number, for finding it again");
    made->add_option("--wait", to.wait, "accepted, decided or done");
  }

  void add_list() {
    CLI::App* made = verb(app_, "list", "sagas, found by a filter",
                          [this](Session& s) { return ctl::list(s, arguments_.list); });
    add_selection(made);
    made->add_flag("--all", arguments_.list.all, "every one");
    made->add_flag("--count", arguments_.list.count, "how many there are, instead");
  }

  void add_stuck() {
    CLI::App* made = verb(app_, "stuck", "stuck sagas by what they have in common",
                          [this](Session& s) { return ctl::stuck(s, arguments_.stuck); });
    StuckArguments& to = arguments_.stuck;
    made->add_option("--by", to.by, "cause (default), step or participant");
    made->add_option("-Q,--filter", to.filter, std::string(kFilterHelp));
  }

  void add_selection(CLI::App* made) {
    ListArguments& to = arguments_.list;
    made->add_option("--status", to.statuses, "only these; may be repeated")->delimiter(',');
    made->add_option("--definition", to.definition, "only of this definition");
    made->add_option("--business-key", to.business_key, "only with this business key");
    made->add_option("--since", to.since, "only started within: 30s, 10m, 2h");
    made->add_option("-Q,--filter", to.filter, std::string(kFilterHelp));
    made->add_option("--sort", to.sort, "newest (default), oldest or longest_stuck");
    made->add_option("--limit", to.limit, "how many at most")
        ->check(CLI::Range(1, 1000))
        ->capture_default_str();
  }

  void add_reading_verbs() {
    saga_verb("show", "one saga against time, and why it is where it is",
              [this](Session& s) { return ctl::show(s, arguments_.saga, arguments_.payloads); })
        ->add_flag("--payloads", arguments_.payloads,
                   "with requests and responses (-o json or yaml)");
    saga_verb("explain", "why it is where it is, what is next, what may be asked",
              [this](Session& s) { return ctl::explain(s, arguments_.saga); });
    saga_verb("history", "everything that happened to it", [this](Session& s) {
      return ctl::history(s, arguments_.saga, arguments_.payloads);
    })->add_flag("--payloads", arguments_.payloads, "with requests before and after amendments");
    saga_verb("wait", "wait until it is decided or done", [this](Session& s) {
      return ctl::wait(s, arguments_.saga, arguments_.until);
    })->add_option("--until", arguments_.until, "decided or done (default)");
  }

  void add_acting_verbs() {
    CLI::App* made = saga_verb("signal", "tell a waiting saga something", [this](Session& s) {
      return ctl::signal(s, arguments_.saga, arguments_.signal);
    });
    made->add_option("--name", arguments_.signal.name, "name of the signal")->required();
    made->add_option("--payload", arguments_.signal.payload, "JSON, @file, or -");
    made->add_option("--id", arguments_.signal.id, "the same id is the same signal");
    for (const ActVerb& act : act_verbs()) add_act(act);
  }

  void add_act(const ActVerb& act) {
    ActArguments& to = arguments_.act;
    CLI::App* made = saga_verb(
        std::string(act.name), std::string(act.help),
        [this, &act](Session& s) { return ctl::act(s, act, arguments_.saga, arguments_.act); });
    if (act.about_leg || act.name == "retry") {
      made->add_option("--leg", to.leg, "the leg: deduct_stock[7]")->required(act.about_leg);
    }
    made->add_option("--reason", to.reason, "recorded with it")->required(act.needs_reason);
    made->add_option("--seq", to.seq, "only if the saga is still at this event");
    made->add_flag("--dry-run", to.dry_run, "show what it would do");
    if (act.name == "resolve") {
      made->add_flag("--happened", to.happened, "it did happen");
      made->add_flag("--did-not-happen", to.did_not_happen, "it did not happen");
      made->add_option("--response", to.response, "what was answered: JSON, @file, or -");
      made->add_flag("--hold", to.hold, "did not happen: wait for amend, skip or retry");
    }
    if (act.name == "amend") {
      made->add_option("--request", to.request, "what is sent: JSON, @file, or -");
      made->add_option("--url", to.url, "where it is sent");
      made->add_option("--participant", to.participant, "or a configured name, with --path");
      made->add_option("--path", to.path, "of the method there");
    }
  }

  void add_replay() {
    ReplayArguments& to = arguments_.replay;
    CLI::App* made = saga_verb(
        "replay", "do a failed saga again, as a new one",
        [this](Session& s) { return ctl::replay(s, arguments_.saga, arguments_.replay); });
    made->add_option("-i,--input", to.input, "merge patch of its input: JSON, @file, or -");
    made->add_option("--from", to.from, "a step: queries and computes before it are kept");
    made->add_option("--as", to.business_key, "business key of the new saga; else KEY-r1");
    auto* version = made->add_option("--version", to.version, "of the definition; else its own");
    made->add_flag("--newest", to.newest, "with the newest version")->excludes(version);
    made->add_flag("--again", to.again, "although it was replayed before");
    made->add_flag("--dry-run", to.dry_run, "show what would be sent");
    made->add_option("--reason", to.reason, "recorded with it; required unless it is a dry run");
  }

  void add_export() {
    CLI::App* made =
        verb(app_, "export", "sagas as JSON lines, for import and for bug reports",
             [this](Session& s) { return export_sagas(s, arguments_.exported, arguments_.list); });
    made->add_option("SAGA", arguments_.exported.ids, "ids; without one, what is selected");
    made->add_flag("--redact", arguments_.exported.redact,
                   "types and lengths instead of payloads, keys and words");
    add_selection(made);
  }

  void add_import() {
    ImportArguments& to = arguments_.imported;
    CLI::App* made = verb(app_, "import", "run exported sagas against their recorded answers",
                          [this](Session& s) { return ctl::simulate(s, arguments_.imported); });
    made->add_option("FILE", to.file, "of an export, or -")->required();
    made->add_flag("--simulate", arguments_.simulate, "on paper: nothing is sent or stored")
        ->required();
    auto* version = made->add_option("--version", to.version, "of the definition; else its own");
    made->add_flag("--newest", to.newest, "with the newest version")->excludes(version);
  }

  void add_definitions() {
    CLI::App* group = app_.add_subcommand("definitions", "what may be submitted");
    group->require_subcommand(1);
    group->fallthrough();
    verb(*group, "list", "every definition and version",
         [](Session& s) { return definitions_list(s); });
    const auto add_name = [this](CLI::App* made) {
      made->add_option("NAME", arguments_.definition, "of the definition")->required();
      made->add_option("--version", arguments_.version, "the newest without it");
    };
    add_name(verb(*group, "show", "its steps", [this](Session& s) {
      return definitions_show(s, arguments_.definition, arguments_.version);
    }));
    add_name(verb(*group, "graph", "its steps as a Mermaid flowchart", [this](Session& s) {
      return definitions_graph(s, arguments_.definition, arguments_.version);
    }));
  }

  void add_participants() {
    HoldArguments& to = arguments_.hold;
    verb(app_, "participants", "who is called, how they are, who is held", [this](Session& s) {
      return participants(s, arguments_.hold.participant);
    })->add_option("PARTICIPANT", to.participant, "only this one");
    const auto add_place = [&to](CLI::App* made) {
      made->add_option("PARTICIPANT", to.participant, "a configured name, or an origin")
          ->required();
      made->add_option("--path", to.path, "only this method: /inventory.InventoryRpc/DeductStock");
      return made;
    };
    add_place(verb(app_, "hold", "send nothing to a participant until it is released",
                   [this](Session& s) { return ctl::hold(s, arguments_.hold); }))
        ->add_option("--reason", to.reason, "recorded, and shown by every saga that waits")
        ->required();
    add_place(verb(app_, "release", "end a hold",
                   [this](Session& s) { return ctl::release(s, arguments_.hold); }));
  }

  void add_alerts() {
    CLI::App* group = app_.add_subcommand("alerts", "webhooks that are told, and how that goes");
    group->fallthrough();
    CLI::App* test = group->add_subcommand("test", "send a test and say what was answered");
    test->add_option("--webhook", arguments_.webhook, "only this one");
    group->callback([this, test] {
      verb_ = ctl::alerts;
      if (test->parsed()) {
        verb_ = [this](Session& s) { return alerts_test(s, arguments_.webhook); };
      }
    });
  }

  void add_upkeep() {
    CLI::App* made =
        app_.add_subcommand("doctor", "check every row of the store against the histories");
    made->add_option("--data", arguments_.directory,
                     "check this directory instead, which no skaldd may have open");
    made->callback([this] {
      verb_ = ctl::doctor;
      if (arguments_.directory.empty()) return;
      local_ = [this] { return doctor_of_closed(terminal_, arguments_.directory); };
    });
    verb(app_, "backup", "copy the store while it is in use, and check the copy",
         [this](Session& s) { return ctl::backup(s, arguments_.directory); })
        ->add_option("DIR", arguments_.directory, "new directory, on the server's machine")
        ->required();
    CLI::App* back = app_.add_subcommand("restore", "copy a backup to where skaldd shall use it");
    back->add_option("BACKUP", arguments_.backup, "made by backup")->required();
    back->add_option("DIR", arguments_.directory, "new directory")->required();
    back->callback([this] {
      local_ = [this] { return ctl::restore(terminal_, arguments_.backup, arguments_.directory); };
    });
  }

  void add_version() {
    app_.add_subcommand("version", "of skaldctl")->callback([this] {
      local_ = [this] {
        terminal_.out(fmt::format("skaldctl {}\n", kVersion));
        return Exit::ok;
      };
    });
  }

  void add_completion() {
    CLI::App* made = app_.add_subcommand("completion", "script for bash, zsh or fish");
    made->add_option("SHELL", arguments_.shell, "bash, zsh or fish")->required();
    made->callback([this] {
      local_ = [this] {
        const auto script = completion_script(arguments_.shell, verb_words());
        if (!script) return usage("completion: one of bash, zsh, fish");
        terminal_.out(*script);
        return Exit::ok;
      };
    });
  }

  [[nodiscard]] std::vector<VerbWords> verb_words() const {
    std::vector<VerbWords> words;
    for (const CLI::App* top : app_.get_subcommands([](const CLI::App*) { return true; })) {
      words.push_back(words_of(*top, top->get_name()));
      for (const CLI::App* below : top->get_subcommands([](const CLI::App*) { return true; })) {
        words.push_back(words_of(*below, top->get_name() + " " + below->get_name()));
      }
    }
    return words;
  }

  [[nodiscard]] VerbWords words_of(const CLI::App& app, std::string verb) const {
    VerbWords made{.verb = std::move(verb), .help = app.get_description(), .flags = {}};
    const auto add = [&made](const CLI::App& of) {
      for (const CLI::Option* option : of.get_options()) {
        for (const std::string& name : option->get_lnames()) made.flags.push_back("--" + name);
      }
    };
    add(app);
    add(app_);
    return made;
  }

  const Terminal& terminal_;
  CLI::App app_{"Talks to skaldd, the saga orchestrator.", "skaldctl"};
  Arguments arguments_;
  std::function<Exit(Session&)> verb_;
  std::function<Exit()> local_;  // needs no server
  bool needs_saga_ = false;
};

}  // namespace

Exit run(std::vector<std::string> arguments, const Terminal& terminal, const Connector& connect) {
  return CommandLine(terminal).run(std::move(arguments), connect);
}

}  // namespace skald::ctl
