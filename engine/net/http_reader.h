// Reads HTTP/1.1 messages from bytes as they arrive, strictly: what two readers could understand
// differently is refused (that is how requests are smuggled). Pure: no sockets, no clock.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/net/http_message.h"

namespace skald {

enum class HttpRole : std::uint8_t { requests = 1, responses };

enum class ReadProgress : std::uint8_t { more = 1, done, failed };

/// Why a message was refused. `status` is what a server answers: 413 and 431 when a limit is
/// broken, 400, 417, 501 or 505 otherwise. `what` is a constant.
struct HttpFault {
  unsigned status = 0;
  std::string_view what;
  [[nodiscard]] bool oversized() const { return status == 413 || status == 431; }
};

inline constexpr std::size_t kHttpHeadersMax = 128;  // fields of one message, trailers included
inline constexpr std::size_t kHttpMethodBytesMax = 32;
inline constexpr std::size_t kChunkLineBytesMax = 256;  // size and extensions of one chunk
inline constexpr int kInterimResponsesMax = 8;          // 1xx before the answer

/// One message after another. Refused: both Content-Length and Transfer-Encoding, a repeated or
/// non-numeric Content-Length, any coding but one `chunked`, folded lines, bare CR or LF, space
/// before a colon, control characters, chunk sizes that are not plain hexadecimal, targets that are
/// not paths, HTTP/1.1 requests without exactly one Host.
class HttpReader {
 public:
  HttpReader(HttpRole role, HttpLimits limits) : role_(role), limits_(limits) {}

  struct Step {
    ReadProgress progress = ReadProgress::more;
    std::size_t used = 0;  // bytes taken from the front of `input`; all of them unless `done`
  };
  /// Takes what belongs to the current message. After `done` call take_*() and reset(); after
  /// `failed` see fault() and drop the connection.
  [[nodiscard]] Step feed(std::string_view input);
  /// The peer has closed. True: that completed a response whose body had no length.
  [[nodiscard]] bool complete_at_close() const { return state_ == State::until_close; }

  void reset();
  /// The next response has no body whatever its headers say: it answers a HEAD. Pre: after reset().
  void expect_no_body() { no_body_ = true; }

  [[nodiscard]] const HttpFault& fault() const { return fault_; }
  /// Some byte of the current message has arrived.
  [[nodiscard]] bool started() const { return state_ != State::head || !head_.empty(); }
  /// The peer waits for "100 Continue" before it sends the body.
  [[nodiscard]] bool awaits_continue() const;
  /// The connection may carry another message after this one. Pre: the head has been read.
  [[nodiscard]] bool keep_alive() const { return keep_alive_; }

  [[nodiscard]] HttpRequest take_request();
  [[nodiscard]] HttpResponse take_response();

 private:
  enum class State : std::uint8_t {
    head = 1,
    length,
    chunk_size,
    chunk_data,
    chunk_end,
    trailers,
    until_close,
    done
  };

  Step feed_head(std::string_view input);
  Step feed_body(std::string_view input, std::size_t used);
  ReadProgress take_data(std::string_view input, std::size_t& used);
  ReadProgress take_chunk_line(std::string_view input, std::size_t& used);
  ReadProgress read_chunk_size(std::string_view line);
  ReadProgress read_trailer(std::string_view line);
  ReadProgress refuse(unsigned status, std::string_view what);

  bool parse_head(std::string_view head);
  bool parse_request_line(std::string_view line);
  bool parse_status_line(std::string_view line);
  bool parse_field(std::string_view line);
  bool read_framing();
  bool choose_body();

  HttpRole role_;
  HttpLimits limits_;
  State state_ = State::head;
  HttpFault fault_;

  std::string head_;            // a head that has not arrived whole
  std::size_t line_start_ = 0;  // in the head: where the unfinished line begins
  std::size_t lines_ = 0;
  std::string line_;        // a chunk line that has not arrived whole
  std::uint64_t left_ = 0;  // bytes of the body or chunk still to come
  std::size_t trailer_bytes_ = 0;
  int interim_ = 0;

  bool version_1_0_ = false;
  bool keep_alive_ = false;
  bool no_body_ = false;
  bool chunked_ = false;
  bool has_length_ = false;
  bool expects_continue_ = false;
  int hosts_ = 0;

  std::string method_;
  std::string target_;
  unsigned status_ = 0;
  std::vector<HttpHeader> headers_;
  std::string body_;
};

}  // namespace skald
