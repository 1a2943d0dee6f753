// evolve(): one small function for each event. Keeps the counters of SagaState true; decides
// nothing.
#include "engine/core/evolve.h"

#include <algorithm>
#include <type_traits>
#include <utility>

#include "engine/core/folding.h"
#include "engine/core/replay.h"

namespace skald {
namespace {

bool is_stuck(const OperationState& op) { return op.phase == Phase::stopped || op.overdue; }

void count(SagaState& state, const OperationState& op, std::uint32_t one) {
  if (op.phase == Phase::in_flight) state.in_flight += one;
  if (op.phase == Phase::backing_off) state.backing_off += one;
  if (is_stuck(op)) state.stuck += one;
}

/// Changes an operation while the saga's counters stay true.
template <class Change>
void change(SagaState& state, OperationState& op, Change&& apply) {
  count(state, op, ~0U);  // minus one
  apply(op);
  count(state, op, 1);
}

OperationState& operation_of(LegState& leg, Operation operation) {
  switch (operation) {
    case Operation::action:
      return leg.action;
    case Operation::compensation:
      return leg.undo ? *leg.undo : leg.undo.emplace();
    case Operation::probe:
      return leg.probe ? *leg.probe : leg.probe.emplace();
  }
  return leg.action;
}

bool is_settled(LegStage stage) { return stage != LegStage::ready && stage != LegStage::acting; }

void enter_stage(StepState& step, LegState& leg, LegStage stage) {
  if (!is_settled(leg.stage) && is_settled(stage)) step.legs_settled += 1;
  if (leg.stage != LegStage::refused && stage == LegStage::refused) step.legs_refused += 1;
  if (leg.stage == LegStage::skipped && stage != LegStage::skipped) step.legs_skipped -= 1;
  if (leg.stage != LegStage::skipped && stage == LegStage::skipped) step.legs_skipped += 1;
  leg.stage = stage;
  if (step.stage != StepStage::running || step.legs_settled != step.legs.size()) return;
  const bool complete =
      step.legs_refused == 0 &&
      std::ranges::find(step.legs, LegStage::dropped, &LegState::stage) == step.legs.end();
  step.stage = complete ? StepStage::done : StepStage::failed;
  // A plain step whose only leg is skipped is as if its `when` had said no.
  const bool plain = step.legs.size() == 1 && leg.key.empty();
  if (complete && plain && stage == LegStage::skipped) step.stage = StepStage::skipped;
}

/// Asks no more: its leg has been settled by a person.
void close(OperationState& op) {
  if (op.phase != Phase::idle) op.phase = Phase::settled;
  op.maybe = op.overdue = false;
  op.retry_at = {};
}

struct Evolve {
  SagaState& state;
  Instant at;

  StepState& step(std::uint16_t index) { return state.steps[index]; }
  LegState& leg(LegRef ref) { return state.steps[ref.step].legs[ref.leg]; }

