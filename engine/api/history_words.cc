#include "engine/api/history_words.h"

#include <fmt/format.h>

#include <variant>

#include "engine/api/read_model.h"
#include "engine/api/words.h"

namespace skald::api {
namespace {

constexpr std::size_t kLegsNamedMax = 8;  // in the line of a step that fans out

struct Line {
  const Definition* definition;
  const SagaState& state;
  Instant at;
  v1::HistoryEvent& to;

  void say(std::string_view kind, std::string text) {
    to.set_kind(std::string(kind));
    to.set_text(std::move(text));
  }
  std::string step(std::uint16_t index) {
    std::string words = index < state.steps.size() ? step_words(definition, index) : "output";
    to.set_step(words);
    return words;
  }
  /// "the compensation of deduct_stock[7]"
  std::string operation(LegRef leg, Operation operation) {
    step(leg.step);
    std::string words = leg_words(definition, state, leg);
    to.set_leg(words);
    to.set_operation(std::string(name(operation)));
    if (operation == Operation::action) return words;
    return fmt::format("the {} of {}", name(operation), words);
  }
  void outcome(const Outcome& outcome) {
    to.set_outcome(static_cast<v1::OutcomeKind::Value>(outcome.kind));
    to.set_code(outcome.code);
  }
  std::string actor(const Actor& actor) {
    to.set_actor(actor.name);
    const std::string who = actor.name.empty() ? "someone" : actor.name;
    return actor.reason.empty() ? who : fmt::format("{} ({})", who, actor.reason);
  }
  std::string in(Instant later) {
    return later <= at ? std::string("at once") : fmt::format("in {}", duration_words(later - at));
  }

  void operator()(const event::Started& e) {
    std::string text = fmt::format("accepted as {} version {}, {}", e.definition, e.version,
                                   counted(e.steps, "step"));
    if (e.deadline != kNever) text += fmt::format(", to be decided {}", in(e.deadline));
    say("started", std::move(text));
  }
  void operator()(const event::StepSkipped& e) {
    say("step_skipped", fmt::format("{} is skipped: its condition says no", step(e.step)));
  }
  void operator()(const event::StepStarted& e) {
    std::string text = fmt::format("{} starts", step(e.step));
    if (e.legs.size() != 1 || !e.legs.front().key.empty()) {
      text += fmt::format(" with {}", counted(e.legs.size(), "leg"));
      for (std::size_t i = 0; i < e.legs.size() && i < kLegsNamedMax; ++i) {
        text += fmt::format("{} {}", i == 0 ? ":" : ",", e.legs[i].key);
      }
      if (e.legs.size() > kLegsNamedMax) text += ", ...";
    }
    say("step_started", std::move(text));
  }
  void operator()(const event::Computed& e) {
    say("computed", fmt::format("{} is computed", step(e.step)));
  }
  void operator()(const event::StepFailed& e) {
    to.set_code(e.code);
    say("step_failed", fmt::format("{} cannot be built{}: {}: {}", step(e.step),
                                   e.stuck ? " and waits for a person" : "", e.code, e.message));
  }
  void operator()(const event::StepRetried& e) {
    say("step_retried", fmt::format("{} is built again", step(e.step)));
  }
  void operator()(const event::WaitBegan& e) {
    const std::string until = e.due_at == kNever ? "" : fmt::format(", due {}", in(e.due_at));
    say("wait_began", fmt::format("{} waits{}", step(e.step), until));
  }
  void operator()(const event::WaitEnded& e) {
    const std::string by =
        e.signal_id.empty() ? "by its timer" : fmt::format("by signal {}", e.signal_id);
    say("wait_ended", fmt::format("{} ends {}{}", step(e.step), by,
                                  e.rejected ? ", which counts as a refusal" : ""));
  }
  void operator()(const event::Intended& e) {
    to.set_attempt(e.attempt);
    std::string text =
        fmt::format("{} is sent, attempt {}", operation(e.leg, e.operation), e.attempt);
    if (e.generation > 1) text += fmt::format(", generation {}", e.generation);
    say("intended", std::move(text));
  }
  void operator()(const event::Answered& e) {
    to.set_attempt(e.attempt);
    outcome(e.outcome);
    std::string text =
        fmt::format("{} {}", operation(e.leg, e.operation), outcome_words(e.outcome));
    if (e.phase == Phase::backing_off) text += fmt::format("; again {}", in(e.retry_at));
    if (e.phase == Phase::stopped) text += "; a person is needed";
    if (e.maybe && e.phase != Phase::settled) text += "; it may have happened";
    if (e.overdue) text += "; its time is spent";
    say("answered", std::move(text));
  }
  void operator()(const event::OperationMoved& e) {
    to.set_code(e.code);
    std::string text = operation(e.leg, e.operation);
    switch (e.phase) {
      case Phase::idle:
        text += " may be sent again";
        break;
      case Phase::in_flight:
        text += " is in flight";
        break;
      case Phase::backing_off:
        text += fmt::format(" is tried again {}", in(e.retry_at));
        break;
      case Phase::stopped:
        text += " stops: a person is needed";
        break;
      case Phase::settled:
        text += " is settled";
        break;
    }
    if (!e.code.empty()) text += fmt::format(" ({}: {})", e.code, e.message);
    say("operation_moved", std::move(text));
  }
  void operator()(const event::PivotPassed&) {
    say("pivot_passed", "the point of no return is passed");
  }
  void operator()(const event::UndoBegan& e) {
    to.set_leg(e.failure.leg);
    to.set_code(e.failure.code);
    say("undo_began", fmt::format("the way back begins: {}", failure_words(e.failure)));
  }
  void operator()(const event::UndoDeferred& e) {
    to.set_code(e.failure.code);
    say("undo_deferred",
        fmt::format("turning back waits for the pivot in flight: {}", failure_words(e.failure)));
  }
  void operator()(const event::SignalReceived& e) {
    say("signal_received", fmt::format("signal {} ({}) received", e.signal.name, e.signal.id));
  }
  void operator()(const event::CancelAsked& e) {
    say("cancel_asked", fmt::format("{} asks to cancel", actor(e.actor)));
  }
  void operator()(const event::RetryAsked& e) {
    to.set_leg(e.leg);
    say("retry_asked",
        fmt::format("{} asks to retry {}", actor(e.actor), e.leg.empty() ? "everything" : e.leg));
  }
  void operator()(const event::DeadlineMissed&) {
    say("deadline_missed", "the deadline passed where it can no longer turn the saga back");
  }
  void operator()(const event::DefinitionMissing& e) {
    say("definition_missing",
        e.missing ? "its definition is not registered here" : "its definition is registered again");
  }
  void operator()(const event::Completed&) { say("completed", "completed"); }
  void operator()(const event::Compensated&) { say("compensated", "everything is undone"); }
};

}  // namespace

void fill_event(const Definition* definition, const SagaState& state, std::uint64_t seq,
                const Event& event, v1::HistoryEvent& to) {
  to.set_seq(static_cast<std::uint32_t>(seq));
  fill_time(event.at, *to.mutable_at());
  std::visit(Line{definition, state, event.at, to}, event.body);
}

}  // namespace skald::api
