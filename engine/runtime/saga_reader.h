// Reads sagas back from a store: records to events to a state. Blocks; for the blocking pool.
#pragma once

#include <optional>
#include <vector>

#include "engine/core/event.h"
#include "engine/core/folding.h"
#include "engine/core/state.h"
#include "engine/shard/input.h"
#include "engine/store/store.h"

namespace skald {

/// The saga's state as last acknowledged. nullopt: no such saga.
/// Errors: the store's, and data_loss (a record is damaged, or one is missing in the sequence).
[[nodiscard]] Result<std::optional<SagaState>> read_saga(Store& store, const SagaId& id);
/// The same for its shard, which goes on folding where its last owner stopped.
[[nodiscard]] input::SagaLoaded load_saga(Store& store, const SagaId& id);

/// The sagas that replay it, oldest first, found by their keys. Only what has failed has some.
[[nodiscard]] Result<std::vector<SagaId>> replays_of(Store& store, const SagaState& state);

struct ReadHistory {
  SagaState state;
  std::vector<Event> events;
  RunOfRepeats run;
};
[[nodiscard]] Result<std::optional<ReadHistory>> read_history(Store& store, const SagaId& id);

}  // namespace skald
