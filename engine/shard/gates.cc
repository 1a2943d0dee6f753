#include "engine/shard/gates.h"

#include <algorithm>

namespace skald {

std::uint32_t Gates::index_of(const std::string& participant) {
  const auto [found, added] =
      index_.try_emplace(participant, static_cast<std::uint32_t>(gates_.size()));
  if (added) {
    Gate& gate = gates_.emplace_back();
    gate.participant = participant;
    gate.limit = std::max<std::uint32_t>(1, limit_of_(participant));
  }
  return found->second;
}

bool Gates::acquire(std::uint32_t gate, bool urgent) {
  Gate& g = gates_[gate];
  // Nobody overtakes those who wait already.
  const bool queue = !g.urgent.empty() || (!urgent && !g.normal.empty());
  if (queue || !g.has_room(urgent)) return false;
  g.in_flight += 1;
  return true;
}

void Gates::enqueue(std::uint32_t gate, bool urgent, QueuedWant want) {
  Gate& g = gates_[gate];
  (urgent ? g.urgent : g.normal).push_back(std::move(want));
}

std::optional<QueuedWant> Gates::next(std::uint32_t gate) {
  Gate& g = gates_[gate];
  const bool urgent = !g.urgent.empty();
  auto& queue = urgent ? g.urgent : g.normal;
  if (queue.empty() || !g.has_room(urgent)) return std::nullopt;
  QueuedWant want = std::move(queue.front());
  queue.pop_front();
  g.in_flight += 1;
  return want;
}

std::vector<Gates::Load> Gates::loads() const {
  std::vector<Load> result;
  result.reserve(gates_.size());
  for (const Gate& g : gates_) {
    result.push_back({.participant = g.participant,
                      .in_flight = g.in_flight,
                      .limit = g.limit,
                      .queued = g.urgent.size() + g.normal.size()});
  }
  return result;
}

}  // namespace skald
