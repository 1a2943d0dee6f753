#include "engine/net/http_reader.h"

#include <algorithm>
#include <utility>

#include "engine/net/http_syntax.h"

namespace skald {
namespace {

constexpr std::size_t kContentLengthDigitsMax = 18;  // more could overflow 64 bits
constexpr std::size_t kChunkSizeDigitsMax = 8;
constexpr std::size_t kBodyReserveMax = 64 * 1024;  // more is reserved only as it arrives

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

/// Whether the comma-separated list `value` holds `token`.
bool list_holds(std::string_view value, std::string_view token) {
  while (!value.empty()) {
    const std::size_t comma = value.find(',');
    if (equal_ignoring_case(trim(value.substr(0, comma)), token)) return true;
    if (comma == std::string_view::npos) return false;
    value.remove_prefix(comma + 1);
  }
  return false;
}

bool parse_decimal(std::string_view text, std::uint64_t& value) {
  if (text.empty() || text.size() > kContentLengthDigitsMax) return false;
  value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return false;
    value = value * 10 + static_cast<std::uint64_t>(c - '0');
  }
  return true;
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

bool is_http_version(std::string_view text) {
  return text.size() == 8 && text.starts_with("HTTP/") && text[5] >= '0' && text[5] <= '9' &&
         text[6] == '.' && text[7] >= '0' && text[7] <= '9';
}

}  // namespace

void HttpReader::reset() {
  state_ = State::head;
  fault_ = {};
  head_.clear();
  line_.clear();
  line_start_ = lines_ = trailer_bytes_ = 0;
  left_ = 0;
  interim_ = hosts_ = 0;
  version_1_0_ = keep_alive_ = no_body_ = chunked_ = has_length_ = expects_continue_ = false;
  method_.clear();
  target_.clear();
  status_ = 0;
  headers_.clear();
  body_.clear();
}

bool HttpReader::awaits_continue() const {
  return expects_continue_ && body_.empty() &&
         (state_ == State::length || (state_ == State::chunk_size && line_.empty()));
}

HttpRequest HttpReader::take_request() {
  return {.method = std::move(method_),
          .target = std::move(target_),
          .headers = std::move(headers_),
          .body = std::move(body_)};
}

HttpResponse HttpReader::take_response() {
  return {.status = status_, .headers = std::move(headers_), .body = std::move(body_)};
}

ReadProgress HttpReader::refuse(unsigned status, std::string_view what) {
  fault_ = {.status = status, .what = what};
  return ReadProgress::failed;
}

HttpReader::Step HttpReader::feed(std::string_view input) {
  if (fault_.status != 0) return {.progress = ReadProgress::failed, .used = input.size()};
  std::size_t used = 0;
  while (state_ == State::head) {
    const Step step = feed_head(input.substr(used));
    used += step.used;
    if (step.progress != ReadProgress::done) return {.progress = step.progress, .used = used};
  }
  return feed_body(input, used);
}

/// `done` means: a head has been taken. The state is then the body's, or again `head` after an
/// interim response or an empty line.
HttpReader::Step HttpReader::feed_head(std::string_view input) {
  const std::size_t kept = head_.size();
  if (kept != 0) head_.append(input);
  const std::string_view text = kept != 0 ? std::string_view(head_) : input;
  std::size_t from = std::max(line_start_, kept);
  while (true) {
    const std::size_t feed_at = text.find('\n', from);
    // What lies beyond the limit is not judged, or the fault would depend on how the bytes are cut.
    if (feed_at == std::string_view::npos || feed_at >= limits_.header_bytes_max) break;
    if (feed_at == 0 || text[feed_at - 1] != '\r') {
      return {.progress = refuse(400, "a line does not end in CR LF"), .used = input.size()};
    }
    const bool empty = feed_at - 1 == line_start_;
    from = line_start_ = feed_at + 1;
    if (!empty) {
      if (++lines_ <= kHttpHeadersMax + 1) continue;
      return {.progress = refuse(431, "more header fields than the limit"), .used = input.size()};
    }
    // RFC 9112 section 2.2 asks to skip empty lines before a request.
    const bool skipped = lines_ == 0 && role_ == HttpRole::requests;
    const bool good = skipped || parse_head(text.substr(0, from));
    const std::size_t used = from - kept;
    head_.clear();
    line_start_ = lines_ = 0;
    return {.progress = good ? ReadProgress::done : ReadProgress::failed, .used = used};
  }
  if (text.size() > limits_.header_bytes_max) {
    return {.progress = refuse(431, "the header is larger than the limit"), .used = input.size()};
  }
  if (kept == 0) head_.assign(input);
  return {.progress = ReadProgress::more, .used = input.size()};
}

bool HttpReader::parse_head(std::string_view head) {
  if (lines_ == 0) return refuse(400, "no start line"), false;
  headers_.clear();
  headers_.reserve(lines_ - 1);
  for (bool first = true; head.size() > 2; first = false) {
    const std::size_t end = head.find("\r\n");
    const std::string_view line = head.substr(0, end);
    const bool good = !first                        ? parse_field(line)
                      : role_ == HttpRole::requests ? parse_request_line(line)
                                                    : parse_status_line(line);
    if (!good) return false;
    head.remove_prefix(end + 2);
  }
  return read_framing() && choose_body();
}

bool HttpReader::parse_request_line(std::string_view line) {
  const std::size_t first = line.find(' ');
  const std::size_t last = line.rfind(' ');
  if (first == std::string_view::npos || first == last) {
    return refuse(400, "the request line has not three parts"), false;
  }
  const std::string_view method = line.substr(0, first);
  const std::string_view target = line.substr(first + 1, last - first - 1);
  const std::string_view version = line.substr(last + 1);
  if (!is_http_version(version)) return refuse(400, "no HTTP version"), false;
  if (!version.starts_with("HTTP/1.")) return refuse(505, "not HTTP/1.1"), false;
  if (method.size() > kHttpMethodBytesMax || !http::is_token(method)) {
    return refuse(400, "the method is not a token"), false;
  }
  if (!http::is_path(target) && !(target == "*" && method == "OPTIONS")) {
    return refuse(400, "the target is not a path"), false;
  }
  version_1_0_ = version == "HTTP/1.0";
  method_ = method;
  target_ = target;
  return true;
}

bool HttpReader::parse_status_line(std::string_view line) {
  const std::string_view version = line.substr(0, 8);
  if (!is_http_version(version) || !version.starts_with("HTTP/1.")) {
    return refuse(400, "the status line is not HTTP/1.x"), false;
  }
  const bool shape = line.size() >= 12 && line[8] == ' ' && (line.size() == 12 || line[12] == ' ');
  std::uint64_t status = 0;
  if (!shape || !parse_decimal(line.substr(9, 3), status) || status < 100 || status > 599 ||
      !http::is_field_text(line.substr(12))) {
    return refuse(400, "the status line has no valid status"), false;
  }
  version_1_0_ = version == "HTTP/1.0";
  status_ = static_cast<unsigned>(status);
  return true;
}

bool HttpReader::parse_field(std::string_view line) {
  if (line.front() == ' ' || line.front() == '\t') return refuse(400, "a folded line"), false;
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || !http::is_token(line.substr(0, colon))) {
    return refuse(400, "a field name is not a token"), false;
  }
  const std::string_view value = trim(line.substr(colon + 1));
  if (!http::is_field_text(value)) return refuse(400, "a control character in a field"), false;
  headers_.push_back({std::string(line.substr(0, colon)), std::string(value)});
  return true;
}

