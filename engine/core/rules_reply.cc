// What the answer to an attempt means for its leg, by outcome, keys mode and direction (rules 3 to
// 7).
#include <algorithm>

#include "engine/core/order.h"
#include "engine/core/owed.h"
#include "engine/core/retry.h"
#include "engine/core/rules.h"

namespace skald::rules {
namespace {

const OperationState* find_operation(const Draft& draft, LegRef ref, Operation operation) {
  if (ref.step >= draft.state().steps.size()) return nullptr;
  if (ref.leg >= draft.step(ref.step).legs.size()) return nullptr;
  return skald::find_operation(draft.leg(ref), operation);
}

bool time_spent(const OperationPlan& plan, const OperationState& op, Instant now) {
  return time_used(op, now) >= plan.retry.total_max;
}

bool attempts_spent(const OperationPlan& plan, std::uint32_t used) {
  return plan.retry.attempts_max > 0 && used >= plan.retry.attempts_max;
}

/// One reply on its way through the rules.
struct Turn {
  Draft& draft;
  const StepDefinition& step;
  const OperationPlan& plan;
  const OperationState op;  // as it was before this answer
  event::Answered answered;
  const bool lost = false;  // no answer: the engine restarted

  [[nodiscard]] LegRef ref() const { return answered.leg; }
  [[nodiscard]] const Outcome& outcome() const { return answered.outcome; }
  [[nodiscard]] KeysMode keys() const { return keys_now(plan, op, draft.now()); }

  /// A restart spends nothing: what is owed is settled before time is judged (rule 8).
  [[nodiscard]] bool time_is_spent() const {
    return lost ? op.overdue : time_spent(plan, op, draft.now());
  }
  [[nodiscard]] bool spent() const {
    const std::uint32_t used = op.spent_attempts + (outcome().kind == OutcomeKind::unknown ? 1 : 0);
    return time_is_spent() || (!lost && attempts_spent(plan, used));
  }

