// An alert as CloudEvent 1.0 in structured JSON: proto/skald/v1/alert.proto says what is in it.
// Pure.
#pragma once

#include <string>
#include <string_view>

#include "engine/base/result.h"
#include "engine/runtime/alert_sender.h"

namespace skald {

inline constexpr std::string_view kCloudEventType = "application/cloudevents+json; charset=utf-8";

/// The same for the same alert, on every delivery and after every crash: receivers deduplicate by
/// it.
[[nodiscard]] std::string event_id(const Alert& alert);
/// "dev.skald.saga.stuck"
[[nodiscard]] std::string event_type(AlertKind kind);
/// Errors: internal, where a time cannot be said in JSON.
[[nodiscard]] Result<std::string> cloud_event(const Alert& alert, const std::string& source);

}  // namespace skald