/// Content-Length, Transfer-Encoding, Connection, Host and Expect: what decides where the message
/// ends and what follows.
bool HttpReader::read_framing() {
  chunked_ = has_length_ = expects_continue_ = false;
  keep_alive_ = !version_1_0_;
  hosts_ = 0;
  bool close = false;
  for (const HttpHeader& field : headers_) {
    switch (field.name.size()) {  // cheap first look: most fields are none of these
      case 14:
        if (!equal_ignoring_case(field.name, "content-length")) break;
        if (has_length_) return refuse(400, "Content-Length is repeated"), false;
        if (!parse_decimal(field.value, left_)) return refuse(400, "a bad Content-Length"), false;
        has_length_ = true;
        break;
      case 17:
        if (!equal_ignoring_case(field.name, "transfer-encoding")) break;
        if (chunked_) return refuse(400, "Transfer-Encoding is repeated"), false;
        if (version_1_0_) return refuse(400, "Transfer-Encoding in HTTP/1.0"), false;
        if (!equal_ignoring_case(field.value, "chunked")) {
          return refuse(501, "a transfer coding other than chunked"), false;
        }
        chunked_ = true;
        break;
      case 10:
        if (!equal_ignoring_case(field.name, "connection")) break;
        close = close || list_holds(field.value, "close");
        keep_alive_ = keep_alive_ || list_holds(field.value, "keep-alive");
        break;
      case 4:
        if (equal_ignoring_case(field.name, "host")) ++hosts_;
        break;
      case 6:
        if (role_ != HttpRole::requests || !equal_ignoring_case(field.name, "expect")) break;
        if (!equal_ignoring_case(field.value, "100-continue")) {
          return refuse(417, "an expectation other than 100-continue"), false;
        }
        expects_continue_ = !version_1_0_;
        break;
      default:
        break;
    }
  }
  if (close) keep_alive_ = false;
  if (chunked_ && has_length_) {
    return refuse(400, "both Content-Length and Transfer-Encoding"), false;
  }
  if (role_ == HttpRole::requests && (hosts_ > 1 || (hosts_ == 0 && !version_1_0_))) {
    return refuse(400, "not exactly one Host"), false;
  }
  return true;
}

