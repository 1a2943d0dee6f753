// The order in the seven steps of the hand-written chain, in its order: cart, total, discount,
// deduct, write order, use coupon, clear cart. Beside it the same chain with its deductions in
// parallel.
#pragma once

#include "engine/core/definition.h"

namespace skald::sagas {

/// Deducts one SKU after the other, as documented.
[[nodiscard]] Result<DefinitionPtr> create_order_chain();
/// Deducts all SKUs at once.
[[nodiscard]] Result<DefinitionPtr> order_parallel();

}  // namespace skald::sagas
