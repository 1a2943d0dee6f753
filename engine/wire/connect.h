// The Connect protocol's unary half as pure functions over HttpRequest and HttpResponse, for both
// sides: our API and the participants serve it, the transport and skaldctl speak it.
#pragma once

#include <google/protobuf/message.h>

#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "engine/base/result.h"
#include "engine/base/time.h"
#include "engine/net/http_message.h"

namespace skald::wire {

enum class ConnectCodec : std::uint8_t { proto = 1, json };

/// One parsed unary call. `procedure` is "/skald.v1.SagaService/Submit".
struct ConnectCall {
  std::string procedure;
  ConnectCodec codec = ConnectCodec::proto;
  std::optional<Millis> timeout;  // Connect-Timeout-Ms
  std::string body;               // identity-encoded message bytes
};

/// Either the call, or the whole HTTP answer that refuses it: 404 is the router's business, but
/// wrong verb (405 + Allow), unsupported codec (415 + Accept-Post), unsupported compression
/// (unimplemented) and a malformed timeout (invalid_argument) are refused here.
[[nodiscard]] std::expected<ConnectCall, HttpResponse> parse_connect_call(HttpRequest request);

/// Parses the body into `message`. Errors: invalid_argument that names the field or position, never
/// the payload. Unknown JSON fields are refused; unknown protobuf fields are ignored.
[[nodiscard]] Result<void> decode_message(ConnectCodec codec, std::string_view body,
                                          google::protobuf::Message& message);
/// Errors: internal, for a message without a JSON form (see wire/json.h); never for proto.
[[nodiscard]] Result<std::string> encode_message(ConnectCodec codec,
                                                 const google::protobuf::Message& message);

/// The string or bytes field `number` of a protobuf message, found without decoding the message;
/// empty when it is not there. nullopt: these bytes are no message.
[[nodiscard]] std::optional<std::string_view> find_text_field(std::string_view message, int number);

/// 200 with the message, or the error answer of encode_message().
[[nodiscard]] HttpResponse connect_response(ConnectCodec codec,
                                            const google::protobuf::Message& message);
/// Error body {"code","message"}; content-type application/json; status from http_status();
/// Retry-After where the error says it.
[[nodiscard]] HttpResponse connect_error(const Error& error);

/// The client's half: the request that calls `procedure`.
/// Pre: procedure starts with '/'.
[[nodiscard]] HttpRequest connect_request(std::string_view procedure, ConnectCodec codec,
                                          std::string body, std::optional<Millis> timeout = {});
/// "application/proto" or "application/json".
[[nodiscard]] std::string_view content_type(ConnectCodec codec);
/// Whether a Content-Type header (nullptr: absent) names this codec; parameters are ignored.
[[nodiscard]] bool is_content_type(const std::string* header, ConnectCodec codec);

/// The error in a Connect error body; nullopt when the answer does not carry one (a proxy's page,
/// an unrouted 404, an unknown code).
[[nodiscard]] std::optional<Error> parse_connect_error(const HttpResponse& response);
/// The error a client reads from a non-200 answer; a body that is not a Connect error falls back to
/// errc_of_http_status().
[[nodiscard]] Error connect_error_of(const HttpResponse& response);

/// protobuf writes a line of its own to stderr for every body that is no message; clients could
/// fill a log with that. They are answered, and that is all. Call once, before any body is read.
void keep_protobuf_quiet();

}  // namespace skald::wire
