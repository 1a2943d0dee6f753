// The mock mall as a process: one thread, one port, every service.
#include <fmt/format.h>

#include <boost/asio/io_context.hpp>
#include <cstdio>

#include "engine/net/http_server.h"
#include "tools/bench/mock_mall.h"

int main() {
  using namespace skald;
  boost::asio::io_context io{1};
  bench::MockMall mall;
  HttpServerOptions options;
  options.idle_timeout = Millis{3'600'000};
  auto server = HttpServer::listen(
      io, options,
      [&mall](HttpRequest request, HttpResponder respond) { respond(mall.answer(request)); });
  if (!server) {
    fmt::print(stderr, "mock_mall: {}\n", server.error().message);
    return 1;
  }
  fmt::print("mock_mall ready listen=127.0.0.1:{}\n", (*server)->port());
  std::fflush(stdout);
  io.run();
  return 0;
}
