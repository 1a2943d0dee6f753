// An HttpClient on a loop of its own, for the tests of what it does.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "engine/net/http_client.h"
#include "tests/unit/net/loopback.h"

namespace skald::loopback {

inline constexpr Millis kLong{20'000};  // never reached by a test that passes
inline constexpr Millis kShort{60};

inline const HttpRequest kPost{
    .method = "POST", .target = "/x", .headers = {{"A", "b"}}, .body = "hello"};

class Calling {
 public:
  explicit Calling(HttpClientOptions options = {}, std::uint16_t pipeline_max = 1)
      : pipeline_max_(pipeline_max) {
    loop.on([&] { client = HttpClient::create(loop.io, options); });
  }
  ~Calling() {
    loop.on([&] { client.reset(); });
  }
  Calling(const Calling&) = delete;
  Calling& operator=(const Calling&) = delete;

  struct Ask {
    HttpRequest request = kPost;
    Millis timeout = kLong;
  };

  /// All of them in one turn of the loop.
  std::vector<std::future<Exchange>> begin_all(std::uint16_t port, std::vector<Ask> asks,
                                               const std::string& ip = "127.0.0.1") {
    std::vector<std::future<Exchange>> results;
    loop.on([&] {
      const HttpEndpoint endpoint{
          .host = "peer.test", .ip = ip, .port = port, .pipeline_max = pipeline_max_};
      for (Ask& ask : asks) {
        auto promise = std::make_shared<std::promise<Exchange>>();
        results.push_back(promise->get_future());
        client->call(endpoint, std::move(ask.request), ask.timeout,
                     [promise](Exchange exchange) { promise->set_value(std::move(exchange)); });
        EXPECT_NE(results.back().wait_for(Millis{0}), std::future_status::ready)
            << "done inside call()";
      }
    });
    return results;
  }
  std::future<Exchange> begin(std::uint16_t port, HttpRequest request = kPost,
                              Millis timeout = kLong, const std::string& ip = "127.0.0.1") {
    return std::move(
        begin_all(port, {{.request = std::move(request), .timeout = timeout}}, ip).front());
  }
  Exchange call(std::uint16_t port, HttpRequest request = kPost, Millis timeout = kLong) {
    return begin(port, std::move(request), timeout).get();
  }

  Loop loop;
  std::unique_ptr<HttpClient> client;

 private:
  const std::uint16_t pipeline_max_;
};

}  // namespace skald::loopback
