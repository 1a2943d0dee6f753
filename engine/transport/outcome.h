// From what the wire did to what it means for a leg: the one table of the engine. Pure. What
// follows from an outcome is decided in core/rules_reply.cc.
//
//   succeeded     2xx (dtm: exactly 200)
//   pending       202 (dtm: not), 425; 409 after an unknown attempt where the participant keeps
//   keys;
//                 dtm: FAILED_PRECONDITION, or ONGOING in the body
//   rejected      409, 422, a routed 404 and other 4xx; the Connect codes for a wrong request or
//   state
//                 (dtm: 409, ABORTED, or FAILURE in the body, and nothing else)
//   not_executed  no connection, 429 and RESOURCE_EXHAUSTED, ABORTED; with a configuration alert:
//   3xx,
//                 401, 403, 405, 415, 501, an unrouted 404 and their Connect codes
//   unknown       all else: timeouts, resets, malformed and oversized answers, 408, 499, other 5xx,
//                 CANCELED, DEADLINE_EXCEEDED, INTERNAL, UNKNOWN, UNAVAILABLE, DATA_LOSS
//
// A Connect participant is read by the Connect code of its error body, and by its status where
// there is none; 202 and 425 speak for themselves. A method's own rules (Method::outcomes) come
// first.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "engine/core/definition.h"
#include "engine/core/outcome.h"
#include "engine/net/http_client.h"

namespace skald {

/// A Retry-After beyond it is cut to it: a participant does not park a saga for days.
inline constexpr Millis kRetryAfterMax{3'600'000};

/// What one attempt means. `now_unix_s` is the wall time, against which a Retry-After date is read.
[[nodiscard]] Outcome classify(const Method& method, const Exchange& exchange, bool after_unknown,
                               std::int64_t now_unix_s);

/// Retry-After as seconds or as an HTTP date (RFC 9110 section 5.6.7, IMF-fixdate); a past date is
/// 0. nullopt: neither.
[[nodiscard]] std::optional<Millis> parse_retry_after(std::string_view text,
                                                      std::int64_t now_unix_s);

}  // namespace skald
