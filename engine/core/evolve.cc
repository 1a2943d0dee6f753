// evolve(): one small function for each event. Keeps the counters of SagaState true; decides
// nothing.
#include "engine/core/evolve.h"

#include <algorithm>
#include <type_traits>
#include <utility>

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
  leg.stage = stage;
  if (step.stage != StepStage::running || step.legs_settled != step.legs.size()) return;
  const bool complete =
      step.legs_refused == 0 &&
      std::ranges::find(step.legs, LegStage::dropped, &LegState::stage) == step.legs.end();
  step.stage = complete ? StepStage::done : StepStage::failed;
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
    s.legs_settled = s.legs_refused = 0;
    std::erase_if(state.refused, [&](LegRef ref) { return ref.step == e.step; });
    for (const auto& planned : e.legs) {
      LegState& added = s.legs.emplace_back();
      added.key = planned.key;
      added.request = planned.request;
      added.action.attempts = attempts[s.legs.size() - 1];
    }
    s.stage = e.legs.empty() ? StepStage::done : StepStage::running;
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
      if (op.attempts == 0 || op.phase == Phase::idle) op.first_at = at;
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
    const bool reopened = e.operation == Operation::action && l.stage == LegStage::refused;
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
      if (op.generation != e.generation) {
        op.spent_attempts = 0;
        op.first_at = at;
      }
      op.generation = e.generation;
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
  void operator()(const event::CancelAsked&) {}
  void operator()(const event::RetryAsked&) {}
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
  if (state.terminal) return state.undoing ? SagaStatus::compensated : SagaStatus::completed;
  if (state.paused) return SagaStatus::paused;
  if (state.stuck > 0) return SagaStatus::stuck;
  return state.undoing ? SagaStatus::compensating : SagaStatus::running;
}

}  // namespace

bool fits(const SagaState& state, const Event& event) {
  const std::size_t steps = state.steps.size();
  const bool begins = state.seq == 0;
  if (std::holds_alternative<event::Started>(event.body) != begins) return false;
  return std::visit(
      [&]<class Body>(const Body& e) {
        if constexpr (requires { e.leg.step; }) {
          return e.leg.step < steps && e.leg.leg < state.steps[e.leg.step].legs.size();
        } else if constexpr (std::is_same_v<Body, event::StepFailed> ||
                             std::is_same_v<Body, event::StepRetried>) {
          return e.step <= steps;  // the number of steps: the output builder
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
  state.status = status_of(state);
}

}  // namespace skald
