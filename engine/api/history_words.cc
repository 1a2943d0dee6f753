#include "engine/api/history_words.h"

#include <fmt/format.h>

#include <optional>
#include <variant>

#include "engine/api/read_model.h"
#include "engine/api/words.h"
#include "engine/core/evolve.h"
#include "engine/core/legal_acts.h"
#include "engine/core/order.h"
#include "engine/core/owed.h"

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
    to.set_reason(actor.reason);
    const std::string who = actor.name.empty() ? "someone" : actor.name;
    return actor.reason.empty() ? who : fmt::format("{} ({})", who, actor.reason);
  }
  std::string in(Instant later) {
    return later <= at ? std::string("at once") : fmt::format("in {}", duration_words(later - at));
  }

  void operator()(const event::Started& e) {
    std::string text = fmt::format("accepted as {} version {}, {}", e.definition, e.version,
                                   counted(e.steps, "step"));
    if (e.replay) {
      text += fmt::format(", replays saga {}", e.replay->of.text());
      if (!e.replay->from.empty()) text += " from " + e.replay->from;
      text += ", asked by " + actor(e.replay->actor);
    }
    if (e.deadline != kNever) text += fmt::format(", to be decided {}", in(e.deadline));
    say("started", std::move(text));
  }
  void operator()(const event::StepSkipped& e) {
    say("step_skipped", fmt::format("{} is skipped: its condition says no", step(e.step)));
  }
  void operator()(const event::StepKept& e) {
    say("step_kept",
        fmt::format("{} is not run: its result of the replayed saga stands", step(e.step)));
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
  void operator()(const event::Paused& e) {
    say("paused", fmt::format("{} pauses it", actor(e.actor)));
  }
  void operator()(const event::Resumed& e) {
    say("resumed", fmt::format("{} lets it go on", actor(e.actor)));
  }
  void operator()(const event::LegSkipped& e) {
    const std::string who = actor(e.actor);
    say("leg_skipped", fmt::format("{} skips {}", who, operation(e.leg, Operation::action)));
  }
  void operator()(const event::Resolved& e) {
    const std::string who = actor(e.actor);
    std::string text = fmt::format("{} says that {} {}", who, operation(e.leg, e.operation),
                                   e.happened ? "happened" : "did not happen");
    if (e.phase == Phase::backing_off) text += fmt::format("; again {}", in(e.retry_at));
    if (e.phase == Phase::stopped) text += "; it waits for a person";
    say("resolved", std::move(text));
  }
  void operator()(const event::Amended& e) {
    const std::string who = actor(e.actor);
    const std::string_view what = e.request && e.endpoint ? "the request and the endpoint"
                                  : e.request             ? "the request"
                                                          : "the endpoint";
    std::string text = fmt::format("{} amends {} of {}", who, what, operation(e.leg, e.operation));
    if (e.generation > 1) text += fmt::format(", generation {}", e.generation);
    say("amended", std::move(text));
  }
  void operator()(const event::CompensationMarked& e) {
    const std::string who = actor(e.actor);
    say("compensation_marked", fmt::format("{} says that {} was undone by hand", who,
                                           operation(e.leg, Operation::action)));
  }
  void operator()(const event::Abandoned& e) {
    say("abandoned", fmt::format("{} closes it as it is", actor(e.actor)));
  }
  void operator()(const event::Folded& e) {
    to.set_events(static_cast<std::uint32_t>(e.events));
    fill_time(e.first_at, *to.mutable_first_at());
    std::string text;
    std::size_t told = 0;
    for (const auto& repeated : e.operations) {
      if (repeated.first_attempt == 0) continue;
      if (++told > kLegsNamedMax) continue;
      if (told > 1) text += "; ";
      text += folded_words(repeated);
      to.set_attempt(repeated.after.attempts);
      outcome(repeated.after.last);
    }
    if (told > kLegsNamedMax) text += fmt::format("; and {} more", told - kLegsNamedMax);
    text += fmt::format("; first {}, last {}", instant_words(e.first_at), instant_words(at));
    say("folded", std::move(text));
  }
  /// "pay: attempts 6 to 1482 folded: 1477 times unknown (timeout)"
  std::string folded_words(const event::Folded::Repeated& repeated) {
    const OperationState& op = repeated.after;
    std::string words =
        fmt::format("{}: attempts {} to {} folded", operation(repeated.leg, repeated.operation),
                    repeated.first_attempt, op.attempts);
    std::string_view before = ": ";
    for (std::size_t i = 0; i < kOutcomeKinds; ++i) {
      if (repeated.outcomes[i] == 0) continue;
      const auto kind = static_cast<OutcomeKind>(i + 1);
      words += fmt::format("{}{} times {}", before, repeated.outcomes[i], name(kind));
      if (op.last.kind == kind && !op.last.code.empty())
        words += fmt::format(" ({})", op.last.code);
      before = ", ";
    }
    if (op.overdue) words += "; its time is spent";
    return words;
  }
};

