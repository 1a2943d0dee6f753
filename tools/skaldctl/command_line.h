// The command line as a CLI11 app: what each file of verbs adds to. Private to skaldctl.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "tools/skaldctl/cli.h"
#include "tools/skaldctl/completion.h"
#include "tools/skaldctl/verbs.h"

namespace skald::ctl {

inline constexpr const char* kServerDefault = "http://127.0.0.1:7900";

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
  BatchArguments batch;
  bool simulate = false;
  bool payloads = false;
  std::string definition;
  std::uint32_t version = 0;
  std::string directory;
  std::string backup;
  std::string shell;
  std::string webhook;
};

/// One command: parsed once, run once. The verbs about sagas are in cli_sagas.cc, those about the
/// server in cli_server.cc, about batches in cli_batch.cc, about how it is doing in cli_insight.cc,
/// the rest in cli.cc.
class CommandLine {
 public:
  explicit CommandLine(const Terminal& terminal);
  Exit run(std::vector<std::string> arguments, const Connector& connect);

 private:
  Exit usage(const std::string& what) const;
  [[nodiscard]] std::optional<std::string> environment(const char* name) const;
  [[nodiscard]] int named_ways() const;
  CLI::App* verb(CLI::App& parent, const std::string& name, const std::string& help,
                 std::function<Exit(Session&)> run);
  /// The saga a verb is about: an id, or one of its keys.
  CLI::App* saga_verb(const std::string& name, const std::string& help,
                      std::function<Exit(Session&)> run);

  void add_global_flags();
  void add_version();
  void add_completion();
  void add_submit();
  void add_list();
  void add_stuck();
  void add_selection(CLI::App* made);
  void add_reading_verbs();
  void add_acting_verbs();
  void add_act(const ActVerb& act);
  void add_replay();
  void add_export();
  void add_import();
  void add_definitions();
  void add_participants();
  void add_alerts();
  void add_stats();
  void add_man();
  void add_upkeep();
  void add_batch();
  void add_batch_act(CLI::App& group, const std::string& name, const std::string& help);
  [[nodiscard]] std::vector<VerbWords> verb_words() const;
  [[nodiscard]] VerbWords words_of(const CLI::App& app, std::string verb) const;

  const Terminal& terminal_;
  CLI::App app_{"Talks to skaldd, the saga orchestrator.", "skaldctl"};
  Arguments arguments_;
  std::function<Exit(Session&)> verb_;
  std::function<Exit(Format)> local_;  // needs no server
  bool needs_saga_ = false;
};

}  // namespace skald::ctl
