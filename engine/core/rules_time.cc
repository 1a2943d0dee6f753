// What time brings: retries, timers of waits, the saga's deadline (rule 8).
#include <algorithm>
#include <optional>

#include "engine/core/order.h"
#include "engine/core/rules.h"

namespace skald::rules {
namespace {

/// Found in flight at recovery, and not answered since; until it is, or a person is needed.
bool owes_from_before_restart(const LegState& leg) {
  const auto unanswered = [](const OperationState& op) {
    const bool open = op.phase == Phase::in_flight || op.phase == Phase::backing_off;
    return open && op.last.code == kEngineRestarted;
  };
  if (leg.probe && (leg.probe->overdue || leg.probe->phase == Phase::stopped)) return false;
  return unanswered(leg.action) || (leg.undo && unanswered(*leg.undo));
}

/// It may have happened, and only a person can find out (rule 4).
bool in_doubt(const LegState& leg) {
  const auto doubted = [](const OperationState& op) {
    return op.phase == Phase::stopped && op.maybe;
  };
  return doubted(leg.action) || (leg.undo && doubted(*leg.undo)) ||
         (leg.probe && leg.probe->phase == Phase::stopped);
}

bool any_leg(const SagaState& state, bool (*holds)(const LegState&)) {
  return std::ranges::any_of(
      state.steps, [&](const StepState& step) { return std::ranges::any_of(step.legs, holds); });
}

/// The running wait that is due first, if it is due by `until`.
std::optional<std::uint16_t> due_wait(const Draft& draft, Instant until) {
  std::optional<std::uint16_t> first;
  for (std::uint16_t s = 0; s < draft.state().steps.size(); ++s) {
    if (draft.definition().steps[s].kind != StepKind::wait) continue;
    const StepState& step = draft.step(s);
    if (step.stage != StepStage::running || step.due_at > until) continue;
    if (!first || step.due_at < draft.step(*first).due_at) first = s;
  }
  return first;
}

void fire_waits(Draft& draft, Instant until) {
  const SagaState& state = draft.state();
  while (!state.undoing && !state.terminal) {
    const auto due = due_wait(draft, until);
    if (!due) return;
    finish_wait(draft, *due, {});
    advance(draft);
  }
}

}  // namespace

void judge_deadline(Draft& draft) {
  const SagaState& state = draft.state();
  if (state.terminal || state.paused || state.deadline_missed || draft.now() < state.deadline)
    return;
  if (any_leg(state, owes_from_before_restart)) return;
  if (!state.undoing && due_wait(draft, state.deadline)) return;  // it was due first: see wake()
  draft.emit(event::DeadlineMissed{});
  if (any_leg(state, in_doubt)) return;  // it only alerts (rule 8)
  turn_back(draft, {.leg = {},
                    .outcome = OutcomeKind::rejected,
                    .code = "deadline",
                    .message = "the saga's deadline passed before it was decided"});
}

void wake(Draft& draft) {
  const SagaState& state = draft.state();
  if (state.terminal || state.paused) return;
  if (!state.deadline_missed) fire_waits(draft, std::min(draft.now(), state.deadline));
  judge_deadline(draft);
  fire_waits(draft, draft.now());
  // Whatever is due and not sent yet is wanted; wants queued already are wanted once (the shard).
  if (state.backing_off > 0) draft.wants() = all_wants(draft.definition(), state, draft.now());
}

}  // namespace skald::rules
