// Several requests on one connection at once: who gets which answer, and what becomes of the rest
// when one of them goes wrong.
#include <gmock/gmock.h>

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

HttpRequest numbered(std::size_t i) {
  HttpRequest request = kPost;
  request.target = "/" + std::to_string(i);
  return request;
}

std::vector<Calling::Ask> asks(std::size_t count, Millis timeout = kLong) {
  std::vector<Calling::Ask> all;
  for (std::size_t i = 0; i < count; ++i) {
    all.push_back({.request = numbered(i), .timeout = timeout});
  }
  return all;
}

std::string answer(unsigned status, std::string_view more = "") {
  return "HTTP/1.1 " + std::to_string(status) + " X\r\nContent-Length: 0\r\n" + std::string(more) +
         "\r\n";
}

/// A peer that has been sent all of `asked` on one connection, and has answered nothing.
struct Burst {
  explicit Burst(std::vector<Calling::Ask> asked)
      : results(calling.begin_all(listener.port, std::move(asked))), peer(listener.accept()) {
    peer.receive_until("hello");
  }

  RawListener listener;
  Calling calling{{}, 8};
  std::vector<std::future<Exchange>> results;
  RawSocket peer;
};

/// What all of them came to, in order.
std::vector<ExchangeEnd> ends_of(std::vector<std::future<Exchange>>& results) {
  std::vector<ExchangeEnd> ends;
  for (auto& result : results) ends.push_back(result.get().end);
  return ends;
}

TEST(HttpPipeline, RequestsOfOneTurnLeaveTogetherAndGetTheirOwnAnswers) {
  RawListener listener;
  Calling calling({}, 8);
  auto results = calling.begin_all(listener.port, asks(3));
  auto peer = listener.accept();
  const std::string bytes = peer.receive();
  EXPECT_THAT(bytes, testing::ContainsRegex("POST /0(.|\n)*POST /1(.|\n)*POST /2(.|\n)*hello$"));
  peer.send(answer(200) + answer(201) + answer(202));
  for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(results[i].get().response.status, 200U + i);
}

TEST(HttpPipeline, ASecondBurstUsesTheSameConnection) {
  Burst burst(asks(2));
  auto& [listener, calling, first, peer] = burst;
  peer.send(answer(200));
  EXPECT_EQ(first[0].get().response.status, 200U);
  auto second = calling.begin_all(listener.port, asks(2));  // beside the one that waits
  EXPECT_THAT(peer.receive_until("POST /1 HTTP/1.1\r\nHost"), testing::HasSubstr("POST /"));
  peer.send(answer(201) + answer(202) + answer(203));
  EXPECT_EQ(first[1].get().response.status, 201U);
  EXPECT_EQ(second[0].get().response.status, 202U);
  EXPECT_EQ(second[1].get().response.status, 203U);
}

TEST(HttpPipeline, WhatIsBeyondTheBoundGetsAnotherConnection) {
  RawListener listener;
  Calling calling({}, 2);
  auto results = calling.begin_all(listener.port, asks(3));
  auto peer = listener.accept();
  peer.receive_until("hello");
  auto other = listener.accept();
  EXPECT_THAT(other.receive_until("hello"), testing::HasSubstr("POST /2"));
  other.send(answer(202));
  peer.send(answer(200) + answer(201));
  for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(results[i].get().response.status, 200U + i);
}

TEST(HttpPipeline, AnAnswerToAHeadHasNoBodyWhereverItStands) {
  auto all = asks(3);
  all[1].request.method = "HEAD";
  Burst burst(std::move(all));
  auto& [listener, calling, results, peer] = burst;
  peer.send(
      "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na"
      "HTTP/1.1 201 OK\r\nContent-Length: 9\r\n\r\n"
      "HTTP/1.1 202 OK\r\nContent-Length: 1\r\n\r\nc");
  EXPECT_EQ(results[0].get().response.body, "a");
  EXPECT_EQ(results[1].get().response.body, "");
  EXPECT_EQ(results[2].get().response.body, "c");
}

TEST(HttpPipeline, WhoeverIsOverdueEndsAloneAndHisAnswerReachesNobody) {
  for (const std::size_t overdue : {0U, 1U, 2U}) {
    auto all = asks(3);
    all[overdue].timeout = kShort;
    Burst burst(std::move(all));
    auto& [listener, calling, results, peer] = burst;
    EXPECT_EQ(results[overdue].get().end, ExchangeEnd::timed_out);
    auto later = calling.begin(listener.port, numbered(3));  // not on a connection in arrears
    auto other = listener.accept();
    other.receive_until("hello");
    other.send(answer(203));
    EXPECT_EQ(later.get().response.status, 203U);
    peer.send(answer(200) + answer(201) + answer(202));
    for (std::size_t i = 0; i < 3; ++i) {
      if (i != overdue) EXPECT_EQ(results[i].get().response.status, 200U + i);
    }
    EXPECT_TRUE(peer.peer_is_gone(loopback::kPatienceMs));
  }
}

