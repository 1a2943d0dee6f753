// cancel_order: the reverse business process, itself a saga. The compare-and-set unpaid ->
// cancelled decides; stock and coupon follow. Losing it ends the saga with the status that won.
#pragma once

#include "engine/core/definition.h"

namespace skald::sagas {

[[nodiscard]] Result<DefinitionPtr> cancel_order();

}  // namespace skald::sagas
