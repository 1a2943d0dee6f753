#include "tools/bench/checks.h"

#include <array>
#include <span>
#include <string_view>

namespace skald::bench {
namespace {

struct Count {
  std::string_view what;
  std::int64_t found = 0;
  std::int64_t wanted = 0;
};

Result<void> agree(const Subject& subject, std::span<const Count> counts) {
  for (const Count& count : counts) {
    if (count.found == count.wanted) continue;
    return fail(Errc::failed_precondition, "{} {}: at rest there are {} {} more, not {}",
                subject.system, subject.shape, count.found, count.what, count.wanted);
  }
  return {};
}

}  // namespace

Result<void> check_orders(const Subject& subject, const Sample& sample) {
  const LoadResult& load = sample.load;
  if (load.placed > 0 && load.failed == 0) return {};
  return fail(Errc::failed_precondition, "{} {}: of {} orders {} neither completed nor were undone",
              subject.system, subject.shape, load.placed, load.failed);
}

Result<void> check_rest(const Subject& subject, const LoadPlan& plan, const Sample& sample,
                        const AtRest& rest) {
  const auto completed = static_cast<std::int64_t>(sample.load.completed);
  const MallFigures& a = rest.after;
  const MallFigures& b = rest.before;
  if (a.negative != 0) {
    return fail(Errc::failed_precondition, "{} {}: {} SKUs got back more than was taken",
                subject.system, subject.shape, a.negative);
  }
  switch (subject.trace) {
    case Trace::orders: {
      const std::array counts{Count{"locked units", a.locked - b.locked, completed * plan.skus},
                              Count{"orders", a.orders - b.orders, completed},
                              Count{"used coupons", a.coupons - b.coupons, completed},
                              Count{"cleared carts", a.carts_cleared - b.carts_cleared, completed}};
      return agree(subject, counts);
    }
    case Trace::branches: {
      const std::array counts{
          Count{"branches", a.branches - b.branches, completed * subject.branches}};
      return agree(subject, counts);
    }
  }
  return {};
}

Result<void> check_syncs(const Subject& subject, const LoadPlan& plan, const Sample& sample) {
  if (!subject.causal) return {};
  const std::uint64_t links =
      sample.load.completed * static_cast<std::uint64_t>(subject.causal->syncs_completed) +
      sample.load.undone * static_cast<std::uint64_t>(subject.causal->syncs_undone);
  if (sample.engine.transitions < links) {
    return fail(Errc::failed_precondition,
                "{} {}: {} durable transitions, but its orders need {} one after another",
                subject.system, subject.shape, sample.engine.transitions, links);
  }
  if (sample.engine.commits * plan.in_flight < links) {
    return fail(Errc::failed_precondition,
                "{} {}: {} synced writes are fewer than {} links of orders divided by {} in flight",
                subject.system, subject.shape, sample.engine.commits, links, plan.in_flight);
  }
  return {};
}

}  // namespace skald::bench
