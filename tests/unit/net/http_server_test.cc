#include "engine/net/http_server.h"

#include <atomic>
#include <optional>
#include <vector>

#include "tests/unit/net/loopback.h"

namespace skald {
namespace {

using loopback::Loop;
using loopback::RawSocket;

constexpr std::string_view kGet = "GET /hello HTTP/1.1\r\nHost: h\r\n\r\n";

std::string post(std::string_view body) {
  return "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\n\r\n" + std::string(body);
}

void echo(HttpRequest request, HttpResponder respond) {
  std::string text = request.method + " " + request.target + " " + request.body;
  respond(HttpResponse{.status = 200, .body = std::move(text)});
}

/// A server on a loop of its own.
class Served {
 public:
  explicit Served(HttpHandler handler = echo, HttpServerOptions options = {}) {
    server =
        loop.on([&] { return std::move(HttpServer::listen(loop.io, options, handler).value()); });
    port = server->port();
  }
  ~Served() { stop(); }
  void stop() {
    loop.on([&] { server.reset(); });
  }
  /// The future is ready when the server has drained.
  std::future<void> drain(Millis grace) {
    auto drained = std::make_shared<std::promise<void>>();
    server->drain(grace, [drained] { drained->set_value(); });
    return drained->get_future();
  }

  Loop loop;
  std::unique_ptr<HttpServer> server;
  std::uint16_t port = 0;
};

bool ready(std::future<void>& fact) {
  return fact.wait_for(Millis{loopback::kPatienceMs}) == std::future_status::ready;
}

/// Keeps what handlers were given, so that the test answers when it wants to.
class Desk {
 public:
  HttpHandler handler() {
    return [this](HttpRequest request, HttpResponder respond) {
      const std::scoped_lock lock(mutex_);
      waiting_.emplace_back(std::move(request), std::move(respond));
      arrived_.notify_all();
    };
  }
  std::pair<HttpRequest, HttpResponder> take() {
    std::unique_lock lock(mutex_);
    arrived_.wait_for(lock, Millis{loopback::kPatienceMs}, [&] { return !waiting_.empty(); });
    auto first = std::move(waiting_.at(0));
    waiting_.erase(waiting_.begin());
    return first;
  }
  [[nodiscard]] bool empty() {
    const std::scoped_lock lock(mutex_);
    return waiting_.empty();
  }

