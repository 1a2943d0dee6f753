#include "engine/core/owed.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/core/order.h"

namespace skald {
namespace {

template <class Visit>
void each_operation(const SagaState& state, Visit&& visit) {
  for (std::uint16_t s = 0; s < state.steps.size(); ++s) {
    for (std::uint32_t l = 0; l < state.steps[s].legs.size(); ++l) {
      const LegState& leg = state.steps[s].legs[l];
      const LegRef ref{.step = s, .leg = l};
      visit(ref, Operation::action, leg.action);
      if (leg.undo) visit(ref, Operation::compensation, *leg.undo);
      if (leg.probe) visit(ref, Operation::probe, *leg.probe);
    }
  }
}

bool is_unreserved(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '_' || c == '~' || c == '-';
}

}  // namespace

Instant next_wake(const SagaState& state, Instant after) {
  Instant earliest = kNever;
  if (state.terminal || state.paused) return earliest;
  const auto offer = [&](Instant at) {
    if (at > after && at < earliest) earliest = at;
  };
  if (!state.deadline_missed) offer(state.deadline);
  if (!state.undoing) {
    for (const StepState& step : state.steps) {
      if (step.stage == StepStage::running && step.legs.empty()) offer(step.due_at);
    }
  }
  if (state.backing_off > 0) {
    each_operation(state, [&](LegRef, Operation, const OperationState& op) {
      if (op.phase == Phase::backing_off) offer(op.retry_at);
    });
  }
  return earliest;
}

Owed owed(const Definition& definition, const SagaState& state, Instant now) {
  Owed result{.in_flight = {},
              .wants = all_wants(definition, state, now),
              .wake_at = next_wake(state, now)};
  if (state.terminal) return result;
  each_operation(state, [&](LegRef ref, Operation operation, const OperationState& op) {
    if (op.phase == Phase::in_flight) {
      result.in_flight.push_back({.leg = ref, .operation = operation, .attempt = op.attempts});
    }
  });
  return result;
}

bool is_waiting(const Definition& definition, const SagaState& state, Instant now) {
  if (state.terminal || state.in_flight > 0) return false;
  if (state.paused) return true;
  if (state.backing_off > 0) return false;
  return all_wants(definition, state, now).empty();
}

std::string encoded_leg_key(std::string_view key) {
  std::string out;
  out.reserve(key.size());
  for (const char c : key) {
    if (is_unreserved(c)) {
      out.push_back(c);
    } else {
      fmt::format_to(std::back_inserter(out), "%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

std::string leg_name(const Definition& definition, const SagaState& state, LegRef leg) {
  if (leg.step >= definition.steps.size()) return "output";
  const StepDefinition& step = definition.steps[leg.step];
  if (!step.for_each || leg.step >= state.steps.size()) return step.name;
  const auto& legs = state.steps[leg.step].legs;
  if (leg.leg >= legs.size()) return step.name;
  std::string text = step.name;
  text.append("[").append(encoded_leg_key(legs[leg.leg].key)).append("]");
  return text;
}

std::string operation_key(const Definition& definition, const SagaState& state, LegRef leg,
                          Operation operation) {
  std::string key = state.id.text();
  key.append("/").append(leg_name(definition, state, leg)).append("/").append(name(operation));
  const OperationState* op = find_operation(state.steps[leg.step].legs[leg.leg], operation);
  if (op != nullptr && op->generation > 1)
    fmt::format_to(std::back_inserter(key), "/g{}", op->generation);
  return key;
}

Endpoint endpoint_of(const Definition& definition, const SagaState& state, LegRef leg,
                     Operation operation) {
  if (const Endpoint* amended = amended_endpoint(state, leg, operation)) return *amended;
  const Method& method = plan_of(definition.steps[leg.step], operation).method;
  return {.participant = method.participant, .path = method.path};
}

const Endpoint* amended_endpoint(const SagaState& state, LegRef leg, Operation operation) {
  for (const AmendedEndpoint& amended : state.endpoints) {
    if (amended.leg == leg && amended.operation == operation) return &amended.endpoint;
  }
  return nullptr;
}

Failure failure_of(const Definition& definition, const SagaState& state, LegRef leg) {
  const Outcome& last = state.steps[leg.step].legs[leg.leg].action.last;
  return {.leg = leg_name(definition, state, leg),
          .outcome = last.kind,
          .code = last.code,
          .message = last.message};
}

std::vector<Failure> refusals(const Definition& definition, const SagaState& state) {
  std::vector<Failure> result;
  result.reserve(state.refused.size());
  for (const LegRef ref : state.refused) result.push_back(failure_of(definition, state, ref));
  return result;
}

}  // namespace skald