TEST(HttpPipeline, AConnectionOnWhichNobodyWaitsAnyMoreIsClosed) {
  Burst burst(asks(2, kShort));
  auto& [listener, calling, results, peer] = burst;
  EXPECT_THAT(ends_of(results), testing::Each(ExchangeEnd::timed_out));
  EXPECT_TRUE(peer.peer_is_gone(loopback::kPatienceMs));
}

TEST(HttpPipeline, ABrokenConnectionLeavesAllThatWasSentUnknown) {
  Burst burst(asks(3));
  auto& [listener, calling, results, peer] = burst;
  peer.send(answer(200));
  EXPECT_EQ(results[0].get().response.status, 200U);
  peer.close();
  EXPECT_EQ(results[1].get().end, ExchangeEnd::reset);
  EXPECT_EQ(results[2].get().end, ExchangeEnd::reset);
}

TEST(HttpPipeline, AnAnswerThatClosesEndsThoseBehind) {
  for (const std::string_view body_until_close : {"", "HTTP/1.0 200 X\r\n\r\nbody"}) {
    Burst burst(asks(2));
    auto& [listener, calling, results, peer] = burst;
    peer.send(body_until_close.empty() ? answer(200, "Connection: close\r\n")
                                       : std::string(body_until_close));
    peer.close();
    EXPECT_EQ(results[0].get().response.status, 200U);
    EXPECT_EQ(results[1].get().end, ExchangeEnd::reset);
  }
}

TEST(HttpPipeline, GarbageEndsTheFirstAsMalformedAndThoseBehindAsUnknown) {
  Burst burst(asks(3));
  auto& [listener, calling, results, peer] = burst;
  peer.send(answer(200) + "garbage\r\n\r\n");
  EXPECT_THAT(ends_of(results), testing::ElementsAre(ExchangeEnd::answered, ExchangeEnd::malformed,
                                                     ExchangeEnd::reset));
}

TEST(HttpPipeline, ARefusedConnectionEndsAllAsNotConnected) {
  RawListener listener;
  listener.close();
  Calling calling({}, 8);
  auto results = calling.begin_all(listener.port, asks(3));
  EXPECT_THAT(ends_of(results), testing::Each(ExchangeEnd::not_connected));
}

TEST(HttpPipeline, BytesBehindTheLastAnswerAreNeverTheNextAnswer) {
  Burst burst(asks(2));
  auto& [listener, calling, results, peer] = burst;
  peer.send(answer(200) + answer(201) + answer(299));
  EXPECT_EQ(results[1].get().response.status, 201U);
  EXPECT_TRUE(peer.peer_is_gone(loopback::kPatienceMs));
  auto next = calling.begin(listener.port);
  auto fresh = listener.accept();
  fresh.receive_until("hello");
  fresh.send(answer(202));
  EXPECT_EQ(next.get().response.status, 202U);
}

TEST(HttpPipeline, WhatNeverLeftIsNotConnectedAndNeverLeavesLater) {
  RawListener listener;
  Calling calling({}, 8);
  auto all = asks(2);
  all[0].request.body.assign(32 << 20, 'x');  // more than any socket buffer takes
  all[1].timeout = Millis{1'500};
  auto results = calling.begin_all(listener.port, std::move(all));
  auto peer = listener.accept();
  EXPECT_EQ(results[1].get().end, ExchangeEnd::not_connected);
  EXPECT_EQ(results[0].get().end, ExchangeEnd::reset);
  EXPECT_THAT(peer.receive_all(), testing::Not(testing::HasSubstr("POST /1")));
}

TEST(HttpPipeline, EndsEveryExchangeWhenItIsDestroyed) {
  RawListener listener;
  std::vector<std::future<Exchange>> waiting;
  {
    Calling calling({}, 8);
    waiting = calling.begin_all(listener.port, asks(3));
  }
  EXPECT_THAT(ends_of(waiting), testing::Each(ExchangeEnd::canceled));
}

TEST(HttpPipeline, TalksToOurServerForLong) {
  Loop serving;
  auto server = serving.on([&] {
    return std::move(
        HttpServer::listen(serving.io, {}, [](HttpRequest request, HttpResponder respond) {
          respond({.status = 200, .body = request.target + request.body});
        }).value());
  });
  Calling calling({}, 16);
  for (std::size_t burst = 1; burst < 60; ++burst) {
    auto all = asks(burst);
    for (std::size_t i = 0; i < burst; ++i) all[i].request.body.assign(i * burst * 13, 'a');
    auto results = calling.begin_all(server->port(), std::move(all));
    for (std::size_t i = 0; i < burst; ++i) {
      const Exchange exchange = results[i].get();
      ASSERT_EQ(exchange.end, ExchangeEnd::answered) << exchange.detail;
      EXPECT_EQ(exchange.response.body, "/" + std::to_string(i) + std::string(i * burst * 13, 'a'));
    }
  }
  serving.on([&] { server.reset(); });
}

}  // namespace
}  // namespace skald