/// What a person's act is about; nullopt: no act of a person.
struct ActOn {
  std::optional<LegRef> leg;
  bool spreads = false;  // it changes nothing itself: what follows at the same instant does
};
struct FindAct {
  using Found = std::optional<ActOn>;
  Found operator()(const event::CancelAsked&) const { return ActOn{.leg = {}, .spreads = true}; }
  Found operator()(const event::RetryAsked&) const { return ActOn{.leg = {}, .spreads = true}; }
  Found operator()(const event::Paused&) const { return ActOn{}; }
  Found operator()(const event::Resumed&) const { return ActOn{}; }
  Found operator()(const event::Abandoned&) const { return ActOn{}; }
  Found operator()(const event::LegSkipped& e) const { return ActOn{.leg = e.leg}; }
  Found operator()(const event::Resolved& e) const { return ActOn{.leg = e.leg}; }
  Found operator()(const event::CompensationMarked& e) const { return ActOn{.leg = e.leg}; }
  template <class Other>
  Found operator()(const Other&) const {
    return std::nullopt;  // an amendment says more: see HistoryTeller
  }
};

/// "acting, stopped, may have happened"; of the saga: its status.
std::string standing_words(const SagaState& state, const ActOn& act) {
  if (!act.leg || act.leg->step >= state.steps.size()) return std::string(name(state.status));
  const StepState& step = state.steps[act.leg->step];
  if (act.leg->leg >= step.legs.size()) {
    return step.stuck_reason.empty() ? std::string(name(step.stage)) : "stuck";
  }
  const LegState& leg = step.legs[act.leg->leg];
  std::string words(name(leg.stage));
  const OperationState* op = find_operation(leg, operation_in_question(leg));
  if (op == nullptr) return words;
  if (op->phase == Phase::stopped) words += ", stopped";
  if (op->maybe) words += ", may have happened";
  return words;
}

/// Folds the events as it goes, so that it can say what each act of a person found and left.
class HistoryTeller {
 public:
  HistoryTeller(const SagaHistory& history, bool payloads)
      : history_(history), definition_(history.definition.get()), payloads_(payloads) {
    state_.id = history.state.id;
  }

  void tell(const Event& event, v1::HistoryEvent& to) {
    const auto act = std::visit(FindAct{}, event.body);
    if (open_ != nullptr && (act || event.at != open_at_)) close();
    to.set_seq(static_cast<std::uint32_t>(state_.seq + 1));
    fill_time(event.at, *to.mutable_at());
    std::visit(Line{definition_, history_.state, event.at, to}, event.body);
    if (act) to.set_before(standing_words(state_, *act));
    const auto* amended = std::get_if<event::Amended>(&event.body);
    if (amended != nullptr) to.set_before(sent_words(*amended));
    evolve(state_, event);
    if (amended != nullptr) to.set_after(sent_words(*amended));
    if (act && !act->spreads) to.set_after(standing_words(state_, *act));
    if (act && act->spreads) {
      open_ = &to;
      open_at_ = event.at;
    }
  }

  void close() {
    if (open_ != nullptr) open_->set_after(standing_words(state_, {}));
    open_ = nullptr;
  }

 private:
  /// Where the operation is sent and, with payloads, what.
  [[nodiscard]] std::string sent_words(const event::Amended& e) const {
    const LegState& leg = state_.steps[e.leg.step].legs[e.leg.leg];
    std::string words;
    if (e.endpoint) {
      const Endpoint* amended = amended_endpoint(state_, e.leg, e.operation);
      if (amended != nullptr) {
        words = amended->participant + amended->path;
      } else if (definition_ != nullptr) {
        const Endpoint planned = endpoint_of(*definition_, state_, e.leg, e.operation);
        words = planned.participant + planned.path;
      }
    }
    if (!e.request) return words;
    const bool is_action = e.operation == Operation::action;
    const Bytes& request = is_action ? leg.request : leg.undo_request;
    if (!words.empty()) words += "; ";
    if (!payloads_) return words + fmt::format("a request of {} bytes", request.size());
    if (definition_ == nullptr) return words + request;
    const StepDefinition& step = definition_->steps[e.leg.step];
    const BytesPrinter& print = is_action ? step.print_request : step.print_undo_request;
    return words + (print ? print(request) : request);
  }

  const SagaHistory& history_;
  const Definition* definition_;
  bool payloads_;
  SagaState state_;
  v1::HistoryEvent* open_ = nullptr;  // its `after` is what the rest of its command leaves
  Instant open_at_{};
};

}  // namespace

void fill_history(const SagaHistory& history, bool payloads, v1::HistoryResponse& to) {
  to.set_saga_id(history.state.id.text());
  to.mutable_events()->Reserve(static_cast<int>(history.events.size()));
  HistoryTeller teller(history, payloads);
  for (const Event& event : history.events) teller.tell(event, *to.add_events());
  teller.close();
}

}  // namespace skald::api
