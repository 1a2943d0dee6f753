#include "tests/sim/gate_auditor.h"

#include <fmt/format.h>

namespace skald::sim {
namespace {

Place place_of(const Invocation& call) { return {call.method->participant, call.method->path}; }

}  // namespace

void GateAuditor::begins(std::uint32_t limit, const BreakerPolicy& breaker, std::set<Place> found) {
  limit_ = limit;
  breaker_ = breaker;
  held_ = std::move(found);
  lanes_.clear();
  out_.clear();
  unanswered_.clear();
  for (const auto& [place, held] : promised_) {
    if (held_.contains(place) == held) continue;
    wrong_(fmt::format("hold {}{} was {} for good, and is not after a restart", place.first,
                       place.second, held ? "held" : "released"));
  }
}

void GateAuditor::asked(const Place& place) {
  unanswered_[place] += 1;
  promised_.erase(place);
}

void GateAuditor::promised(const Place& place, bool held) {
  // What was asked after it may be durable as well, though nobody was told.
  if (--unanswered_[place] == 0) promised_[place] = held;
}

void GateAuditor::in_force(const Place& place, bool held) {
  if (held) {
    held_.insert(place);
  } else {
    held_.erase(place);
  }
}

void GateAuditor::leaves(std::uint32_t shard, const Invocation& call, Instant now) {
  const Place place = place_of(call);
  const auto told = [&](std::string_view what) {
    wrong_(fmt::format("{}: {} {}/{}#{} leaves for {}{}", what, call.saga_id.text(), call.leg,
                       name(call.operation), call.attempt, place.first, place.second));
  };
  if (held_.contains(place) || held_.contains({place.first, ""})) told("hold of a participant");
  if (++out_[{shard, place.first}] > limit_) told("limit of a participant");
  Lane& lane = lanes_[{shard, place}];
  if (!lane.open) return;
  if (lane.trying || now < lane.open_until) told("breaker is open");
  lane.trying = true;
}

void GateAuditor::answered(std::uint32_t shard, const Invocation& call, const Outcome& outcome,
                           Instant now) {
  out_[{shard, call.method->participant}] -= 1;
  Lane& lane = lanes_[{shard, place_of(call)}];
  if (!is_sick(outcome)) {
    lane = {};
    return;
  }
  lane.failures += 1;
  // What left before it opened says nothing new.
  if (lane.open ? !lane.trying : lane.failures < breaker_.failures_to_open) return;
  lane.open = true;
  lane.trying = false;
  lane.open_until = now + breaker_.open_for;
  opened_ += 1;
}

}  // namespace skald::sim
