// The way back: when it begins, what it waits for, when it is over (rules 5 and 6).
#include "engine/core/order.h"
#include "engine/core/rules.h"

namespace skald::rules {
namespace {

/// What a leg does when the way back begins, besides what evolve() drops.
void let_go(Draft& draft, LegRef ref) {
  const LegState& leg = draft.leg(ref);
  if (leg.stage != LegStage::acting) return;
  if (draft.step_definition(ref).kind == StepKind::query) return let_query_go(draft, ref);
  // An action that certainly did not run is not tried again.
  const bool waits = leg.action.phase == Phase::backing_off || leg.action.phase == Phase::stopped;
  if (!waits || leg.action.maybe) return;
  draft.emit(event::OperationMoved{.leg = ref,
                                   .operation = Operation::action,
                                   .phase = Phase::settled,
                                   .stage = LegStage::refused,
                                   .generation = leg.action.generation,
                                   .code = {},
                                   .message = {}});
}

}  // namespace

void let_query_go(Draft& draft, LegRef ref) {
  const LegState& leg = draft.leg(ref);
  if (leg.stage != LegStage::ready && leg.stage != LegStage::acting) return;
  draft.emit(event::OperationMoved{.leg = ref,
                                   .operation = Operation::action,
                                   .phase = Phase::settled,
                                   .stage = LegStage::dropped,
                                   .generation = leg.action.generation,
                                   .code = {},
                                   .message = {}});
}

void turn_back(Draft& draft, Failure failure) {
  const SagaState& state = draft.state();
  if (state.decided) return;  // on the way back already, or there is none
  if (pivot_in_flight(draft.definition(), state)) {
    if (!state.turn_back) draft.emit(event::UndoDeferred{.failure = std::move(failure)});
    return;
  }
  begin_undo(draft, state.turn_back ? *state.turn_back : std::move(failure));
}

void begin_undo(Draft& draft, Failure failure) {
  draft.emit(event::UndoBegan{.failure = std::move(failure)});
  for (std::uint16_t s = 0; s < draft.state().steps.size(); ++s) {
    for (std::uint32_t l = 0; l < draft.step(s).legs.size(); ++l)
      let_go(draft, {.step = s, .leg = l});
  }
  undo_progress(draft);
}

void undo_progress(Draft& draft) {
  const SagaState& state = draft.state();
  if (all_clean(draft.definition(), state)) {
    // A paused saga does not end by itself: what it waits for is recorded, and it resumes here.
    if (!state.terminal && !state.paused) draft.emit(event::Compensated{});
    return;
  }
  const auto unblocked = unblocked_for_undo(draft.definition(), state);
  for (std::uint16_t s = 0; s < state.steps.size(); ++s) {
    if (!unblocked[s]) continue;
    for (std::uint32_t l = 0; l < state.steps[s].legs.size(); ++l) {
      const Want want{.leg = {.step = s, .leg = l}, .operation = Operation::compensation};
      if (is_wanted(draft.definition(), state, want, unblocked, draft.now())) {
        draft.want(want.leg, want.operation);
      }
    }
  }
}

}  // namespace skald::rules
