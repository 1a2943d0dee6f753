#include "engine/api/explain.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "engine/api/words.h"
#include "engine/core/decide.h"

namespace skald::api {
namespace {

constexpr std::size_t kNextLinesMax = 3;  // of what happens next; the rest is counted

/// One operation that is not settled.
struct Open {
  LegRef leg;
  Operation operation = Operation::action;
  const OperationState* state = nullptr;
};

struct OpenOperations {
  std::vector<Open> in_flight, backing_off, stopped;
};

class Explainer {
 public:
  explicit Explainer(const SagaSnapshot& snapshot)
      : snapshot_(snapshot), state_(snapshot.state), definition_(snapshot.definition.get()) {
    for (std::uint16_t step = 0; step < state_.steps.size(); ++step) {
      const auto& legs = state_.steps[step].legs;
      for (std::uint32_t leg = 0; leg < legs.size(); ++leg) collect({step, leg}, legs[leg]);
    }
    std::ranges::sort(open_.backing_off, {}, [](const Open& open) { return open.state->retry_at; });
  }

  Explanation run() {
    Explanation explanation;
    explanation.why = why();
    if (is_terminal(state_.status)) {
      explanation.next = "Nothing: it is finished.";
      return explanation;
    }
    explanation.needs_person = needs_person();
    explanation.next = next();
    explanation.next_at = snapshot_.owed.wake_at;
    if (definition_ != nullptr) explanation.commands = commands();
    return explanation;
  }

 private:
  void collect(LegRef ref, const LegState& leg) {
    add({ref, Operation::action, &leg.action});
    if (leg.undo) add({ref, Operation::compensation, &*leg.undo});
    if (leg.probe) add({ref, Operation::probe, &*leg.probe});
  }

  void add(const Open& open) {
    switch (open.state->phase) {
      case Phase::idle:
      case Phase::settled:
        return;
      case Phase::in_flight:
        open_.in_flight.push_back(open);
        return;
      case Phase::backing_off:
        open_.backing_off.push_back(open);
        return;
      case Phase::stopped:
        open_.stopped.push_back(open);
        return;
    }
  }

  // --- names ---

  [[nodiscard]] std::string leg_text(LegRef leg) const {
    return leg_words(definition_, state_, leg);
  }

  /// "the compensation of deduct_stock[7]"; an action is named by its leg alone.
  [[nodiscard]] std::string operation_text(const Open& open) const {
    if (open.operation == Operation::action) return leg_text(open.leg);
    return fmt::format("the {} of {}", name(open.operation), leg_text(open.leg));
  }

  [[nodiscard]] const OperationPlan* plan(const Open& open) const {
    if (definition_ == nullptr || open.leg.step >= definition_->steps.size()) return nullptr;
    const StepDefinition& step = definition_->steps[open.leg.step];
    switch (open.operation) {
      case Operation::action:
        return &step.action;
      case Operation::compensation:
        return step.compensation ? &*step.compensation : nullptr;
      case Operation::probe:
        return step.probe ? &*step.probe : nullptr;
    }
    return nullptr;
  }

  [[nodiscard]] std::string participant(const Open& open) const {
    const OperationPlan* found = plan(open);
    return found == nullptr ? "its participant" : found->method.participant;
  }

  // --- why ---

  [[nodiscard]] std::string why() const {
    switch (state_.status) {
      case SagaStatus::completed:
        return fmt::format("It is completed: every step is done{}.", skipped_words());
      case SagaStatus::compensated:
        return fmt::format("It is undone because {}. {}", cause(), undone_words());
      case SagaStatus::abandoned:
        return "It was closed by a person.";
      case SagaStatus::paused:
        return fmt::format("A person paused it. {}", direction());
      case SagaStatus::stuck:
        return stuck_words();
      case SagaStatus::running:
      case SagaStatus::compensating:
        return direction();
    }
    return "";
  }

  [[nodiscard]] std::string cause() const {
    return state_.failure ? failure_words(*state_.failure) : "it was turned back";
  }

  [[nodiscard]] std::string stuck_words() const {
    if (definition_ == nullptr) {
      return fmt::format(
          "Its definition {} version {} is not registered here, so nothing can be decided.",
          state_.definition, state_.version);
    }
    return fmt::format("A person is needed. {}", direction());
  }

  [[nodiscard]] std::string direction() const {
    if (state_.undoing) return fmt::format("It goes back because {}. {}", cause(), undone_words());
    std::string text = fmt::format("It goes forward: {} of {} done{}", steps_in(StepStage::done),
                                   counted(state_.steps.size(), "step"), skipped_words());
    if (state_.turn_back) {
      return fmt::format(
          "{}. It is asked to turn back ({}), but the pivot {} may have happened: that "
          "takes effect only if the pivot turns out not to have been done.",
          text, failure_words(*state_.turn_back), pivot_name());
    }
    if (state_.decided) text += ", and the point of no return is passed";
    if (state_.deadline_missed) text += "; its deadline was missed";
    return text + ".";
  }

