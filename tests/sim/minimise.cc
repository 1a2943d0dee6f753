// Minimising: leave things out as long as the same rule is broken (delta debugging).
#include <algorithm>
#include <numeric>

#include "tests/sim/trial.h"
#include "tests/sim/world.h"

namespace skald::sim {
namespace {

constexpr int kTrialsMax = 400;

class Minimiser {
 public:
  Minimiser(Scenario failing, std::string rule)
      : best_(std::move(failing)), rule_(std::move(rule)) {}

  Scenario run() {
    const World whole(best_, false);
    shrink(best_.sagas, whole.submissions());
    drop_faults();
    shrink(best_.disturbances, whole.disturbances());
    drop_faults();
    shrink(best_.sagas, whole.submissions());
    return best_;
  }

 private:
  bool still_wrong(const Scenario& candidate) {
    if (++trials_ > kTrialsMax) return false;
    return rule_of(try_scenario(candidate, Telling::silent).wrongs) == rule_;
  }

  bool take(Scenario candidate) {
    if (!still_wrong(candidate)) return false;
    best_ = std::move(candidate);
    return true;
  }

  void drop_faults() {
    for (std::size_t i = 0; i < kFaults; ++i) {
      if (best_.without[i]) continue;
      Scenario candidate = best_;
      candidate.without.set(i);
      take(std::move(candidate));
    }
  }

  /// Cuts away parts of a list, from halves down to single ones. `kept` is a field of best_.
  void shrink(std::optional<std::vector<std::uint32_t>>& kept, std::size_t whole) {
    if (!kept) {
      kept.emplace(whole);
      std::iota(kept->begin(), kept->end(), 0U);
    }
    for (std::size_t part = std::max<std::size_t>(1, kept->size() / 2);; part /= 2) {
      for (std::size_t at = 0; at < kept->size();) {
        const std::vector<std::uint32_t> before = *kept;
        const auto begin = kept->begin() + static_cast<std::ptrdiff_t>(at);
        kept->erase(begin, begin + static_cast<std::ptrdiff_t>(std::min(part, kept->size() - at)));
        if (still_wrong(best_)) continue;
        *kept = before;
        at += part;
      }
      if (part <= 1) return;
    }
  }

  Scenario best_;
  std::string rule_;
  int trials_ = 0;
};

}  // namespace

Scenario minimise(const Scenario& failing, const std::string& rule) {
  return Minimiser(failing, rule).run();
}

}  // namespace skald::sim
