#include "engine/shard/gates.h"

#include <algorithm>

namespace skald {
namespace {

constexpr double kRecentWeight = 1.0 / 32;  // of one answer in the recent figures
constexpr std::string_view kOtherPaths = "*";

}  // namespace

std::uint32_t Gates::participant_of(const std::string& name) {
  const auto [found, added] =
      participant_index_.try_emplace(name, static_cast<std::uint32_t>(participants_.size()));
  if (added) {
    Participant& participant = participants_.emplace_back();
    participant.name = name;
    participant.limit = std::max<std::uint32_t>(1, options_.limit_of(name));
    participant.held = holds_.contains({name, ""});
  }
  return found->second;
}

std::uint32_t Gates::lane_of(const std::string& name, const std::string& method) {
  key_.assign(name).append(method);
  if (const auto found = lane_index_.find(key_); found != lane_index_.end()) return found->second;
  const std::uint32_t participant = participant_of(name);
  std::string path = method;
  if (participants_[participant].lanes.size() >= kLanesMax) {
    path = kOtherPaths;
    key_.assign(name).append(path);
    if (const auto found = lane_index_.find(key_); found != lane_index_.end()) {
      return found->second;
    }
  }
  const auto index = static_cast<std::uint32_t>(lanes_.size());
  const bool held = holds_.contains({name, path});
  lanes_.push_back({.participant = participant,
                    .path = std::move(path),
                    .breaker = Breaker(options_.breaker),
                    .held = held});
  lane_index_.emplace(key_, index);
  participants_[participant].lanes.push_back(index);
  return index;
}

bool Gates::is_open(const Lane& lane, Instant now) const {
  return !lane.held && !participants_[lane.participant].held && lane.breaker.allows(now);
}

void Gates::take(Lane& lane) {
  lane.in_flight += 1;
  participants_[lane.participant].in_flight += 1;
  lane.breaker.take();
}

bool Gates::somebody_waits(const Participant& participant, bool urgent, Instant now) const {
  if (participant.queued == 0) return false;
  return std::ranges::any_of(participant.lanes, [&](std::uint32_t index) {
    const Lane& lane = lanes_[index];
    return (!lane.urgent.empty() || (!urgent && !lane.normal.empty())) && is_open(lane, now);
  });
}

bool Gates::acquire(std::uint32_t index, bool urgent, Instant now) {
  Lane& lane = lanes_[index];
  const Participant& participant = participants_[lane.participant];
  if (!is_open(lane, now) || !participant.has_room(urgent)) return false;
  if (somebody_waits(participant, urgent, now)) return false;
  take(lane);
  return true;
}

void Gates::release(std::uint32_t index) {
  Lane& lane = lanes_[index];
  lane.in_flight -= 1;
  participants_[lane.participant].in_flight -= 1;
  lane.breaker.give_back();
}

void Gates::answered(std::uint32_t index, const Outcome& outcome, Micros took, Instant now) {
  Lane& lane = lanes_[index];
  lane.in_flight -= 1;
  participants_[lane.participant].in_flight -= 1;
  const bool sick = is_sick(outcome);
  const bool was_well = lane.breaker.state() == BreakerState::closed;
  lane.breaker.answered(sick, now);
  const bool is_well = lane.breaker.state() == BreakerState::closed;
  if (was_well && !is_well) unwell_.push_back(index);
  if (!was_well && is_well) std::erase(unwell_, index);
  const double weight = lane.answers == 0 ? 1.0 : kRecentWeight;
  lane.answers += 1;
  lane.sick += sick ? 1 : 0;
  lane.recent_sick += weight * ((sick ? 1.0 : 0.0) - lane.recent_sick);
  lane.recent_took_ms += weight * (static_cast<double>(took.count()) / 1'000 - lane.recent_took_ms);
}

void Gates::enqueue(std::uint32_t index, bool urgent, QueuedWant want) {
  Lane& lane = lanes_[index];
  (urgent ? lane.urgent : lane.normal).push_back(std::move(want));
  participants_[lane.participant].queued += 1;
}

std::optional<Gates::Next> Gates::next_of(Participant& participant, bool urgent, Instant now) {
  if (!participant.has_room(urgent)) return std::nullopt;
  for (std::size_t i = 0; i < participant.lanes.size(); ++i) {
    const std::size_t turn = (participant.turn + i) % participant.lanes.size();
    Lane& lane = lanes_[participant.lanes[turn]];
    auto& queue = urgent ? lane.urgent : lane.normal;
    if (queue.empty() || !is_open(lane, now)) continue;
    Next next{.lane = participant.lanes[turn], .waiting = std::move(queue.front())};
    queue.pop_front();
    participant.queued -= 1;
    take(lane);
    participant.turn = turn + 1;
    return next;
  }
  return std::nullopt;
}

std::optional<Gates::Next> Gates::next(std::uint32_t lane, Instant now) {
  Participant& participant = participants_[lanes_[lane].participant];
  if (participant.held) return std::nullopt;
  if (auto urgent = next_of(participant, true, now)) return urgent;
  return next_of(participant, false, now);
}

void Gates::hold(const std::string& participant, const std::string& path, bool held) {
  if (held) {
    holds_.emplace(participant, path);
  } else {
    holds_.erase({participant, path});
  }
  const auto found = participant_index_.find(participant);
  if (found == participant_index_.end()) return;
  Participant& known = participants_[found->second];
  if (path.empty()) known.held = held;
  for (const std::uint32_t index : known.lanes) {
    if (lanes_[index].path == path) lanes_[index].held = held;
  }
}

std::vector<std::uint32_t> Gates::waiting_lanes(Instant now) const {
  std::vector<std::uint32_t> waiting;
  for (std::uint32_t index = 0; index < lanes_.size(); ++index) {
    const Lane& lane = lanes_[index];
    const bool anybody = !lane.urgent.empty() || !lane.normal.empty();
    if (anybody && is_open(lane, now)) waiting.push_back(index);
  }
  return waiting;
}

Instant Gates::next_wake(Instant now) const {
  Instant earliest = kNever;
  for (const std::uint32_t index : unwell_) {
    const Lane& lane = lanes_[index];
    const bool anybody = !lane.urgent.empty() || !lane.normal.empty();
    const bool held = lane.held || participants_[lane.participant].held;
    const Instant tries_at = lane.breaker.tries_at();
    if (anybody && !held && tries_at > now) earliest = std::min(earliest, tries_at);
  }
  return earliest;
}

std::vector<Gates::Load> Gates::loads() const {
  std::vector<Load> result;
  result.reserve(lanes_.size());
  for (const Lane& lane : lanes_) {
    const Participant& participant = participants_[lane.participant];
    result.push_back({.participant = participant.name,
                      .path = lane.path,
                      .in_flight = lane.in_flight,
                      .limit = participant.limit,
                      .queued = lane.urgent.size() + lane.normal.size(),
                      .held = lane.held || participant.held,
                      .breaker = lane.breaker.state(),
                      .tries_at = lane.breaker.tries_at(),
                      .answers = lane.answers,
                      .sick = lane.sick,
                      .recent_sick = lane.recent_sick,
                      .recent_took_ms = lane.recent_took_ms});
  }
  return result;
}

}  // namespace skald
