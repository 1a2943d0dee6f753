#include "engine/net/http_writer.h"

#include <array>
#include <charconv>

#include "engine/net/http_syntax.h"

namespace skald {
namespace {

/// Reasons of the statuses this system sends; others go without, as RFC 9112 section 4 allows.
std::string_view reason(unsigned status) {
  switch (status) {
    case 200:
      return "OK";
    case 202:
      return "Accepted";
    case 204:
      return "No Content";
    case 304:
      return "Not Modified";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 413:
      return "Content Too Large";
    case 415:
      return "Unsupported Media Type";
    case 417:
      return "Expectation Failed";
    case 422:
      return "Unprocessable Content";
    case 425:
      return "Too Early";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 499:
      return "Client Closed Request";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    case 505:
      return "HTTP Version Not Supported";
    default:
      return "";
  }
}

constexpr std::string_view kUnsoundHeader =
    "a header has a name or characters that may not be sent";

void append_number(std::string& out, std::size_t value) {
  std::array<char, 20> text;
  const auto result = std::to_chars(text.data(), text.data() + text.size(), value);
  out.append(text.data(), result.ptr);
}

bool may_be_sent(const HttpHeader& header) {
  return http::is_token(header.name) && http::is_field_text(header.value) &&
         !http::is_framing(header.name);
}

void append_header(std::string& out, std::string_view name, std::string_view value) {
  out.append(name).append(": ").append(value).append("\r\n");
}

void append_length(std::string& out, std::size_t size) {
  out.append("Content-Length: ");
  append_number(out, size);
  out.append("\r\n");
}

std::size_t header_bytes(const std::vector<HttpHeader>& headers) {
  std::size_t bytes = 128;  // start line and what is added here
  for (const HttpHeader& header : headers) bytes += header.name.size() + header.value.size() + 4;
  return bytes;
}

}  // namespace

void append_response(std::string& out, const HttpResponse& response, ResponseForm form) {
  bool sound = response.status >= 200 && response.status <= 599;
  for (const HttpHeader& header : response.headers) sound = sound && may_be_sent(header);
  if (!sound) return append_response(out, HttpResponse{.status = 500}, form);

  const bool bodyless = response.status == 204 || response.status == 304;
  out.reserve(out.size() + header_bytes(response.headers) + response.body.size());
  out.append("HTTP/1.1 ");
  append_number(out, response.status);
  out.append(" ").append(reason(response.status)).append("\r\n");
  for (const HttpHeader& header : response.headers) append_header(out, header.name, header.value);
  if (!bodyless) append_length(out, response.body.size());
  if (!form.keep_alive) out.append("Connection: close\r\n");
  out.append("\r\n");
  if (!bodyless && !form.head_only) out.append(response.body);
}

std::optional<std::string_view> append_request(std::string& out, std::string_view host,
                                               const HttpRequest& request) {
  if (!http::is_token(request.method)) return "the method is not a token";
  if (!http::is_path(request.target)) return "the target is not a path";
  if (!http::is_visible(host)) return "the host has characters that HTTP forbids";
  for (const HttpHeader& header : request.headers) {
    if (!may_be_sent(header)) return kUnsoundHeader;
  }
  if (!request.header_lines.sound()) return kUnsoundHeader;
  out.reserve(out.size() + header_bytes(request.headers) + request.header_lines.text().size() +
              request.target.size() + host.size() + request.body.size());
  out.append(request.method).append(" ").append(request.target).append(" HTTP/1.1\r\n");
  append_header(out, "Host", host);
  for (const HttpHeader& header : request.headers) append_header(out, header.name, header.value);
  out.append(request.header_lines.text());
  const bool body_expected = request.method != "GET" && request.method != "HEAD";
  if (body_expected || !request.body.empty()) append_length(out, request.body.size());
  out.append("\r\n").append(request.body);
  return std::nullopt;
}

}  // namespace skald
