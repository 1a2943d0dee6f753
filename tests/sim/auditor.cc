// The auditor: the invariants of the design, checked from outside. It reads the store, the
// participants' books and what crossed the network, never the shard's private state (owed() is
// compared on purpose).
#include <fmt/format.h>

#include "engine/core/owed.h"
#include "engine/runtime/saga_reader.h"
#include "tests/sim/world.h"

namespace skald::sim {

std::optional<SagaState> World::stored_state(const SagaId& id) {
  auto read = read_saga(store_, id);
  if (!read) {
    wrong("a saga cannot be read back: " + read.error().message);
    return std::nullopt;
  }
  return std::move(*read);
}

void World::audit_send(const Invocation& call, bool query) {
  const std::string what =
      fmt::format("{} {}/{}#{}", call.saga_id.text(), call.leg, name(call.operation), call.attempt);
  // I9: one key for each (saga, leg, operation, generation), whatever the attempt or the restart.
  const auto generation = call.idempotency_key.rfind("/g");
  const std::string place =
      fmt::format("{}/{}/{}{}", call.saga_id.text(), call.leg, name(call.operation),
                  generation == std::string::npos ? "" : call.idempotency_key.substr(generation));
  const auto [known, first] = key_of_.try_emplace(place, call.idempotency_key);
  if (!first && known->second != call.idempotency_key) wrong("I9 another key for " + what);
  if (query) return;
  // I14: the intent was durable before this left.
  const auto state = stored_state(call.saga_id);
  if (!state) return wrong("I14 no durable saga before " + what);
  const LegState& leg = state->steps[call.ref.step].legs[call.ref.leg];
  const OperationState* op = &leg.action;
  if (call.operation == Operation::compensation) op = leg.undo ? &*leg.undo : nullptr;
  if (call.operation == Operation::probe) op = leg.probe ? &*leg.probe : nullptr;
  if (op == nullptr || op->attempts < call.attempt)
    return wrong("I14 no durable intent before " + what);
  // Rule 5: no compensation while its action may still be answered; none new after the way back
  // began.
  if (call.operation == Operation::compensation && leg.action.phase == Phase::in_flight) {
    wrong("a compensation was sent while its action was in flight: " + what);
  }
}

void World::audit_resident(const SagaId& id) {
  const SagaState* state = shard_ ? shard_->find(id) : nullptr;
  if (state == nullptr) return;
  const DefinitionPtr definition = definitions_->find(state->definition, state->version);
  const Owed owes = owed(*definition, *state, now_);
  // Everything the state believes to be in flight is with a participant, or held until it is
  // durable.
  std::size_t held = 0;
  for (const Held& h : held_) {
    for (const Invocation& call : h.calls) held += call.saga_id == id ? 1 : 0;
  }
  const auto out = out_.find(id);
  const std::size_t with = out == out_.end() ? 0 : out->second.size();
  if (owes.in_flight.size() > with + held) {
    wrong(fmt::format("{} believes {} attempts to be in flight, {} are", id.text(),
                      owes.in_flight.size(), with + held));
  }
}

void World::audit_end() {
  figures_.sagas += submissions_.size();
  const auto listed = store_.list({.limit = kListPageMax});
  if (!listed) return wrong("list failed");
  std::map<std::string, std::pair<SagaState, DefinitionPtr>> sagas;
  for (const ListedSaga& row : listed->sagas) {
    auto state = stored_state(row.id);
    if (!state) return wrong("a listed saga is not stored");
    if (state->status != row.summary.status)
      wrong("the index disagrees with the history of " + row.id.text());
    const DefinitionPtr definition = definitions_->find(state->definition, state->version);
    if (state->status == SagaStatus::completed) figures_.completed += 1;
    if (state->status == SagaStatus::compensated) figures_.compensated += 1;
    if (!state->terminal) {
      figures_.stuck += 1;
      // I11: with keys everything ends; without, only what is in doubt or refused on the way back
      // stays.
      if (state->status != SagaStatus::stuck) {
        wrong(fmt::format("I11 {} ({}) is {} {} hours after the faults stopped", row.id.text(),
                          state->definition, name(state->status),
                          (now_ - born_).count() / 3'600'000));
      } else if (!faults_.keyless) {
        bool refused = false;
        for (const StepState& step : state->steps) {
          if (!step.stuck_reason.empty()) refused = true;
          for (const LegState& leg : step.legs) {
            const auto said_no = [](const OperationState& op) {
              return op.phase == Phase::stopped && op.last.kind == OutcomeKind::rejected;
            };
            refused = refused || said_no(leg.action) || (leg.undo && said_no(*leg.undo));
          }
        }
        if (!refused) wrong("I11 stuck without a reason a person can act on: " + row.id.text());
      }
    }
    sagas.emplace(row.id.text(), std::make_pair(std::move(*state), definition));
  }
  for (const Submission& submission : submissions_) {
    if (submission.acked && !sagas.contains(submission.acked->text()))
      wrong("I8 an acknowledged saga is gone");
    if (submission.acked && submission.told &&
        sagas.at(submission.acked->text()).first.status != *submission.told) {
      wrong("I10 a terminal status changed");
    }
  }
  if (!healed_) return;
  // I1: completed: done once, not undone; compensated: done as often as undone.
  for (const auto& [place, effect] : participants_.effects()) {
    const std::string id = place.substr(0, SagaId::kTextSize);
    const auto found = sagas.find(id);
    if (found == sagas.end()) {
      wrong("an effect of a saga that is not stored: " + place);
      continue;
    }
    const auto& [state, definition] = found->second;
    const int net = effect.done - effect.undone;
    if (net < 0 || net > 1)
      wrong(
          fmt::format("I1 {} was done {} and undone {} times", place, effect.done, effect.undone));
    if (state.status == SagaStatus::compensated && net != 0)
      wrong("I1 compensated, and still done: " + place);
    if (state.status == SagaStatus::completed && effect.ever_done && net != 1) {
      wrong("I1 completed, and not done any more: " + place);
    }
  }
  for (const auto& [id, saga] : sagas) {
    const auto& [state, definition] = saga;
    if (state.status != SagaStatus::completed) continue;
    for (std::uint16_t s = 0; s < state.steps.size(); ++s) {
      if (definition->steps[s].kind != StepKind::call) continue;
      for (std::uint32_t l = 0; l < state.steps[s].legs.size(); ++l) {
        const std::string place = id + "/" + leg_name(*definition, state, {.step = s, .leg = l});
        const auto effect = participants_.effects().find(place);
        const bool done = effect != participants_.effects().end() &&
                          effect->second.done - effect->second.undone == 1;
        if (!done) wrong("I1 completed without " + place);
      }
    }
  }
}

}  // namespace skald::sim
