// What clients and operators ask of a saga: signals, cancel, retry.
#include <fmt/ranges.h>

#include <algorithm>

#include "engine/core/order.h"
#include "engine/core/owed.h"
#include "engine/core/rules.h"

namespace skald::rules {
namespace {

std::unexpected<Error> refuse_terminal(const SagaState& state, std::string_view what) {
  return fail(Errc::failed_precondition, "saga {} is {} already; {} has no effect any more",
              state.id.text(), name(state.status), what);
}

/// By the definition, whichever step is running now: signals may come before their wait.
std::vector<std::string_view> awaited_signals(const Definition& definition) {
  std::vector<std::string_view> names;
  for (const StepDefinition& step : definition.steps) {
    const bool awaits = step.kind == StepKind::wait && !step.wait.signal.empty();
    if (awaits) names.push_back(step.wait.signal);
  }
  return names;
}

/// Lets one stopped or waiting operation go again. False: it is neither.
Result<bool> retry_operation(Draft& draft, LegRef ref, Operation operation,
                             const OperationState& op, const OperationPlan& plan) {
  if (op.phase != Phase::stopped && op.phase != Phase::backing_off) return false;
  if (op.phase == Phase::backing_off && op.retry_at == kNever) return false;  // a probe decides
  const bool refused = op.phase == Phase::stopped && !op.maybe && op.attempts > 0;
  const bool probed = op.phase == Phase::backing_off && draft.step_definition(ref).probe;
  if (op.maybe && !probed && keys_now(plan, op, draft.now()) == KeysMode::none) {
    return fail(Errc::failed_precondition,
                "saga {} leg {} may have happened and {} keeps no keys: a retry could do it twice; "
                "find out whether it happened and resolve the leg first",
                draft.state().id.text(), leg_name(draft.definition(), draft.state(), ref),
                plan.method.participant);
  }
  draft.emit(event::OperationMoved{.leg = ref,
                                   .operation = operation,
                                   .phase = Phase::backing_off,
                                   .stage = draft.leg(ref).stage,
                                   .generation = op.generation + (refused ? 1 : 0),
                                   .maybe = op.maybe,
                                   .overdue = op.overdue,
                                   .retry_at = draft.now(),
                                   .code = {},
                                   .message = {}});
  return true;
}

Result<bool> retry_leg(Draft& draft, LegRef ref) {
  const StepDefinition& step = draft.step_definition(ref);
  bool any = false;
  const auto one = [&](Operation operation, const std::optional<OperationState>& op,
                       const OperationPlan& plan) -> Result<void> {
    if (!op) return {};
    const auto moved = retry_operation(draft, ref, operation, *op, plan);
    if (!moved) return std::unexpected(moved.error());
    any = any || *moved;
    return {};
  };
  const LegState leg = draft.leg(ref);
  if (leg.stage == LegStage::acting) {
    if (auto done = one(Operation::action, leg.action, step.action); !done) {
      return std::unexpected(done.error());
    }
  }
  if (step.compensation && leg.stage == LegStage::undoing) {
    if (auto done = one(Operation::compensation, leg.undo, *step.compensation); !done) {
      return std::unexpected(done.error());
    }
  }
  if (step.probe) {
    if (auto done = one(Operation::probe, leg.probe, *step.probe); !done) {
      return std::unexpected(done.error());
    }
  }
  return any;
}

bool retry_stuck_steps(Draft& draft, const std::string& named) {
  bool any = false;
  const auto steps = static_cast<std::uint16_t>(draft.state().steps.size());
  for (std::uint16_t s = 0; s <= steps; ++s) {
    const std::string& reason = s < steps ? draft.step(s).stuck_reason : draft.state().output_stuck;
    if (reason.empty()) continue;
    if (!named.empty() && (s == steps || draft.definition().steps[s].name != named)) continue;
    draft.emit(event::StepRetried{.step = s});
    any = true;
  }
  return any;
}

}  // namespace

Result<void> take_signal(Draft& draft, const command::TakeSignal& command) {
  const SagaState& state = draft.state();
  const Signal& signal = command.signal;
  if (std::ranges::find(state.signal_ids, signal.id) != state.signal_ids.end()) return {};
  if (state.terminal) return refuse_terminal(state, "a signal");
  if (const auto awaited = awaited_signals(draft.definition());
      std::ranges::find(awaited, signal.name) == awaited.end()) {
    return fail(Errc::failed_precondition, "saga {}: no step of {} awaits the signal \"{}\"; {}",
                state.id.text(), state.definition, signal.name,
                awaited.empty() ? std::string("it awaits none")
                                : fmt::format("it awaits {}", fmt::join(awaited, ", ")));
  }
  if (state.signals.size() >= kSignalsKeptMax || state.signal_ids.size() >= kSignalIdsMax) {
    return fail(Errc::resource_exhausted,
                "saga {} keeps {} unconsumed signals of {} seen (limits kSignalsKeptMax={}, "
                "kSignalIdsMax={})",
                state.id.text(), state.signals.size(), state.signal_ids.size(), kSignalsKeptMax,
                kSignalIdsMax);
  }
  draft.emit(event::SignalReceived{.signal = signal});
  if (state.undoing || state.paused) return {};
  for (std::uint16_t s = 0; s < state.steps.size(); ++s) {
    const StepDefinition& step = draft.definition().steps[s];
    const bool awaits = step.kind == StepKind::wait && step.wait.signal == signal.name &&
                        draft.step(s).stage == StepStage::running;
    if (!awaits) continue;
    finish_wait(draft, s, signal.id);
    advance(draft);
    return {};
  }
  return {};
}

Result<void> cancel(Draft& draft, const command::Cancel& command) {
  const SagaState& state = draft.state();
  if (state.terminal) return refuse_terminal(state, "cancel");
  if (state.undoing) {
    return fail(Errc::failed_precondition, "saga {} is being undone already", state.id.text());
  }
  if (state.decided) {
    return fail(
        Errc::failed_precondition,
        "saga {} has passed its point of no return and will be completed; undo it by a saga "
        "of its own",
        state.id.text());
  }
  Failure failure{.leg = {},
                  .outcome = OutcomeKind::rejected,
                  .code = "canceled",
                  .message = command.actor.reason.substr(0, kOutcomeMessageMax)};
  if (!pivot_in_flight(draft.definition(), state)) {
    draft.emit(event::CancelAsked{.actor = command.actor});
    begin_undo(draft, std::move(failure));
    return {};
  }
  if (!state.turn_back) {
    draft.emit(event::CancelAsked{.actor = command.actor});
    draft.emit(event::UndoDeferred{.failure = std::move(failure)});
  }
  return fail(
      Errc::aborted,
      "undecided: the pivot of saga {} is in flight; the request is recorded and takes effect "
      "if the pivot is refused",
      state.id.text());
}

Result<void> retry(Draft& draft, const command::Retry& command) {
  const SagaState& state = draft.state();
  if (state.terminal) return refuse_terminal(state, "retry");
  Decision taken;
  SagaState scratch = state;
  Draft trial(draft.definition(), scratch, draft.now(), taken);
  bool any = false;
  bool named = false;
  std::optional<Error> refused;
  for (std::uint16_t s = 0; s < scratch.steps.size(); ++s) {
    for (std::uint32_t l = 0; l < scratch.steps[s].legs.size(); ++l) {
      const LegRef ref{.step = s, .leg = l};
      if (!command.leg.empty() && leg_name(draft.definition(), scratch, ref) != command.leg)
        continue;
      named = true;
      const auto moved = retry_leg(trial, ref);
      if (!moved && !command.leg.empty()) return std::unexpected(moved.error());
      // One leg in doubt does not keep the others of an unnamed retry from going.
      if (!moved && !refused) refused = moved.error();
      any = any || moved.value_or(false);
    }
  }
  const bool step_named = draft.definition().step_index(command.leg).has_value();
  if (!command.leg.empty() && !named && !step_named) {
    return fail(Errc::not_found, "saga {} has no leg \"{}\"", state.id.text(), command.leg);
  }
  any = retry_stuck_steps(trial, command.leg) || any;
  if (!any) {
    if (refused) return std::unexpected(*refused);
    return fail(Errc::failed_precondition,
                "saga {} has nothing to retry{}: nothing is stuck or backing off", state.id.text(),
                command.leg.empty() ? "" : " at " + command.leg);
  }
  draft.emit(event::RetryAsked{.actor = command.actor, .leg = command.leg});
  for (Event& event : taken.events) draft.emit(std::move(event.body));
  if (!state.undoing) advance(draft);
  draft.wants() = all_wants(draft.definition(), state, draft.now());
  return {};
}

}  // namespace skald::rules
