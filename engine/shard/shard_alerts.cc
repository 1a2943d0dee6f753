// What the events of a decision tell a person.
#include "engine/core/owed.h"
#include "engine/shard/shard.h"

namespace skald {
namespace {

/// The first operation that waits for a person, or goes on although its time is spent.
const OperationState* find_stuck(const SagaState& state, LegRef& ref, Operation& operation) {
  const auto is_stuck = [](const OperationState& op) {
    return op.phase == Phase::stopped || op.overdue;
  };
  for (ref.step = 0; ref.step < state.steps.size(); ++ref.step) {
    const auto& legs = state.steps[ref.step].legs;
    for (ref.leg = 0; ref.leg < legs.size(); ++ref.leg) {
      const LegState& leg = legs[ref.leg];
      operation = Operation::probe;
      if (leg.probe && is_stuck(*leg.probe)) return &*leg.probe;
      operation = Operation::compensation;
      if (leg.undo && is_stuck(*leg.undo)) return &*leg.undo;
      operation = Operation::action;
      if (is_stuck(leg.action)) return &leg.action;
    }
  }
  return nullptr;
}

}  // namespace

std::string_view name(AlertKind kind) {
  switch (kind) {
    case AlertKind::stuck:
      return "stuck";
    case AlertKind::configuration:
      return "configuration";
    case AlertKind::deadline_missed:
      return "deadline_missed";
    case AlertKind::late_success:
      return "late_success";
  }
  return "";
}

void Shard::alert(const Resident& saga, AlertKind kind, std::optional<LegRef> leg,
                  Operation operation, const std::string& code) {
  counters_.alerts[static_cast<std::size_t>(kind) - 1] += 1;
  Alert& alert = ready_.alerts.emplace_back();
  alert.kind = kind;
  alert.saga = saga.state.id;
  alert.definition = saga.state.definition;
  alert.code = code;
  if (!leg || !saga.definition) return;
  alert.leg = leg_name(*saga.definition, saga.state, *leg);
  alert.participant = method_of(saga, {.leg = *leg, .operation = operation}).participant;
}

void Shard::alert_of(const Resident& saga, const Decision& decision, bool was_stuck) {
  for (const Event& event : decision.events) {
    if (std::holds_alternative<event::DeadlineMissed>(event.body)) {
      alert(saga, AlertKind::deadline_missed, std::nullopt, Operation::action, {});
    }
    const auto* answered = std::get_if<event::Answered>(&event.body);
    if (answered == nullptr) continue;
    if (answered->outcome.configuration_alert) {
      alert(saga, AlertKind::configuration, answered->leg, answered->operation,
            answered->outcome.code);
    }
    if (answered->stage == LegStage::done && answered->phase == Phase::stopped) {
      alert(saga, AlertKind::late_success, answered->leg, answered->operation,
            answered->outcome.code);
    }
  }
  if (saga.state.status != SagaStatus::stuck || was_stuck) return;
  counters_.became_stuck += 1;
  LegRef ref;
  Operation operation = Operation::action;
  const OperationState* stuck = find_stuck(saga.state, ref, operation);
  if (stuck == nullptr) return alert(saga, AlertKind::stuck, std::nullopt, operation, {});
  alert(saga, AlertKind::stuck, ref, operation, stuck->last.code);
}

}  // namespace skald
