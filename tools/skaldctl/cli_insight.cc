// The verbs about how the server is doing: alerts.
#include "tools/skaldctl/command_line.h"
#include "tools/skaldctl/verbs_alerts.h"

namespace skald::ctl {

void CommandLine::add_alerts() {
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

}  // namespace skald::ctl