  void operator()(const event::Started& e) {
    state.definition = e.definition;
    state.version = e.version;
    state.source = e.source;
    state.idempotency_key = e.idempotency_key;
    state.business_key = e.business_key;
    state.body_hash = e.body_hash;
    state.input = e.input;
    state.deadline = e.deadline;
    state.replay = e.replay;
    state.started_at = at;
    state.steps.resize(e.steps);
  }
  void operator()(const event::StepSkipped& e) { step(e.step).stage = StepStage::skipped; }
  void operator()(const event::StepStarted& e) {
    StepState& s = step(e.step);
    // A step that is tried again goes on counting attempts: an answer to an old one stays old.
    std::vector<std::uint32_t> attempts;
    for (const LegState& old : s.legs) attempts.push_back(old.action.attempts);
    attempts.resize(e.legs.size());
    s.legs.clear();
    s.legs.reserve(e.legs.size());
    s.legs_settled = s.legs_refused = s.legs_skipped = 0;
    std::erase_if(state.refused, [&](LegRef ref) { return ref.step == e.step; });
    for (const auto& planned : e.legs) {
      LegState& added = s.legs.emplace_back();
      added.key = planned.key;
      added.request = planned.request;
      added.action.attempts = attempts[s.legs.size() - 1];
    }
    s.stage = e.legs.empty() ? StepStage::done : StepStage::running;
  }
  void operator()(const event::StepKept& e) {
    if (!state.replay) return;
    auto& kept = state.replay->kept;
    const auto found = std::ranges::find(kept, e.step, &KeptStep::step);
    if (found == kept.end()) return;
    StepState& s = step(e.step);
    for (KeptStep::Leg& old : found->legs) {
      LegState& added = s.legs.emplace_back();
      added.key = std::move(old.key);
      added.stage = LegStage::done;
      added.request = std::move(old.request);
      added.response = std::move(old.response);
      added.has_response = true;
      added.action.phase = Phase::settled;
    }
    s.legs_settled = static_cast<std::uint32_t>(s.legs.size());
    s.has_output = found->output.has_value();
    if (s.has_output) s.output = std::move(*found->output);
    s.stage = StepStage::done;
    kept.erase(found);
  }
  void operator()(const event::Computed& e) {
    StepState& s = step(e.step);
    s.output = e.output;
    s.has_output = true;
    s.stage = StepStage::done;
  }
  void operator()(const event::StepFailed& e) {
    std::string& reason =
        e.step < state.steps.size() ? step(e.step).stuck_reason : state.output_stuck;
    if (e.stuck) {
      if (reason.empty()) state.stuck += 1;
      reason = e.message.empty() ? e.code : e.message;
    } else if (e.step < state.steps.size()) {
      step(e.step).stage = StepStage::failed;
    }
  }
  void operator()(const event::StepRetried& e) {
    std::string& reason =
        e.step < state.steps.size() ? step(e.step).stuck_reason : state.output_stuck;
    if (!reason.empty()) state.stuck -= 1;
    reason.clear();
    if (e.step < state.steps.size()) step(e.step).stage = StepStage::pending;
  }
  void operator()(const event::WaitBegan& e) {
    step(e.step).stage = StepStage::running;
    step(e.step).due_at = e.due_at;
  }
  void operator()(const event::WaitEnded& e) {
    StepState& s = step(e.step);
    s.stage = e.rejected ? StepStage::failed : StepStage::done;
    if (e.signal_id.empty()) return;
    const auto found = std::ranges::find(state.signals, e.signal_id, &Signal::id);
    if (found == state.signals.end()) return;
    s.output = std::move(found->payload);
    s.has_output = true;
    state.signals.erase(found);
  }
  void operator()(const event::Intended& e) {
    LegState& l = leg(e.leg);
    change(state, operation_of(l, e.operation), [&](OperationState& op) {
      if (op.attempts == 0 || op.phase == Phase::idle) begin_time(op);
      op.attempts = e.attempt;
      op.phase = Phase::in_flight;
      op.last_at = at;
    });
    if (e.operation == Operation::action) enter_stage(step(e.leg.step), l, LegStage::acting);
    if (e.operation == Operation::probe) l.probe_request = e.request;
    if (e.operation == Operation::compensation) {
      if (!e.request.empty()) l.undo_request = e.request;
      // What may have happened is not asked again: its undo settles it.
      change(state, l.action, [](OperationState& op) {
        op.phase = Phase::settled;
        op.overdue = false;
        op.retry_at = {};
      });
      enter_stage(step(e.leg.step), l, LegStage::undoing);
    }
  }
  void operator()(const event::Answered& e) {
    LegState& l = leg(e.leg);
    const bool reopened = e.operation == Operation::action &&
                          (l.stage == LegStage::refused || l.stage == LegStage::skipped);
    change(state, operation_of(l, e.operation), [&](OperationState& op) {
      op.phase = e.phase;
      op.maybe = e.maybe;
      op.overdue = e.overdue;
      op.retry_at = e.retry_at;
      if (!reopened) op.last = e.outcome;  // a refusal that was told stays told
      op.last_at = at;
      if (e.outcome.kind == OutcomeKind::unknown) op.spent_attempts += 1;
      op.repeats = e.phase == Phase::settled ? 0 : op.repeats + 1;
    });
    const bool tells =
        e.operation == Operation::action || (e.operation == Operation::probe && !l.has_response);
    if (e.outcome.kind == OutcomeKind::succeeded && tells) {
      l.response = e.response;
      l.has_response = true;
    }
    if (e.stage == LegStage::refused && l.stage != LegStage::refused) note_refusal(e.leg);
    enter_stage(step(e.leg.step), l, e.stage);
  }
  void operator()(const event::OperationMoved& e) {
    LegState& l = leg(e.leg);
    change(state, operation_of(l, e.operation), [&](OperationState& op) {
      op.phase = e.phase;
      enter_generation(op, e.generation);
      op.maybe = e.maybe;
      op.overdue = e.overdue;
      op.retry_at = e.retry_at;
      op.repeats = 0;
      if (!e.code.empty()) {
        op.last.code = e.code;
        op.last.message = e.message;
      }
      if (e.stage == LegStage::refused) op.last.kind = OutcomeKind::not_executed;
    });
    if (e.stage == LegStage::refused && l.stage != LegStage::refused && !e.code.empty()) {
      note_refusal(e.leg);
    }
    enter_stage(step(e.leg.step), l, e.stage);
  }
  void operator()(const event::PivotPassed&) {
    state.decided = true;
    state.turn_back.reset();
  }
  void operator()(const event::UndoBegan& e) {
    state.undoing = state.decided = true;
    state.failure = e.failure;
    state.turn_back.reset();
    for (StepState& s : state.steps) give_up_unsent(s);
  }
  void operator()(const event::UndoDeferred& e) { state.turn_back = e.failure; }
  void operator()(const event::SignalReceived& e) {
    state.signals.push_back(e.signal);
    state.signal_ids.push_back(e.signal.id);
  }
  void operator()(const event::CancelAsked& e) { note_act(ActKind::cancel, e.actor); }
  void operator()(const event::RetryAsked& e) { note_act(ActKind::retry, e.actor); }
  void operator()(const event::DeadlineMissed&) { state.deadline_missed = true; }
  void operator()(const event::DefinitionMissing& e) {
    if (e.missing && !state.definition_missing) state.stuck += 1;
    if (!e.missing && state.definition_missing) state.stuck -= 1;
    state.definition_missing = e.missing;
  }
  void operator()(const event::Completed& e) {
    state.output = e.output;
    state.has_output = e.has_output;
    state.terminal = true;
  }
  void operator()(const event::Compensated&) { state.terminal = true; }
  void operator()(const event::Paused& e) {
    note_act(ActKind::pause, e.actor);
    state.paused = true;
    state.paused_by = e.actor;
    state.paused_at = at;
  }
  void operator()(const event::Resumed& e) {
    note_act(ActKind::resume, e.actor);
    const Instant began = std::exchange(state.paused_at, Instant{});
    state.paused = false;
    state.paused_by.reset();
    state.deadline = add_saturated(state.deadline, at - began);
    const auto hold = [&](OperationState& op) {
      const bool open = op.phase != Phase::idle && op.phase != Phase::settled;
      if (open) op.held += at - std::max(began, op.first_at);
    };
    for (StepState& s : state.steps) {
      if (s.stage == StepStage::running) s.due_at = add_saturated(s.due_at, at - began);
      for (LegState& l : s.legs) {
        hold(l.action);
        if (l.undo) hold(*l.undo);
        if (l.probe) hold(*l.probe);
      }
    }
  }
  void operator()(const event::LegSkipped& e) {
    note_act(ActKind::skip, e.actor);
    StepState& s = step(e.leg.step);
    if (e.leg.leg >= s.legs.size() || !s.stuck_reason.empty()) {
      if (!s.stuck_reason.empty()) state.stuck -= 1;
      s.stuck_reason.clear();
      s.stage = StepStage::skipped;
      return;
    }
    LegState& l = leg(e.leg);
    change(state, l.action, close);
    if (l.probe) change(state, *l.probe, close);
    l.by_hand = true;
    enter_stage(s, l, LegStage::skipped);
  }
  void operator()(const event::Resolved& e) {
    note_act(ActKind::resolve, e.actor);
    LegState& l = leg(e.leg);
    change(state, operation_of(l, e.operation), [&](OperationState& op) {
      op.phase = e.phase;
      op.maybe = op.overdue = false;
      op.retry_at = e.retry_at;
      op.repeats = 0;
      op.last = {.kind = e.happened ? OutcomeKind::succeeded : OutcomeKind::not_executed,
                 .code = "resolved",
                 .message = e.actor.reason.substr(0, kOutcomeMessageMax)};
    });
    if (l.probe) change(state, *l.probe, close);
    if (e.operation == Operation::action && e.response) {
      l.response = *e.response;
      l.has_response = true;
    }
    l.by_hand = true;
    if (e.stage == LegStage::refused) note_refusal(e.leg);
    enter_stage(step(e.leg.step), l, e.stage);
  }
  void operator()(const event::Amended& e) {
    note_act(ActKind::amend, e.actor);
    LegState& l = leg(e.leg);
    if (e.request) (e.operation == Operation::action ? l.request : l.undo_request) = *e.request;
    if (e.endpoint) place(e.leg, e.operation, *e.endpoint);
    if (l.stage == LegStage::ready) return;
    change(state, operation_of(l, e.operation), [&](OperationState& op) {
      enter_generation(op, e.generation);
      op.phase = Phase::backing_off;
      op.overdue = false;
      op.repeats = 0;
      op.retry_at = at;
    });
  }
  void operator()(const event::CompensationMarked& e) {
    note_act(ActKind::mark_done, e.actor);
    LegState& l = leg(e.leg);
    if (l.undo) change(state, *l.undo, close);
    if (l.probe) change(state, *l.probe, close);
    change(state, l.action, close);  // a pivot that happened after all has stopped
    l.by_hand = true;
    enter_stage(step(e.leg.step), l, LegStage::undone);
  }
  void operator()(const event::Abandoned& e) {
    note_act(ActKind::abandon, e.actor);
    state.abandoned_by = e.actor;
    state.terminal = true;
    state.paused = false;
    state.paused_by.reset();
    // Without its definition nobody recovers what was in flight: it may have happened.
    const auto lose = [](OperationState& op) {
      if (op.phase != Phase::in_flight) return;
      op.phase = Phase::stopped;
      op.maybe = true;
    };
    for (StepState& s : state.steps) {
      for (LegState& l : s.legs) {
        change(state, l.action, lose);
        if (l.undo) change(state, *l.undo, lose);
        if (l.probe) change(state, *l.probe, lose);
      }
    }
  }

