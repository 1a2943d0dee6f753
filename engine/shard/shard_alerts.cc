// What the events of a decision tell a person, and who is told of it.
#include <algorithm>

#include "engine/core/order.h"
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

/// A participant that is asked again and again whether it is done does not fail.
bool has_failed_often(const event::Answered& answered, const OperationState& op,
                      std::uint32_t often) {
  return answered.phase == Phase::backing_off && answered.outcome.kind != OutcomeKind::pending &&
         op.repeats == often;
}

}  // namespace

Alert& Shard::alert(Resident& saga, AlertKind kind, std::uint64_t seq) {
  Alert& alert = saga.untold.emplace_back();
  alert.kind = kind;
  alert.at = now_;
  alert.saga = saga.state.id;
  alert.seq = seq;
  alert.definition = saga.state.definition;
  alert.version = saga.state.version;
  alert.business_key = saga.state.business_key;
  return alert;
}

void Shard::alert_of_leg(Resident& saga, AlertKind kind, std::uint64_t seq, const Want& where,
                         const std::string& code) {
  Alert& made = alert(saga, kind, seq);
  made.operation = where.operation;
  made.code = code;
  if (!saga.definition) return;
  made.leg = leg_name(*saga.definition, saga.state, where.leg);
  made.participant = method_of(saga, where).participant;
}

void Shard::alert_of(Resident& saga, const Decision& decision) {
  std::uint64_t seq = saga.state.seq - decision.events.size();
  for (const Event& event : decision.events) {
    seq += 1;
    if (std::holds_alternative<event::DeadlineMissed>(event.body)) {
      alert(saga, AlertKind::deadline_missed, seq);
    }
    const auto* answered = std::get_if<event::Answered>(&event.body);
    if (answered == nullptr) continue;
    const Want where{.leg = answered->leg, .operation = answered->operation};
    const std::string& code = answered->outcome.code;
    if (answered->outcome.configuration_alert) {
      alert_of_leg(saga, AlertKind::configuration, seq, where, code);
    }
    if (answered->stage == LegStage::done && answered->phase == Phase::stopped) {
      alert_of_leg(saga, AlertKind::late_success, seq, where, code);
    }
    const LegState& leg = saga.state.steps[where.leg.step].legs[where.leg.leg];
    const OperationState* op = find_operation(leg, where.operation);
    if (op != nullptr && has_failed_often(*answered, *op, options_.alerts.retries_over)) {
      alert_of_leg(saga, AlertKind::retries, seq, where, code);
    }
  }
}

void Shard::alert_of_status(Resident& saga, const Transition& row) {
  if (!row.after || (row.before && row.before->status == row.after->status)) return;
  const SagaState& state = saga.state;
  switch (state.status) {
    case SagaStatus::stuck:
      return alert_of_stuck(saga, *row.after);
    case SagaStatus::compensated:
      counters_.compensated += 1;
      if (somebody_wants(AlertKind::compensated)) {
        explain(alert(saga, AlertKind::compensated, state.seq), *row.after);
      }
      return;
    case SagaStatus::completed:
      counters_.completed += 1;
      if (state.been_stuck) alert(saga, AlertKind::completed_after_stuck, state.seq);
      return;
    case SagaStatus::abandoned:
      explain(alert(saga, AlertKind::abandoned, state.seq), *row.after);
      return;
    case SagaStatus::running:
    case SagaStatus::compensating:
    case SagaStatus::paused:
      return;
  }
}

void Shard::alert_of_stuck(Resident& saga, const SagaSummary& row) {
  counters_.became_stuck += 1;
  Want where;
  const OperationState* stuck = find_stuck(saga.state, where.leg, where.operation);
  if (stuck == nullptr) {
    alert(saga, AlertKind::stuck, saga.state.seq);
  } else {
    alert_of_leg(saga, AlertKind::stuck, saga.state.seq, where, stuck->last.code);
  }
  explain(saga.untold.back(), row);
}

void Shard::explain(Alert& alert, const SagaSummary& row) {
  if (!row.failure) return;
  alert.cause = row.failure->cause;
  if (!alert.leg.empty()) return;
  alert.leg = row.failure->step;
  alert.participant = row.failure->participant;
  alert.operation = row.failure->operation;
  alert.code = row.failure->code;
}

bool Shard::somebody_wants(AlertKind kind) const {
  return std::ranges::any_of(options_.alerts.targets,
                             [kind](const AlertTarget& target) { return target.wants(kind); });
}

bool Shard::tell(Alert&& alert, std::uint32_t targets) {
  counters_.alerts[static_cast<std::size_t>(alert.kind) - 1] += 1;
  for (std::size_t i = 0; i < options_.alerts.targets.size(); ++i) {
    const AlertTarget& target = options_.alerts.targets[i];
    if (!target.wants(alert.kind) || (targets >> i & 1U) == 0) continue;
    if (outbox_ >= options_.alerts.outbox_max) {
      alert.outbox_was_full = true;
      counters_.alerts_not_kept += 1;
      continue;
    }
    outbox_ += 1;
    alert.kept_for |= 1U << i;
    Note& note = ready_.notes.emplace_back();
    note.name = outbox_note_name(target.name, alert);
    options_.alerts.encode(alert, note.value.emplace());
  }
  const bool kept = !alert.outbox_was_full;
  const bool heard = needs_person(alert.kind) || alert.kept_for != 0 || !kept;
  if (heard) ready_.alerts.push_back(std::move(alert));
  return kept;
}

void Shard::on(input::Tell& in) {
  if (failed_) return answer(in.ticket, *failed_);
  in.alert.at = now_;
  const bool kept = tell(std::move(in.alert), in.targets);
  std::ranges::move(in.notes, std::back_inserter(ready_.notes));
  ready_.answers.push_back({.ticket = in.ticket, .body = kept});
}

void Shard::on(input::Outbox& in) {
  outbox_ += in.found;
  for (std::string& name : in.leaving) {
    outbox_ -= std::min<std::size_t>(outbox_, 1);
    if (!failed_) ready_.notes.push_back({.name = std::move(name), .value = {}});
  }
}

}  // namespace skald
