// Many seeds on several processes: one world at a time in each, seeds handed out in order.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "tests/sim/world.h"

namespace skald::sim {

struct CampaignOptions {
  std::uint64_t first_seed = 1;
  std::uint64_t seeds_max = ~0ULL;
  std::uint64_t sagas = 100'000;
  double seconds_max = 1e9;
  unsigned jobs = 1;
  /// Every so many worlds one is run again, and must tell the same story bit for bit. 0: none.
  std::uint64_t replayed_every = 64;
  std::bitset<kFaults> without;
};

struct CampaignResult {
  WorldFigures figures;
  std::uint64_t replayed = 0;
  std::optional<std::uint64_t> failing_seed;  // the smallest found
  double seconds = 0;
};

/// Prints progress on stderr every ten seconds. Ends every process it started.
[[nodiscard]] CampaignResult run_campaign(const CampaignOptions& options);

/// What should have happened in so many sagas and never did: a campaign that does not reach it
/// shows nothing about it. Empty for short runs.
[[nodiscard]] std::vector<std::string_view> never_met(const CampaignResult& result,
                                                      const CampaignOptions& options);
void print_figures(const CampaignResult& result, const CampaignOptions& options);

}  // namespace skald::sim
