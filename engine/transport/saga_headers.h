// The headers that tell a participant which operation of which saga a request is. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/net/http_message.h"
#include "engine/runtime/invoker.h"

namespace skald {

/// Sent with every attempt. Participants rely on these names: never rename.
inline constexpr std::string_view kIdempotencyKeyHeader = "Idempotency-Key";
inline constexpr std::string_view kSagaIdHeader = "Skald-Saga-Id";
inline constexpr std::string_view kLegHeader = "Skald-Leg";
inline constexpr std::string_view kOperationHeader = "Skald-Operation";
inline constexpr std::string_view kAttemptHeader = "Skald-Attempt";
inline constexpr std::string_view kDeadlineHeader = "Skald-Deadline-Ms";
inline constexpr std::string_view kTraceHeader = "traceparent";

/// The request of one attempt: POST, the content type of the method's protocol, its own headers and
/// those above. `remaining` is what is left of the attempt's time.
[[nodiscard]] HttpRequest saga_request(Invocation& call, std::string target, Millis remaining);

/// W3C traceparent. The trace is the saga, the span one attempt of one operation of one leg: the
/// same after a crash, so that a participant's traces of a resend fall together.
[[nodiscard]] std::string traceparent(const Invocation& call);

}  // namespace skald
