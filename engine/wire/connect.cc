#include "engine/wire/connect.h"

#include <fmt/format.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/stubs/logging.h>
#include <google/protobuf/wire_format_lite.h>

#include <charconv>
#include <utility>

#include "engine/wire/errors.h"
#include "engine/wire/json.h"

namespace skald::wire {
namespace {

constexpr std::string_view kProtoType = "application/proto";
constexpr std::string_view kJsonType = "application/json";
constexpr std::string_view kAcceptPost = "application/proto, application/json";
constexpr std::size_t kTimeoutDigitsMax = 10;        // connectrpc.com/docs/protocol, "Timeout"
constexpr std::size_t kErrorMessageBytesMax = 4096;  // of a peer's error message that we keep

/// "application/json; charset=utf-8" -> "application/json".
std::string_view without_parameters(std::string_view type) {
  type = type.substr(0, type.find(';'));
  while (!type.empty() && (type.back() == ' ' || type.back() == '\t')) type.remove_suffix(1);
  return type;
}

HttpResponse refuse_codec() {
  HttpResponse response = connect_error(
      {Errc::invalid_argument, "Content-Type: send application/json or application/proto"});
  response.status = 415;
  response.headers.push_back({"Accept-Post", std::string(kAcceptPost)});
  return response;
}

HttpResponse refuse_verb() {
  HttpResponse response = connect_error({Errc::unimplemented, "procedures are called by POST"});
  response.status = 405;
  response.headers.push_back({"Allow", "POST"});
  return response;
}

Result<std::optional<Millis>> parse_timeout(const std::string* header) {
  if (header == nullptr) return std::nullopt;
  std::int64_t value = 0;
  const char* end = header->data() + header->size();
  const auto [parsed, error] = std::from_chars(header->data(), end, value);
  if (error != std::errc{} || parsed != end || header->size() > kTimeoutDigitsMax || value <= 0) {
    return fail(Errc::invalid_argument,
                "Connect-Timeout-Ms is not a positive integer of at most {} digits",
                kTimeoutDigitsMax);
  }
  return Millis{value};
}

Result<void> check_call_headers(const std::vector<HttpHeader>& headers) {
  const std::string* encoding = find_header(headers, "Content-Encoding");
  if (encoding != nullptr && !equal_ignoring_case(*encoding, "identity")) {
    return fail(Errc::unimplemented,
                "the request's compression is not supported: send it as identity");
  }
  const std::string* version = find_header(headers, "Connect-Protocol-Version");
  if (version != nullptr && *version != "1") {
    return fail(Errc::invalid_argument, "Connect-Protocol-Version is not supported: send 1");
  }
  return {};
}

}  // namespace

std::string_view content_type(ConnectCodec codec) {
  switch (codec) {
    case ConnectCodec::proto:
      return kProtoType;
    case ConnectCodec::json:
      return kJsonType;
  }
  return kProtoType;
}

bool is_content_type(const std::string* header, ConnectCodec codec) {
  return header != nullptr && equal_ignoring_case(without_parameters(*header), content_type(codec));
}

std::expected<ConnectCall, HttpResponse> parse_connect_call(HttpRequest request) {
  if (request.method != "POST") return std::unexpected(refuse_verb());
  const std::string* type = find_header(request.headers, "Content-Type");
  ConnectCall call;
  if (is_content_type(type, ConnectCodec::proto)) {
    call.codec = ConnectCodec::proto;
  } else if (is_content_type(type, ConnectCodec::json)) {
    call.codec = ConnectCodec::json;
  } else {
    return std::unexpected(refuse_codec());
  }
  if (const auto checked = check_call_headers(request.headers); !checked) {
    return std::unexpected(connect_error(checked.error()));
  }
  const auto timeout = parse_timeout(find_header(request.headers, "Connect-Timeout-Ms"));
  if (!timeout) return std::unexpected(connect_error(timeout.error()));
  call.timeout = *timeout;
  call.procedure = std::move(request.target);
  if (const auto query = call.procedure.find('?'); query != std::string::npos) {
    call.procedure.resize(query);
  }
  call.body = std::move(request.body);
  return call;
}

Result<void> decode_message(ConnectCodec codec, std::string_view body,
                            google::protobuf::Message& message) {
  switch (codec) {
    case ConnectCodec::proto:
      if (message.ParseFromArray(body.data(), static_cast<int>(body.size()))) return {};
      return fail(Errc::invalid_argument, "body of {} bytes is not a {} in protobuf form",
                  body.size(), message.GetTypeName());
    case ConnectCodec::json:
      return message_from_json(body, message);
  }
  return fail(Errc::internal, "codec {} does not exist", static_cast<int>(codec));
}

Result<std::string> encode_message(ConnectCodec codec, const google::protobuf::Message& message) {
  switch (codec) {
    case ConnectCodec::proto:
      return message.SerializeAsString();
    case ConnectCodec::json:
      return message_to_json(message);
  }
  return fail(Errc::internal, "codec {} does not exist", static_cast<int>(codec));
}

std::optional<std::string_view> find_text_field(std::string_view message, int number) {
  using google::protobuf::internal::WireFormatLite;
  const std::uint32_t wanted =
      WireFormatLite::MakeTag(number, WireFormatLite::WIRETYPE_LENGTH_DELIMITED);
  google::protobuf::io::CodedInputStream in(reinterpret_cast<const std::uint8_t*>(message.data()),
                                            static_cast<int>(message.size()));
  std::string_view found;
  while (const std::uint32_t tag = in.ReadTag()) {
    std::uint32_t size = 0;
    if (tag != wanted) {
      if (!WireFormatLite::SkipField(&in, tag)) return std::nullopt;
    } else if (in.ReadVarint32(&size)) {
      const auto at = static_cast<std::size_t>(in.CurrentPosition());
      if (!in.Skip(static_cast<int>(size))) return std::nullopt;
      found = message.substr(at, size);  // of a field that comes twice the last one holds
    } else {
      return std::nullopt;
    }
  }
  if (!in.ConsumedEntireMessage()) return std::nullopt;
  return found;
}

HttpResponse connect_response(ConnectCodec codec, const google::protobuf::Message& message) {
  auto body = encode_message(codec, message);
  if (!body) return connect_error(body.error());
  HttpResponse response;
  response.headers.push_back({"Content-Type", std::string(content_type(codec))});
  response.body = std::move(*body);
  return response;
}

HttpResponse connect_error(const Error& error) {
  HttpResponse response;
  response.status = http_status(error.code);
  response.headers.push_back({"Content-Type", std::string(kJsonType)});
  if (error.retry_after_s != 0) {
    response.headers.push_back({"Retry-After", fmt::to_string(error.retry_after_s)});
  }
  response.body = "{\"code\":\"";
  response.body.append(connect_code(error.code));
  response.body.append("\"");
  if (!error.message.empty()) {
    response.body.append(",\"message\":");
    append_json_string(response.body, error.message);
  }
  response.body.append("}");
  return response;
}

HttpRequest connect_request(std::string_view procedure, ConnectCodec codec, std::string body,
                            std::optional<Millis> timeout) {
  HttpRequest request;
  request.method = "POST";
  request.target = procedure;
  request.headers.reserve(timeout ? 3 : 2);
  request.headers.push_back({"Content-Type", std::string(content_type(codec))});
  request.headers.push_back({"Connect-Protocol-Version", "1"});
  if (timeout) request.headers.push_back({"Connect-Timeout-Ms", fmt::to_string(timeout->count())});
  request.body = std::move(body);
  return request;
}

std::optional<Error> parse_connect_error(const HttpResponse& response) {
  if (!is_content_type(find_header(response.headers, "Content-Type"), ConnectCodec::json)) {
    return std::nullopt;
  }
  const auto name = json_string_member(response.body, "code");
  const auto code = name ? errc_of_connect_code(*name) : std::nullopt;
  if (!code) return std::nullopt;
  Error error{*code, json_string_member(response.body, "message").value_or("")};
  cut_utf8(error.message, kErrorMessageBytesMax);
  return error;
}

Error connect_error_of(const HttpResponse& response) {
  if (auto error = parse_connect_error(response)) return std::move(*error);
  return Error{errc_of_http_status(response.status),
               fmt::format("HTTP status {} without a Connect error body", response.status)};
}

void keep_protobuf_quiet() { google::protobuf::SetLogHandler(nullptr); }

}  // namespace skald::wire
