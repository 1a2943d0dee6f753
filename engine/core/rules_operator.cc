// What people ask of a saga: one function for each act, run once legal_acts.h has said that it is
// legal. Each writes who acted and why, then what follows.
#include <fmt/ranges.h>

#include "engine/core/legal_acts.h"
#include "engine/core/order.h"
#include "engine/core/owed.h"
#include "engine/core/rules.h"

namespace skald::rules {
namespace {

/// A definite refusal ends a generation: what is sent after it gets a key of its own (rule 2).
std::uint32_t next_generation(const OperationState& op) {
  const bool refused =
      op.phase == Phase::stopped && !op.maybe && op.last.kind == OutcomeKind::rejected;
  return op.generation + (refused && op.attempts > 0 ? 1 : 0);
}

/// What an act made possible goes at once, in either direction.
void go_on(Draft& draft) {
  if (draft.state().undoing) {
    undo_progress(draft);
  } else {
    advance(draft);
  }
  judge_deadline(draft);
  draft.wants() = all_wants(draft.definition(), draft.state(), draft.now());
}

void retry_leg(Draft& draft, LegRef ref) {
  for (const auto operation : {Operation::action, Operation::compensation, Operation::probe}) {
    const auto may = may_retry(draft.definition(), draft.state(), ref, operation, draft.now());
    if (!may) return;  // in doubt: the others go without it
    if (!*may) continue;
    const OperationState op = *find_operation(draft.leg(ref), operation);
    draft.emit(event::OperationMoved{.leg = ref,
                                     .operation = operation,
                                     .phase = Phase::backing_off,
                                     .stage = draft.leg(ref).stage,
                                     .generation = next_generation(op),
                                     .maybe = op.maybe,
                                     .overdue = op.overdue,
                                     .retry_at = draft.now(),
                                     .code = {},
                                     .message = {}});
  }
}

Result<void> run(Draft& draft, const command::Retry& asked, std::optional<LegRef> named) {
  draft.emit(event::RetryAsked{.actor = asked.actor, .leg = asked.leg});
  const auto steps = static_cast<std::uint16_t>(draft.state().steps.size());
  for (std::uint16_t s = 0; s <= steps; ++s) {
    if (named && named->step != s) continue;
    const std::size_t legs = s < steps ? draft.step(s).legs.size() : 0;
    for (std::uint32_t l = 0; l < legs; ++l) {
      if (!named || named->leg == l) retry_leg(draft, {.step = s, .leg = l});
    }
  }
  for (std::uint16_t s = 0; s <= steps; ++s) {
    if (named && named->step != s) continue;
    const std::string& reason = s < steps ? draft.step(s).stuck_reason : draft.state().output_stuck;
    if (!reason.empty()) draft.emit(event::StepRetried{.step = s});
  }
  if (!draft.state().undoing) advance(draft);
  draft.wants() = all_wants(draft.definition(), draft.state(), draft.now());
  return {};
}

Result<void> run(Draft& draft, const command::Cancel& asked, std::optional<LegRef>) {
  Failure failure{.leg = {},
                  .outcome = OutcomeKind::rejected,
                  .code = "canceled",
                  .message = asked.actor.reason.substr(0, kOutcomeMessageMax)};
  const bool undecided = pivot_in_flight(draft.definition(), draft.state());
  draft.emit(event::CancelAsked{.actor = asked.actor});
  if (!undecided) {
    begin_undo(draft, std::move(failure));
    return {};
  }
  draft.emit(event::UndoDeferred{.failure = std::move(failure)});
  return fail(
      Errc::aborted,
      "undecided: the pivot of saga {} is in flight; the request is recorded and takes effect "
      "if the pivot is refused",
      draft.state().id.text());
}

Result<void> run(Draft& draft, const command::Pause& asked, std::optional<LegRef>) {
  draft.emit(event::Paused{.actor = asked.actor});
  return {};
}

Result<void> run(Draft& draft, const command::Resume& asked, std::optional<LegRef>) {
  draft.emit(event::Resumed{.actor = asked.actor});
  go_on(draft);
  // A timer that was due when it was paused, and had not fired, fires now.
  wake(draft);
  draft.wants() = all_wants(draft.definition(), draft.state(), draft.now());
  return {};
}

Result<void> run(Draft& draft, const command::Skip& asked, std::optional<LegRef> leg) {
  const bool whole_step = !draft.step(leg->step).stuck_reason.empty();
  draft.emit(event::LegSkipped{.actor = asked.actor, .leg = *leg});
  if (!whole_step) leg_done(draft, *leg);
  go_on(draft);
  return {};
}

/// What was shown is not what would be changed.
Result<void> check_operation(const Draft& draft, LegRef ref, std::optional<Operation> expected) {
  const Operation operation = operation_in_question(draft.leg(ref));
  if (!expected || *expected == operation) return {};
  return fail(Errc::aborted, "saga {} leg {} has moved on from its {} to its {}; look at it again",
              draft.state().id.text(), leg_name(draft.definition(), draft.state(), ref),
              name(*expected), name(operation));
}

Result<void> run(Draft& draft, const command::Resolve& asked, std::optional<LegRef> named) {
  const LegRef ref = *named;
  const SagaState& state = draft.state();
  const Operation operation = operation_in_question(draft.leg(ref));
  if (auto same = check_operation(draft, ref, asked.operation); !same) return same;
  const bool is_action = operation == Operation::action;
  const StepDefinition& step = draft.step_definition(ref);
  if (asked.happened && is_action && step.undo_needs_receipt && !asked.response) {
    return fail(Errc::invalid_argument,
                "response: is required: the compensation of {} is built from it", asked.leg);
  }
  event::Resolved resolved{.actor = asked.actor,
                           .leg = ref,
                           .operation = operation,
                           .happened = asked.happened,
                           .response = asked.happened && is_action ? asked.response : std::nullopt,
                           .phase = Phase::settled,
                           .stage = is_action ? LegStage::done : LegStage::undone};
  const bool goes_back = is_action && (state.undoing || state.turn_back);
  if (!asked.happened && goes_back) {
    resolved.stage = LegStage::refused;
  } else if (!asked.happened) {
    resolved.stage = draft.leg(ref).stage;
    resolved.phase = asked.hold ? Phase::stopped : Phase::backing_off;
    if (!asked.hold) resolved.retry_at = draft.now();
  }
  const LegStage stage = resolved.stage;
  draft.emit(std::move(resolved));
  if (stage == LegStage::done) leg_done(draft, ref);
  if (stage == LegStage::refused) leg_refused(draft, ref);
  go_on(draft);
  return {};
}

Result<void> run(Draft& draft, const command::Amend& asked, std::optional<LegRef> named) {
  const LegRef ref = *named;
  const LegState& leg = draft.leg(ref);
  const Operation operation = operation_in_question(leg);
  if (auto same = check_operation(draft, ref, asked.operation); !same) return same;
  const Bytes& request = operation == Operation::action ? leg.request : leg.undo_request;
  const bool new_request = asked.request && *asked.request != request;
  const bool new_endpoint =
      asked.endpoint &&
      *asked.endpoint != endpoint_of(draft.definition(), draft.state(), ref, operation);
  if (!new_request && !new_endpoint) {
    return fail(Errc::invalid_argument,
                "amend changes nothing of leg {}: its request and its "
                "endpoint are what they were",
                asked.leg);
  }
  if (new_endpoint) {
    const auto mistakes = mistakes_of(*asked.endpoint);
    if (!mistakes.empty()) {
      return fail(Errc::invalid_argument, "endpoint: {}", fmt::join(mistakes, "; "));
    }
  }
  event::Amended amended{.actor = asked.actor,
                         .leg = ref,
                         .operation = operation,
                         .generation = next_generation(*find_operation(leg, operation)),
                         .request = {},
                         .endpoint = {}};
  if (new_request) amended.request = asked.request;
  if (new_endpoint) amended.endpoint = asked.endpoint;
  draft.emit(std::move(amended));
  go_on(draft);
  return {};
}

Result<void> run(Draft& draft, const command::MarkDone& asked, std::optional<LegRef> leg) {
  draft.emit(event::CompensationMarked{.actor = asked.actor, .leg = *leg});
  go_on(draft);
  return {};
}

Result<void> run(Draft& draft, const command::Abandon& asked, std::optional<LegRef>) {
  draft.emit(event::Abandoned{.actor = asked.actor});
  return {};
}

}  // namespace

Result<void> act(Draft& draft, const command::Act& asked) {
  const ActKind kind = kind_of(asked);
  if (requires_reason(kind) && actor_of(asked).reason.empty()) {
    return fail(Errc::invalid_argument, "reason: is required: {} overrides what Skald knows",
                name(kind));
  }
  std::optional<LegRef> leg;
  if (const std::string_view named = leg_of(asked); !named.empty()) {
    const auto found = find_leg(draft.definition(), draft.state(), named);
    if (!found && !draft.state().terminal) return std::unexpected(found.error());
    if (found) leg = *found;
  } else if (requires_leg(kind)) {
    return fail(Errc::invalid_argument, "leg: is required: {} is about one leg", name(kind));
  }
  const ActVerdict verdict = judge_act(draft.definition(), draft.state(), kind, leg, draft.now());
  if (!verdict.is_legal()) {
    return std::unexpected(refusal_of(draft.definition(), draft.state(), verdict, draft.now()));
  }
  return std::visit([&](const auto& one) { return run(draft, one, leg); }, asked);
}

}  // namespace skald::rules
