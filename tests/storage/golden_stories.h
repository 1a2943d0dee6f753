// The sagas of the golden store: one in each state that this version writes, their histories made
// by the engine's own rules.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/core/event.h"
#include "engine/core/state.h"
#include "engine/shard/transition.h"

namespace skald::storage {

struct Story {
  SagaId id;
  std::vector<Event> history;
  std::vector<std::size_t> records;  // how many events each record has
  bool waiting = false;              // at the end
  std::optional<Instant> timer;      // likewise
};

[[nodiscard]] std::vector<Story> golden_stories();

[[nodiscard]] SagaState fold(std::span<const Event> events);
/// The transition that writes record `which` of a story.
[[nodiscard]] Transition transition_of(const Story& story, std::size_t which);

}  // namespace skald::storage
