// evolve: folds one event into the state. Total: it never refuses and never decides.
#pragma once

#include "engine/core/event.h"
#include "engine/core/state.h"

namespace skald {

/// Pre: events arrive in the order in which they were decided, the first being event::Started.
/// Pure. Works without the definition, so that histories of retired definitions still fold.
void evolve(SagaState& state, const Event& event);

}  // namespace skald
