// The verbs about sagas: starting, finding, reading, acting.
#include <fmt/format.h>

#include "tools/skaldctl/command_line.h"

namespace skald::ctl {
namespace {

constexpr std::string_view kFilterHelp =
    "e.g. 'status = stuck and step = deduct_stock and error ~ timeout and age > 10m'";

}  // namespace

void CommandLine::add_submit() {
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

void CommandLine::add_list() {
  CLI::App* made = verb(app_, "list", "sagas, found by a filter",
                        [this](Session& s) { return ctl::list(s, arguments_.list); });
  add_selection(made);
  made->add_flag("--all", arguments_.list.all, "every one");
  made->add_flag("--count", arguments_.list.count, "how many there are, instead");
}

void CommandLine::add_stuck() {
  CLI::App* made = verb(app_, "stuck", "stuck sagas by what they have in common",
                        [this](Session& s) { return ctl::stuck(s, arguments_.stuck); });
  StuckArguments& to = arguments_.stuck;
  made->add_option("--by", to.by, "cause (default), step or participant");
  made->add_option("-Q,--filter", to.filter, std::string(kFilterHelp));
}

void CommandLine::add_selection(CLI::App* made) {
  ListArguments& to = arguments_.list;
  made->add_option("--status", to.statuses,
                   fmt::format("only these, may be repeated: {}", kStatusWords))
      ->delimiter(',');
  made->add_option("--definition", to.definition, "only of this definition");
  made->add_option("--business-key", to.business_key, "only with this business key");
  made->add_option("--since", to.since, "only started within: 30s, 10m, 2h");
  made->add_option("--older-than", to.older_than, "only started longer ago: 30s, 10m, 2h");
  made->add_option("-Q,--filter", to.filter, std::string(kFilterHelp));
  made->add_option("--sort", to.sort, "newest (default), oldest or longest_stuck");
  made->add_option("--limit", to.limit, "how many at most")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
}

void CommandLine::add_reading_verbs() {
  saga_verb("show", "one saga against time, and why it is where it is", [this](Session& s) {
    return ctl::show(s, arguments_.saga, arguments_.payloads);
  })->add_flag("--payloads", arguments_.payloads, "with requests and responses (-o json or yaml)");
  saga_verb("timeline", "its legs and attempts against time, alone",
            [this](Session& s) { return ctl::timeline(s, arguments_.saga); });
  saga_verb("graph", "its steps as a Mermaid flowchart, each with where it is",
            [this](Session& s) { return ctl::graph(s, arguments_.saga); });
  saga_verb("explain", "why it is where it is, what is next, what may be asked",
            [this](Session& s) { return ctl::explain(s, arguments_.saga); });
  saga_verb("history", "everything that happened to it", [this](Session& s) {
    return ctl::history(s, arguments_.saga, arguments_.payloads);
  })->add_flag("--payloads", arguments_.payloads, "with requests before and after amendments");
  saga_verb("wait", "wait until it is decided or done", [this](Session& s) {
    return ctl::wait(s, arguments_.saga, arguments_.until);
  })->add_option("--until", arguments_.until, "decided or done (default)");
}

void CommandLine::add_acting_verbs() {
  CLI::App* made = saga_verb("signal", "tell a waiting saga something", [this](Session& s) {
    return ctl::signal(s, arguments_.saga, arguments_.signal);
  });
  made->add_option("--name", arguments_.signal.name, "name of the signal")->required();
  made->add_option("--payload", arguments_.signal.payload, "JSON, @file, or -");
  made->add_option("--id", arguments_.signal.id, "the same id is the same signal");
  for (const ActVerb& act : act_verbs()) add_act(act);
}

void CommandLine::add_act(const ActVerb& act) {
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

void CommandLine::add_replay() {
  ReplayArguments& to = arguments_.replay;
  CLI::App* made = saga_verb("replay", "do a failed saga again, as a new one", [this](Session& s) {
    return ctl::replay(s, arguments_.saga, arguments_.replay);
  });
  made->add_option("-i,--input", to.input, "merge patch of its input: JSON, @file, or -");
  made->add_option("--from", to.from, "a step: queries and computes before it are kept");
  made->add_option("--as", to.business_key, "business key of the new saga; else KEY-r1");
  auto* version = made->add_option("--version", to.version, "of the definition; else its own");
  made->add_flag("--newest", to.newest, "with the newest version")->excludes(version);
  made->add_flag("--again", to.again, "although it was replayed before");
  made->add_flag("--dry-run", to.dry_run, "show what would be sent");
  made->add_option("--reason", to.reason, "recorded with it; required unless it is a dry run");
}

void CommandLine::add_export() {
  CLI::App* made =
      verb(app_, "export", "sagas as JSON lines, for import and for bug reports",
           [this](Session& s) { return export_sagas(s, arguments_.exported, arguments_.list); });
  made->add_option("SAGA", arguments_.exported.ids, "ids; without one, what is selected");
  made->add_flag("--redact", arguments_.exported.redact,
                 "types and lengths instead of payloads, keys and words");
  add_selection(made);
}

void CommandLine::add_import() {
  ImportArguments& to = arguments_.imported;
  CLI::App* made = verb(app_, "import", "run exported sagas against their recorded answers",
                        [this](Session& s) { return ctl::simulate(s, arguments_.imported); });
  made->add_option("FILE", to.file, "of an export, or -")->required();
  made->add_flag("--simulate", arguments_.simulate, "on paper: nothing is sent or stored")
      ->required();
  auto* version = made->add_option("--version", to.version, "of the definition; else its own");
  made->add_flag("--newest", to.newest, "with the newest version")->excludes(version);
}

}  // namespace skald::ctl
