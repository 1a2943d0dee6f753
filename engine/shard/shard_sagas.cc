// One saga's life in memory: loaded, run, dispatched, saved, armed, evicted.
#include <algorithm>
#include <span>

#include "engine/base/check.h"
#include "engine/core/evolve.h"
#include "engine/core/order.h"
#include "engine/core/owed.h"
#include "engine/shard/saga_rows.h"
#include "engine/shard/shard.h"

namespace skald {
namespace {

/// Only what an index row holds and what can change after the start. While a saga goes forward it
/// has no failure, so that nothing is compared.
bool same_row(const SagaSummary& stored, const Definition* definition, const SagaState& state,
              bool waiting) {
  if (stored.status != state.status || stored.waiting != waiting) return false;
  return stored.failure == failure_class(definition, state);
}

/// Whether an earlier attempt may still be being executed, so that a conflict may be its echo. Not
/// for ever: a participant that keeps its refusal would say so each time, and nothing would end.
bool may_still_run(const OperationState& op, const OperationPlan& plan) {
  return op.maybe && op.last_at - op.first_at < plan.retry.total_max;
}

Invocation invocation_of(const SagaState& state, const DefinitionPtr& definition, const Send& send,
                         std::uint32_t lane) {
  const StepDefinition& step = definition->steps[send.leg.step];
  const LegState& leg = state.steps[send.leg.step].legs[send.leg.leg];
  const OperationState& op = *find_operation(leg, send.operation);
  const OperationPlan& plan = plan_of(step, send.operation);
  std::shared_ptr<const Method> amended;
  if (const Endpoint* endpoint = amended_endpoint(state, send.leg, send.operation)) {
    Method moved = plan.method;
    moved.participant = endpoint->participant;
    moved.path = endpoint->path;
    amended = std::make_shared<const Method>(std::move(moved));
  }
  return {.saga_id = state.id,
          .leg = leg_name(*definition, state, send.leg),
          .operation = send.operation,
          .attempt = send.attempt,
          .idempotency_key = operation_key(*definition, state, send.leg, send.operation),
          .definition = definition,
          .method = amended ? amended.get() : &plan.method,
          .amended = amended,
          .request = send.operation == Operation::compensation ? leg.undo_request
                     : send.operation == Operation::probe      ? leg.probe_request
                                                               : leg.request,
          .timeout = plan.attempt_timeout,
          .after_unknown = may_still_run(op, plan),
          .ref = send.leg,
          .lane = lane};
}

}  // namespace

Shard::Resident* Shard::find_or_load(const SagaId& id, Input&& then) {
  const auto found = residents_.find(id);
  if (found != residents_.end()) return found->second.get();
  const auto [loading, first] = loading_.try_emplace(id);
  loading->second.push_back(std::move(then));
  if (first) ready_.loads.push_back(load::Saga{id});
  return nullptr;
}

void Shard::admit_loaded(const SagaId& id, SagaState&& state, RunOfRepeats&& latest) {
  auto& saga = *residents_.emplace(id, std::make_unique<Resident>()).first->second;
  saga.state = std::move(state);
  saga.run = std::move(latest);
  saga.state.id = id;
  saga.saved_seq = saga.state.seq;

  saga.definition =
      definitions_.of_saga(saga.state.definition, saga.state.version, saga.state.source);
  know_key(saga.state.idempotency_key, id);
  const bool waiting = stored_as_waiting(saga.state, saga.definition.get());
  saga.stored = summary_of(saga.definition.get(), saga.state, waiting);
  saga.stored_timer = stored_timer(saga.state, waiting);
  if (saga.state.terminal || failed_) return;

  Decision decision;
  if ((saga.definition == nullptr) != saga.state.definition_missing) {
    decision.events.push_back(
        {.at = now_, .body = event::DefinitionMissing{.missing = saga.definition == nullptr}});
    evolve(saga.state, decision.events.back());
    decision.durable = true;
    decision.repeats = false;
  }
  if (saga.definition) {
    const auto recovered = run(saga, command::Recover{}, decision);
    SKALD_CHECK(recovered.has_value(), "saga_id={}", id.text());
    dispatch_wants(saga, decision);
    decision.wants.clear();
    const auto woken = run(saga, command::Wake{}, decision);
    SKALD_CHECK(woken.has_value(), "saga_id={}", id.text());
  }
  settle(saga, decision);
}

Result<void> Shard::run(Resident& saga, command::Body&& command, Decision& decision) {
  static const Definition kUnknown;
  const auto* act = std::get_if<command::Act>(&command);
  const bool closes = act != nullptr && std::holds_alternative<command::Abandon>(*act);
  if (!saga.definition && !closes) {
    return skald::fail(
        Errc::failed_precondition,
        "saga {} needs definition {} version {}, which is not registered here; deploy it and "
        "restart, or abandon the saga",
        saga.state.id.text(), saga.state.definition, saga.state.version);
  }
  const Command asked{.at = now_, .body = std::move(command)};
  return decide(saga.definition ? *saga.definition : kUnknown, saga.state, asked, decision);
}

void Shard::settle(Resident& saga, Decision& decision) {
  if (saga.definition) dispatch_wants(saga, decision);
  if (decision.events.empty()) {
    arm(saga);
    return;
  }
  hand_out(saga, decision);
  alert_of(saga, decision);
  saga.unsaved.insert(saga.unsaved.end(), std::move_iterator(decision.events.begin()),
                      std::move_iterator(decision.events.end()));
  saga.repeats = saga.repeats && decision.repeats;
  // What may wait for the next write waits for an answer: while nothing is in flight none comes.
  if (decision.durable || saga.state.in_flight == 0) save(saga);
  notify(saga);
  arm(saga);
  const bool may_leave =
      saga.state.terminal || (saga.stored && saga.stored->waiting && saga.waiters.empty());
  if (may_leave) evictable_.emplace_back(saga.number, saga.state.id);
}

const Method& Shard::method_of(const Resident& saga, const Want& want) {
  return plan_of(saga.definition->steps[want.leg.step], want.operation).method;
}

std::uint32_t Shard::lane_of(const Resident& saga, const Want& want) {
  const Endpoint* amended = amended_endpoint(saga.state, want.leg, want.operation);
  if (amended != nullptr) return gates_.lane_of(amended->participant, amended->path);
  const Method& method = method_of(saga, want);
  return gates_.lane_of(method.participant, method.path);
}

void Shard::dispatch_wants(Resident& saga, Decision& decision) {
  if (draining_) return;
  for (std::size_t i = 0; i < decision.wants.size(); ++i) {  // grows: a dispatch may want a probe
    const Want want = decision.wants[i];
    const std::uint32_t lane = lane_of(saga, want);
    const Queued place{.want = want, .lane = lane};
    if (std::ranges::find(saga.queued, place) != saga.queued.end()) continue;
    std::erase_if(saga.queued, [&](const Queued& other) { return other.want == want; });
    const LegState& leg = saga.state.steps[want.leg.step].legs[want.leg.leg];
    const bool urgent =
        saga.state.decided || want.operation != Operation::action || leg.stage != LegStage::ready;
    if (!gates_.acquire(lane, urgent, now_)) {
      saga.queued.push_back(place);
      gates_.enqueue(lane, urgent, {.saga = saga.state.id, .want = want});
      continue;
    }
    const std::size_t sends = decision.sends.size();
    const auto sent =
        run(saga, command::Dispatch{.leg = want.leg, .operation = want.operation}, decision);
    SKALD_CHECK(sent.has_value(), "saga_id={}", saga.state.id.text());
    if (decision.sends.size() == sends) gates_.release(lane);  // not wanted any more
  }
}

void Shard::hand_out(Resident& saga, const Decision& decision) {
  for (const Send& send : decision.sends) {
    const std::uint32_t lane = lane_of(saga, {.leg = send.leg, .operation = send.operation});
    Invocation call = invocation_of(saga.state, saga.definition, send, lane);
    if (saga.definition->steps[send.leg.step].kind == StepKind::query) {
      counters_.queries += 1;
      ready_.queries.push_back(std::move(call));
    } else {
      counters_.calls += 1;
      ready_.calls.push_back(std::move(call));
    }
  }
}

void Shard::save_before_answer(Resident& saga) {
  if (!failed_ && !saga.unsaved.empty()) save(saga);
}

void Shard::write_record(Resident& saga, Transition& row) {
  row.first_seq = saga.saved_seq + 1;
  saga.run.take(row.first_seq, saga.unsaved, saga.repeats);
  if (saga.run.is_long()) {
    row.folded = saga.run.records();
    row.folded.pop_back();  // this one
    row.first_seq = row.folded.front();
    encode_({{saga.run.folded(saga.state)}}, row.record);
    saga.run.was_folded();
    counters_.folds += 1;
  } else {
    encode_(saga.unsaved, row.record);
  }
  row.count = static_cast<std::uint32_t>(saga.state.seq + 1 - row.first_seq);
  saga.saved_seq = saga.state.seq;
  saga.unsaved.clear();
  saga.repeats = true;
}

void Shard::save(Resident& saga) {
  SKALD_CHECK(!failed_, "saga_id={}", saga.state.id.text());
  const SagaState& state = saga.state;
  SKALD_CHECK(saga.saved_seq + saga.unsaved.size() == state.seq,
              "saga_id={} saved={} unsaved={} seq={}", state.id.text(), saga.saved_seq,
              saga.unsaved.size(), state.seq);
  Transition& row = ready_.transitions.emplace_back();
  row.id = state.id;
  write_record(saga, row);
  saga.number = number_ + 1;
  counters_.transitions += 1;

  const bool waiting = saga.definition && is_waiting(*saga.definition, state, now_);
  const Definition* definition = saga.definition.get();
  if (!saga.stored || !same_row(*saga.stored, definition, state, waiting)) {
    row.before = std::move(saga.stored);
    row.after = summary_of(definition, state, waiting);
    saga.stored = row.after;
    if (!row.before && !state.idempotency_key.empty()) {
      row.new_key =
          KeyRow{.key = state.idempotency_key, .saga = state.id, .body_hash = state.body_hash};
      // Keys expire; that a saga was replayed stays known as long as it could be replayed again.
      if (state.replay) {
        ready_.notes.push_back({.name = state.idempotency_key, .value = state.id.text()});
      }
    }
    alert_of_status(saga, row);
  }
  for (Alert& alert : std::exchange(saga.untold, {})) tell(std::move(alert), ~0U);
  const Instant due = waiting ? next_wake(state, now_) : kNever;
  row.timer_before = saga.stored_timer;
  saga.stored_timer = due == kNever ? std::nullopt : std::optional(due);
  row.timer_after = saga.stored_timer;
}

void Shard::arm(Resident& saga) {
  // A wake that is due already stays: next_wake() looks behind `now_`, so it would forget what the
  // coming Tick has to fire.
  if (saga.wake <= now_) return;
  const Instant due = saga.definition ? next_wake(saga.state, now_) : kNever;
  if (due == saga.wake) return;
  saga.wake = due;
  if (due != kNever) wakes_.push({.at = due, .saga = saga.state.id});
}

void Shard::evict_if_idle(const SagaId& id) {
  const auto found = residents_.find(id);
  if (found == residents_.end()) return;
  const Resident& saga = *found->second;
  const bool idle = saga.state.terminal || (saga.stored && saga.stored->waiting);
  if (!idle || !saga.waiters.empty() || !saga.unsaved.empty() || saga.number > durable_) return;
  forget_key(saga.state.idempotency_key);
  residents_.erase(found);
}

void Shard::pump_gates() {
  while (!freed_lanes_.empty()) {
    const std::uint32_t freed = freed_lanes_.back();
    freed_lanes_.pop_back();
    if (failed_ || draining_) continue;
    while (auto next = gates_.next(freed, now_)) {
      const Want want = next->waiting.want;
      const auto found = residents_.find(next->waiting.saga);
      const Queued place{.want = want, .lane = next->lane};
      if (found == residents_.end() || std::erase(found->second->queued, place) == 0) {
        gates_.release(next->lane);
        continue;
      }
      Resident& saga = *found->second;
      Decision decision;
      const auto sent =
          run(saga, command::Dispatch{.leg = want.leg, .operation = want.operation}, decision);
      SKALD_CHECK(sent.has_value(), "saga_id={}", saga.state.id.text());
      if (decision.sends.empty()) gates_.release(next->lane);
      settle(saga, decision);
    }
  }
}

}  // namespace skald