 private:
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::vector<std::pair<HttpRequest, HttpResponder>> waiting_;
};

TEST(HttpServer, AnswersManyRequestsOnOneConnection) {
  Served served;
  auto client = RawSocket::connect(served.port);
  for (int i = 0; i < 3; ++i) {
    client.send(post("body" + std::to_string(i)));
    const std::string answer = client.receive_until("body" + std::to_string(i));
    EXPECT_EQ(answer,
              "HTTP/1.1 200 OK\r\nContent-Length: 16\r\n\r\nPOST /echo body" + std::to_string(i));
  }
}

TEST(HttpServer, AnswersPipelinedRequestsInOrder) {
  Served served;
  auto client = RawSocket::connect(served.port);
  std::string all;
  for (int i = 0; i < 50; ++i) all += post("<" + std::to_string(i) + ">");
  client.send(all);
  const std::string answers = client.receive_until("<49>");
  std::size_t from = 0;
  for (int i = 0; i < 50; ++i) {
    from = answers.find("<" + std::to_string(i) + ">", from);
    ASSERT_NE(from, std::string::npos) << i;
  }
}

TEST(HttpServer, AsksTheNextPipelinedRequestOnlyAfterTheAnswer) {
  Desk desk;
  Served served(desk.handler());
  auto client = RawSocket::connect(served.port);
  client.send(post("first") + post("second"));
  auto [first, answer_first] = desk.take();
  EXPECT_EQ(first.body, "first");
  EXPECT_TRUE(served.loop.on([&] { return desk.empty(); }));
  answer_first({.status = 200, .body = "1"});
  auto [second, answer_second] = desk.take();
  EXPECT_EQ(second.body, "second");
  answer_second({.status = 202, .body = "2"});
  const std::string answers = client.receive_until("\r\n\r\n2");
  EXPECT_LT(answers.find("200 OK"), answers.find("202 Accepted"));
}

TEST(HttpServer, TakesAnswersFromManyThreads) {
  Desk desk;
  Served served(desk.handler());
  std::vector<RawSocket> clients;
  std::vector<std::thread> answering;
  for (int i = 0; i < 16; ++i) {
    clients.push_back(RawSocket::connect(served.port));
    clients.back().send(post(std::to_string(i)));
    answering.emplace_back([taken = desk.take()]() mutable {
      taken.second({.status = 200, .body = "<" + taken.first.body + ">"});
    });
  }
  for (std::thread& thread : answering) thread.join();
  for (int i = 0; i < 16; ++i) {
    const std::string end = "<" + std::to_string(i) + ">";
    EXPECT_NE(clients[static_cast<std::size_t>(i)].receive_until(end).find(end), std::string::npos);
  }
}

TEST(HttpServer, AnswersServerErrorForADroppedRequest) {
  Served served([](HttpRequest, HttpResponder) {});
  auto client = RawSocket::connect(served.port);
  client.send(kGet);
  EXPECT_TRUE(client.receive().starts_with("HTTP/1.1 500 "));
  Desk desk;
  Served elsewhere(desk.handler());
  auto other = RawSocket::connect(elsewhere.port);
  other.send(kGet);
  {
    const auto dropped = desk.take();
  }
  EXPECT_TRUE(other.receive().starts_with("HTTP/1.1 500 "));
}

TEST(HttpServer, RefusesAndClosesWhatItDoesNotUnderstand) {
  Served served(echo, {.limits = {.body_bytes_max = 100, .header_bytes_max = 1'000}});
  struct Vector {
    std::string sent;
    std::string answer;
  };
  for (const auto& [sent, answer] : std::vector<Vector>{
           {"GARBAGE\r\n\r\n", "HTTP/1.1 400 "},
           {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
            "HTTP/1.1 400 "},
           {post(std::string(101, 'x')), "HTTP/1.1 413 "},
           {"GET /" + std::string(2'000, 'x') + " HTTP/1.1\r\n", "HTTP/1.1 431 "},
           {"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip\r\n\r\n", "HTTP/1.1 501 "},
           {"GET / HTTP/2.0\r\nHost: h\r\n\r\n", "HTTP/1.1 505 "},
       }) {
    auto client = RawSocket::connect(served.port);
    client.send(sent);
    const std::string all = client.receive_all();
    EXPECT_TRUE(all.starts_with(answer)) << all;
    EXPECT_NE(all.find("Connection: close"), std::string::npos);
  }
}

TEST(HttpServer, ARefusalReachesAPeerThatIsStillSending) {
  Served served(echo, {.limits = {.body_bytes_max = 100}});
  auto client = RawSocket::connect(served.port);
  client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2000000\r\n\r\n");
  client.send(std::string(2'000'000, 'x'));
  EXPECT_TRUE(client.receive_all().starts_with("HTTP/1.1 413 "));
}

TEST(HttpServer, NothingAfterARefusedRequestIsHandled) {
  std::atomic<int> handled = 0;
  Served served([&](HttpRequest request, HttpResponder respond) {
    ++handled;
    echo(std::move(request), std::move(respond));
  });
  auto client = RawSocket::connect(served.port);
  client.send(std::string(kGet) + "BAD\r\n\r\n" + std::string(kGet));
  const std::string all = client.receive_all();
  EXPECT_NE(all.find("200 OK"), std::string::npos);
  EXPECT_NE(all.find("400 Bad Request"), std::string::npos);
  EXPECT_EQ(handled, 1);
}

TEST(HttpServer, SendsContinueOnceAndThenTheAnswer) {
  Served served;
  auto client = RawSocket::connect(served.port);
  client.send("POST /e HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
  EXPECT_EQ(client.receive(), "HTTP/1.1 100 Continue\r\n\r\n");
  client.send("a");
  client.send("b");
  EXPECT_TRUE(client.receive_until("POST /e ab").starts_with("HTTP/1.1 200 OK"));
}

TEST(HttpServer, AnswersHeadWithoutBodyAndHttp10WithClose) {
  Served served;
  auto client = RawSocket::connect(served.port);
  client.send("HEAD /x HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(client.receive(), "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n");
  client.send("GET /x HTTP/1.0\r\n\r\n");
  EXPECT_EQ(client.receive_all(),
            "HTTP/1.1 200 OK\r\nContent-Length: 7\r\nConnection: close\r\n\r\nGET /x ");
}

TEST(HttpServer, ClosesAnIdleConnection) {
  Served served(echo, {.idle_timeout = Millis{30}});
  auto silent = RawSocket::connect(served.port);
  EXPECT_TRUE(silent.closed_by_peer());
  auto client = RawSocket::connect(served.port);
  client.send(kGet);
  EXPECT_FALSE(client.receive().empty());
  EXPECT_TRUE(client.closed_by_peer());
}

TEST(HttpServer, BoundsTheTimeOfARequestHoweverItDrips) {
  Served served(echo, {.request_timeout = Millis{60}});
  auto client = RawSocket::connect(served.port);
  client.send("POST / HTTP/1.1\r\nHost: h\r\nX: ");
  while (!loopback::readable(client.fd(), 5) && client.send("x")) {
  }
  EXPECT_TRUE(client.receive_all().starts_with("HTTP/1.1 408 "));
}

TEST(HttpServer, AHandlerMayTakeLongerThanBothTimeouts) {
  Desk desk;
  Served served(desk.handler(), {.idle_timeout = Millis{20}, .request_timeout = Millis{20}});
  auto client = RawSocket::connect(served.port);
  client.send(kGet);
  auto [request, respond] = desk.take();
  EXPECT_FALSE(client.peer_is_gone(80));
  respond({.status = 200});
  EXPECT_TRUE(client.receive().starts_with("HTTP/1.1 200 "));
}

TEST(HttpServer, ClosesConnectionsBeyondTheLimitAtOnce) {
  Served served(echo, {.connections_max = 2});
  auto first = RawSocket::connect(served.port);
  auto second = RawSocket::connect(served.port);
  for (RawSocket* client : {&first, &second}) {
    client->send(kGet);
    EXPECT_FALSE(client->receive().empty());
  }
  auto third = RawSocket::connect(served.port);
  EXPECT_TRUE(third.closed_by_peer());
  first.close();
  for (int attempt = 0; attempt < 1'000; ++attempt) {
    auto again = RawSocket::connect(served.port);
    again.send(kGet);
    if (!again.receive().empty()) return;
  }
  FAIL() << "a closed connection did not make room for another";
}

TEST(HttpServer, SendsALargeAnswerToASlowReader) {
  const std::string large(8 << 20, 'z');
  Served served(
      [&](HttpRequest, HttpResponder respond) { respond({.status = 200, .body = large}); });
  auto client = RawSocket::connect(served.port);
  client.send(std::string(kGet) + std::string(kGet));
  std::size_t bytes = 0;
  while (bytes < 2 * large.size()) {
    const std::string more = client.receive();
    ASSERT_FALSE(more.empty()) << bytes;
    bytes += more.size();
  }
}

TEST(HttpServer, ClosesAConnectionThatDoesNotReadItsAnswer) {
  const std::string large(32 << 20, 'z');
  Served served(
      [&](HttpRequest, HttpResponder respond) { respond({.status = 200, .body = large}); },
      {.request_timeout = Millis{50}});
  auto client = RawSocket::connect(served.port);
  client.send(kGet);
  auto drained = served.drain(Millis{60'000});
  EXPECT_TRUE(ready(drained));
}

TEST(HttpServer, DrainAnswersWhatIsInProgressAndClosesTheRest) {
  Desk desk;
  Served served(desk.handler());
  auto idle = RawSocket::connect(served.port);
  auto busy = RawSocket::connect(served.port);
  busy.send(kGet);
  auto [request, respond] = desk.take();
  auto drained = served.drain(Millis{60'000});
  EXPECT_TRUE(idle.closed_by_peer());
  respond({.status = 200, .body = "done"});
  const std::string answer = busy.receive_all();
  EXPECT_NE(answer.find("Connection: close"), std::string::npos);
  EXPECT_TRUE(answer.ends_with("done"));
  EXPECT_TRUE(ready(drained));
}

TEST(HttpServer, DrainEndsWhenItsGraceHasPassed) {
  Desk desk;
  Served served(desk.handler());
  auto client = RawSocket::connect(served.port);
  client.send(kGet);
  auto [request, respond] = desk.take();
  auto drained = served.drain(Millis{30});
  EXPECT_TRUE(ready(drained));
  EXPECT_TRUE(client.closed_by_peer());
  respond({.status = 200});
}

TEST(HttpServer, AnAnswerAfterTheServerIsGoneIsDropped) {
  Desk desk;
  Served served(desk.handler());
  auto client = RawSocket::connect(served.port);
  client.send(kGet);
  auto [request, respond] = desk.take();
  served.stop();
  EXPECT_TRUE(client.closed_by_peer());
  respond({.status = 200});
}

TEST(HttpServer, AnAnswerAfterTheLoopIsGoneIsDropped) {
  Desk desk;
  auto served = std::make_unique<Served>(desk.handler());
  auto client = RawSocket::connect(served->port);
  client.send(kGet);
  auto [request, respond] = desk.take();
  served.reset();
  respond({.status = 200});
  EXPECT_TRUE(client.closed_by_peer());
}

TEST(HttpServer, SurvivesPeersThatVanishAtEveryMoment) {
  Desk desk;
  Served served(desk.handler());
  const std::string whole = post("body");
  for (std::size_t size = 0; size < whole.size(); ++size) {
    auto client = RawSocket::connect(served.port);
    client.send(whole.substr(0, size));
    client.reset();
  }
  auto client = RawSocket::connect(served.port);
  client.send(whole);
  auto [request, respond] = desk.take();
  client.reset();
  respond({.status = 200});
  auto last = RawSocket::connect(served.port);
  last.send(whole);
  desk.take().second({.status = 200, .body = "alive"});
  EXPECT_TRUE(last.receive_until("alive").ends_with("alive"));
}

TEST(HttpServer, SaysWhichAddressCannotBeBound) {
  Served served;
  Loop loop;
  const auto again =
      loop.on([&] { return HttpServer::listen(loop.io, {.port = served.port}, echo); });
  ASSERT_FALSE(again.has_value());
  EXPECT_EQ(again.error().code, Errc::unavailable);
  EXPECT_NE(again.error().message.find("127.0.0.1:" + std::to_string(served.port)),
            std::string::npos);
  EXPECT_FALSE(loop.on([&] { return HttpServer::listen(loop.io, {.address = "nope"}, echo); }));
}

TEST(HttpServer, ServersOfSeveralThreadsShareAPort) {
  Served first(echo, {.share_port = true});
  Served second(echo, {.port = first.port, .share_port = true});
  EXPECT_EQ(first.port, second.port);
  for (int i = 0; i < 32; ++i) {
    auto client = RawSocket::connect(first.port);
    client.send(kGet);
    EXPECT_FALSE(client.receive().empty());
  }
}

TEST(HttpServer, TheFirstOnASharedPortRefusesToJoinAnother) {
  Served other(echo, {.share_port = true, .first_on_port = true});
  Loop loop;
  const HttpServerOptions options{.port = other.port, .share_port = true, .first_on_port = true};
  const auto joined = loop.on([&] { return HttpServer::listen(loop.io, options, echo); });
  ASSERT_FALSE(joined.has_value());
  EXPECT_EQ(joined.error().code, Errc::unavailable);
}

}  // namespace
}  // namespace skald
