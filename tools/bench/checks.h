// What makes a sample worthless: orders that failed, rows at rest that do not add up, or fewer
// synced writes than the orders needed. Pure.
#pragma once

#include "engine/base/result.h"
#include "tools/bench/test_bed.h"

namespace skald::bench {

struct AtRest {
  MallFigures before;
  MallFigures after;
};

/// Errors, of all three: failed_precondition, with the figures that do not agree.
[[nodiscard]] Result<void> check_orders(const Subject& subject, const Sample& sample);
[[nodiscard]] Result<void> check_rest(const Subject& subject, const LoadPlan& plan,
                                      const Sample& sample, const AtRest& rest);
/// One synced write moves each open order by at most one link of its causal chain: so there are at
/// least (links of all orders) / (orders in flight) of them, and as many transitions as links.
[[nodiscard]] Result<void> check_syncs(const Subject& subject, const LoadPlan& plan,
                                       const Sample& sample);

}  // namespace skald::bench
