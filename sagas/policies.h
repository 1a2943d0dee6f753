// Numbers of the mall's sagas that may be tuned without a new version of a definition.
#pragma once

#include "engine/base/time.h"

namespace skald::sagas {

/// From submission to the pivot. An order that takes longer is undone.
inline constexpr Millis kOrderDeadline{5LL * 60 * 1'000};
/// Deductions or rollbacks of one order in flight at once.
inline constexpr std::uint32_t kStockLegsParallel = 16;

}  // namespace skald::sagas
