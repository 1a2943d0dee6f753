// An HTTP/1.1 client with keep-alive connections per host, behind a plain interface. It never
// retries, never follows redirects, and never decides what an answer means: it reports what
// happened on the wire, finely enough that the classifier can tell "refused before it ran" from
// "may have happened".
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "engine/base/result.h"
#include "engine/base/time.h"
#include "engine/net/http_message.h"

namespace boost::asio {
class io_context;
}

namespace skald {

/// So many requests may wait for their answers on one connection, at most.
inline constexpr std::uint16_t kPipelineMax = 64;

/// Where a request goes. Already resolved and checked: see transport/address_rules.h.
struct HttpEndpoint {
  std::string host;  // as written in the URL; sent as Host
  std::string ip;    // numeric, pinned: the connection goes here and nowhere else
  std::uint16_t port = 80;
  /// Requests on one connection at once, 1 to kPipelineMax. More than one (RFC 9112, 9.3.2) only
  /// for a peer that answers each exactly once and in their order; a slow answer then delays those
  /// behind it, and a broken connection leaves all of them unknown.
  std::uint16_t pipeline_max = 1;
  bool operator==(const HttpEndpoint&) const = default;
};

/// What the wire did. Only `answered` carries a response.
enum class ExchangeEnd : std::uint8_t {
  answered = 1,
  not_connected,  // no connection could be made (refused, unreachable, connect timeout) or it broke
                  // too early: not one byte of the request left
  timed_out,      // the deadline passed after bytes may have left
  reset,          // the connection broke after bytes may have left (a stale keep-alive connection
                  // included, unless not one byte of the request was accepted by the kernel)
  malformed,      // the answer is not HTTP
  oversized,      // the answer breaks a limit
  canceled,       // the client is shutting down
};

struct Exchange {
  ExchangeEnd end = ExchangeEnd::canceled;
  HttpResponse response;  // when answered
  std::string detail;     // one short clause for people, no payload: "connect: connection refused"
};

struct HttpClientOptions {
  HttpLimits response_limits{.body_bytes_max = 4 << 20, .header_bytes_max = 32 * 1024};
  Millis connect_timeout{1'000};
  Millis idle_timeout{30'000};          // an idle pooled connection is closed after this
  std::size_t idle_per_host_max = 256;  // kept open while idle, per endpoint
  /// Open at once, all endpoints together. Beyond it idle ones are closed, and where there is none
  /// a call ends as not_connected.
  std::size_t connections_max = 1'000'000;
};

/// Thread: create, call and destroy on the io_context's one thread; not destroyed from inside a
/// `done`. Destroying it ends every exchange as `canceled` before it returns; the io_context must
/// still exist.
class HttpClient {
 public:
  [[nodiscard]] static std::unique_ptr<HttpClient> create(boost::asio::io_context& io,
                                                          HttpClientOptions options);
  virtual ~HttpClient() = default;

  /// Sends one request and calls `done` exactly once, from the io_context (never from inside call).
  /// `timeout` covers connect, write and the whole answer; an overdue exchange ends within a few
  /// milliseconds. A request that cannot be written (control characters) ends as not_connected. A
  /// pooled connection found closed by its peer before the first byte is written is replaced by a
  /// fresh one; nothing else is repeated.
  virtual void call(const HttpEndpoint& endpoint, HttpRequest request, Millis timeout,
                    std::move_only_function<void(Exchange)> done) = 0;
};

}  // namespace skald
