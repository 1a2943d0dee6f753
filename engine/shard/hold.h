// ParticipantHold: an operator's word that nothing is to be sent to a participant, or to one of its
// methods, until it is released. Durable as a note; kept in memory by the gates.
#pragma once

#include <string>

#include "engine/core/event.h"

namespace skald {

struct ParticipantHold {
  std::string participant;
  std::string path;  // empty: all its methods
  Actor actor;
  Instant at{};
  bool operator==(const ParticipantHold&) const = default;
};

inline constexpr std::size_t kHoldsMax = 1'000;
inline constexpr std::size_t kHoldNameMax = 255;  // bytes of a participant or path

}  // namespace skald
