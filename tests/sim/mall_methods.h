// The methods of the simulated mall over its tables. Behind the barrier; not to be called past it.
#pragma once

#include "tests/sim/mall.h"

namespace skald::sim {

/// Errors: the participant's refusals.
[[nodiscard]] Result<Bytes> mall_query(const MallTables& tables, const Request& request,
                                       Instant wall);
/// Changes the tables, or refuses and changes nothing.
[[nodiscard]] Result<Bytes> mall_effect(MallTables& tables, const Request& request, Instant wall);
/// The answer of a compensation whose action never took effect.
[[nodiscard]] Bytes mall_nothing_to_undo(const std::string& path);

}  // namespace skald::sim
