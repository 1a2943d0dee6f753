#include "engine/core/invariants.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_set>

#include "engine/core/definition_graph.h"
#include "engine/core/order.h"
#include "engine/core/owed.h"

namespace skald {
namespace {

/// Collects what does not hold.
struct Findings {
  const Definition& definition;
  const SagaState& state;
  std::vector<std::string> found = {};

  void expect(bool holds, std::string_view sentence) {
    if (!holds) found.emplace_back(sentence);
  }
  void expect(bool holds, std::uint16_t step, std::string_view sentence) {
    if (!holds) found.push_back(fmt::format("{}: {}", definition.steps[step].name, sentence));
  }
  void expect(bool holds, LegRef ref, std::string_view sentence) {
    if (!holds) found.push_back(fmt::format("{}: {}", leg_name(definition, state, ref), sentence));
  }
};

bool is_finished(const StepState& step) {
  return step.stage == StepStage::done || step.stage == StepStage::skipped;
}

/// The three operations of a leg that there are.
std::vector<const OperationState*> operations(const LegState& leg) {
  std::vector<const OperationState*> all = {&leg.action};
  if (leg.undo) all.push_back(&*leg.undo);
  if (leg.probe) all.push_back(&*leg.probe);
  return all;
}

void check_counters(Findings& f) {
  const SagaState& state = f.state;
  std::uint32_t in_flight = 0;
  std::uint32_t backing_off = 0;
  std::uint32_t stuck = state.definition_missing ? 1 : 0;
  if (!state.output_stuck.empty()) stuck += 1;
  for (const StepState& step : state.steps) {
    if (!step.stuck_reason.empty()) stuck += 1;
    for (const LegState& leg : step.legs) {
      for (const OperationState* op : operations(leg)) {
        if (op->phase == Phase::in_flight) in_flight += 1;
        if (op->phase == Phase::backing_off) backing_off += 1;
        if (op->phase == Phase::stopped || op->overdue) stuck += 1;
      }
    }
  }
  f.expect(state.in_flight == in_flight, "the number of operations in flight is wrong");
  f.expect(state.backing_off == backing_off, "the number of operations backing off is wrong");
  f.expect(state.stuck == stuck, "the number of stuck places is wrong");
}

SagaStatus status_from(const SagaState& state) {
  if (state.abandoned_by) return SagaStatus::abandoned;
  if (state.terminal) return state.undoing ? SagaStatus::compensated : SagaStatus::completed;
  if (state.paused) return SagaStatus::paused;
  if (state.stuck > 0) return SagaStatus::stuck;
  return state.undoing ? SagaStatus::compensating : SagaStatus::running;
}

void check_saga(Findings& f) {
  const SagaState& state = f.state;
  f.expect(state.status == status_from(state), "the status does not follow from the fields");
  f.expect(!state.undoing || state.decided, "undoing, but not decided");
  f.expect(state.undoing == state.failure.has_value(), "undoing without a failure, or the reverse");
  f.expect(!state.turn_back || !state.decided, "turning back is kept for later, but it is decided");
  f.expect(state.signals.size() <= kSignalsKeptMax, "too many signals are kept");
  f.expect(state.signal_ids.size() <= kSignalIdsMax, "too many signal ids are kept");
  const std::unordered_set<std::string_view> ids(state.signal_ids.begin(), state.signal_ids.end());
  f.expect(ids.size() == state.signal_ids.size(), "a signal id was taken twice");
  f.expect(state.paused == state.paused_by.has_value(), "paused by nobody, or the reverse");
  f.expect(!state.abandoned_by || state.terminal, "abandoned, but not terminal");
  if (!state.terminal) return;
  f.expect(state.in_flight == 0, "terminal with an operation in flight");
  if (state.abandoned_by) return;  // closed as it was
  f.expect(!state.paused, "ended by itself while paused");
  f.expect(state.backing_off == 0, "terminal with an operation backing off");
  f.expect(state.decided, "terminal, but not decided");
  if (state.undoing) return;
  f.expect(std::ranges::all_of(state.steps, is_finished), "completed with an unfinished step");
  f.expect(state.stuck == 0, "completed, but stuck");
}

/// What a leg's stage allows its action to be.
bool phase_fits(const StepDefinition& step, const LegState& leg) {
  const Phase phase = leg.action.phase;
  switch (leg.stage) {
    case LegStage::ready:
      return phase == Phase::idle;
    case LegStage::acting:
      return phase == Phase::in_flight || phase == Phase::backing_off || phase == Phase::stopped;
    case LegStage::done:
      return phase == Phase::settled ||
             (phase == Phase::stopped && step.call_class == CallClass::pivot);
    case LegStage::refused:
    case LegStage::undoing:
    case LegStage::undone:
      return phase == Phase::settled;
    case LegStage::dropped:
    case LegStage::skipped:
      return phase == Phase::idle || phase == Phase::settled;
  }
  return false;
}

/// An operation that backs off without an end waits for a probe that is not settled.
bool somebody_settles(const LegState& leg) {
  const bool waits = std::ranges::any_of(operations(leg), [](const OperationState* op) {
    return op->phase == Phase::backing_off && op->retry_at == kNever;
  });
  return !waits || (leg.probe && leg.probe->phase != Phase::settled);
}

void check_leg(Findings& f, LegRef ref) {
  const StepDefinition& step = f.definition.steps[ref.step];
  const LegState& leg = f.state.steps[ref.step].legs[ref.leg];
  f.expect(phase_fits(step, leg), ref, "its action's phase does not fit its stage");
  f.expect(somebody_settles(leg), ref, "waits for a probe that nobody sends");
  const auto in_flight = std::ranges::count_if(
      operations(leg), [](const OperationState* op) { return op->phase == Phase::in_flight; });
  f.expect(in_flight <= 1, ref, "two operations in flight");
  for (const OperationState* op : operations(leg)) {
    f.expect(op->phase != Phase::in_flight || op->attempts > 0, ref, "in flight, but never sent");
    f.expect(op->generation >= 1 && op->spent_attempts <= op->attempts, ref,
             "more attempts spent than made");
  }
  f.expect(!leg.undo || step.compensation, ref, "is undone, but has no compensation");
  f.expect(!leg.probe || step.probe, ref, "is probed, but has no probe");
  const bool undone_by_hand = leg.stage == LegStage::undone && leg.by_hand;
  f.expect(leg.undo || undone_by_hand ||
               (leg.stage != LegStage::undoing && leg.stage != LegStage::undone),
           ref, "undoing without a compensation");
  f.expect(leg.stage != LegStage::skipped || leg.by_hand, ref, "skipped by nobody");
  const bool settled = leg.stage == LegStage::refused || leg.stage == LegStage::undone ||
                       leg.stage == LegStage::skipped;
  f.expect(!settled || !leg.probe || leg.probe->phase == Phase::settled, ref,
           "settled, but still probed");
  f.expect(!leg.action.maybe || step.kind == StepKind::call, ref, "a query cannot be in doubt");
  if (f.state.undoing) {
    f.expect(leg.stage != LegStage::ready || f.state.steps[ref.step].stage == StepStage::pending,
             ref, "would still be sent on the way back");
  } else {
    f.expect(leg.stage != LegStage::undoing && leg.stage != LegStage::undone, ref,
             "is undone on the way forward");
  }
}

void check_step(Findings& f, std::uint16_t index) {
  const StepDefinition& plan = f.definition.steps[index];
  const StepState& step = f.state.steps[index];
  const auto in_stage = [&](LegStage stage) {
    return static_cast<std::uint32_t>(std::ranges::count(step.legs, stage, &LegState::stage));
  };
  const std::uint32_t open = in_stage(LegStage::ready) + in_stage(LegStage::acting);
  f.expect(step.legs_settled + open == step.legs.size(), index, "the settled legs are miscounted");
  f.expect(step.legs_refused >= in_stage(LegStage::refused), index, "a refused leg is not counted");
  f.expect(step.legs_skipped == in_stage(LegStage::skipped), index,
           "the skipped legs are miscounted");
  f.expect(in_stage(LegStage::acting) <= plan.parallel, index, "more legs at once than allowed");
  f.expect(plan.for_each || step.legs.size() <= 1, index, "a plain step has several legs");
  f.expect(step.stage != StepStage::done || open == 0, index, "done with an open leg");
  const bool begun = step.stage == StepStage::running || step.stage == StepStage::done;
  const bool needs_finished =
      std::ranges::all_of(f.definition.order.needs[index],
                          [&](std::uint16_t need) { return is_finished(f.state.steps[need]); });
  f.expect(!begun || f.state.undoing || needs_finished, index, "began before what it needs");
  const bool forward_only =
      plan.call_class == CallClass::retriable && step.stage != StepStage::pending;
  f.expect(!forward_only || (f.state.decided && !f.state.undoing), index,
           "a retriable call began before the pivot, or what precedes it is undone");
  for (std::uint32_t l = 0; l < step.legs.size(); ++l) check_leg(f, {.step = index, .leg = l});
}

/// Nothing is left of a leg on the way back; or it is a pivot that turned out to have happened,
/// when what preceded it was being undone already: a person is asked.
bool is_over(const StepDefinition& step, const LegState& leg) {
  return is_clean(step, leg) ||
         (step.call_class == CallClass::pivot && leg.action.phase == Phase::stopped);
}

/// Nothing is undone before everything that depends on it is settled and undone.
void check_undo_order(Findings& f) {
  for (std::uint16_t s = 0; s < f.state.steps.size(); ++s) {
    const bool undone = std::ranges::any_of(f.state.steps[s].legs, [](const LegState& leg) {
      return leg.undo && leg.undo->attempts > 0;
    });
    if (!undone) continue;
    const auto dependents = reachable(f.definition.order.needed_by, s);
    for (std::uint16_t d = 0; d < dependents.size(); ++d) {
      const bool clean = std::ranges::all_of(f.state.steps[d].legs, [&](const LegState& leg) {
        return is_over(f.definition.steps[d], leg);
      });
      f.expect(!dependents[d] || clean, s, "is undone before what depends on it");
    }
  }
}

void check_pivot(Findings& f) {
  if (!f.definition.order.pivot) return;
  const std::uint16_t index = *f.definition.order.pivot;
  const StepState& pivot = f.state.steps[index];
  const bool passed = is_finished(pivot);
  f.expect(!passed || f.state.decided, index, "is passed, but nothing is decided");
  const bool alarmed = !pivot.legs.empty() && (pivot.legs.front().action.phase == Phase::stopped ||
                                               pivot.legs.front().by_hand);
  f.expect(!passed || !f.state.undoing || alarmed, index, "is passed, and yet it is undone");
  const bool forward = f.state.decided && !f.state.undoing;
  f.expect(!forward || passed, index, "is not passed, but there is no way back");
}

}  // namespace

std::vector<std::string> violated(const Definition& definition, const SagaState& state) {
  Findings f{.definition = definition, .state = state};
  if (state.seq == 0) return f.found;
  f.expect(state.steps.size() == definition.steps.size(), "the definition is another one");
  if (!f.found.empty()) return f.found;
  check_counters(f);
  check_saga(f);
  for (std::uint16_t s = 0; s < state.steps.size(); ++s) check_step(f, s);
  check_undo_order(f);
  check_pivot(f);
  return f.found;
}

}  // namespace skald
