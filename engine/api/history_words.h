// A saga's events as lines of history: structured where clients filter, and a sentence for people.
// An act of a person says what it found and what it left.
#pragma once

#include "engine/runtime/engine.h"
#include "skald/v1/service.pb.h"

namespace skald::api {

/// `payloads`: the requests before and after an amendment; without them there are none in it.
void fill_history(const SagaHistory& history, bool payloads, v1::HistoryResponse& to);

}  // namespace skald::api
