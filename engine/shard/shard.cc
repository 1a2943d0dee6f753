// Inputs: each is a few lines that find the saga, run one command and settle what follows.
#include "engine/shard/shard.h"

#include <algorithm>
#include <iterator>
#include <span>
#include <utility>

#include "engine/base/check.h"
#include "engine/core/legal_acts.h"

namespace skald {
namespace {

/// Who asked; 0 where nobody waits for an answer.
struct TicketOf {
  Ticket operator()(const input::Wait& w) const { return w.ticket; }
  Ticket operator()(const input::TakeSignal& s) const { return s.ticket; }
  Ticket operator()(const input::Cancel& c) const { return c.ticket; }
  Ticket operator()(const input::Retry& r) const { return r.ticket; }
  Ticket operator()(const input::Act& a) const { return a.ticket; }
  template <class Other>
  Ticket operator()(const Other&) const {
    return 0;
  }
};

}  // namespace

Shard::Shard(ShardOptions options, const DefinitionTable& definitions, Gates gates,
             EncodeEvents encode)
    : options_(options),
      definitions_(definitions),
      gates_(std::move(gates)),
      encode_(std::move(encode)) {}

void Shard::step(Instant now, Input input) {
  now_ = std::max(now_, now);
  std::visit([this](auto& in) { on(in); }, input);
  if (std::exchange(gates_wake_, kNever) <= now_) {
    std::ranges::move(gates_.waiting_lanes(now_), std::back_inserter(freed_lanes_));
  }
  pump_gates();
  // Only now: an input may serve several callers of one saga, and the first must not evict it.
  for (const SagaId& id : std::exchange(leaving_, {})) evict_if_idle(id);
  show_room();
}

Ready Shard::ready() {
  if (ready_.has_writes()) number_ += 1;
  ready_.number = number_;
  Instant wake = wakes_.empty() ? kNever : wakes_.top().at;
  if (!patience_.empty()) wake = std::min(wake, patience_.top().until);
  if (timers_until_ != Instant{}) wake = std::min(wake, timers_until_ - options_.timer_window / 2);
  gates_wake_ = gates_.next_wake(now_);
  wake = std::min(wake, gates_wake_);
  // After writing has ended nothing may come of a timer: one that is due would be due for ever.
  ready_.wake_at = failed_ ? kNever : wake;
  return std::exchange(ready_, Ready{});
}

void Shard::advance(std::uint64_t number) {
  SKALD_CHECK(number <= number_, "number={} issued={}", number, number_);
  durable_ = std::max(durable_, number);
  while (!evictable_.empty() && evictable_.front().first <= durable_) {
    const SagaId id = evictable_.front().second;
    evictable_.pop_front();
    evict_if_idle(id);
  }
  show_room();
}

void Shard::fail(Instant now, Error error) {
  now_ = std::max(now_, now);
  failed_ = std::move(error);
  ready_ = Ready{};
  for (const auto& [ticket, saga] : waiting_) answer(ticket, *failed_);
  waiting_.clear();
  for (auto& [key, submissions] : key_lookups_) {
    for (const auto& submission : submissions) answer(submission.ticket, *failed_);
    key_let_go(key);
  }
  key_lookups_.clear();
  show_room();
}

const SagaState* Shard::find(const SagaId& id) const {
  const auto found = residents_.find(id);
  return found == residents_.end() ? nullptr : &found->second->state;
}

void Shard::on(input::Wait& in) {
  const SagaId id = in.saga;
  if (failed_) return answer(in.ticket, *failed_);
  Resident* saga = find_or_load(id, Input(in));
  if (saga == nullptr) return;
  wait_for(*saga, in.ticket, in.mode, in.wait_until, false);
  leaving_.push_back(id);
}

void Shard::on(input::TakeSignal& in) {
  const SagaId id = in.saga;
  if (failed_) return answer(in.ticket, *failed_);
  Resident* saga = find_or_load(id, Input(in));
  if (saga == nullptr) return;
  Decision decision;
  const auto taken = run(*saga, command::TakeSignal{.signal = std::move(in.signal)}, decision);
  if (!taken) return answer(in.ticket, taken.error());
  const bool fresh = !decision.events.empty();
  settle(*saga, decision);
  ready_.answers.push_back({.ticket = in.ticket, .body = fresh});
}

void Shard::on(input::Cancel& in) {
  if (failed_) return answer(in.ticket, *failed_);
  Resident* saga = find_or_load(in.saga, Input(in));
  if (saga != nullptr) act(*saga, in.ticket, command::Cancel{.actor = std::move(in.actor)});
}

void Shard::on(input::Retry& in) {
  if (failed_) return answer(in.ticket, *failed_);
  Resident* saga = find_or_load(in.saga, Input(in));
  if (saga == nullptr) return;
  act(*saga, in.ticket, command::Retry{.actor = std::move(in.actor), .leg = std::move(in.leg)});
}

void Shard::on(input::Act& in) {
  if (failed_) return answer(in.ticket, *failed_);
  Resident* saga = find_or_load(in.saga, Input(in));
  if (saga == nullptr) return;
  // What is not written yet nobody has seen: queries and what follows from them alone.
  if (in.expected_seq != 0 && in.expected_seq != saga->saved_seq) {
    return answer(in.ticket, moved_on(saga->state, in.expected_seq, saga->saved_seq));
  }
  act(*saga, in.ticket, std::move(in.act));
}

void Shard::act(Resident& saga, Ticket ticket, command::Act&& asked) {
  Decision decision;
  const auto done = run(saga, std::move(asked), decision);
  if (done) {
    answer(ticket, answer_of(saga));
  } else {
    answer(ticket, done.error());  // a cancel's `undecided` comes with events
  }
  settle(saga, decision);
}

void Shard::on(input::Reply& in) {
  gates_.answered(in.lane, in.outcome, in.took, now_);
  freed_lanes_.push_back(in.lane);
  counters_.outcomes[static_cast<std::size_t>(in.outcome.kind)] += 1;
  const auto found = residents_.find(in.saga);
  if (found == residents_.end() || failed_ || !found->second->definition) return;
  const Definition& definition = *found->second->definition;
  steps_.add({.definition = definition.name,
              .step = definition.steps[in.leg.step].name,
              .operation = in.operation},
             in.outcome.kind, in.took);
  Decision& decision = of_reply_;
  decision.clear();
  const auto done = run(*found->second,
                        command::Reply{.leg = in.leg,
                                       .operation = in.operation,
                                       .attempt = in.attempt,
                                       .outcome = std::move(in.outcome),
                                       .response = std::move(in.response)},
                        decision);
  SKALD_CHECK(done.has_value(), "saga_id={}", in.saga.text());
  settle(*found->second, decision);
}

void Shard::on(input::Tick&) {
  if (timers_until_ == Instant{} || now_ >= timers_until_ - options_.timer_window / 2) {
    widen_timer_window();
  }
  end_patience();
  while (!failed_ && !wakes_.empty() && wakes_.top().at <= now_) {
    const Wakeup due = wakes_.top();
    wakes_.pop();
    const auto found = residents_.find(due.saga);
    if (found == residents_.end()) {
      // A waiting saga's timer: loading it recovers it, and recovery looks at the time.
      if (!loading_.contains(due.saga)) {
        loading_[due.saga];
        ready_.loads.push_back(load::Saga{due.saga});
      }
      continue;
    }
    Resident& saga = *found->second;
    if (saga.wake != due.at || !saga.definition) continue;  // superseded
    saga.wake = kNever;
    Decision decision;
    const auto done = run(saga, command::Wake{}, decision);
    SKALD_CHECK(done.has_value(), "saga_id={}", due.saga.text());
    settle(saga, decision);
  }
}

void Shard::on(input::KeyLoaded& in) {
  const auto waiting = key_lookups_.find(in.key);
  if (waiting == key_lookups_.end()) return;
  std::vector<input::Submit> submissions = std::move(waiting->second);
  key_lookups_.erase(waiting);
  for (input::Submit& submission : submissions) {
    if (!in.row) {
      answer(submission.ticket, in.row.error());
    } else if (const auto resident = keys_.find(in.key); resident != keys_.end()) {
      const SagaId id = resident->second;  // started by the first of these, or loaded meanwhile
      join_saga(submission, id, residents_.at(id)->state.body_hash);
    } else if (*in.row) {
      join_saga(submission, (*in.row)->saga, (*in.row)->body_hash);
    } else if (auto refused = refuse_admission()) {
      counters_.refused += 1;
      answer(submission.ticket, std::move(*refused));
    } else {
      start_saga(submission);
    }
  }
  // Not before: at no moment may the door deny a key that is becoming a saga's.
  key_let_go(in.key);
}

void Shard::on(input::SagaLoaded& in) {
  const auto loading = loading_.find(in.id);
  if (loading == loading_.end()) return;
  std::vector<Input> pending = std::move(loading->second);
  loading_.erase(loading);
  const bool found = in.state.has_value() && in.state->has_value();
  if (found && !residents_.contains(in.id)) {
    admit_loaded(in.id, std::move(**in.state), std::move(in.run));
  }
  const auto refuse = [&](Ticket ticket) {
    if (!in.state) return answer(ticket, in.state.error());
    answer(ticket, Error{Errc::not_found, fmt::format("there is no saga {}", in.id.text())});
  };
  for (Input& input : pending) {
    if (found && residents_.contains(in.id)) {
      std::visit([this](auto& again) { on(again); }, input);
    } else if (const Ticket ticket = std::visit(TicketOf{}, input); ticket != 0) {
      refuse(ticket);
    }
  }
  if (found) leaving_.push_back(in.id);
}

void Shard::on(input::TimersLoaded& in) {
  for (const auto& timer : in.timers) {
    if (!residents_.contains(timer.saga)) wakes_.push({.at = timer.due, .saga = timer.saga});
  }
}

void Shard::on(input::Recover& in) {
  for (const SagaId& id : in.sagas) {
    if (residents_.contains(id) || loading_.contains(id)) continue;
    loading_[id];
    ready_.loads.push_back(load::Saga{id});
  }
}

void Shard::on(input::ExpireKeys& in) {
  if (failed_) return;
  for (KeyRow& row : in.rows) {
    const bool in_use = keys_.contains(row.key) || key_lookups_.contains(row.key);
    if (!in_use) ready_.keys_removed.push_back(std::move(row.key));
  }
}

void Shard::on(input::WriteNotes& in) {
  if (failed_) return answer(in.ticket, *failed_);
  std::ranges::move(in.notes, std::back_inserter(ready_.notes));
  ready_.answers.push_back({.ticket = in.ticket, .body = true});
}

void Shard::on(input::Hold& in) {
  gates_.hold(in.participant, in.path, in.held);
  if (!in.held) freed_lanes_ = gates_.waiting_lanes(now_);
}

void Shard::on(input::RemoveSagas& in) {
  if (failed_) return;
  for (EndedSaga& saga : in.sagas) {
    // Somebody asks for it just now: the next sweep finds it again. The store looks once more
    // whether it has ended.
    const bool in_use = residents_.contains(saga.id) || loading_.contains(saga.id) ||
                        key_lookups_.contains(saga.idempotency_key);
    if (!in_use) ready_.sagas_removed.push_back(std::move(saga));
  }
}

void Shard::on(input::Admission& in) {
  closed_ = std::move(in.closed);
  draining_ = in.draining;
}

}  // namespace skald
