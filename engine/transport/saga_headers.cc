#include "engine/transport/saga_headers.h"

#include <fmt/format.h>

#include <utility>

#include "engine/base/hash.h"

namespace skald {
namespace {

constexpr std::size_t kHeadersOfSaga = 10;

std::string_view content_type(Protocol protocol) {
  switch (protocol) {
    case Protocol::connect_proto:
      return "application/proto";
    case Protocol::connect_json:
    case Protocol::http_json:
      return "application/json";
  }
  return "application/json";
}

/// A structured-field string (RFC 8941 section 3.3.3).
std::string quoted(std::string_view text) {
  std::string out = "\"";
  out.reserve(text.size() + 2);
  for (const char c : text) {
    if (c == '"' || c == '\\') out.push_back('\\');
    out.push_back(c);
  }
  out.push_back('"');
  return out;
}

}  // namespace

std::string traceparent(const Invocation& call) {
  const SagaId& id = call.saga_id;
  const bool zero = id.placement == 0 && id.serial == 0;  // not a valid trace
  std::uint64_t span = hash64(call.leg, id.serial);
  span = mix64(span ^ (static_cast<std::uint64_t>(call.operation) << 32 | call.attempt));
  return fmt::format("00-{:016x}{:016x}-{:016x}-01", id.placement, zero ? 1 : id.serial,
                     span == 0 ? 1 : span);
}

HttpRequest saga_request(Invocation& call, std::string target, Millis remaining) {
  HttpRequest request{.method = "POST", .target = std::move(target)};
  auto& headers = request.headers;
  const Method& method = *call.method;
  headers.reserve(kHeadersOfSaga + method.headers.size());
  const auto add = [&](std::string_view name, std::string value) {
    headers.push_back({std::string(name), std::move(value)});
  };
  add("Content-Type", std::string(content_type(method.protocol)));
  if (method.protocol != Protocol::http_json) {
    add("Connect-Protocol-Version", "1");
    add("Connect-Timeout-Ms", fmt::to_string(remaining.count()));
  }
  add(kIdempotencyKeyHeader, quoted(call.idempotency_key));
  add(kSagaIdHeader, call.saga_id.text());
  add(kLegHeader, call.leg);
  add(kOperationHeader, std::string(name(call.operation)));
  add(kAttemptHeader, fmt::to_string(call.attempt));
  add(kDeadlineHeader, fmt::to_string(remaining.count()));
  add(kTraceHeader, traceparent(call));
  for (const MethodHeader& header : method.headers) add(header.name, header.value);
  request.body = std::move(call.request);
  return request;
}

}  // namespace skald