  void operator()(const event::Folded& e) {
    for (const event::Folded::Repeated& repeated : e.operations) {
      change(state, operation_of(leg(repeated.leg), repeated.operation),
             [&](OperationState& op) { op = repeated.after; });
    }
    state.seq += e.events - 1;  // and one, as every event
  }

  void note_act(ActKind act, const Actor& actor) {
    state.last_act = {.act = act, .seq = state.seq + 1, .actor = actor.name};
  }

  void begin_time(OperationState& op) const {
    op.first_at = at;
    op.held = Millis{0};
  }

  void enter_generation(OperationState& op, std::uint32_t generation) const {
    if (op.generation != generation) {
      op.spent_attempts = 0;
      begin_time(op);
    }
    op.generation = generation;
  }

  void place(LegRef ref, Operation operation, const Endpoint& endpoint) {
    for (AmendedEndpoint& placed : state.endpoints) {
      if (placed.leg != ref || placed.operation != operation) continue;
      placed.endpoint = endpoint;
      return;
    }
    state.endpoints.push_back({.leg = ref, .operation = operation, .endpoint = endpoint});
  }

  void note_refusal(LegRef ref) {
    if (state.refused.size() < kRefusalsKeptMax) state.refused.push_back(ref);
  }

  /// Legs never sent are not sent any more; queries and waits are left as they are.
  void give_up_unsent(StepState& s) {
    if (s.stage != StepStage::running) return;
    if (s.legs.empty()) s.stage = StepStage::failed;  // a wait
    for (LegState& l : s.legs) {
      if (l.stage == LegStage::ready) enter_stage(s, l, LegStage::dropped);
    }
  }
};

SagaStatus status_of(const SagaState& state) {
  if (state.abandoned_by) return SagaStatus::abandoned;
  if (state.terminal) return state.undoing ? SagaStatus::compensated : SagaStatus::completed;
  if (state.paused) return SagaStatus::paused;
  if (state.stuck > 0) return SagaStatus::stuck;
  return state.undoing ? SagaStatus::compensating : SagaStatus::running;
}

}  // namespace

bool fits(const SagaState& state, const Event& event) {
  const std::size_t steps = state.steps.size();
  const auto has_leg = [&](LegRef ref) {
    return ref.step < steps && ref.leg < state.steps[ref.step].legs.size();
  };
  const bool begins = state.seq == 0;
  if (std::holds_alternative<event::Started>(event.body) != begins) return false;
  return std::visit(
      [&]<class Body>(const Body& e) {
        if constexpr (std::is_same_v<Body, event::LegSkipped>) {
          return e.leg.step < steps;  // a stuck step has no leg: see there
        } else if constexpr (std::is_same_v<Body, event::Folded>) {
          return e.events > 0 && e.events <= kFoldedEventsMax &&
                 std::ranges::all_of(e.operations, has_leg, &event::Folded::Repeated::leg);
        } else if constexpr (requires { e.leg.step; }) {
          return has_leg(e.leg);
        } else if constexpr (std::is_same_v<Body, event::StepFailed> ||
                             std::is_same_v<Body, event::StepRetried>) {
          return e.step <= steps;  // the number of steps: the output builder
        } else if constexpr (std::is_same_v<Body, event::StepKept>) {
          return e.step < steps && find_kept(state, e.step) != nullptr;
        } else if constexpr (requires { e.step; }) {
          return e.step < steps;
        } else {
          return true;
        }
      },
      event.body);
}

void evolve(SagaState& state, const Event& event) {
  std::visit(Evolve{.state = state, .at = event.at}, event.body);
  state.seq += 1;
  state.updated_at = event.at;
  const SagaStatus status = status_of(state);
  if (status != state.status || state.seq == 1) state.status_since = event.at;
  state.status = status;
  state.been_stuck = state.been_stuck || status == SagaStatus::stuck;
  const auto* folded = std::get_if<event::Folded>(&event.body);
  if (folded == nullptr) return;
  state.status_since = folded->status_since;
  state.been_stuck = state.been_stuck || folded->been_stuck;
}

}  // namespace skald