  [[nodiscard]] std::size_t steps_in(StepStage stage) const {
    return static_cast<std::size_t>(
        std::ranges::count(state_.steps, stage, [](const StepState& step) { return step.stage; }));
  }

  [[nodiscard]] std::string skipped_words() const {
    const std::size_t skipped = steps_in(StepStage::skipped);
    return skipped == 0 ? "" : fmt::format(", {} skipped", skipped);
  }

  [[nodiscard]] std::string pivot_name() const {
    if (definition_ == nullptr || !definition_->order.pivot) return "";
    return step_words(definition_, *definition_->order.pivot);
  }

  /// What is still to be undone is `done` in a compensatable step with a compensation, or in doubt.
  [[nodiscard]] std::string undone_words() const {
    std::size_t undone = 0;
    std::size_t open = 0;
    for (std::size_t i = 0; i < state_.steps.size(); ++i) {
      const bool compensable = definition_ == nullptr || i >= definition_->steps.size() ||
                               definition_->steps[i].compensation.has_value();
      for (const LegState& leg : state_.steps[i].legs) {
        if (leg.stage == LegStage::undone) ++undone;
        if (leg.stage == LegStage::undoing || leg.stage == LegStage::acting) ++open;
        if (leg.stage == LegStage::done && compensable) ++open;
      }
    }
    if (undone + open == 0) return "Nothing had been done that needs undoing.";
    return fmt::format("{} of {} undone.", undone, counted(undone + open, "leg"));
  }

  // --- what a person must settle ---

  [[nodiscard]] std::vector<std::string> needs_person() const {
    std::vector<std::string> lines;
    if (definition_ == nullptr) {
      lines.push_back(fmt::format("Start skaldd with definition {} version {} registered.",
                                  state_.definition, state_.version));
    }
    for (std::uint16_t i = 0; i < state_.steps.size(); ++i) {
      const std::string& reason = state_.steps[i].stuck_reason;
      if (!reason.empty()) {
        lines.push_back(fmt::format("{} cannot start: {}", step_words(definition_, i), reason));
      }
    }
    if (!state_.output_stuck.empty()) {
      lines.push_back(fmt::format("the output cannot be built: {}", state_.output_stuck));
    }
    for (const Open& open : open_.stopped) lines.push_back(stopped_words(open));
    for (const Open& open : open_.backing_off) {
      if (open.state->overdue) lines.push_back(overdue_words(open));
    }
    if (lines.size() > kExplainLinesMax) {
      const std::size_t more = lines.size() - kExplainLinesMax;
      lines.resize(kExplainLinesMax);
      lines.push_back(fmt::format("and {} more", more));
    }
    return lines;
  }

  [[nodiscard]] std::string stopped_words(const Open& open) const {
    const std::string what = operation_text(open);
    const std::string who = participant(open);
    if (!open.state->maybe) {
      return fmt::format("{} was {} at {}; it is not repeated until a person asks for it.", what,
                         outcome_words(open.state->last), who);
    }
    std::string text =
        fmt::format("{} may have happened at {} and cannot be settled from here", what, who);
    const OperationPlan* found = plan(open);
    if (found != nullptr && found->method.keys == KeysMode::none) text += " (it keeps no keys)";
    if (definition_ != nullptr) {
      text += fmt::format("; ask {} about the key {}", who,
                          operation_key(*definition_, state_, open.leg, open.operation));
    }
    return text + ".";
  }

  [[nodiscard]] std::string overdue_words(const Open& open) const {
    return fmt::format(
        "{} has spent its time after {} at {} (last: {}); it is tried again until it heals.",
        operation_text(open), counted(open.state->attempts, "attempt"), participant(open),
        outcome_words(open.state->last));
  }

  // --- what happens next ---

  [[nodiscard]] std::string next() const {
    std::vector<std::string> lines;
    for (const Open& open : open_.in_flight) lines.push_back(in_flight_words(open));
    for (const Want& want : snapshot_.owed.wants) {
      const Open open{want.leg, want.operation, nullptr};
      lines.push_back(fmt::format("{} is sent as soon as {} has room", operation_text(open),
                                  participant(open)));
    }
    for (const Open& open : open_.backing_off) {
      if (!is_wanted(open)) lines.push_back(retry_words(open));
    }
    for (std::uint16_t i = 0; i < state_.steps.size(); ++i) {
      if (is_open_wait(i)) lines.push_back(wait_words(i));
    }
    const bool can_turn_back = !state_.decided && !state_.turn_back;
    if (state_.deadline != kNever && !state_.deadline_missed && can_turn_back) {
      lines.push_back(
          fmt::format("unless it is done by then it turns back {}", due_words(state_.deadline)));
    }
    if (lines.empty()) return "Nothing happens by itself: a person must act.";
    if (lines.size() > kNextLinesMax) {
      const std::size_t more = lines.size() - kNextLinesMax;
      lines.resize(kNextLinesMax);
      lines.push_back(fmt::format("and {} more", more));
    }
    return fmt::format("{}.", fmt::join(lines, "; "));
  }

