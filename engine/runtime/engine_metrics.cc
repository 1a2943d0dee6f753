#include "engine/runtime/engine_metrics.h"

#include <fmt/format.h>

#include <initializer_list>
#include <iterator>
#include <map>
#include <set>
#include <tuple>

namespace skald {
namespace {

class Text {
 public:
  void one(std::string_view metric, std::string_view type, std::string_view help, double value) {
    head(metric, type, help);
    fmt::format_to(std::back_inserter(out), "{} {}\n", metric, value);
  }
  void head(std::string_view metric, std::string_view type, std::string_view help) {
    fmt::format_to(std::back_inserter(out), "# HELP {0} {1}\n# TYPE {0} {2}\n", metric, help, type);
  }
  void labelled(std::string_view metric, std::string_view label, std::string_view value,
                double number) {
    labelled(metric, {{label, value}}, number);
  }
  struct Label {
    std::string_view name;
    std::string_view value;
  };
  void labelled(std::string_view metric, std::initializer_list<Label> labels, double number) {
    std::string text = text_of(labels);
    text.pop_back();  // the last comma
    fmt::format_to(std::back_inserter(out), "{}{{{}}} {}\n", metric, text, number);
  }
  /// `a="x",b="y",`
  static std::string text_of(std::initializer_list<Label> labels) {
    std::string text;
    for (const Label& label : labels) {
      text.append(label.name).append("=\"");
      for (const char c : label.value) {
        if (c == '"' || c == '\\') text.push_back('\\');
        text.push_back(c == '\n' ? ' ' : c);
      }
      text.append("\",");
    }
    return text;
  }

