// The verbs about how the server is doing, and the manual page.
#include "tools/skaldctl/cli_man.h"
#include "tools/skaldctl/command_line.h"
#include "tools/skaldctl/verbs_alerts.h"
#include "tools/skaldctl/verbs_stats.h"

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

void CommandLine::add_stats() {
  verb(app_, "stats", "counts, rates, latencies, what is stuck, participants", ctl::stats);
  verb(app_, "top", "the same, drawn anew each second; q leaves", ctl::top);
}

void CommandLine::add_man() {
  app_.add_subcommand("man", "this program's manual page: skaldctl man | man -l -")
      ->callback([this] {
        local_ = [this](Format) {
          terminal_.out(man_page(app_));
          return Exit::ok;
        };
      });
}

}  // namespace skald::ctl