  /// Due already: it is among those that wait for room.
  [[nodiscard]] bool is_wanted(const Open& open) const {
    const Want want{.leg = open.leg, .operation = open.operation};
    return std::ranges::find(snapshot_.owed.wants, want) != snapshot_.owed.wants.end();
  }

  /// "in 2.5 s", or "now" once it is due.
  [[nodiscard]] std::string due_words(Instant at) const {
    if (at <= snapshot_.now) return "now";
    return fmt::format("in {}", duration_words(at - snapshot_.now));
  }

  [[nodiscard]] std::string in_flight_words(const Open& open) const {
    const OperationPlan* found = plan(open);
    const std::string bound =
        found == nullptr ? "" : fmt::format(", at most {}", duration_words(found->attempt_timeout));
    return fmt::format("{} answers {} (attempt {}{})", participant(open), operation_text(open),
                       open.state->attempts, bound);
  }

  [[nodiscard]] std::string retry_words(const Open& open) const {
    if (open.state->retry_at == kNever) {
      return fmt::format("the probe of {} says whether it happened", leg_text(open.leg));
    }
    if (open.state->last.kind == OutcomeKind::pending) {
      return fmt::format("{} is asked again about {} {}", participant(open), operation_text(open),
                         due_words(open.state->retry_at));
    }
    return fmt::format("{} is tried again {} (attempt {}; the last was {}{})", operation_text(open),
                       due_words(open.state->retry_at), open.state->attempts + 1,
                       outcome_words(open.state->last),
                       open.state->last.configuration_alert
                           ? ", which looks like a wrong configuration: address, method or password"
                           : "");
  }

  [[nodiscard]] bool is_open_wait(std::uint16_t step) const {
    return definition_ != nullptr && step < definition_->steps.size() &&
           definition_->steps[step].kind == StepKind::wait &&
           state_.steps[step].stage == StepStage::running;
  }

  [[nodiscard]] std::string wait_words(std::uint16_t step) const {
    const StepDefinition& plan = definition_->steps[step];
    const Instant due = state_.steps[step].due_at;
    const std::string when = due == kNever ? "" : " " + due_words(due);
    if (plan.wait.signal.empty()) return fmt::format("the timer of {} fires{}", plan.name, when);
    const std::string_view then =
        plan.wait.on_timeout == OnTimeout::reject ? "is refused" : "goes on without it";
    if (due == kNever)
      return fmt::format("{} waits for the signal {}", plan.name, plan.wait.signal);
    return fmt::format("{} waits for the signal {} and {}{}", plan.name, plan.wait.signal, then,
                       when);
  }

  // --- what may be asked ---

  /// Whether the command would change anything, tried on a copy.
  struct Trial {
    bool legal = false;
    bool undecided = false;
  };
  [[nodiscard]] Trial attempt(command::Body body) const {
    SagaState copy = state_;
    Decision decision;
    const Command command{.at = snapshot_.now, .body = std::move(body)};
    const Result<void> decided = decide(*definition_, copy, command, decision);
    return {.legal = !decision.events.empty(),
            .undecided = !decided && decided.error().code == Errc::aborted};
  }

  [[nodiscard]] std::vector<LegalCommand> commands() const {
    std::vector<LegalCommand> legal;
    const Actor nobody;
    if (const Trial trial = attempt(command::Cancel{nobody}); trial.legal) {
      legal.push_back({"cancel", "",
                       trial.undecided ? "is recorded; it turns back only if the pivot was not done"
                                       : "turns it back and undoes what was done"});
    }
    if (attempt(command::Retry{nobody, ""}).legal) {
      legal.push_back({"retry", "", "tries everything that is stuck or waiting for a retry now"});
      add_leg_retries(legal);
    }
    for (std::uint16_t i = 0; i < state_.steps.size(); ++i) {
      if (!is_open_wait(i) || definition_->steps[i].wait.signal.empty()) continue;
      legal.push_back({"signal", definition_->steps[i].wait.signal,
                       fmt::format("ends the wait of {}", definition_->steps[i].name)});
    }
    return legal;
  }

  /// By name only where there is a choice.
  void add_leg_retries(std::vector<LegalCommand>& legal) const {
    std::vector<LegRef> legs;
    for (const Open& open : open_.stopped) legs.push_back(open.leg);
    for (const Open& open : open_.backing_off) legs.push_back(open.leg);
    std::ranges::sort(legs);
    const auto repeated = std::ranges::unique(legs);
    legs.erase(repeated.begin(), repeated.end());
    if (legs.size() < 2) return;
    if (legs.size() > kExplainLegRetriesMax) legs.resize(kExplainLegRetriesMax);
    for (const LegRef leg : legs) {
      const std::string text = leg_text(leg);
      if (!attempt(command::Retry{Actor{}, text}).legal) continue;
      legal.push_back({"retry", text, fmt::format("tries {} now", text)});
    }
  }

  const SagaSnapshot& snapshot_;
  const SagaState& state_;
  const Definition* definition_;
  OpenOperations open_;
};

}  // namespace

Explanation explain(const SagaSnapshot& snapshot) { return Explainer(snapshot).run(); }

}  // namespace skald::api
