// What may run next, forward and backward, given dependencies and what is known of each leg.
// Questions only: asked by the rules when they act and by owed() when it looks.
#pragma once

#include <vector>

#include "engine/core/decide.h"

namespace skald {

/// All needs of the step are done or skipped.
[[nodiscard]] bool needs_met(const Definition& definition, const SagaState& state,
                             std::uint16_t step);

/// nullptr: the leg has no such operation (yet).
[[nodiscard]] const OperationState* find_operation(const LegState& leg, Operation operation);
/// Pre: the step has one.
[[nodiscard]] const OperationPlan& plan_of(const StepDefinition& step, Operation operation);

/// How much of its own time an operation has used: what was spent paused does not count.
[[nodiscard]] Millis time_used(const OperationState& operation, Instant now);

/// The pivot's intent is durable and its answer is not definite: the saga is undecided (rule 6).
[[nodiscard]] bool pivot_in_flight(const Definition& definition, const SagaState& state);

/// A leg was refused, or turning back was asked for, and the saga has not turned back yet: it waits
/// for a step that finishes all its legs, or for its pivot. Nothing new is begun meanwhile.
[[nodiscard]] bool holds_back(const SagaState& state);

/// What the participant keeps for this operation now: its keys mode, or none once its keys have
/// lived out (rule 4).
[[nodiscard]] KeysMode keys_now(const OperationPlan& plan, const OperationState& operation,
                                Instant now);

/// The keys allow to undo a leg that may have happened without settling it first: only under
/// barrier, and only by a compensation that needs no receipt (rule 4).
[[nodiscard]] bool keys_allow_undo(const StepDefinition& step, const LegState& leg, Instant now);

/// The leg is undone next, not asked again: the keys allow it, and it is not `pending` any more, or
/// its time is spent (rule 5).
[[nodiscard]] bool undo_settles(const StepDefinition& step, const LegState& leg, Instant now);

/// Nothing of this leg is left to settle or undo.
[[nodiscard]] bool is_clean(const StepDefinition& step, const LegState& leg);

/// For each step: every step that needs it, directly or not, is clean; so its own legs may be
/// undone.
[[nodiscard]] std::vector<bool> unblocked_for_undo(const Definition& definition,
                                                   const SagaState& state);
[[nodiscard]] bool all_clean(const Definition& definition, const SagaState& state);

/// The leg is within its step's window of parallel legs.
[[nodiscard]] bool in_window(const StepDefinition& definition, const StepState& step,
                             std::uint32_t leg);

/// May this operation be sent now? The one answer for Dispatch, wants and owed().
[[nodiscard]] bool is_wanted(const Definition& definition, const SagaState& state, const Want& want,
                             const std::vector<bool>& unblocked, Instant now);
/// The same, computing `unblocked` only where the answer needs it.
[[nodiscard]] bool is_wanted(const Definition& definition, const SagaState& state, const Want& want,
                             Instant now);

/// Appends every operation of the leg that is_wanted().
void collect_wants(const Definition& definition, const SagaState& state, LegRef ref,
                   const std::vector<bool>& unblocked, Instant now, std::vector<Want>& wants);

/// Everything wanted now, over the whole saga.
[[nodiscard]] std::vector<Want> all_wants(const Definition& definition, const SagaState& state,
                                          Instant now);

}  // namespace skald