bool HttpReader::choose_body() {
  if (role_ == HttpRole::responses) {
    if (status_ == 101) return refuse(400, "a protocol switch nobody asked for"), false;
    if (status_ < 200) {
      if (++interim_ > kInterimResponsesMax) return refuse(400, "too many 1xx answers"), false;
      headers_.clear();
      return true;  // still in State::head
    }
    if (no_body_ || status_ == 204 || status_ == 304) {
      state_ = State::done;
      return true;
    }
    if (!chunked_ && !has_length_) {
      keep_alive_ = false;
      state_ = State::until_close;
      return true;
    }
  }
  if (chunked_) {
    state_ = State::chunk_size;
    return true;
  }
  if (!has_length_) left_ = 0;
  if (left_ > limits_.body_bytes_max)
    return refuse(413, "the body is larger than the limit"), false;
  body_.reserve(std::min<std::uint64_t>(left_, kBodyReserveMax));
  state_ = left_ == 0 ? State::done : State::length;
  return true;
}

HttpReader::Step HttpReader::feed_body(std::string_view input, std::size_t used) {
  ReadProgress progress = ReadProgress::done;
  while (state_ != State::done) {
    switch (state_) {
      case State::length:
      case State::chunk_data:
      case State::until_close:
        progress = take_data(input, used);
        break;
      case State::chunk_size:
      case State::chunk_end:
      case State::trailers:
        progress = take_chunk_line(input, used);
        break;
      case State::head:
      case State::done:
        break;
    }
    if (progress != ReadProgress::done) return {.progress = progress, .used = used};
  }
  return {.progress = ReadProgress::done, .used = used};
}

ReadProgress HttpReader::take_data(std::string_view input, std::size_t& used) {
  const std::string_view rest = input.substr(used);
  if (rest.empty()) return ReadProgress::more;
  const bool endless = state_ == State::until_close;
  const auto size = endless ? rest.size() : std::min<std::uint64_t>(left_, rest.size());
  if (size > limits_.body_bytes_max - body_.size()) {
    return refuse(413, "the body is larger than the limit");
  }
  body_.append(rest.substr(0, size));
  used += size;
  if (endless) return ReadProgress::more;
  left_ -= size;
  if (left_ > 0) return ReadProgress::more;
  state_ = state_ == State::length ? State::done : State::chunk_end;
  return ReadProgress::done;
}

/// A line of the chunked coding: a size, the end of a chunk, or a trailer.
ReadProgress HttpReader::take_chunk_line(std::string_view input, std::size_t& used) {
  const std::string_view rest = input.substr(used);
  const std::size_t feed_at = rest.find('\n');
  const std::size_t size = feed_at == std::string_view::npos ? rest.size() : feed_at + 1;
  const std::size_t size_max =
      state_ == State::trailers ? limits_.header_bytes_max : kChunkLineBytesMax;
  if (line_.size() + size > size_max) {
    return state_ == State::trailers ? refuse(431, "the trailers are larger than the limit")
                                     : refuse(400, "a chunk line is too long");
  }
  line_.append(rest.substr(0, size));
  used += size;
  if (feed_at == std::string_view::npos) return ReadProgress::more;
  if (!line_.ends_with("\r\n")) return refuse(400, "a chunk line does not end in CR LF");
  const std::string_view line = std::string_view(line_).substr(0, line_.size() - 2);
  ReadProgress progress = ReadProgress::done;
  if (state_ == State::chunk_size) {
    progress = read_chunk_size(line);
  } else if (state_ == State::trailers) {
    progress = read_trailer(line);
  } else if (!line.empty()) {
    progress = refuse(400, "a chunk is longer than its size");
  } else {
    state_ = State::chunk_size;
  }
  line_.clear();
  return progress;
}

ReadProgress HttpReader::read_chunk_size(std::string_view line) {
  std::uint64_t size = 0;
  std::size_t digits = 0;
  while (digits < line.size() && hex_digit(line[digits]) >= 0) {
    if (digits == kChunkSizeDigitsMax) return refuse(413, "a chunk is larger than the limit");
    size = size * 16 + static_cast<std::uint64_t>(hex_digit(line[digits++]));
  }
  const std::string_view extension = line.substr(digits);
  if (digits == 0 || (!extension.empty() && extension.front() != ';') ||
      !http::is_field_text(extension)) {
    return refuse(400, "a bad chunk size");
  }
  if (size > limits_.body_bytes_max - body_.size()) {
    return refuse(413, "the body is larger than the limit");
  }
  left_ = size;
  state_ = size == 0 ? State::trailers : State::chunk_data;
  return ReadProgress::done;
}

/// Trailers are checked and dropped: nothing here needs one.
ReadProgress HttpReader::read_trailer(std::string_view line) {
  if (line.empty()) {
    state_ = State::done;
    return ReadProgress::done;
  }
  trailer_bytes_ += line.size() + 2;
  if (trailer_bytes_ > limits_.header_bytes_max) {
    return refuse(431, "the trailers are larger than the limit");
  }
  if (!parse_field(line)) return ReadProgress::failed;
  headers_.pop_back();
  return ReadProgress::done;
}

}  // namespace skald
