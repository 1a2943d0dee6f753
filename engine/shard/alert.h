// Alert: something that a person should know of, once; the saga's history has the facts. Logged and
// counted by the runtime when what it tells is durable.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "engine/base/ids.h"

namespace skald {

/// Sent by name.
enum class AlertKind : std::uint8_t {
  stuck = 1,            // a person is needed
  configuration = 2,    // an answer that looks like a wrong configuration of ours
  deadline_missed = 3,  // where it can only alert (rule 8)
  late_success = 4,     // a refused pivot turned out to have happened (rule 3)
};
inline constexpr std::size_t kAlertKinds = 4;
[[nodiscard]] std::string_view name(AlertKind kind);

struct Alert {
  AlertKind kind = AlertKind::stuck;
  SagaId saga;
  std::string definition;
  std::string leg;          // empty: the saga as a whole
  std::string participant;  // likewise
  std::string code;         // the participant's own word
};

}  // namespace skald
