// What may go wrong in a simulated world, by kind; how much of each a seed chooses (swarm testing:
// a random subset with random weights), and the count of what was done.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "tests/sim/random.h"

namespace skald::sim {

enum class Fault : std::uint8_t {
  // one attempt on its way to a participant and back: world_network.cc
  not_connected,
  busy,
  misconfigured,
  lost_race,
  request_lost,
  reply_lost,
  reset,
  garbled,
  server_error,
  accepted,
  late,
  duplicate,
  // participants
  refusal,
  outage,
  // the engine's process, its disk, its clock: world_engine.cc
  crash,
  drain,
  definition_missing,
  slow_commit,
  failed_write,
  stale_owner,
  wall_jump,
  // clients: world_clients.cc; people: world_people.cc
  resubmit,
  other_body,
  cancel,
  retry,
  signal,
  // the mall's life around its sagas: world_mall.cc
  cart_edit,
  price_change,
  payment,
  // more acts of people: world_people.cc
  pause,
  resume,
  abandon,
  skip,
  resolve,
  amend,
  mark_done,
  replay,
  hold,
  // what goes on by itself: world_engine.cc
  removal,
};
inline constexpr std::size_t kFaults = static_cast<std::size_t>(Fault::removal) + 1;

[[nodiscard]] std::string_view name(Fault fault);
[[nodiscard]] std::optional<Fault> fault_of(std::string_view name);
[[nodiscard]] constexpr std::size_t index_of(Fault fault) {
  return static_cast<std::size_t>(fault);
}

/// How often each happens: of an attempt or a commit, a probability; of what strikes now and then
/// (crash, cancel, ...), how many per world.
class FaultMix {
 public:
  /// Each kind by a chance of its own: a new kind changes no other.
  static FaultMix swarm(std::uint64_t seed);
  /// The most that swarm() gives a fault, as a probability or a count.
  [[nodiscard]] double of(Fault fault) const { return rate_[index_of(fault)]; }
  void without(Fault fault) { rate_[index_of(fault)] = 0; }
  void none() { rate_.fill(0); }

 private:
  std::array<double, kFaults> rate_{};
};

/// Whether it strikes at moments of its own, planned when the world is made.
[[nodiscard]] bool is_disturbance(Fault fault);

using FaultCounts = std::array<std::uint64_t, kFaults>;

}  // namespace skald::sim
