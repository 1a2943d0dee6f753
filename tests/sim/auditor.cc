#include "tests/sim/auditor.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/core/definition_graph.h"
#include "engine/core/evolve.h"
#include "engine/core/invariants.h"
#include "engine/core/owed.h"
#include "engine/wire/stored.h"

namespace skald::sim {
namespace {

std::string what_of(const Invocation& call) {
  return fmt::format("{} {}/{}#{}", call.saga_id.text(), call.leg, name(call.operation),
                     call.attempt);
}

bool is_terminal_event(const Event& event) {
  return std::holds_alternative<event::Completed>(event.body) ||
         std::holds_alternative<event::Compensated>(event.body) ||
         std::holds_alternative<event::Abandoned>(event.body);
}

const OperationState* operation_of(const LegState& leg, Operation operation) {
  switch (operation) {
    case Operation::action:
      return &leg.action;
    case Operation::compensation:
      return leg.undo ? &*leg.undo : nullptr;
    case Operation::probe:
      return leg.probe ? &*leg.probe : nullptr;
  }
  return nullptr;
}

const Bytes& stored_request(const LegState& leg, Operation operation) {
  switch (operation) {
    case Operation::action:
      return leg.request;
    case Operation::compensation:
      return leg.undo_request;
    case Operation::probe:
      return leg.probe_request;
  }
  return leg.request;
}

}  // namespace

void Auditor::opened(std::uint32_t shard, const ShardMeta& meta) {
  Ownership& owner = shards_[shard];
  if (meta.epoch <= owner.epoch) wrong("I12 the epoch of a shard did not grow with its owner");
  if (meta.number != owner.number) wrong("I12 a shard's number is not that of its last batch");
  owner = {.epoch = meta.epoch, .number = meta.number, .clock_high = meta.clock_high};
}

void Auditor::check_batch(const ShardBatch& batch) {
  Ownership& owner = shards_[batch.shard];
  if (batch.epoch != owner.epoch) {
    wrong(fmt::format("I12 shard {} took a batch of epoch {}, its owner has {}", batch.shard,
                      batch.epoch, owner.epoch));
  }
  if (batch.number != owner.number + 1) {
    wrong(fmt::format("I12 shard {} took batch {} after {}", batch.shard, batch.number,
                      owner.number));
  }
  if (batch.clock_high < owner.clock_high) wrong("I12 engine time went back");
  owner.number = batch.number;
  owner.clock_high = batch.clock_high;
}

void Auditor::stale_commit(bool accepted) {
  if (accepted) wrong("I12 a batch of an owner that was replaced was accepted");
}

void Auditor::committed(std::span<const ShardBatch> batches, Instant now, const Kept& kept) {
  for (const ShardBatch& batch : batches) {
    check_batch(batch);
    for (const Transition& row : batch.transitions) fold(row, batch.clock_high);
    for (const std::string& key : batch.keys_removed) key_removed(key, now, kept.keys);
    for (const EndedSaga& saga : batch.sagas_removed) saga_removed(saga, now, kept.sagas);
  }
}

void Auditor::fold(const Transition& row, Instant now) {
  take_key(row);
  KnownSaga& saga = sagas_[row.id];
  saga.state.id = row.id;
  const std::uint64_t acknowledged = saga.state.seq;
  // A record that stands for others tells again what was acknowledged, and more.
  if (!row.folded.empty() && row.first_seq <= acknowledged) saga.state.seq = row.first_seq - 1;
  if (row.first_seq != saga.state.seq + 1) {
    wrong(fmt::format("I10 {} wrote event {} after {}", row.id.text(), row.first_seq,
                      saga.state.seq));
  }
  const auto events = wire::decode_events(row.record);
  if (!events) return wrong("I8 a record cannot be read back: " + events.error().message);
  std::uint64_t count = 0;
  for (const Event& event : *events) count += events_in(event);
  if (count != row.count) wrong("I8 a record holds another number of events");
  if (row.first_seq + count <= acknowledged) wrong("I10 a fold forgot events of " + row.id.text());
  for (const Event& event : *events) {
    if (saga.terminal_events > 0) wrong("I10 an event after the last one of " + row.id.text());
    evolve(saga.state, event);
    if (is_terminal_event(event)) saga.terminal_events += 1;
    if (saga.definition) note_word(saga, event);
  }
  folds_ += row.folded.empty() ? 0 : 1;
  if (const auto lost = saga.folds.take(row, *events, saga.state)) {
    wrong("rule12 a fold of " + row.id.text() + " loses something: " + *lost);
  }
  if (row.after && row.after->status != saga.state.status) {
    wrong("I13 the index row disagrees with the history of " + row.id.text());
  }
  if (!saga.definition) {
    saga.definition =
        definitions_.of_saga(saga.state.definition, saga.state.version, saga.state.source);
    if (!saga.definition) return wrong("I8 a stored saga's definition cannot be made");
    saga.net.assign(saga.definition->steps.size(), 0);
    if (saga.state.replay) check_replay(saga);
  }
  // The cause that operators see is that of the history, from the same write.
  if (row.after) saga.listed_failure = row.after->failure;
  if (saga.listed_failure != failure_class(saga.definition.get(), saga.state)) {
    wrong("I13 the index row has another failure than the history of " + row.id.text());
  }
  for (const std::string& sentence : violated(*saga.definition, saga.state)) {
    wrong(fmt::format("core {}: {}", row.id.text(), sentence));
  }
  if (saga.state.updated_at > now) wrong("I12 an event of " + row.id.text() + " is ahead of time");
}

void Auditor::take_key(const Transition& row) {
  if (!row.new_key) return;
  const auto [known, fresh] = keys_.try_emplace(row.new_key->key, *row.new_key);
  if (fresh) return;
  wrong(fmt::format("I9 one key made two sagas: {} and {}", known->second.saga.text(),
                    row.id.text()));
}

void Auditor::key_removed(const std::string& key, Instant now, Millis retention) {
  const auto found = keys_.find(key);
  if (found == keys_.end()) return;
  const KnownSaga* saga = find(found->second.saga);
  if (saga == nullptr || !saga->state.terminal || now - saga->state.updated_at < retention) {
    wrong("I9 the key of a saga was forgotten too early: " + found->second.saga.text());
  }
  keys_.erase(found);
}

void Auditor::counted(Store& store) {
  const auto counts = store.count_by_status();
  if (!counts) return wrong("I13 sagas cannot be counted");
  std::uint64_t sum = 0;
  for (const auto& [status, count] : *counts) sum += count;
  if (sum != sagas_.size() - removed_) {
    wrong(fmt::format("I13 {} sagas were created, {} removed, {} are counted", sagas_.size(),
                      removed_, sum));
  }
}

void Auditor::loaded(const SagaId& id, const Result<std::optional<SagaState>>& state) {
  const KnownSaga* saga = find(id);
  if (!state) return wrong("I8 " + id.text() + " cannot be read: " + state.error().message);
  const bool there = saga != nullptr && !saga->removed;
  if (state->has_value() != there) {
    return wrong("I8 " + id.text() + " is gone, or was never acknowledged");
  }
  if (there && **state != saga->state) {
    wrong("I8 " + id.text() + " is read back as something else");
  }
}

void Auditor::leaves(const Invocation& call, bool query) {
  const KnownSaga* saga = find(call.saga_id);
  // I9: the key says who, where, what and which generation, and nothing else.
  std::string key = fmt::format("{}/{}/{}", call.saga_id.text(), call.leg, name(call.operation));
  if (query) {
    if (!call.idempotency_key.starts_with(key)) wrong("I9 another key for " + what_of(call));
    return;
  }
  if (saga == nullptr) return wrong("I14 no durable saga before " + what_of(call));
  const LegState* leg = nullptr;
  if (call.ref.step < saga->state.steps.size() &&
      call.ref.leg < saga->state.steps[call.ref.step].legs.size()) {
    leg = &saga->state.steps[call.ref.step].legs[call.ref.leg];
  }
  const OperationState* op = leg == nullptr ? nullptr : operation_of(*leg, call.operation);
  if (op == nullptr || op->attempts < call.attempt) {
    return wrong("I14 no durable intent before " + what_of(call));
  }
  if (stored_request(*leg, call.operation) != call.request) {
    wrong("I14 another request than the durable intent's: " + what_of(call));
  }
  if (op->attempts == call.attempt && op->generation > 1) {
    key += fmt::format("/g{}", op->generation);
  }
  if (op->attempts == call.attempt && key != call.idempotency_key) {
    wrong("I9 another key for " + what_of(call));
  }
  if (call.operation == Operation::compensation && leg->action.phase == Phase::in_flight) {
    wrong("I3 a compensation was sent while its action was in flight: " + what_of(call));
  }
}

void Auditor::means(const Invocation& call, const Outcome& outcome, const Truth& truth) {
  const auto lie = untrue(outcome, truth, call.after_unknown);
  if (lie) wrong(fmt::format("outcome {}: {} ({})", what_of(call), *lie, outcome.code));
}

const Auditor::Closure& Auditor::closure_of(const DefinitionPtr& definition) {
  const auto [found, fresh] = closures_.try_emplace(definition.get());
  if (!fresh) return found->second;
  inline_definitions_.push_back(definition);  // keeps the address its own
  const std::size_t steps = definition->steps.size();
  const auto calls = [&](const std::vector<bool>& reached) {
    std::vector<std::uint16_t> out;
    for (std::uint16_t s = 0; s < steps; ++s) {
      if (reached[s] && definition->steps[s].kind == StepKind::call) out.push_back(s);
    }
    return out;
  };
  for (std::uint16_t s = 0; s < steps; ++s) {
    found->second.before.push_back(calls(reachable(definition->order.needs, s)));
    found->second.behind.push_back(calls(reachable(definition->order.needed_by, s)));
  }
  return found->second;
}

void Auditor::check_order(const KnownSaga& saga, std::uint16_t step, const Request& request) {
  const Closure& closure = closure_of(saga.definition);
  const auto told = [&](std::uint16_t other, std::string_view what) {
    wrong(fmt::format("I2 {} {}/{} took effect {} {}", request.saga.text(), request.leg,
                      name(request.operation), what, saga.definition->steps[other].name));
  };
  if (request.operation == Operation::compensation) {
    for (const std::uint16_t later : closure.behind[step]) {
      const bool stays = !saga.definition->steps[later].compensation;
      const bool demanded = !stays && !has_broken_word(saga, later);
      if (saga.net[later] > 0 && demanded) told(later, "before that of");
    }
    return;
  }
  for (const std::uint16_t earlier : closure.before[step]) {
    const StepState& state = saga.state.steps[earlier];
    // What a person has undone by hand before its turn is missed by who is settled after it.
    if (state.stage == StepStage::skipped || has_word(saga, earlier)) continue;
    const auto wanted = static_cast<int>(state.legs.size() - state.legs_skipped);
    if (saga.net[earlier] < wanted) told(earlier, "without that of");
  }
}

void Auditor::executed(const Request& request, bool took_effect) {
  if (request.is_query || request.operation == Operation::probe) return;
  const auto found = sagas_.find(request.saga);
  if (found == sagas_.end()) return wrong("I14 an effect of a saga that is not durable");
  KnownSaga& saga = found->second;
  LegBook& book = saga.legs[request.leg];
  const bool action = request.operation == Operation::action;
  if (!action) book.undo_seen = true;
  if (!took_effect) return;
  const bool beyond = took_after_word(saga, request);
  if (action && book.undo_seen && !beyond) {
    wrong(fmt::format("I3 {}/{} took effect after its compensation", request.saga.text(),
                      request.leg));
  }
  const auto step = saga.definition->step_index(step_of(request.leg));
  if (!step) return wrong("I1 an effect of an unknown step: " + request.leg);
  if (!beyond) check_order(saga, *step, request);
  (action ? book.done : book.undone) += 1;
  saga.net[*step] += action ? 1 : -1;
  if ((book.net() < 0 || book.net() > 1) && !beyond) {
    wrong(fmt::format("I1 {}/{} was done {} and undone {} times", request.saga.text(), request.leg,
                      book.done, book.undone));
  }
}

void Auditor::told(const SagaAnswer& answer) {
  const KnownSaga* saga = find(answer.id);
  if (saga == nullptr) return wrong("I8 an acknowledged saga is not durable: " + answer.id.text());
  if (answer.decided && !saga->state.decided) {
    wrong("I8 a caller was told `decided` before it was durable: " + answer.id.text());
  }
  if (!is_terminal(answer.status)) return;
  if (saga->state.status != answer.status || saga->state.output != answer.output) {
    wrong("I8 a caller was told an end that is not durable: " + answer.id.text());
  }
  const auto [known, fresh] = told_.try_emplace(answer.id, answer.status);
  if (!fresh && known->second != answer.status) {
    wrong("I10 a caller was told two different ends: " + answer.id.text());
  }
}

void Auditor::signal_told(const SagaId& saga, const std::string& signal_id) {
  const KnownSaga* known = find(saga);
  if (known == nullptr ||
      std::ranges::find(known->state.signal_ids, signal_id) == known->state.signal_ids.end()) {
    wrong("I8 an acknowledged signal is not durable: " + saga.text());
  }
}

void Auditor::cancel_told(const SagaId& saga) {
  const KnownSaga* known = find(saga);
  if (known == nullptr || (!known->state.decided && !known->state.turn_back)) {
    wrong("I8 an acknowledged cancel is not durable: " + saga.text());
  }
}

void Auditor::resident(const SagaState& state, std::size_t with_participants, Instant now) {
  const KnownSaga* saga = find(state.id);
  // What is in memory is what its events say, and no more.
  if (saga != nullptr && saga->state.seq == state.seq && saga->state != state) {
    wrong("core " + state.id.text() + " in memory is not what its events say");
  }
  if (saga == nullptr || state.in_flight == 0 || state.definition_missing) return;
  // Everything it believes to be in flight is with a participant, or held until it is durable.
  const Owed owes = owed(*saga->definition, state, now);
  if (owes.in_flight.size() > with_participants) {
    wrong(fmt::format("I11 {} believes {} attempts to be in flight, {} are", state.id.text(),
                      owes.in_flight.size(), with_participants));
  }
}

const KnownSaga* Auditor::find(const SagaId& id) const {
  const auto found = sagas_.find(id);
  return found == sagas_.end() ? nullptr : &found->second;
}

const KeyRow* Auditor::key(const std::string& key) const {
  const auto found = keys_.find(key);
  return found == keys_.end() ? nullptr : &found->second;
}

}  // namespace skald::sim