  std::string out;
};

/// Everything but the limit.
void add(Gates::Load& to, const Gates::Load& from) {
  to.in_flight += from.in_flight;
  to.queued += from.queued;
  to.answers += from.answers;
  to.sick += from.sick;
  to.held = to.held || from.held;
  if (from.breaker != BreakerState::closed) to.breaker = from.breaker;
}

void add(std::map<std::tuple<std::string, std::string, Operation>, StepFigures>& to,
         const std::vector<StepFigures>& from) {
  for (const StepFigures& step : from) {
    const auto [known, first] = to.try_emplace({step.definition, step.step, step.operation}, step);
    if (first) continue;
    for (std::size_t i = 0; i < step.outcomes.size(); ++i) {
      known->second.outcomes[i] += step.outcomes[i];
    }
    known->second.seconds.merge(step.seconds);
  }
}

}  // namespace

ShardFigures sum_figures(const std::vector<ShardFigures>& shards) {
  ShardFigures total;
  std::map<std::tuple<std::string, std::string, Operation>, StepFigures> steps;
  std::map<std::string, Gates::Load> participants;
  for (const ShardFigures& shard : shards) {
    ShardCounters& t = total.counters;
    const ShardCounters& c = shard.counters;
    t.submitted += c.submitted;
    t.refused += c.refused;
    t.joined += c.joined;
    t.transitions += c.transitions;
    t.calls += c.calls;
    t.queries += c.queries;
    for (std::size_t i = 0; i < std::size(t.outcomes); ++i) t.outcomes[i] += c.outcomes[i];
    t.completed += c.completed;
    t.compensated += c.compensated;
    t.became_stuck += c.became_stuck;
    t.alerts_not_kept += c.alerts_not_kept;
    for (std::size_t i = 0; i < kAlertKinds; ++i) t.alerts[i] += c.alerts[i];
    add(steps, shard.steps);
    total.resident += shard.resident;
    total.waiters += shard.waiters;
    total.inbox += shard.inbox;
    std::map<std::string, Gates::Load> own;  // of this shard: one limit for all lanes
    for (const Gates::Load& load : shard.participants) {
      Gates::Load& p = own[load.participant];
      p.limit = load.limit;
      add(p, load);
    }
    for (const auto& [name, load] : own) {
      Gates::Load& p = participants[name];
      p.participant = name;
      p.limit += load.limit;
      add(p, load);
    }
  }
  for (auto& [name, load] : participants) total.participants.push_back(std::move(load));
  for (auto& [place, step] : steps) total.steps.push_back(std::move(step));
  return total;
}

namespace {

void append_sagas(Text& text, const MetricsInput& input, const ShardFigures& total) {
  text.head("skald_sagas", "gauge", "Sagas in the store by status.");
  for (const auto& [status, count] : input.counts) {
    text.labelled("skald_sagas", "status", name(status), static_cast<double>(count));
  }
  text.head("skald_definition_sagas", "gauge", "Sagas in the store by definition and status.");
  std::map<SagaStatus, std::uint64_t> others;  // of definitions that are not told apart
  std::set<std::string_view> shown;
  for (const DefinitionCount& counted : input.definitions) {
    if (counted.definition.empty() ||
        (shown.size() >= kDefinitionsShownMax && !shown.contains(counted.definition))) {
      others[counted.status] += counted.count;
      continue;
    }
    shown.insert(counted.definition);
    text.labelled("skald_definition_sagas",
                  {{"definition", counted.definition}, {"status", name(counted.status)}},
                  static_cast<double>(counted.count));
  }
  for (const auto& [status, count] : others) {
    text.labelled("skald_definition_sagas", {{"definition", ""}, {"status", name(status)}},
                  static_cast<double>(count));
  }
  text.one("skald_stuck_oldest_seconds", "gauge", "How long the saga that is stuck longest waits.",
           input.stuck_longest_s);
  const ShardCounters& c = total.counters;
  const auto counter = [&](std::string_view metric, std::string_view help, std::uint64_t value) {
    text.one(metric, "counter", help, static_cast<double>(value));
  };
  counter("skald_submissions_total", "Sagas begun since start.", c.submitted);
  counter("skald_submissions_refused_total", "Submissions refused for a limit or drain.",
          c.refused);
  counter("skald_submissions_joined_total", "Submissions whose key was known.", c.joined);
  counter("skald_completed_total", "Sagas completed since start.", c.completed);
  counter("skald_compensated_total", "Sagas compensated since start.", c.compensated);
  counter("skald_became_stuck_total", "Times a saga became stuck since start.", c.became_stuck);
  counter("skald_transitions_total", "Durable state changes since start.", c.transitions);
  counter("skald_calls_total", "Attempts of actions, compensations and probes.", c.calls);
  counter("skald_queries_total", "Attempts of queries.", c.queries);
  text.head("skald_outcomes_total", "counter", "Answers of participants by outcome.");
  for (const auto kind : {OutcomeKind::succeeded, OutcomeKind::rejected, OutcomeKind::not_executed,
                          OutcomeKind::unknown, OutcomeKind::pending}) {
    text.labelled("skald_outcomes_total", "outcome", name(kind),
                  static_cast<double>(c.outcomes[static_cast<std::size_t>(kind)]));
  }
  text.head("skald_alerts_total", "counter", "What a person should know of, by kind.");
  for (std::size_t i = 0; i < kAlertKinds; ++i) {
    text.labelled("skald_alerts_total", "kind", name(static_cast<AlertKind>(i + 1)),
                  static_cast<double>(c.alerts[i]));
  }
  text.one("skald_sagas_in_memory", "gauge", "Sagas in memory.",
           static_cast<double>(total.resident));
  text.one("skald_waiters", "gauge", "Callers waiting for an outcome.",
           static_cast<double>(total.waiters));
  text.one("skald_inbox_queue", "gauge", "Commands and answers waiting for their shard.",
           static_cast<double>(total.inbox));
}

void append_steps(Text& text, const ShardFigures& total) {
  text.head("skald_step_outcomes_total", "counter", "Answers by step, operation and outcome.");
  for (const StepFigures& step : total.steps) {
    for (std::size_t i = 1; i < step.outcomes.size(); ++i) {
      if (step.outcomes[i] == 0) continue;
      text.labelled("skald_step_outcomes_total",
                    {{"definition", step.definition},
                     {"step", step.step},
                     {"operation", name(step.operation)},
                     {"outcome", name(static_cast<OutcomeKind>(i))}},
                    static_cast<double>(step.outcomes[i]));
    }
  }
  text.head("skald_step_seconds", "histogram", "Time from sending an attempt to its answer.");
  for (const StepFigures& step : total.steps) {
    step.seconds.append_lines(text.out, "skald_step_seconds",
                              Text::text_of({{"definition", step.definition},
                                             {"step", step.step},
                                             {"operation", name(step.operation)}}));
  }
}

void append_webhooks(Text& text, const MetricsInput& input, const ShardFigures& total) {
  const auto each = [&](std::string_view metric, std::string_view type, std::string_view help,
                        auto value) {
    text.head(metric, type, help);
    for (const AlertTargetFigures& webhook : input.webhooks) {
      text.labelled(metric, "webhook", webhook.target.name,
                    static_cast<double>(value(webhook.queue)));
    }
  };
  each("skald_webhook_waiting", "gauge", "Alerts that a webhook is still to be told.",
       [](const auto& queue) { return queue.waiting; });
  each("skald_webhook_delivered_total", "counter", "Alerts that a webhook has taken.",
       [](const auto& queue) { return queue.told; });
  each("skald_webhook_failures_total", "counter", "Attempts that a webhook did not take.",
       [](const auto& queue) { return queue.failed; });
  each("skald_webhook_given_up_total", "counter", "Alerts that it was never told.",
       [](const auto& queue) { return queue.given_up; });
  text.one("skald_alerts_not_kept_total", "counter",
           "Alerts for which the outbox of webhooks had no room.",
           static_cast<double>(total.counters.alerts_not_kept));
}

void append_participants(Text& text, const ShardFigures& total) {
  text.head("skald_participant_in_flight", "gauge", "Attempts with a participant now.");
  for (const auto& p : total.participants) {
    text.labelled("skald_participant_in_flight", "participant", p.participant, p.in_flight);
  }
  text.head("skald_participant_in_flight_limit", "gauge", "The most that may be.");
  for (const auto& p : total.participants) {
    text.labelled("skald_participant_in_flight_limit", "participant", p.participant, p.limit);
  }
  text.head("skald_participant_queued", "gauge", "Operations waiting for room.");
  for (const auto& p : total.participants) {
    text.labelled("skald_participant_queued", "participant", p.participant,
                  static_cast<double>(p.queued));
  }
  const auto each = [&](std::string_view metric, std::string_view type, std::string_view help,
                        auto value) {
    text.head(metric, type, help);
    for (const auto& p : total.participants) {
      text.labelled(metric, "participant", p.participant, static_cast<double>(value(p)));
    }
  };
  each("skald_participant_answers_total", "counter", "Attempts that have ended.",
       [](const auto& p) { return p.answers; });
  each("skald_participant_failures_total", "counter",
       "Attempts that ended unknown or were refused before they ran.",
       [](const auto& p) { return p.sick; });
  each("skald_participant_held", "gauge", "1 when an operator holds it or one of its methods.",
       [](const auto& p) { return p.held ? 1 : 0; });
  each("skald_participant_breaker_open", "gauge", "1 when the breaker of a method is not closed.",
       [](const auto& p) { return p.breaker == BreakerState::closed ? 0 : 1; });
}

}  // namespace

std::string metrics_text(const MetricsInput& input) {
  const ShardFigures total = sum_figures(input.shards);
  Text text;
  text.one("skald_ready", "gauge", "1 when open sagas are taken up and writing works.",
           input.ready ? 1 : 0);
  append_sagas(text, input, total);
  append_steps(text, total);
  append_participants(text, total);
  append_webhooks(text, input, total);
  const Committer::Figures& c = input.committer;
  text.one("skald_commits_total", "counter", "Synced writes.", static_cast<double>(c.commits));
  text.one("skald_commit_record_bytes_total", "counter", "Bytes of event records committed.",
           static_cast<double>(c.bytes));
  text.one("skald_commit_queue", "gauge", "Batches waiting for the committer.",
           static_cast<double>(c.queued));
  c.seconds.append_text(text.out, "skald_commit_seconds", "Time of one synced write.");
  c.batch.append_text(text.out, "skald_commit_batch_transitions",
                      "Transitions in one synced write.");
  text.one("skald_wall_clock_jumps_total", "counter", "Jumps of the wall clock seen.",
           static_cast<double>(input.wall_jumps));
  return std::move(text.out);
}

}  // namespace skald
