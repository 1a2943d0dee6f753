// The mock mall as a process: one thread, one port, every service. Between GET /hold and GET /go it
// takes calls to /branch/held and does not answer them, as a participant that stands still.
#include <fmt/format.h>

#include <boost/asio/io_context.hpp>
#include <cstdio>
#include <utility>
#include <vector>

#include "engine/net/http_server.h"
#include "tools/bench/mock_mall.h"

namespace {

using namespace skald;

class Gate {
 public:
  void take(HttpRequest request, HttpResponder respond) {
    if (request.target == "/hold" || request.target == "/go") {
      closed_ = request.target == "/hold";
      respond({.status = 200, .headers = {}, .body = "ok"});
      if (!closed_) open();
      return;
    }
    if (closed_ && request.target == "/branch/held") {
      held_.emplace_back(std::move(request), std::move(respond));
      return;
    }
    respond(mall_.answer(request));
  }

 private:
  void open() {
    for (auto& [request, respond] : std::exchange(held_, {})) respond(mall_.answer(request));
  }

  bench::MockMall mall_;
  bool closed_ = false;
  std::vector<std::pair<HttpRequest, HttpResponder>> held_;
};

}  // namespace

int main() {
  boost::asio::io_context io{1};
  Gate gate;
  HttpServerOptions options;
  options.idle_timeout = Millis{3'600'000};
  auto server =
      HttpServer::listen(io, options, [&gate](HttpRequest request, HttpResponder respond) {
        gate.take(std::move(request), std::move(respond));
      });
  if (!server) {
    fmt::print(stderr, "mock_mall: {}\n", server.error().message);
    return 1;
  }
  fmt::print("mock_mall ready listen=127.0.0.1:{}\n", (*server)->port());
  std::fflush(stdout);
  io.run();
  return 0;
}
