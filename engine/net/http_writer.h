// HTTP/1.1 messages to bytes: one buffer, one write. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "engine/net/http_message.h"

namespace skald {

struct ResponseForm {
  bool keep_alive = true;  // false: "Connection: close"
  bool head_only = false;  // answers a HEAD: the length is sent, the body is not
};

/// Appends the response with its length. A status outside 200..599 or a header that could break the
/// message (control characters, a name that is no token, framing fields) makes it a bare 500.
void append_response(std::string& out, const HttpResponse& response, ResponseForm form);

/// Appends the request with Host and length. A fault (a constant; nothing is appended then): a
/// method, target, host or header that could break the message.
[[nodiscard]] std::optional<std::string_view> append_request(std::string& out,
                                                             std::string_view host,
                                                             const HttpRequest& request);

}  // namespace skald