  void settle(LegStage stage) {
    answered.phase = Phase::settled;
    answered.stage = stage;
    answered.maybe = false;
    draft.emit(std::move(answered));
  }
  /// A success from which nothing follows while other operations are in flight may wait for the
  /// write that their answers bring, where the participant would tell it again: after a crash the
  /// same key is sent and gets the stored answer.
  void succeed(LegStage stage) {
    const bool told_again = keys() != KeysMode::none && step.call_class != CallClass::pivot;
    if (!told_again || draft.state().in_flight <= 1) return settle(stage);
    answered.phase = Phase::settled;
    answered.stage = stage;
    answered.maybe = false;
    draft.emit_with_next_write(std::move(answered));
  }
  void stop(LegStage stage) {
    answered.phase = Phase::stopped;
    answered.stage = stage;
    draft.emit(std::move(answered));
  }
  /// Tries again after the backoff; an operation that is `overdue` alerts and goes on at the cap.
  void try_again(LegStage stage, bool overdue) {
    const RetryRequest request{.policy = plan.retry,
                               .repeats = op.repeats + 1,
                               .saga = draft.state().id,
                               .leg = ref(),
                               .operation = answered.operation,
                               .attempt = answered.attempt};
    Millis delay = overdue ? retry_delay_at_cap(request) : retry_delay(request);
    if (outcome().retry_after) {
      delay = std::max(delay, std::min(*outcome().retry_after, kRetryAfterMax));
    }
    if (lost) delay = Millis{0};
    answered.phase = Phase::backing_off;
    answered.stage = stage;
    answered.overdue = overdue;
    answered.retry_at = add_saturated(draft.now(), delay);
    const bool due_now = answered.retry_at <= draft.now();
    const Want again{.leg = ref(), .operation = answered.operation};
    draft.emit(std::move(answered));
    if (due_now) draft.want(again.leg, again.operation);
  }
  void refuse() {
    const LegRef leg = ref();
    settle(LegStage::refused);
    leg_refused(draft, leg);
  }
};

void query_answered(Turn& turn) {
  Draft& draft = turn.draft;
  if (turn.outcome().kind == OutcomeKind::succeeded) {
    turn.answered.phase = Phase::settled;
    turn.answered.stage = LegStage::done;
    const LegRef ref = turn.ref();
    draft.emit_with_next_write(std::move(turn.answered));
    return leg_done(draft, ref);
  }
  const bool decided = draft.state().decided;
  if (turn.outcome().kind == OutcomeKind::rejected) {
    return decided ? turn.stop(LegStage::acting) : turn.refuse();
  }
  const bool spent = turn.spent();
  if (spent && !decided && !turn.outcome().configuration_alert) return turn.refuse();
  turn.try_again(LegStage::acting, spent);
}

/// The action certainly did not happen; this attempt was refused before it ran.
void action_not_executed(Turn& turn) {
  Draft& draft = turn.draft;
  if (draft.state().undoing || draft.state().turn_back) return turn.refuse();
  const bool spent = turn.time_is_spent();
  // A wrong password or address of ours must not undo every order: it alerts, and heals when
  // mended.
  const bool ours = turn.outcome().configuration_alert;
  if (spent && !draft.state().decided && !ours) return turn.refuse();
  turn.try_again(LegStage::acting, spent);
}

/// The action may have happened and the participant keeps keys.
void action_may_have_happened(Turn& turn) {
  Draft& draft = turn.draft;
  const LegRef ref = turn.ref();
  const bool spent = turn.spent();
  if (draft.state().undoing) {
    // Undone directly where the keys allow it; otherwise asked again until definite, with the time
    // of the way back on top.
    const Millis total =
        turn.plan.retry.total_max +
        (turn.step.compensation ? turn.step.compensation->retry.total_max : Millis{0});
    const bool overdue = turn.lost ? turn.op.overdue : time_used(turn.op, draft.now()) >= total;
    turn.try_again(LegStage::acting,
                   overdue && !keys_allow_undo(turn.step, draft.leg(ref), draft.now()));
    return undo_progress(draft);
  }
  const bool way_back = turn.step.call_class == CallClass::compensatable;
  turn.try_again(LegStage::acting, spent && !way_back);
  if (spent && way_back) {
    turn_back(draft, failure_of(draft.definition(), draft.state(), ref));
  }
}

void ask_probe(Draft& draft, LegRef ref) {
  const LegState& leg = draft.leg(ref);
  draft.emit(event::OperationMoved{.leg = ref,
                                   .operation = Operation::probe,
                                   .phase = Phase::backing_off,
                                   .stage = leg.stage,
                                   .generation = leg.probe ? leg.probe->generation + 1 : 1,
                                   .retry_at = draft.now(),
                                   .code = {},
                                   .message = {}});
  draft.want(ref, Operation::probe);
}

/// The operation may have happened and its participant keeps no keys: probe, or stop for a person.
void settle_without_keys(Turn& turn) {
  const bool probed = turn.step.probe.has_value();
  turn.answered.maybe = true;
  turn.answered.phase = probed ? Phase::backing_off : Phase::stopped;
  if (probed) turn.answered.retry_at = kNever;  // the probe decides when
  const LegRef ref = turn.ref();
  turn.draft.emit(std::move(turn.answered));
  if (probed) ask_probe(turn.draft, ref);
}

void action_answered(Turn& turn) {
  Draft& draft = turn.draft;
  const LegRef ref = turn.ref();
  if (turn.outcome().kind == OutcomeKind::succeeded) {
    turn.succeed(LegStage::done);
    return leg_done(draft, ref);
  }
  if (!turn.answered.maybe && turn.outcome().kind == OutcomeKind::rejected) {
    const bool no_way_back = draft.state().decided && !draft.state().undoing;
    return no_way_back ? turn.stop(LegStage::acting) : turn.refuse();
  }
  if (!turn.answered.maybe) return action_not_executed(turn);
  if (turn.keys() == KeysMode::none) return settle_without_keys(turn);
  action_may_have_happened(turn);
}

void undo_answered(Turn& turn) {
  Draft& draft = turn.draft;
  if (turn.outcome().kind == OutcomeKind::succeeded) {
    turn.succeed(LegStage::undone);
    return undo_progress(draft);
  }
  if (!turn.answered.maybe && turn.outcome().kind == OutcomeKind::rejected) {
    return turn.stop(LegStage::undoing);
  }
  if (turn.answered.maybe && turn.keys() == KeysMode::none) {
    turn.answered.stage = LegStage::undoing;
    return settle_without_keys(turn);
  }
  turn.try_again(LegStage::undoing, turn.spent());
}

/// The probe says whether the effect of the action stands. What it settles: the compensation when
/// the leg is being undone, else the action.
void probe_settles(Draft& draft, LegRef ref, bool stands) {
  const bool undoing_leg = draft.leg(ref).stage == LegStage::undoing;
  const StepDefinition& step = draft.step_definition(ref);
  const OperationState& op = undoing_leg ? *draft.leg(ref).undo : draft.leg(ref).action;
  const OperationPlan& plan = undoing_leg ? *step.compensation : step.action;
  const bool spent = time_spent(plan, op, draft.now()) || attempts_spent(plan, op.spent_attempts);
  event::OperationMoved moved{
      .leg = ref,
      .operation = undoing_leg ? Operation::compensation : Operation::action,
      .phase = Phase::settled,
      .stage = LegStage::acting,
      .generation = op.generation,
      .code = stands ? "probe_stands" : "probe_not_there",
      .message = stands ? "the probe found the effect" : "the probe found no effect"};
  const auto again = [&](LegStage stage) {
    const RetryRequest request{.policy = plan.retry,
                               .repeats = op.spent_attempts,
                               .saga = draft.state().id,
                               .leg = ref,
                               .operation = moved.operation,
                               .attempt = op.attempts};
    moved.phase = Phase::backing_off;
    moved.stage = stage;
    moved.overdue = spent;
    moved.retry_at = draft.now() + (spent ? retry_delay_at_cap(request) : retry_delay(request));
    const bool due_now = moved.retry_at <= draft.now();
    const Operation operation = moved.operation;
    draft.emit(std::move(moved));
    if (due_now) draft.want(ref, operation);
  };
  if (undoing_leg) {
    if (stands) return again(LegStage::undoing);
    moved.stage = LegStage::undone;
    draft.emit(std::move(moved));
    return undo_progress(draft);
  }
  if (stands) {
    moved.stage = LegStage::done;
    draft.emit(std::move(moved));
    return leg_done(draft, ref);
  }
  const bool decided = draft.state().decided && !draft.state().undoing;
  const bool goes_on = !draft.state().undoing && !draft.state().turn_back;
  if (decided || (goes_on && !spent)) return again(LegStage::acting);
  moved.stage = LegStage::refused;
  draft.emit(std::move(moved));
  leg_refused(draft, ref);
}

void probe_answered(Turn& turn) {
  Draft& draft = turn.draft;
  const LegRef ref = turn.ref();
  const LegStage stage = draft.leg(ref).stage;
  const bool stands = turn.outcome().kind == OutcomeKind::succeeded;
  const bool absent = turn.outcome().kind == OutcomeKind::rejected &&
                      (turn.outcome().code == "not_found" || turn.outcome().code == "404");
  if (stands || absent) {
    turn.settle(stage);
    return probe_settles(draft, ref, stands);
  }
  if (turn.outcome().kind == OutcomeKind::rejected) return turn.stop(stage);
  turn.try_again(stage, turn.spent());
}

/// Sticky unknown (rule 3).
bool maybe_after(const OperationState& op, OutcomeKind kind, KeysMode keys) {
  switch (kind) {
    case OutcomeKind::succeeded:
      return false;
    case OutcomeKind::rejected:
      return op.maybe && keys == KeysMode::none;
    case OutcomeKind::not_executed:
      return op.maybe;
    case OutcomeKind::unknown:
    case OutcomeKind::pending:
      return true;
  }
  return true;
}

/// A success that comes when nobody waits for it any more: the participant did it after all.
/// Reopens a leg that was recorded as refused (rule 3), and settles one that stopped.
void late_success(Draft& draft, const command::Reply& command) {
  const LegState& leg = draft.leg(command.leg);
  const StepDefinition& step = draft.step_definition(command.leg);
  if (command.operation != Operation::action || step.kind != StepKind::call) return;
  if (command.outcome.kind != OutcomeKind::succeeded) return;
  if (command.attempt > leg.action.attempts) return;  // never sent
  const bool refused = leg.stage == LegStage::refused || leg.stage == LegStage::skipped;
  const bool stopped = leg.stage == LegStage::acting && leg.action.phase == Phase::stopped;
  if (!refused && !stopped) return;
  // A pivot that was refused, so that what preceded it is being undone, cannot be taken back.
  const bool alarm = refused && step.call_class == CallClass::pivot;
  draft.emit(event::Answered{.leg = command.leg,
                             .operation = command.operation,
                             .attempt = command.attempt,
                             .outcome = command.outcome,
                             .response = command.response,
                             .phase = alarm ? Phase::stopped : Phase::settled,
                             .stage = LegStage::done});
  if (stopped) return leg_done(draft, command.leg);
  if (draft.state().undoing) undo_progress(draft);
}

void answer(Draft& draft, const command::Reply& command, const OperationState& op, bool lost) {
  const StepDefinition& step = draft.step_definition(command.leg);
  const OperationPlan& plan = plan_of(step, command.operation);
  Turn turn{
      .draft = draft,
      .step = step,
      .plan = plan,
      .op = op,
      .answered = {.leg = command.leg,
                   .operation = command.operation,
                   .attempt = command.attempt,
                   .outcome = command.outcome,
                   .response =
                       command.outcome.kind == OutcomeKind::succeeded ? command.response : Bytes{}},
      .lost = lost};
  Outcome& outcome = turn.answered.outcome;
  if (outcome.message.size() > kOutcomeMessageMax) outcome.message.resize(kOutcomeMessageMax);
  switch (command.operation) {
    case Operation::action:
      if (step.kind == StepKind::query) {
        query_answered(turn);
      } else {
        turn.answered.maybe = maybe_after(turn.op, outcome.kind, turn.keys());
        action_answered(turn);
      }
      break;
    case Operation::compensation:
      turn.answered.maybe = maybe_after(turn.op, outcome.kind, turn.keys());
      undo_answered(turn);
      break;
    case Operation::probe:
      probe_answered(turn);
      break;
  }
  judge_deadline(draft);
}

}  // namespace

void keys_ran_out(Draft& draft, LegRef ref, Operation operation) {
  const bool probed = draft.step_definition(ref).probe.has_value();
  const OperationState& op = *find_operation(draft, ref, operation);
  event::OperationMoved moved{.leg = ref,
                              .operation = operation,
                              .phase = probed ? Phase::backing_off : Phase::stopped,
                              .stage = draft.leg(ref).stage,
                              .generation = op.generation,
                              .maybe = true,
                              .code = {},
                              .message = {}};
  if (probed) {
    moved.retry_at = kNever;  // the probe decides when
  } else {
    moved.code = "keys_expired";
    moved.message = "it may have happened, and the participant's keys have lived out since";
  }
  draft.emit(std::move(moved));
  if (probed) ask_probe(draft, ref);
}

void reply(Draft& draft, const command::Reply& command) {
  const OperationState* op = find_operation(draft, command.leg, command.operation);
  if (op == nullptr || draft.state().terminal) return;
  if (op->phase != Phase::in_flight || op->attempts != command.attempt) {
    return late_success(draft, command);
  }
  answer(draft, command, *op, false);
}

void lost(Draft& draft, LegRef ref, Operation operation) {
  const OperationState* op = find_operation(draft, ref, operation);
  if (op == nullptr || op->phase != Phase::in_flight) return;
  const command::Reply unanswered{
      .leg = ref,
      .operation = operation,
      .attempt = op->attempts,
      .outcome = {.kind = OutcomeKind::unknown,
                  .code = std::string(kEngineRestarted),
                  .message = "the engine restarted before the answer was recorded"},
      .response = {}};
  answer(draft, unanswered, *op, true);
}

}  // namespace skald::rules
