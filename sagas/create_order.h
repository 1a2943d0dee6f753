// create_order: an order in the recommended order of steps. The order is written first and
// invisible (creating), stock is taken, the coupon decides, and only then may the order be paid.
#pragma once

#include "engine/core/definition.h"

namespace skald::sagas {

[[nodiscard]] Result<DefinitionPtr> create_order();

}  // namespace skald::sagas
