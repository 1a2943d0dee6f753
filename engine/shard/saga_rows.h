// What a store holds of a saga beside its records, as its state and definition say. Written with
// each change by the shard, and held against what is stored by a check of the store.
#pragma once

#include "engine/core/definition.h"
#include "engine/shard/transition.h"

namespace skald {

/// `definition` is null where it is not registered. Pure.
[[nodiscard]] SagaSummary summary_of(const Definition* definition, const SagaState& state,
                                     bool waiting);

/// Whether the store has the rows of a waiting saga: those of its last write, which the same
/// functions made. Where the definition has gone since, nobody can tell any more, and it is taken
/// for waiting if it can be: then its timer's row goes and the row of an active saga is put, and
/// doing either for nothing is harmless.
[[nodiscard]] bool stored_as_waiting(const SagaState& state, const Definition* definition);

/// The timer row of a waiting saga, as of its last write.
[[nodiscard]] std::optional<Instant> stored_timer(const SagaState& state, bool waiting);

}  // namespace skald
