// What SagaService answers to searches. The calls themselves are members of SagaService.
#pragma once

#include "engine/filter/filter.h"
#include "engine/runtime/engine.h"

namespace skald::api {

/// Finds exactly the sagas of one group, among those that were asked for.
[[nodiscard]] filter::Filter filter_of(const FailureGroup& group, GroupBy by,
                                       const filter::Filter& asked);

}  // namespace skald::api
