// The verbs about batches: `batch ACT --filter ...` begins one, the others are about one by number.
#include "tools/skaldctl/command_line.h"

namespace skald::ctl {
namespace {

struct BatchActWords {
  const char* name;
  const char* help;
};
constexpr BatchActWords kBatchActs[] = {
    {"retry", "try what is stuck or backing off again, of every saga that matches"},
    {"cancel", "turn every saga that matches back; or, with NUMBER, end that batch"},
    {"resolve", "say of the legs in doubt of every saga that matches whether they happened"},
    {"replay", "do every failed saga that matches again, once each"},
};

}  // namespace

void CommandLine::add_batch_act(CLI::App& group, const std::string& name, const std::string& help) {
  BatchArguments& to = arguments_.batch;
  CLI::App* made = verb(group, name, help, [this, name](Session& s) {
    if (arguments_.batch.number == 0) return start_batch(s, name, arguments_.batch);
    return change_batch(s, "Cancel", arguments_.batch.number, arguments_.batch.reason);
  });
  auto* filter = made->add_option("-Q,--filter", to.filter,
                                  "which sagas: their ids are frozen when the batch begins");
  if (name == "cancel") {
    auto* number = made->add_option("NUMBER", to.number, "of a batch that shall end");
    number->check(CLI::PositiveNumber)->excludes(filter);
    made->require_option(1, 0);
  } else {
    filter->required();
  }
  made->add_option("--reason", to.reason, "recorded with every act")->required(name == "resolve");
  made->add_flag("--dry-run", to.dry_run,
                 "how many would be acted on, skipped and refused, and why");
  made->add_option("--rate", to.rate, "acts a second; 50 without it")->check(CLI::Range(1, 10'000));
  made->add_option("--in-flight", to.in_flight, "sagas under way at once; 100 without it")
      ->check(CLI::Range(1, 2'000));
  made->add_option("--key", to.key, "the same key is the same batch");
  made->add_flag("--watch", to.watch, "show how far it is until it has ended");
  if (name == "retry" || name == "resolve") {
    made->add_option("--leg", to.leg, "only this leg: deduct_stock[7]");
  }
  if (name == "resolve") {
    made->add_flag("--happened", to.happened, "they did happen");
    made->add_flag("--did-not-happen", to.did_not_happen, "they did not happen");
    made->add_flag("--hold", to.hold, "did not happen: wait for amend, skip or retry");
  }
  if (name == "replay") {
    made->add_option("--from", to.from, "a step: queries and computes before it are kept");
    auto* version =
        made->add_option("--version", to.version, "of the definition; else each its own");
    made->add_flag("--newest", to.newest, "with the newest version")->excludes(version);
    made->add_flag("--again", to.again, "also those that were replayed before");
  }
}

void CommandLine::add_batch() {
  CLI::App* group = app_.add_subcommand("batch", "one act on many sagas, done by the server");
  group->require_subcommand(1);
  group->fallthrough();
  for (const BatchActWords& act : kBatchActs) add_batch_act(*group, act.name, act.help);
  BatchArguments& to = arguments_.batch;
  verb(*group, "list", "every batch that is kept", [](Session& s) { return list_batches(s); });
  const auto add_number = [&](const std::string& name, const std::string& help,
                              std::function<Exit(Session&)> run) {
    CLI::App* made = verb(*group, name, help, std::move(run));
    made->add_option("NUMBER", to.number, "of the batch")->required();
    return made;
  };
  add_number("show", "how far it is",
             [this](Session& s) { return change_batch(s, "Get", arguments_.batch.number, ""); });
  add_number("watch", "how far it is, until it has ended",
             [this](Session& s) { return watch_batch(s, arguments_.batch.number); });
  CLI::App* results = add_number("results", "what became of each of its sagas", [this](Session& s) {
    return batch_results(s, arguments_.batch.number, arguments_.batch);
  });
  results->add_option("--outcome", to.outcome,
                      "only completed, compensated, abandoned, stuck, paused, refused, skipped, "
                      "lost, following or pending");
  results->add_option("--limit", to.limit, "how many at most")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  results->add_flag("--all", to.all, "every one");
  add_number("pause", "act on no more until resume; those acted on are followed",
             [this](Session& s) {
               return change_batch(s, "Pause", arguments_.batch.number, arguments_.batch.reason);
             })
      ->add_option("--reason", to.reason, "recorded with it");
  add_number("resume", "go on", [this](Session& s) {
    return change_batch(s, "Resume", arguments_.batch.number, arguments_.batch.reason);
  })->add_option("--reason", to.reason, "recorded with it");
}

}  // namespace skald::ctl
