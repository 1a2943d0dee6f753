#include "engine/net/http_client.h"

#include <optional>

#include "engine/net/http_server.h"
#include "tests/unit/net/calling.h"

namespace skald {
namespace {

using loopback::Calling;
using loopback::kLong;
using loopback::kPost;
using loopback::kShort;
using loopback::Loop;
using loopback::RawListener;
using loopback::RawSocket;

/// What a client makes of a peer that reads the request, sends `bytes` and closes.
Exchange answered_with(std::string_view bytes, HttpClientOptions options = {}) {
  RawListener listener;
  Calling calling(options);
  auto result = calling.begin(listener.port);
  auto peer = listener.accept();
  peer.receive_until("hello");
  peer.send(bytes);
  peer.close();
  return result.get();
}

TEST(HttpClient, SendsARequestAndReadsTheAnswer) {
  RawListener listener;
  Calling calling;
  auto result = calling.begin(listener.port);
  auto peer = listener.accept();
  EXPECT_EQ(peer.receive_until("hello"),
            "POST /x HTTP/1.1\r\nHost: peer.test:" + std::to_string(listener.port) +
                "\r\nA: b\r\nContent-Length: 5\r\n\r\nhello");
  peer.send("HTTP/1.1 409 Conflict\r\nX: y\r\nContent-Length: 2\r\n\r\nno");
  const Exchange exchange = result.get();
  EXPECT_EQ(exchange.end, ExchangeEnd::answered);
  EXPECT_EQ(exchange.response.status, 409U);
  EXPECT_EQ(exchange.response.body, "no");
  EXPECT_EQ(*find_header(exchange.response.headers, "x"), "y");
}

TEST(HttpClient, UsesAConnectionAgain) {
  RawListener listener;
  Calling calling;
  auto first = calling.begin(listener.port);
  auto peer = listener.accept();
  for (int i = 0; i < 5; ++i) {
    EXPECT_FALSE(peer.receive_until("hello").empty());
    peer.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    EXPECT_EQ(first.get().end, ExchangeEnd::answered);
    first = calling.begin(listener.port);
  }
}

TEST(HttpClient, CallsAtOnceUseConnectionsOfTheirOwn) {
  RawListener listener;
  Calling calling;
  auto first = calling.begin(listener.port);
  auto second = calling.begin(listener.port);
  auto peer_first = listener.accept();
  auto peer_second = listener.accept();
  peer_second.send("HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n");
  peer_first.send("HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(first.get().response.status + second.get().response.status, 403U);
}

TEST(HttpClient, HasSoManyConnectionsAndNotOneMore) {
  RawListener listener;
  Calling calling({.connections_max = 1});
  auto first = calling.begin(listener.port);
  auto peer = listener.accept();
  peer.receive_until("hello");
  const Exchange second = calling.call(listener.port);
  EXPECT_EQ(second.end, ExchangeEnd::not_connected);
  EXPECT_EQ(second.detail, "connect: 1 connections are in use (limit connections_max)");
  peer.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(first.get().end, ExchangeEnd::answered);
}

TEST(HttpClient, ClosesAnIdleConnectionForAnotherPeer) {
  RawListener listener;
  RawListener other;
  Calling calling({.connections_max = 1});
  auto first = calling.begin(listener.port);
  auto peer = listener.accept();
  peer.receive_until("hello");
  peer.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(first.get().end, ExchangeEnd::answered);
  auto second = calling.begin(other.port);
  auto other_peer = other.accept();
  other_peer.receive_until("hello");
  other_peer.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(second.get().end, ExchangeEnd::answered);
}

TEST(HttpClient, ReadsChunksAndBodiesThatEndWithTheConnection) {
  EXPECT_EQ(answered_with("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                          "2\r\nab\r\n1\r\nc\r\n0\r\n\r\n")
                .response.body,
            "abc");
  const Exchange old = answered_with("HTTP/1.0 200 OK\r\n\r\nall of it");
  EXPECT_EQ(old.end, ExchangeEnd::answered);
  EXPECT_EQ(old.response.body, "all of it");
}

TEST(HttpClient, ARefusedConnectionIsNotConnected) {
  RawListener listener;
  const std::uint16_t port = listener.port;
  listener.close();
  Calling calling;
  const Exchange exchange = calling.call(port);
  EXPECT_EQ(exchange.end, ExchangeEnd::not_connected);
  EXPECT_EQ(exchange.detail, "connect: Connection refused");
}

TEST(HttpClient, ANonNumericAddressIsNotConnected) {
  Calling calling;
  EXPECT_EQ(calling.begin(80, kPost, kLong, "localhost").get().end, ExchangeEnd::not_connected);
}

TEST(HttpClient, ARequestThatWouldBreakTheMessageNeverLeaves) {
  Calling calling;
  RawListener listener;
  HttpRequest request = kPost;
  request.headers.push_back({"X", "a\r\nY: b"});
  EXPECT_EQ(calling.call(listener.port, request).end, ExchangeEnd::not_connected);
  EXPECT_FALSE(loopback::readable(RawSocket::connect(listener.port).fd(), 0));
}

TEST(HttpClient, AResetOrAnEndInTheMiddleIsAReset) {
  const Exchange half = answered_with("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
  EXPECT_EQ(half.end, ExchangeEnd::reset);
  EXPECT_EQ(half.detail, "in the middle of the answer: closed by the peer");
  EXPECT_EQ(answered_with("HTTP/1.1 200 OK\r\nContent-Le").end, ExchangeEnd::reset);
  EXPECT_EQ(answered_with("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab").end,
            ExchangeEnd::reset);
  const Exchange silent = answered_with("");
  EXPECT_EQ(silent.end, ExchangeEnd::reset);
  EXPECT_EQ(silent.detail, "before answering: closed by the peer");

  RawListener listener;
  Calling calling;
  auto result = calling.begin(listener.port);
  auto peer = listener.accept();
  peer.receive_until("hello");
  peer.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
  peer.reset();
  EXPECT_EQ(result.get().end, ExchangeEnd::reset);
}

TEST(HttpClient, GarbageIsMalformed) {
  EXPECT_EQ(answered_with("SSH-2.0-x\r\n\r\n").end, ExchangeEnd::malformed);
  EXPECT_EQ(answered_with("HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n").end,
            ExchangeEnd::malformed);
  EXPECT_EQ(answered_with(std::string(2'000, '\0') + "\n").end, ExchangeEnd::malformed);
}

TEST(HttpClient, WhatBreaksALimitIsOversized) {
  const HttpClientOptions small{.response_limits = {.body_bytes_max = 10, .header_bytes_max = 100}};
  EXPECT_EQ(answered_with("HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n", small).end,
            ExchangeEnd::oversized);
  EXPECT_EQ(answered_with("HTTP/1.1 200 OK\r\n\r\n12345678901", small).end, ExchangeEnd::oversized);
  EXPECT_EQ(answered_with("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nB\r\n", small).end,
            ExchangeEnd::oversized);
  EXPECT_EQ(answered_with("HTTP/1.1 200 OK\r\nX: " + std::string(100, 'x'), small).end,
            ExchangeEnd::oversized);
}

TEST(HttpClient, APeerThatNeverAnswersTimesOut) {
  RawListener listener;
  Calling calling;
  const auto start = std::chrono::steady_clock::now();
  const Exchange exchange = calling.call(listener.port, kPost, kShort);
  EXPECT_EQ(exchange.end, ExchangeEnd::timed_out);
  EXPECT_GE(std::chrono::steady_clock::now() - start, kShort);
}

TEST(HttpClient, ADrippingPeerDoesNotStretchTheTimeout) {
  RawListener listener;
  Calling calling;
  auto result = calling.begin(listener.port, kPost, kShort);
  auto peer = listener.accept();
  peer.receive_until("hello");
  peer.send("HTTP/1.1 200 OK\r\nX: ");
  while (!peer.peer_is_gone(5) && peer.send("x")) {
  }
  EXPECT_EQ(result.get().end, ExchangeEnd::timed_out);
}

TEST(HttpClient, ALateAnswerReachesNobody) {
  RawListener listener;
  Calling calling;
  EXPECT_EQ(calling.call(listener.port, kPost, kShort).end, ExchangeEnd::timed_out);
  auto peer = listener.accept();
  peer.receive_until("hello");
  EXPECT_TRUE(peer.closed_by_peer());
  auto second = calling.begin(listener.port);
  auto fresh = listener.accept();
  fresh.send("HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(second.get().response.status, 202U);
}

TEST(HttpClient, ReplacesAPooledConnectionThatThePeerHasClosed) {
  RawListener listener;
  Calling calling;
  auto first = calling.begin(listener.port);
  {
    auto peer = listener.accept();
    peer.receive_until("hello");
    peer.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    EXPECT_EQ(first.get().end, ExchangeEnd::answered);
  }
  auto second = calling.begin(listener.port);
  auto peer = listener.accept();
  EXPECT_FALSE(peer.receive_until("hello").empty());
  peer.send("HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(second.get().response.status, 201U);
}

TEST(HttpClient, AStaleConnectionThatTookTheRequestIsAResetAndNotRepeated) {
  RawListener listener;
  Calling calling;
  auto first = calling.begin(listener.port);
  auto peer = listener.accept();
  peer.receive_until("hello");
  peer.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(first.get().end, ExchangeEnd::answered);
  auto second = calling.begin(listener.port);
  peer.receive_until("hello");
  peer.close();
  EXPECT_EQ(second.get().end, ExchangeEnd::reset);
  EXPECT_FALSE(loopback::readable(RawSocket::connect(listener.port).fd(), 0));
}

TEST(HttpClient, BytesBehindAnAnswerAreNeverTheNextAnswer) {
  constexpr std::string_view kFirst = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
  constexpr std::string_view kForged = "HTTP/1.1 299 Forged\r\nContent-Length: 0\r\n\r\n";
  for (const bool together : {true, false}) {
    RawListener listener;
    Calling calling;
    auto first = calling.begin(listener.port);
    auto peer = listener.accept();
    peer.receive_until("hello");
    peer.send(together ? std::string(kFirst) + std::string(kForged) : std::string(kFirst));
    EXPECT_EQ(first.get().response.status, 200U);
    if (!together) peer.send(kForged);
    EXPECT_TRUE(peer.peer_is_gone(loopback::kPatienceMs));
    auto second = calling.begin(listener.port);
    auto fresh = listener.accept();
    fresh.receive_until("hello");
    fresh.send("HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n");
    EXPECT_EQ(second.get().response.status, 201U);
  }
}

TEST(HttpClient, DoesNotKeepWhatThePeerWillClose) {
  for (const std::string_view answer :
       {"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n"}) {
    RawListener listener;
    Calling calling;
    auto result = calling.begin(listener.port);
    auto peer = listener.accept();
    peer.receive_until("hello");
    peer.send(answer);
    EXPECT_EQ(result.get().end, ExchangeEnd::answered);
    EXPECT_TRUE(peer.closed_by_peer());
  }
}

TEST(HttpClient, ClosesWhatHasBeenIdleForLong) {
  RawListener listener;
  Calling calling({.idle_timeout = Millis{30}});
  auto result = calling.begin(listener.port);
  auto peer = listener.accept();
  peer.receive_until("hello");
  peer.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(result.get().end, ExchangeEnd::answered);
  EXPECT_TRUE(peer.closed_by_peer());
}

TEST(HttpClient, KeepsAtMostTheConfiguredNumberOfIdleConnections) {
  RawListener listener;
  Calling calling({.idle_per_host_max = 1});
  auto first = calling.begin(listener.port);
  auto second = calling.begin(listener.port);
  auto peer_first = listener.accept();
  auto peer_second = listener.accept();
  peer_first.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  peer_second.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(first.get().end, ExchangeEnd::answered);
  EXPECT_EQ(second.get().end, ExchangeEnd::answered);
  peer_first.receive_until("hello");
  peer_second.receive_until("hello");
  EXPECT_NE(peer_first.peer_is_gone(200), peer_second.peer_is_gone(200));
}

TEST(HttpClient, AnAnswerBeforeTheWholeRequestIsAnAnswer) {
  RawListener listener;
  Calling calling;
  HttpRequest request = kPost;
  request.body.assign(64 << 20, 'x');
  auto result = calling.begin(listener.port, request);
  auto peer = listener.accept();
  peer.receive();
  peer.send("HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(result.get().response.status, 413U);
  peer.receive_all();
}

TEST(HttpClient, SendsALargeRequestToASlowReader) {
  RawListener listener;
  Calling calling;
  HttpRequest request = kPost;
  request.body.assign(16 << 20, 'x');
  request.body += "THE END";
  auto result = calling.begin(listener.port, request);
  auto peer = listener.accept();
  std::size_t bytes = 0;
  for (std::string more; !more.ends_with("THE END"); bytes += more.size()) more = peer.receive();
  EXPECT_GT(bytes, request.body.size());
  peer.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(result.get().end, ExchangeEnd::answered);
}

TEST(HttpClient, EndsEveryExchangeWhenItIsDestroyed) {
  RawListener listener;
  std::optional<decltype(listener.accept())> peer;  // outlives the client: it must not hang up
  std::future<Exchange> waiting;
  {
    Calling calling;
    waiting = calling.begin(listener.port);
    peer.emplace(listener.accept());
    peer->receive_until("hello");
  }
  EXPECT_EQ(waiting.get().end, ExchangeEnd::canceled);
}

TEST(HttpClient, TalksToOurServerForLong) {
  Loop serving;
  auto server = serving.on([&] {
    return std::move(
        HttpServer::listen(serving.io, {}, [](HttpRequest request, HttpResponder respond) {
          respond({.status = 200, .body = request.body});
        }).value());
  });
  Calling calling;
  std::vector<std::future<Exchange>> results;
  for (std::size_t i = 0; i < 500; ++i) {
    HttpRequest request = kPost;
    request.body.assign(i * 37, static_cast<char>('a' + i % 26));
    results.push_back(calling.begin(server->port(), std::move(request)));
  }
  for (std::size_t i = 0; i < results.size(); ++i) {
    const Exchange exchange = results[i].get();
    ASSERT_EQ(exchange.end, ExchangeEnd::answered) << exchange.detail;
    EXPECT_EQ(exchange.response.body, std::string(i * 37, static_cast<char>('a' + i % 26)));
  }
  serving.on([&] { server.reset(); });
}

}  // namespace
}  // namespace skald
