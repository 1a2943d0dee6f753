// evolve: folds one event into the state. Total: it never refuses and never decides.
#pragma once

#include "engine/core/event.h"
#include "engine/core/state.h"

namespace skald {

/// Pre: events arrive in the order in which they were decided, the first being event::Started.
/// Pure. Works without the definition, so that histories of retired definitions still fold.
void evolve(SagaState& state, const Event& event);

/// Whether every step and leg that the event names is there, and a history begins with Started and
/// only begins so. Who folds what comes from a disk asks before evolve(); false is damage that no
/// checksum has seen.
[[nodiscard]] bool fits(const SagaState& state, const Event& event);

}  // namespace skald
