// One service that the front calls by the Connect protocol, as a function: what carries the bytes
// is the program's business, and a test's.
#pragma once

#include <functional>
#include <string_view>
#include <utility>

#include "engine/base/result.h"
#include "engine/base/time.h"
#include "engine/net/http_client.h"
#include "engine/wire/connect.h"

namespace skald::mall::order_front {

/// Sends one request; `done` is called once, on the front's thread.
using Upstream = std::function<void(HttpRequest request, Millis timeout,
                                    std::move_only_function<void(Exchange)>)>;

/// The answer's message bytes, or the error: the service's own, or unavailable where no answer came
/// (then nobody knows whether it was done).
[[nodiscard]] inline Result<std::string> body_of(Exchange exchange) {
  if (exchange.end != ExchangeEnd::answered) {
    return fail(Errc::unavailable, "no answer: {}", exchange.detail);
  }
  if (exchange.response.status != 200) {
    return std::unexpected(wire::connect_error_of(exchange.response));
  }
  return std::move(exchange.response.body);
}

template <class Response, class Request>
void call(const Upstream& upstream, std::string_view procedure, const Request& request,
          Millis timeout, std::move_only_function<void(Result<Response>)> done) {
  auto http = wire::connect_request(procedure, wire::ConnectCodec::proto,
                                    request.SerializeAsString(), timeout);
  auto answered = [done = std::move(done)](Exchange exchange) mutable {
    auto body = body_of(std::move(exchange));
    if (!body) return done(std::unexpected(std::move(body.error())));
    Response response;
    auto decoded = wire::decode_message(wire::ConnectCodec::proto, *body, response);
    if (!decoded) {
      // What cannot be read may have been done.
      return done(fail(Errc::unavailable, "unreadable answer: {}", decoded.error().message));
    }
    done(std::move(response));
  };
  upstream(std::move(http), timeout, std::move(answered));
}

}  // namespace skald::mall::order_front
