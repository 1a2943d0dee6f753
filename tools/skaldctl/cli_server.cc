// The verbs about what a server has beside its sagas: definitions, participants, its store.
#include "tools/skaldctl/command_line.h"

namespace skald::ctl {

void CommandLine::add_definitions() {
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

void CommandLine::add_participants() {
  HoldArguments& to = arguments_.hold;
  verb(app_, "participants", "who is called, how they are, who is held", [this](Session& s) {
    return participants(s, arguments_.hold.participant);
  })->add_option("PARTICIPANT", to.participant, "only this one");
  const auto add_place = [&to](CLI::App* made) {
    made->add_option("PARTICIPANT", to.participant, "a configured name, or an origin")->required();
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

void CommandLine::add_upkeep() {
  CLI::App* made =
      app_.add_subcommand("doctor", "check every row of the store against the histories");
  made->add_option("--data", arguments_.directory,
                   "check this directory instead, which no skaldd may have open");
  made->callback([this] {
    verb_ = ctl::doctor;
    if (arguments_.directory.empty()) return;
    local_ = [this](Format) { return doctor_of_closed(terminal_, arguments_.directory); };
  });
  verb(app_, "backup", "copy the store while it is in use, and check the copy",
       [this](Session& s) { return ctl::backup(s, arguments_.directory); })
      ->add_option("DIR", arguments_.directory, "new directory, on the server's machine")
      ->required();
  CLI::App* back = app_.add_subcommand("restore", "copy a backup to where skaldd shall use it");
  back->add_option("BACKUP", arguments_.backup, "made by backup")->required();
  back->add_option("DIR", arguments_.directory, "new directory")->required();
  back->callback([this] {
    local_ = [this](Format) {
      return ctl::restore(terminal_, arguments_.backup, arguments_.directory);
    };
  });
}

}  // namespace skald::ctl
