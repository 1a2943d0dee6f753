// One event as a line of history: structured where clients filter, and a sentence for people. No
// payloads.
#pragma once

#include "engine/core/event.h"
#include "skald/v1/saga.pb.h"

namespace skald::api {

/// `state` names the legs (any later state of the saga will do); `definition` may be null. `seq`
/// counts from 1.
void fill_event(const Definition* definition, const SagaState& state, std::uint64_t seq,
                const Event& event, v1::HistoryEvent& to);

}  // namespace skald::api
