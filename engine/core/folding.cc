#include "engine/core/folding.h"

#include <algorithm>
#include <functional>

#include "engine/base/check.h"
#include "engine/core/order.h"

namespace skald {
namespace {

struct IsRepeat {
  const SagaState& state;

  [[nodiscard]] const LegState& leg(LegRef ref) const {
    return state.steps[ref.step].legs[ref.leg];
  }
  [[nodiscard]] std::uint32_t attempts(LegRef ref, Operation operation) const {
    const OperationState* op = find_operation(leg(ref), operation);
    return op == nullptr ? 0 : op->attempts;
  }

  bool operator()(const event::Intended& e) const {
    if (attempts(e.leg, e.operation) < kAttemptsKeptFirst) return false;
    const LegState& l = leg(e.leg);
    switch (e.operation) {
      case Operation::action:
        return l.stage == LegStage::acting;
      case Operation::compensation:
        return l.stage == LegStage::undoing && e.request.empty();
      case Operation::probe:
        return e.request == l.probe_request;
    }
    return false;
  }
  bool operator()(const event::Answered& e) const {
    const LegState& l = leg(e.leg);
    if (attempts(e.leg, e.operation) <= kAttemptsKeptFirst || e.stage != l.stage) return false;
    if (e.phase == Phase::backing_off) return e.outcome.kind != OutcomeKind::succeeded;
    // What a probe has found leads to a repeat of what it was asked about, or to the end of the
    // run. It tells the response once.
    const bool tells = e.outcome.kind == OutcomeKind::succeeded && !l.has_response;
    return e.operation == Operation::probe && e.phase == Phase::settled && !tells;
  }
  bool operator()(const event::OperationMoved& e) const {
    return attempts(e.leg, e.operation) >= kAttemptsKeptFirst && e.stage == leg(e.leg).stage &&
           e.phase == Phase::backing_off;
  }
  bool operator()(const event::Folded&) const { return true; }
  template <class Other>
  bool operator()(const Other&) const {
    return false;
  }
};

}  // namespace

bool is_repeat(const SagaState& before, const Event& event) {
  return std::visit(IsRepeat{before}, event.body);
}

/// Counts what is folded.
struct RunOfRepeats::Count {
  std::map<std::pair<LegRef, Operation>, Tally>& tallies;

  void operator()(const event::Intended& e) const {
    Tally& tally = tallies[{e.leg, e.operation}];
    if (tally.first_attempt == 0) tally.first_attempt = e.attempt;
  }
  void operator()(const event::Answered& e) const {
    Tally& tally = tallies[{e.leg, e.operation}];
    if (tally.first_attempt == 0) tally.first_attempt = e.attempt;
    tally.outcomes[static_cast<std::size_t>(e.outcome.kind) - 1] += 1;
  }
  void operator()(const event::OperationMoved& e) const { tallies[{e.leg, e.operation}]; }
  void operator()(const event::Folded& e) const {
    for (const event::Folded::Repeated& repeated : e.operations) {
      Tally& tally = tallies[{repeated.leg, repeated.operation}];
      if (tally.first_attempt == 0) tally.first_attempt = repeated.first_attempt;
      std::ranges::transform(tally.outcomes, repeated.outcomes, tally.outcomes.begin(),
                             std::plus<>{});
    }
  }
  template <class Other>
  void operator()(const Other&) const {}  // no repeat
};

void RunOfRepeats::take(std::uint64_t first_seq, std::span<const Event> events, bool repeats) {
  std::uint64_t count = 0;
  for (const Event& event : events) count += events_in(event);
  if (!repeats || events_ + count > kFoldedEventsMax) *this = {};
  if (!repeats || events.empty()) return;
  if (records_.empty()) {
    const auto* folded = std::get_if<event::Folded>(&events.front().body);
    first_at_ = folded == nullptr ? events.front().at : folded->first_at;
  }
  records_.push_back(first_seq);
  events_ += count;
  for (const Event& event : events) std::visit(Count{tallies_}, event.body);
}

bool RunOfRepeats::is_long() const {
  return records_.size() > std::max(kRunRecordsMax, tallies_.size());
}

Event RunOfRepeats::folded(const SagaState& state) const {
  SKALD_CHECK(!records_.empty() && records_.front() + events_ == state.seq + 1,
              "saga_id={} events={} seq={}", state.id.text(), events_, state.seq);
  event::Folded folded{
      .events = events_, .first_at = first_at_, .status_since = state.status_since};
  folded.operations.reserve(tallies_.size());
  for (const auto& [which, tally] : tallies_) {
    const auto& [ref, operation] = which;
    folded.operations.push_back(
        {.leg = ref,
         .operation = operation,
         .after = *find_operation(state.steps[ref.step].legs[ref.leg], operation),
         .first_attempt = tally.first_attempt,
         .outcomes = tally.outcomes});
  }
  folded.been_stuck = state.been_stuck;
  return {.at = state.updated_at, .body = std::move(folded)};
}

}  // namespace skald
