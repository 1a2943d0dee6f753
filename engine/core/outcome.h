// Outcome: what one attempt to reach a participant means. Not an error: `unknown` may have
// happened. How an HTTP answer becomes an outcome is in transport/outcome.h; what follows from it,
// in rules_*.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "engine/base/time.h"

namespace skald {

/// Stored and sent. Never renumber.
enum class OutcomeKind : std::uint8_t {
  succeeded = 1,
  rejected = 2,      // definite business no; nothing was done
  not_executed = 3,  // definite: refused before it ran
  unknown = 4,       // may have happened
  pending = 5,       // accepted; ask again
};
inline constexpr std::size_t kOutcomeKinds = 5;

[[nodiscard]] std::string_view name(OutcomeKind kind);

struct Outcome {
  OutcomeKind kind = OutcomeKind::unknown;
  std::string code;     // the participant's own word: "failed_precondition", "503", "timeout"
  std::string message;  // for people; bounded by kOutcomeMessageMax; no payload
  std::optional<Millis> retry_after;
  bool configuration_alert =
      false;  // looks like our configuration is wrong (401, unrouted 404, ...)

  bool operator==(const Outcome&) const = default;
};

inline constexpr std::size_t kOutcomeMessageMax = 512;  // bytes; longer text is cut

}  // namespace skald
