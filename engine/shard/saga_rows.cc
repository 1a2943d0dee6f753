#include "engine/shard/saga_rows.h"

#include "engine/core/failure_class.h"
#include "engine/core/owed.h"

namespace skald {

SagaSummary summary_of(const Definition* definition, const SagaState& state, bool waiting) {
  std::optional<FailureClass> failure = failure_class(definition, state);
  const Instant since = failure ? state.status_since : Instant{};
  return {.definition = state.definition,
          .version = state.version,
          .status = state.status,
          .waiting = waiting,
          .business_key = state.business_key,
          .idempotency_key = state.idempotency_key,
          .started_at = state.started_at,
          .ended_at = state.terminal ? state.updated_at : Instant{},
          .failure = std::move(failure),
          .since = since};
}

bool stored_as_waiting(const SagaState& state, const Definition* definition) {
  if (state.terminal || state.definition_missing) return false;
  if (definition == nullptr) return state.in_flight == 0 && state.backing_off == 0;
  return is_waiting(*definition, state, state.updated_at);
}

std::optional<Instant> stored_timer(const SagaState& state, bool waiting) {
  if (!waiting) return std::nullopt;
  const Instant due = next_wake(state, state.updated_at);
  return due == kNever ? std::nullopt : std::optional(due);
}

}  // namespace skald
