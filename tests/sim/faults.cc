#include "tests/sim/faults.h"

#include <algorithm>

namespace skald::sim {
namespace {

struct Kind {
  Fault fault;
  std::string_view name;
  double in_worlds;  // share of worlds that have it
  double most;       // a probability, or a count where it is a disturbance
  bool disturbance = false;
};

constexpr std::array<Kind, kFaults> kKinds = {{
    {Fault::not_connected, "not_connected", 0.4, 0.2},
    {Fault::busy, "busy", 0.3, 0.2},
    {Fault::misconfigured, "misconfigured", 0.2, 0.1},
    {Fault::lost_race, "lost_race", 0.3, 0.2},
    {Fault::request_lost, "request_lost", 0.5, 0.2},
    {Fault::reply_lost, "reply_lost", 0.5, 0.2},
    {Fault::reset, "reset", 0.4, 0.2},
    {Fault::garbled, "garbled", 0.3, 0.1},
    {Fault::server_error, "server_error", 0.4, 0.2},
    {Fault::accepted, "accepted", 0.4, 0.3},
    {Fault::late, "late", 0.4, 0.3},
    {Fault::duplicate, "duplicate", 0.4, 0.3},
    {Fault::refusal, "refusal", 0.7, 0.3},
    {Fault::outage, "outage", 0.3, 4, true},
    {Fault::crash, "crash", 0.6, 10, true},
    {Fault::drain, "drain", 0.2, 3, true},
    {Fault::definition_missing, "definition_missing", 0.2, 3, true},
    {Fault::slow_commit, "slow_commit", 0.4, 0.3},
    {Fault::failed_write, "failed_write", 0.2, 3, true},
    {Fault::stale_owner, "stale_owner", 0.4, 1.0},
    {Fault::wall_jump, "wall_jump", 0.2, 6, true},
    {Fault::resubmit, "resubmit", 0.4, 10, true},
    {Fault::other_body, "other_body", 0.3, 5, true},
    {Fault::cancel, "cancel", 0.4, 30, true},
    {Fault::retry, "retry", 0.4, 30, true},
    {Fault::signal, "signal", 0.7, 60, true},
    {Fault::cart_edit, "cart_edit", 0.5, 20, true},
    {Fault::price_change, "price_change", 0.4, 5, true},
    {Fault::payment, "payment", 0.5, 20, true},
    {Fault::pause, "pause", 0.3, 20, true},
    {Fault::resume, "resume", 0.3, 20, true},
    {Fault::abandon, "abandon", 0.15, 4, true},
    {Fault::skip, "skip", 0.25, 20, true},
    {Fault::resolve, "resolve", 0.25, 20, true},
    {Fault::amend, "amend", 0.25, 20, true},
    {Fault::mark_done, "mark_done", 0.25, 20, true},
    {Fault::replay, "replay", 0.3, 20, true},
    {Fault::hold, "hold", 0.3, 6, true},
    {Fault::removal, "removal", 0.2, 1.0},
}};

constexpr std::uint64_t kOfKind = 400;

constexpr bool in_order() {
  for (std::size_t i = 0; i < kFaults; ++i) {
    if (index_of(kKinds[i].fault) != i) return false;
  }
  return true;
}
static_assert(in_order());

}  // namespace

std::string_view name(Fault fault) { return kKinds[index_of(fault)].name; }

std::optional<Fault> fault_of(std::string_view name) {
  const auto found = std::ranges::find(kKinds, name, &Kind::name);
  if (found == kKinds.end()) return std::nullopt;
  return found->fault;
}

bool is_disturbance(Fault fault) { return kKinds[index_of(fault)].disturbance; }

FaultMix FaultMix::swarm(std::uint64_t seed) {
  FaultMix mix;
  for (const Kind& kind : kKinds) {
    Random random = Random::of({seed, kOfKind, index_of(kind.fault)});
    const bool has = random.chance(kind.in_worlds);
    const double share = static_cast<double>(random.between(1, 1'000)) / 1'000;
    if (has) mix.rate_[index_of(kind.fault)] = kind.most * share;
  }
  return mix;
}

}  // namespace skald::sim
