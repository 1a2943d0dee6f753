#include "engine/core/order.h"

#include <algorithm>

namespace skald {
namespace {

bool is_finished(StepStage stage) {
  return stage == StepStage::done || stage == StepStage::skipped;
}

bool is_due(const OperationState& op, Instant now) {
  return op.phase == Phase::backing_off && op.retry_at <= now;
}

bool awaits_probe(const LegState& leg, Instant now) { return leg.probe && is_due(*leg.probe, now); }

bool step_is_clean(const StepDefinition& definition, const StepState& step) {
  return std::ranges::all_of(step.legs,
                             [&](const LegState& leg) { return is_clean(definition, leg); });
}

/// An action may be sent: for the first time, again going forward, or again to settle it going
/// back.
bool action_wanted(const StepDefinition& definition, const SagaState& state, const StepState& step,
                   std::uint32_t index, Instant now) {
  const LegState& leg = step.legs[index];
  if (leg.stage == LegStage::ready) {
    // A step that finishes all its legs goes on after a refusal of its own.
    const bool held = holds_back(state) && (state.turn_back || step.legs_refused == 0);
    return !state.undoing && !held && in_window(definition, step, index);
  }
  if (leg.stage != LegStage::acting || !is_due(leg.action, now)) return false;
  return !state.undoing || leg.action.maybe;
}

bool undo_wanted(const StepDefinition& definition, const SagaState& state, const LegState& leg,
                 Instant now) {
  if (!state.undoing || !definition.compensation) return false;
  if (leg.stage == LegStage::done) return true;
  if (leg.stage == LegStage::undoing) return leg.undo && is_due(*leg.undo, now);
  // A pending leg is let go at its retry, so that a Wake tells of it.
  const bool unasked = leg.action.last.kind != OutcomeKind::pending || is_due(leg.action, now);
  return leg.stage == LegStage::acting && leg.action.phase == Phase::backing_off &&
         leg.action.maybe && unasked && undo_settles(definition, leg, now);
}

}  // namespace

const OperationState* find_operation(const LegState& leg, Operation operation) {
  switch (operation) {
    case Operation::action:
      return &leg.action;
    case Operation::compensation:
      return leg.undo ? &*leg.undo : nullptr;
    case Operation::probe:
      return leg.probe ? &*leg.probe : nullptr;
  }
  return nullptr;
}

const OperationPlan& plan_of(const StepDefinition& step, Operation operation) {
  switch (operation) {
    case Operation::action:
      return step.action;
    case Operation::compensation:
      return *step.compensation;
    case Operation::probe:
      return *step.probe;
  }
  return step.action;
}

Millis time_used(const OperationState& operation, Instant now) {
  return now - operation.first_at - operation.held;
}

bool needs_met(const Definition& definition, const SagaState& state, std::uint16_t step) {
  return std::ranges::all_of(definition.order.needs[step], [&](std::uint16_t need) {
    return is_finished(state.steps[need].stage);
  });
}

bool pivot_in_flight(const Definition& definition, const SagaState& state) {
  if (!definition.order.pivot || state.decided) return false;
  const StepState& step = state.steps[*definition.order.pivot];
  if (step.stage != StepStage::running || step.legs.empty()) return false;
  const LegState& leg = step.legs.front();
  const bool waits = leg.action.phase == Phase::backing_off || leg.action.phase == Phase::stopped;
  const bool certainly_not_done = waits && !leg.action.maybe;
  return leg.stage == LegStage::acting && !certainly_not_done;
}

bool holds_back(const SagaState& state) {
  return !state.decided && (state.turn_back || !state.refused.empty());
}

KeysMode keys_now(const OperationPlan& plan, const OperationState& operation, Instant now) {
  if (operation.attempts > 0 && now - operation.first_at > plan.method.keys_lifetime) {
    return KeysMode::none;
  }
  return plan.method.keys;
}

bool keys_allow_undo(const StepDefinition& step, const LegState& leg, Instant now) {
  return step.compensation && !step.undo_needs_receipt &&
         keys_now(step.action, leg.action, now) == KeysMode::barrier &&
         step.compensation->method.keys == KeysMode::barrier;
}

bool undo_settles(const StepDefinition& step, const LegState& leg, Instant now) {
  const bool asked = leg.action.last.kind == OutcomeKind::pending &&
                     time_used(leg.action, now) < step.action.retry.total_max;
  return !asked && keys_allow_undo(step, leg, now);
}

bool is_clean(const StepDefinition& step, const LegState& leg) {
  switch (leg.stage) {
    case LegStage::ready:
    case LegStage::refused:
    case LegStage::undone:
    case LegStage::dropped:
    case LegStage::skipped:
      return true;
    case LegStage::acting:
    case LegStage::undoing:
      return false;
    case LegStage::done:
      // A pivot that turned out to have happened cannot be undone: a person is needed.
      return !step.compensation && step.call_class != CallClass::pivot;
  }
  return false;
}

std::vector<bool> unblocked_for_undo(const Definition& definition, const SagaState& state) {
  std::vector<bool> unblocked(definition.steps.size(), true);
  const auto& order = definition.order;
  for (auto it = order.topological.rbegin(); it != order.topological.rend(); ++it) {
    if (unblocked[*it] && step_is_clean(definition.steps[*it], state.steps[*it])) continue;
    for (const std::uint16_t need : order.needs[*it]) unblocked[need] = false;
  }
  return unblocked;
}

bool all_clean(const Definition& definition, const SagaState& state) {
  for (std::size_t i = 0; i < definition.steps.size(); ++i) {
    if (!step_is_clean(definition.steps[i], state.steps[i])) return false;
  }
  return true;
}

bool in_window(const StepDefinition& definition, const StepState& step, std::uint32_t leg) {
  if (step.stage != StepStage::running) return false;
  if (step.legs_skipped == 0) return leg < definition.parallel + step.legs_settled;
  if (leg >= definition.parallel + step.legs_settled) return false;
  // Skipped legs may lie ahead of the window: count what is open before this one.
  const auto before = step.legs.begin() + leg;
  const auto is_open = [](const LegState& l) {
    return l.stage == LegStage::ready || l.stage == LegStage::acting;
  };
  return std::ranges::count_if(step.legs.begin(), before, is_open) < definition.parallel;
}

bool is_wanted(const Definition& definition, const SagaState& state, const Want& want,
               const std::vector<bool>& unblocked, Instant now) {
  if (state.terminal || state.paused || want.leg.step >= state.steps.size()) return false;
  const StepState& step = state.steps[want.leg.step];
  if (want.leg.leg >= step.legs.size()) return false;
  const StepDefinition& plan = definition.steps[want.leg.step];
  const LegState& leg = step.legs[want.leg.leg];
  switch (want.operation) {
    case Operation::action: {
      const bool by_undo = state.undoing && undo_settles(plan, leg, now);
      return !by_undo && action_wanted(plan, state, step, want.leg.leg, now);
    }
    case Operation::compensation:
      return undo_wanted(plan, state, leg, now) && unblocked[want.leg.step];
    case Operation::probe:
      return plan.probe && awaits_probe(leg, now);
  }
  return false;
}

bool is_wanted(const Definition& definition, const SagaState& state, const Want& want,
               Instant now) {
  if (want.operation != Operation::compensation || !state.undoing) {
    return is_wanted(definition, state, want, {}, now);
  }
  return is_wanted(definition, state, want, unblocked_for_undo(definition, state), now);
}

void collect_wants(const Definition& definition, const SagaState& state, LegRef ref,
                   const std::vector<bool>& unblocked, Instant now, std::vector<Want>& wants) {
  for (const auto operation : {Operation::action, Operation::compensation, Operation::probe}) {
    if (operation == Operation::compensation && !state.undoing) continue;
    const Want want{.leg = ref, .operation = operation};
    if (is_wanted(definition, state, want, unblocked, now)) wants.push_back(want);
  }
}

std::vector<Want> all_wants(const Definition& definition, const SagaState& state, Instant now) {
  std::vector<Want> wants;
  if (state.terminal || state.paused) return wants;
  const auto unblocked =
      state.undoing ? unblocked_for_undo(definition, state) : std::vector<bool>{};
  for (std::uint16_t s = 0; s < state.steps.size(); ++s) {
    for (std::uint32_t l = 0; l < state.steps[s].legs.size(); ++l) {
      collect_wants(definition, state, {.step = s, .leg = l}, unblocked, now, wants);
    }
  }
  return wants;
}

}  // namespace skald
