#include "engine/runtime/participants.h"

#include <algorithm>

#include "engine/core/order.h"
#include "engine/wire/stored.h"

namespace skald {
namespace {

constexpr std::string_view kPrefix = "hold/";

void add_load(Gates::Load& to, const Gates::Load& from) {
  const std::uint64_t answers = to.answers + from.answers;
  const double share = answers == 0 ? 0 : static_cast<double>(from.answers) / double(answers);
  to.recent_sick += share * (from.recent_sick - to.recent_sick);
  to.recent_took_ms += share * (from.recent_took_ms - to.recent_took_ms);
  to.answers = answers;
  to.sick += from.sick;
  to.in_flight += from.in_flight;
  to.limit += from.limit;
  to.queued += from.queued;
  to.held = to.held || from.held;
  // The worst of the shards' breakers: open before trying before closed.
  if (from.breaker == BreakerState::open || to.breaker == BreakerState::closed) {
    to.breaker = from.breaker;
  }
  to.tries_at = std::min(to.tries_at, from.tries_at);
}

}  // namespace

std::string hold_note_name(const std::string& participant, const std::string& path) {
  return std::string(kPrefix) + participant + path;
}

Result<void> HoldBook::load(Store& store) {
  const auto notes = store.notes(kPrefix);
  if (!notes) return std::unexpected(notes.error());
  for (const Note& note : *notes) {
    auto hold = wire::decode_hold(note.value.value_or(Bytes()));
    if (!hold) {
      return fail(Errc::data_loss, "note {}: {}", note.name, hold.error().message);
    }
    add(std::move(*hold));
  }
  return {};
}

void HoldBook::add(ParticipantHold hold) {
  const std::scoped_lock lock(mutex_);
  auto place = std::make_pair(hold.participant, hold.path);
  holds_.insert_or_assign(std::move(place), std::move(hold));
}

void HoldBook::remove(const std::string& participant, const std::string& path) {
  const std::scoped_lock lock(mutex_);
  holds_.erase({participant, path});
}

std::size_t HoldBook::size() const {
  const std::scoped_lock lock(mutex_);
  return holds_.size();
}

std::optional<ParticipantHold> HoldBook::find(const std::string& participant,
                                              const std::string& path) const {
  const std::scoped_lock lock(mutex_);
  const auto found = holds_.find({participant, path});
  return found == holds_.end() ? std::nullopt : std::optional(found->second);
}

std::optional<ParticipantHold> HoldBook::that_holds(const std::string& participant,
                                                    const std::string& path) const {
  if (auto whole = find(participant, "")) return whole;
  return path.empty() ? std::nullopt : find(participant, path);
}

std::vector<ParticipantHold> HoldBook::all() const {
  const std::scoped_lock lock(mutex_);
  std::vector<ParticipantHold> holds;
  for (const auto& [place, hold] : holds_) holds.push_back(hold);
  return holds;
}

std::vector<ParticipantFigures> sum_participants(
    const std::vector<std::vector<Gates::Load>>& shards, const HoldBook& holds) {
  std::map<std::pair<std::string, std::string>, Gates::Load> loads;
  for (const auto& shard : shards) {
    for (const Gates::Load& load : shard) {
      const auto [known, first] = loads.try_emplace({load.participant, load.path}, load);
      if (!first) add_load(known->second, load);
    }
  }
  for (const ParticipantHold& hold : holds.all()) {
    const auto known = std::ranges::any_of(loads, [&](const auto& entry) {
      return entry.first.first == hold.participant &&
             (hold.path.empty() || entry.first.second == hold.path);
    });
    if (known) continue;
    loads[{hold.participant, hold.path}] = {
        .participant = hold.participant, .path = hold.path, .held = true};
  }
  std::vector<ParticipantFigures> figures;
  figures.reserve(loads.size());
  for (auto& [place, load] : loads) {
    auto hold = holds.that_holds(place.first, place.second);
    figures.push_back({.load = std::move(load), .hold = std::move(hold)});
  }
  return figures;
}

std::vector<HeldBack> held_back(const Definition& definition, const std::vector<Want>& wants,
                                const std::vector<ParticipantFigures>& figures,
                                const HoldBook& holds) {
  std::vector<HeldBack> back;
  for (const Want& want : wants) {
    const Method& method = plan_of(definition.steps[want.leg.step], want.operation).method;
    HeldBack held{.want = want, .hold = holds.that_holds(method.participant, method.path)};
    const auto figure = std::ranges::find_if(figures, [&](const ParticipantFigures& f) {
      return f.load.participant == method.participant && f.load.path == method.path;
    });
    if (figure != figures.end()) {
      held.breaker = figure->load.breaker;
      held.tries_at = figure->load.tries_at;
    }
    if (held.hold || held.breaker != BreakerState::closed) back.push_back(std::move(held));
  }
  return back;
}

}  // namespace skald
