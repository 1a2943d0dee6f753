// Callers that wait for an outcome, and the window of timers that is kept in memory.
#include <algorithm>

#include "engine/core/owed.h"
#include "engine/shard/shard.h"

namespace skald {
namespace {

bool is_reached(const SagaState& state, WaitMode mode) {
  switch (mode) {
    case WaitMode::accepted:
      return true;
    case WaitMode::decided:
      return state.decided || state.terminal;
    case WaitMode::done:
      return state.terminal;
  }
  return true;
}

}  // namespace

SagaAnswer Shard::answer_of(const Resident& saga) const {
  const SagaState& state = saga.state;
  SagaAnswer result{.id = state.id,
                    .definition = state.definition,
                    .version = state.version,
                    .status = state.status,
                    .decided = state.decided,
                    .undoing = state.undoing,
                    .output = state.output,
                    .has_output = state.has_output,
                    .failure = state.failure,
                    .refusals = {}};
  if (state.abandoned_by) {
    result.failure = {.leg = {},
                      .outcome = OutcomeKind::rejected,
                      .code = "abandoned",
                      .message = state.abandoned_by->reason};
  }
  if (saga.definition && !state.refused.empty()) {
    result.refusals = refusals(*saga.definition, state);
  }
  return result;
}

void Shard::answer(Ticket ticket, Error error) {
  ready_.answers.push_back({.ticket = ticket, .body = std::move(error)});
}

void Shard::answer(Ticket ticket, SagaAnswer&& answer) {
  ready_.answers.push_back({.ticket = ticket, .body = std::move(answer)});
}

void Shard::wait_for(Resident& saga, Ticket ticket, WaitMode mode, Instant until, bool created) {
  if (is_reached(saga.state, mode)) {
    save_before_answer(saga);
    SagaAnswer reached = answer_of(saga);
    reached.created = created;
    return answer(ticket, std::move(reached));
  }
  // A submission that makes a saga has been admitted with its waiting.
  if (!created && waiting_.size() >= options_.waiters_max) {
    return answer(ticket, too_many_waiters(waiting_.size()));
  }
  saga.waiters.push_back({.ticket = ticket, .mode = mode, .created = created});
  waiting_.emplace(ticket, saga.state.id);
  if (until != kNever) patience_.push({.until = until, .ticket = ticket});
}

void Shard::notify(Resident& saga) {
  if (saga.waiters.empty()) return;
  std::erase_if(saga.waiters, [&](const Waiter& waiter) {
    if (!is_reached(saga.state, waiter.mode)) return false;
    save_before_answer(saga);
    SagaAnswer reached = answer_of(saga);
    reached.created = waiter.created;
    answer(waiter.ticket, std::move(reached));
    waiting_.erase(waiter.ticket);
    return true;
  });
}

void Shard::end_patience() {
  while (!patience_.empty() && patience_.top().until <= now_) {
    const Ticket ticket = patience_.top().ticket;
    patience_.pop();
    const auto waiting = waiting_.find(ticket);
    if (waiting == waiting_.end()) continue;  // answered in time
    const SagaId id = waiting->second;
    waiting_.erase(waiting);
    Resident& saga = *residents_.at(id);
    const auto waiter = std::ranges::find(saga.waiters, ticket, &Waiter::ticket);
    save_before_answer(saga);
    SagaAnswer late = answer_of(saga);
    late.created = waiter->created;
    late.timed_out = true;
    answer(ticket, std::move(late));
    saga.waiters.erase(waiter);
    leaving_.push_back(id);
  }
}

void Shard::widen_timer_window() {
  const Instant until = now_ + options_.timer_window;
  ready_.loads.push_back(load::Timers{.from = timers_until_, .until = until});
  timers_until_ = until;
}

}  // namespace skald
