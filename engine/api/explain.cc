#include "engine/api/explain.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "engine/api/words.h"
#include "engine/core/legal_acts.h"
#include "engine/core/owed.h"
#include "engine/core/replay.h"

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
    explanation.why = why() + replay_words();
    if (is_terminal(state_.status)) {
      explanation.next = "Nothing: it is finished.";
      if (state_.status == SagaStatus::completed || !snapshot_.replays.empty()) return explanation;
      if (replayable(definition_, state_)) {
        explanation.commands.push_back({.verb = "replay",
                                        .effect = "starts a new saga that does it again",
                                        .requires_reason = true});
      }
      return explanation;
    }
    explanation.needs_person = needs_person();
    explanation.next = next();
    explanation.next_at = snapshot_.owed.wake_at;
    static const Definition kUnknown;
    if (definition_ != nullptr) {
      explanation.commands = commands();
    } else {  // it may never be back
      add(explanation.commands, judge_act(kUnknown, state_, ActKind::abandon, {}, snapshot_.now));
    }
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
    if (plan(open) == nullptr) return "its participant";
    return endpoint_of(*definition_, state_, open.leg, open.operation).participant;
  }

  // --- why ---

  [[nodiscard]] std::string replay_words() const {
    std::string words;
    if (state_.replay) words += fmt::format(" It replays saga {}.", state_.replay->of.text());
    if (!snapshot_.replays.empty()) {
      words += fmt::format(" It was replayed as saga {}.", snapshot_.replays.back().text());
    }
    return words;
  }

  [[nodiscard]] std::string why() const {
    switch (state_.status) {
      case SagaStatus::completed:
        return fmt::format("It is completed: every step is done{}.", skipped_words());
      case SagaStatus::compensated:
        return fmt::format("It is undone because {}. {}", cause(), undone_words());
      case SagaStatus::abandoned:
        return fmt::format("It was closed as it is by {}.", by_words(state_.abandoned_by));
      case SagaStatus::paused:
        return fmt::format("It was paused by {} {} ago. {}", by_words(state_.paused_by),
                           duration_words(snapshot_.now - state_.paused_at), direction());
      case SagaStatus::stuck:
        return stuck_words();
      case SagaStatus::running:
      case SagaStatus::compensating:
        return direction();
    }
    return "";
  }

  /// "ann (maintenance)"
  [[nodiscard]] static std::string by_words(const std::optional<Actor>& actor) {
    if (!actor) return "a person";
    const std::string who = actor->name.empty() ? "someone" : actor->name;
    return actor->reason.empty() ? who : fmt::format("{} ({})", who, actor->reason);
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
    if (state_.paused) {
      lines.push_back("nothing new is begun until it is resumed");
      return sentence(std::move(lines));
    }
    for (const Want& want : snapshot_.owed.wants) {
      const Open open{want.leg, want.operation, nullptr};
      lines.push_back(unsent_words(open));
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
    return sentence(std::move(lines));
  }

  [[nodiscard]] static std::string sentence(std::vector<std::string> lines) {
    if (lines.size() > kNextLinesMax) {
      const std::size_t more = lines.size() - kNextLinesMax;
      lines.resize(kNextLinesMax);
      lines.push_back(fmt::format("and {} more", more));
    }
    return fmt::format("{}.", fmt::join(lines, "; "));
  }

  /// What keeps an operation that may be sent from being sent.
  [[nodiscard]] std::string unsent_words(const Open& open) const {
    const std::string what = operation_text(open);
    const std::string who = participant(open);
    const Want want{.leg = open.leg, .operation = open.operation};
    const auto back = std::ranges::find(snapshot_.held_back, want, &HeldBack::want);
    if (back == snapshot_.held_back.end()) {
      return fmt::format("{} is sent as soon as {} has room", what, who);
    }
    if (back->hold) {
      const ParticipantHold& hold = *back->hold;
      return fmt::format("{} is sent when {}{} is released: {} holds it since {} ({})", what,
                         hold.participant, hold.path.empty() ? "" : " " + hold.path,
                         hold.actor.name.empty() ? "somebody" : hold.actor.name,
                         instant_words(hold.at), hold.actor.reason);
    }
    if (back->breaker == BreakerState::trying) {
      return fmt::format("{} is sent when an attempt that is out shows that {} has healed", what,
                         who);
    }
    return fmt::format("{} waits because {} failed too often in a row; one attempt tries it {}",
                       what, who, due_words(back->tries_at));
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

  [[nodiscard]] std::vector<LegalCommand> commands() const {
    std::vector<LegalCommand> legal;
    const auto on_saga = [&](ActKind act) {
      add(legal, judge_act(*definition_, state_, act, std::nullopt, snapshot_.now));
    };
    on_saga(ActKind::retry);
    const std::vector<LegRef> legs = legs_to_act_on();
    for (const LegRef leg : legs) {
      for (const ActVerdict& verdict : acts_on_leg(*definition_, state_, leg, snapshot_.now)) {
        // Everything is retried together; by name only where there is a choice.
        if (verdict.act != ActKind::retry || legs.size() > 1) add(legal, verdict);
      }
    }
    for (const ActKind act : {ActKind::cancel, ActKind::resume, ActKind::pause, ActKind::abandon}) {
      on_saga(act);
    }
    for (std::uint16_t i = 0; i < state_.steps.size(); ++i) {
      if (!is_open_wait(i) || definition_->steps[i].wait.signal.empty()) continue;
      legal.push_back({.verb = "signal",
                       .subject = definition_->steps[i].wait.signal,
                       .effect = fmt::format("ends the wait of {}", definition_->steps[i].name),
                       .choice = {}});
    }
    return legal;
  }

  void add(std::vector<LegalCommand>& legal, const ActVerdict& verdict) const {
    if (!verdict.is_legal()) return;
    LegalCommand command{.verb = std::string(name(verdict.act)),
                         .subject = verdict.leg ? leg_text(*verdict.leg) : std::string{},
                         .effect = verdict.effect,
                         .requires_reason = requires_reason(verdict.act),
                         .choice = {}};
    if (verdict.act != ActKind::resolve) return legal.push_back(std::move(command));
    const LegState& leg = state_.steps[verdict.leg->step].legs[verdict.leg->leg];
    const bool is_undo = operation_in_question(leg) == Operation::compensation;
    const std::string what = (is_undo ? "the compensation of " : "") + command.subject;
    command.choice = "happened";
    command.effect = fmt::format("if you know that {} happened{}", what,
                                 is_undo ? "" : "; --response tells its answer");
    legal.push_back(command);
    command.choice = "did-not-happen";
    command.effect = fmt::format("if you know that {} did not happen", what);
    legal.push_back(std::move(command));
  }

  /// Those that wait for somebody or something, and steps that are stuck.
  [[nodiscard]] std::vector<LegRef> legs_to_act_on() const {
    std::vector<LegRef> legs;
    for (const Open& open : open_.stopped) legs.push_back(open.leg);
    for (const Open& open : open_.backing_off) legs.push_back(open.leg);
    for (std::uint16_t i = 0; i < state_.steps.size(); ++i) {
      if (!state_.steps[i].stuck_reason.empty()) legs.push_back({.step = i, .leg = 0});
    }
    std::ranges::sort(legs);
    const auto repeated = std::ranges::unique(legs);
    legs.erase(repeated.begin(), repeated.end());
    if (legs.size() > kExplainLegsMax) legs.resize(kExplainLegsMax);
    return legs;
  }

  const SagaSnapshot& snapshot_;
  const SagaState& state_;
  const Definition* definition_;
  OpenOperations open_;
};

}  // namespace

Explanation explain(const SagaSnapshot& snapshot) { return Explainer(snapshot).run(); }

}  // namespace skald::api
