#include "engine/transport/saga_headers.h"

#include <array>
#include <utility>

#include "engine/base/hash.h"

namespace skald {
namespace {

constexpr std::size_t kHeaderBytes = 384;  // of a call, its key and leg aside
constexpr std::size_t kTraceBytes = 55;

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

void append_hex(std::string& out, std::uint64_t value) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::array<char, 16> digits;
  for (char& digit : digits) {
    digit = kDigits[value >> 60];
    value <<= 4;
  }
  out.append(digits.data(), digits.size());
}

}  // namespace

std::string traceparent(const Invocation& call) {
  const SagaId& id = call.saga_id;
  const bool zero = id.placement == 0 && id.serial == 0;  // not a valid trace
  std::uint64_t span = hash64(call.leg, id.serial);
  span = mix64(span ^ (static_cast<std::uint64_t>(call.operation) << 32 | call.attempt));
  std::string out;
  out.reserve(kTraceBytes);
  out.append("00-");
  append_hex(out, id.placement);
  append_hex(out, zero ? 1 : id.serial);
  out.push_back('-');
  append_hex(out, span == 0 ? 1 : span);
  out.append("-01");
  return out;
}

HttpRequest saga_request(Invocation& call, std::string target, Millis remaining) {
  HttpRequest request{.method = "POST", .target = std::move(target)};
  const Method& method = *call.method;
  const auto remaining_ms = static_cast<std::uint64_t>(remaining.count());
  HeaderLines& lines = request.header_lines;
  lines.reserve(kHeaderBytes + call.idempotency_key.size() + call.leg.size());
  lines.add("Content-Type", content_type(method.protocol));
  if (method.protocol != Protocol::http_json) {
    lines.add("Connect-Protocol-Version", "1");
    lines.add("Connect-Timeout-Ms", remaining_ms);
  }
  lines.add_quoted(kIdempotencyKeyHeader, call.idempotency_key);
  lines.add(kSagaIdHeader, call.saga_id.text());
  lines.add(kLegHeader, call.leg);
  lines.add(kOperationHeader, name(call.operation));
  lines.add(kAttemptHeader, call.attempt);
  lines.add(kDeadlineHeader, remaining_ms);
  lines.add(kTraceHeader, traceparent(call));
  for (const MethodHeader& header : method.headers) lines.add_any(header.name, header.value);
  request.body = std::move(call.request);
  return request;
}

}  // namespace skald
