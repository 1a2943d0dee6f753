// Errc <-> Connect code <-> HTTP status: one table, used by our API, by our participants and by the
// classifier of participants' answers.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "engine/base/error.h"

namespace skald::wire {

/// The Connect code's name, e.g. "failed_precondition".
[[nodiscard]] std::string_view connect_code(Errc code);
[[nodiscard]] std::optional<Errc> errc_of_connect_code(std::string_view code);

/// Source: connectrpc.com/docs/protocol, "Error codes". canceled is 499, not_found 404, ...
[[nodiscard]] unsigned http_status(Errc code);

/// What a client reads into an error answer that has no Connect body (400 internal, 401
/// unauthenticated, 403 permission_denied, 404 unimplemented, 429/502/503/504 unavailable, else
/// unknown). Source: the same page.
[[nodiscard]] Errc errc_of_http_status(unsigned status);

}  // namespace skald::wire
