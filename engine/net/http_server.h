// An HTTP/1.1 server behind a plain interface: handlers see values and answer by calling a
// function, now or later. Routing is not here.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "engine/base/result.h"
#include "engine/base/time.h"
#include "engine/net/http_message.h"

namespace boost::asio {
class io_context;
}

namespace skald {

/// Answers one request, exactly once, from any thread. Dropping it unanswered answers 500. It may
/// outlive the server, and then does nothing.
using HttpResponder = std::move_only_function<void(HttpResponse)>;
/// Runs on the io_context's thread of the connection; must not block.
using HttpHandler = std::function<void(HttpRequest, HttpResponder)>;

/// The answer to what is no sound request: `what` says why, in words of the reader.
using HttpRefusal = std::function<HttpResponse(unsigned status, std::string_view what)>;

struct HttpServerOptions {
  std::string address = "127.0.0.1";
  std::uint16_t port = 0;  // 0: the system picks one; see HttpServer::port()
  HttpLimits limits;
  Millis idle_timeout{60'000};           // between requests
  Millis request_timeout{30'000};        // from the first byte to the last
  std::size_t connections_max = 10'000;  // beyond it new connections are closed at once
  bool share_port = false;  // SO_REUSEPORT: several servers, one per thread, on one port
  // With share_port, for the first of them: the system would let another process of the same user
  // listen there too, and each would get some of the requests. Then listen() refuses.
  bool first_on_port = false;
  HttpRefusal refusal;  // null: plain text
};

/// Keep-alive; pipelined requests are handled one after another, so answers keep their order. What
/// is no sound HTTP/1.1 request is answered 400, 408, 413, 417, 431, 501 or 505 and the connection
/// closed. Thread: listen(), destruction and all callbacks on the io_context's one thread, except
/// where said. Destroying it closes every connection; the io_context must still exist.
class HttpServer {
 public:
  /// Listens at once. Errors: the address cannot be bound (unavailable, with address and reason).
  [[nodiscard]] static Result<std::unique_ptr<HttpServer>> listen(boost::asio::io_context& io,
                                                                  HttpServerOptions options,
                                                                  HttpHandler handler);
  virtual ~HttpServer() = default;
  [[nodiscard]] virtual std::uint16_t port() const = 0;
  /// Stops accepting, lets requests in progress be answered until `grace` has passed, closes idle
  /// connections, then calls `done`. Thread: any.
  virtual void drain(Millis grace, std::move_only_function<void()> done) = 0;
};

}  // namespace skald
