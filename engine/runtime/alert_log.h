// AlertLog: alerts as log lines, at most one of a kind and place in a while: a participant that is
// down makes thousands. Metrics count all of them.
#pragma once

#include <map>
#include <tuple>

#include "engine/base/log.h"
#include "engine/base/time.h"
#include "engine/shard/alert.h"

namespace skald {

inline constexpr Millis kAlertEvery{10'000};           // of one kind, definition and participant
inline constexpr std::size_t kAlertPlacesMax = 1'024;  // remembered; beyond it all are forgotten

/// News that needs nobody is not among them. Thread: one, its shard's.
class AlertLog {
 public:
  void tell(const Logger& log, const Alert& alert, Instant now);

 private:
  struct Told {
    Instant at{};
    std::uint64_t kept_back = 0;  // since then
  };
  using Place = std::tuple<AlertKind, std::string, std::string>;
  std::map<Place, Told> told_;
  Instant full_told_{};
};

}  // namespace skald
