// What an exchange costs: requests a second and processor time per request through HttpClient and
// HttpServer on loopback, each on a thread of its own.
//
//   http_bench [REQUESTS] [IN_FLIGHT]
//
// The load: a POST of 100 bytes with the headers of a saga's attempt, echoed; the answer starts the
// next request.
#include <fmt/format.h>
#include <sys/resource.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <chrono>
#include <cstdlib>
#include <thread>

#include "engine/net/http_client.h"
#include "engine/net/http_server.h"

namespace skald {
namespace {

constexpr std::size_t kBodyBytes = 100;
constexpr Millis kTimeout{10'000};

double processor_seconds() {
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
  };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

HttpRequest attempt() {
  return {.method = "POST",
          .target = "/inventory.InventoryRpc/DeductStock",
          .headers = {{"Content-Type", "application/proto"},
                      {"Idempotency-Key", "\"00000000000000000000000000/deduct_stock/action\""},
                      {"Skald-Saga-Id", "00000000000000000000000000"},
                      {"Skald-Attempt", "1"}},
          .body = std::string(kBodyBytes, 'x')};
}

/// Keeps `in_flight` requests under way until `total` have been answered.
class Load {
 public:
  Load(boost::asio::io_context& io, std::uint16_t port, int total)
      : client_(HttpClient::create(io, {})),
        endpoint_{.host = "127.0.0.1", .ip = "127.0.0.1", .port = port},
        total_(total) {}

  void next() {
    if (sent_ == total_) return;
    ++sent_;
    client_->call(endpoint_, attempt(), kTimeout, [this](const Exchange& exchange) {
      ++answered;
      if (exchange.end != ExchangeEnd::answered) ++failed;
      next();
    });
  }
  int answered = 0;
  int failed = 0;

 private:
  std::unique_ptr<HttpClient> client_;
  HttpEndpoint endpoint_;
  int total_ = 0;
  int sent_ = 0;
};

int run(int total, int in_flight) {
  boost::asio::io_context serving{1};
  boost::asio::io_context calling{1};
  auto server = HttpServer::listen(serving, {}, [](HttpRequest request, HttpResponder respond) {
    respond({.status = 200,
             .headers = {{"Content-Type", "application/proto"}},
             .body = std::move(request.body)});
  });
  if (!server) {
    fmt::print(stderr, "{}\n", server.error().message);
    return 1;
  }
  std::thread thread([&serving] { serving.run(); });
  int failed = 0;
  const double processor_before = processor_seconds();
  const auto start = std::chrono::steady_clock::now();
  {
    Load load(calling, (*server)->port(), total);
    boost::asio::post(calling, [&load, in_flight] {
      for (int i = 0; i < in_flight; ++i) load.next();
    });
    // The pooled connections keep the loop alive for their idle time: it is left when all is done.
    while (load.answered < total) calling.run_one();
    failed = load.failed;
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  const double processor = processor_seconds() - processor_before;
  fmt::print(
      "{} requests, {} in flight: {:.0f}/s, {:.1f} us of processor each (both sides), {} failed\n",
      total, in_flight, total / took.count(), processor / total * 1e6, failed);
  boost::asio::post(serving, [&server] { server->reset(); });
  thread.join();
  return failed == 0 ? 0 : 1;
}

}  // namespace
}  // namespace skald

int main(int argc, char** argv) {
  const int total = argc > 1 ? std::atoi(argv[1]) : 300'000;
  const int in_flight = argc > 2 ? std::atoi(argv[2]) : 64;
  return skald::run(total, in_flight);
}
