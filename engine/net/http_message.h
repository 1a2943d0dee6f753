// HTTP requests and responses as plain values, and the limits that every reader of them enforces.
// No Beast or asio type appears here: code that handles messages compiles without them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/net/header_lines.h"

namespace skald {

struct HttpHeader {
  std::string name;
  std::string value;
  bool operator==(const HttpHeader&) const = default;
};

/// ASCII letters only, as names in HTTP are compared.
[[nodiscard]] bool equal_ignoring_case(std::string_view a, std::string_view b);

/// Case-insensitive look-up; nullptr when absent.
[[nodiscard]] const std::string* find_header(const std::vector<HttpHeader>& headers,
                                             std::string_view name);

struct HttpRequest {
  std::string method;  // "POST"
  std::string target;  // "/skald.v1.SagaService/Submit?x=y", undecoded
  std::vector<HttpHeader> headers;
  HeaderLines header_lines;  // sent after `headers`; a request that was received has none
  std::string body;
};

struct HttpResponse {
  unsigned status = 200;
  std::vector<HttpHeader> headers;  // content-type belongs here; length and connection do not
  std::string body;
};

/// Bounds of a message; a breach is answered (413, 431) or ends the exchange as `oversized`.
struct HttpLimits {
  std::size_t body_bytes_max = 1 << 20;      // reliability.md section 6
  std::size_t header_bytes_max = 32 * 1024;  // likewise
};

}  // namespace skald
