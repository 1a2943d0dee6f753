// Sending: the participant has room, so the intent is written, if the operation is still wanted.
#include "engine/core/facts.h"
#include "engine/core/order.h"
#include "engine/core/owed.h"
#include "engine/core/rules.h"

namespace skald::rules {
namespace {

void intend(Draft& draft, LegRef ref, Operation operation, const OperationState* op,
            Bytes request) {
  event::Intended intended{.leg = ref,
                           .operation = operation,
                           .generation = op ? op->generation : 1,
                           .attempt = op ? op->attempts + 1 : 1,
                           .request = std::move(request)};
  const std::uint32_t attempt = intended.attempt;
  if (draft.step_definition(ref).kind == StepKind::query) {
    draft.emit_with_next_write(std::move(intended));
  } else {
    draft.emit(std::move(intended));
  }
  draft.send(ref, operation, attempt);
}

/// A builder on the way back failed: a person is needed.
void undo_stuck(Draft& draft, LegRef ref, const Error& error) {
  const OperationState op = draft.leg(ref).undo.value_or(OperationState{});
  draft.emit(event::OperationMoved{.leg = ref,
                                   .operation = Operation::compensation,
                                   .phase = Phase::stopped,
                                   .stage = LegStage::undoing,
                                   .generation = op.generation,
                                   .maybe = op.maybe,
                                   .code = std::string(name(error.code)),
                                   .message = error.message.substr(0, kOutcomeMessageMax)});
}

void dispatch_action(Draft& draft, LegRef ref) {
  const LegState& leg = draft.leg(ref);
  const StepDefinition& step = draft.step_definition(ref);
  const bool keyless = step.kind == StepKind::call && leg.action.maybe &&
                       keys_now(step.action, leg.action, draft.now()) == KeysMode::none;
  if (!keyless) return intend(draft, ref, Operation::action, &leg.action, {});
  keys_ran_out(draft, ref, Operation::action);  // no blind retry (rule 4)
}

void dispatch_undo(Draft& draft, LegRef ref) {
  const LegState& leg = draft.leg(ref);
  const StepDefinition& step = draft.step_definition(ref);
  // What a person wrote because its builder failed is not built again.
  const bool amended = leg.undo && !leg.undo_request.empty();
  const bool first = !amended && (!leg.undo || leg.undo->attempts == 0);
  const OperationState* op = leg.undo ? &*leg.undo : nullptr;
  if (!first) {
    if (op->maybe && keys_now(*step.compensation, *op, draft.now()) == KeysMode::none) {
      return keys_ran_out(draft, ref, Operation::compensation);
    }
    return intend(draft, ref, Operation::compensation, op, {});
  }
  const Bytes* receipt = leg.has_response ? &leg.response : nullptr;
  auto request = step.undo(Facts(draft.definition(), draft.state()), leg.request, receipt);
  if (!request) return undo_stuck(draft, ref, request.error());
  intend(draft, ref, Operation::compensation, op, std::move(*request));
}

void dispatch_probe(Draft& draft, LegRef ref) {
  const LegState& leg = draft.leg(ref);
  const StepDefinition& step = draft.step_definition(ref);
  Bytes request = leg.request;
  if (step.probe_request) {
    const Bytes* receipt = leg.has_response ? &leg.response : nullptr;
    auto built = step.probe_request(Facts(draft.definition(), draft.state()), leg.request, receipt);
    if (!built) {
      draft.emit(
          event::OperationMoved{.leg = ref,
                                .operation = Operation::probe,
                                .phase = Phase::stopped,
                                .stage = leg.stage,
                                .generation = leg.probe->generation,
                                .code = std::string(name(built.error().code)),
                                .message = built.error().message.substr(0, kOutcomeMessageMax)});
      return;
    }
    request = std::move(*built);
  }
  intend(draft, ref, Operation::probe, &*leg.probe, std::move(request));
}

}  // namespace

void dispatch(Draft& draft, const command::Dispatch& command) {
  judge_deadline(draft);
  const Definition& definition = draft.definition();
  const SagaState& state = draft.state();
  const Want want{.leg = command.leg, .operation = command.operation};
  if (!is_wanted(definition, state, want, draft.now())) {
    // Something else may be wanted of this leg by now: its keys lived out while it was queued.
    if (!state.undoing) return;
    const auto unblocked = unblocked_for_undo(definition, state);
    return collect_wants(definition, state, command.leg, unblocked, draft.now(), draft.wants());
  }
  switch (command.operation) {
    case Operation::action:
      dispatch_action(draft, command.leg);
      break;
    case Operation::compensation:
      dispatch_undo(draft, command.leg);
      break;
    case Operation::probe:
      dispatch_probe(draft, command.leg);
      break;
  }
  judge_deadline(draft);  // it was held back while this leg had not been asked
}

}  // namespace skald::rules
