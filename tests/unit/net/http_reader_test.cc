#include "engine/net/http_reader.h"

#include <gtest/gtest.h>

#include <optional>

namespace skald {
namespace {

constexpr HttpLimits kSmall{.body_bytes_max = 64, .header_bytes_max = 256};

struct Read {
  ReadProgress progress = ReadProgress::more;
  unsigned fault = 0;
  std::size_t used = 0;
  bool keep_alive = false;
  HttpRequest request;
  HttpResponse response;
};

/// Feeds `text` in pieces of `piece` bytes.
Read read(HttpRole role, std::string_view text, std::size_t piece, HttpLimits limits = kSmall) {
  HttpReader reader(role, limits);
  Read result;
  while (result.used < text.size() && result.progress == ReadProgress::more) {
    const auto step = reader.feed(text.substr(result.used, piece));
    result.progress = step.progress;
    result.used += step.used;
  }
  result.fault = reader.fault().status;
  if (result.progress != ReadProgress::done && !reader.complete_at_close()) return result;
  result.keep_alive = reader.keep_alive();
  if (role == HttpRole::requests) {
    result.request = reader.take_request();
  } else {
    result.response = reader.take_response();
  }
  return result;
}

constexpr std::size_t kWhole = 1 << 20;
constexpr std::size_t kPieces[] = {kWhole, 1, 2, 3, 7};

TEST(HttpReader, ReadsARequestHoweverItArrives) {
  const std::string text =
      "POST /a.B/C?x=%20 HTTP/1.1\r\nHost: h\r\ncontent-length:5 \r\nX-Y: \t a b \t\r\n\r\nhello";
  for (const std::size_t piece : kPieces) {
    const Read got = read(HttpRole::requests, text, piece);
    ASSERT_EQ(got.progress, ReadProgress::done) << piece;
    EXPECT_EQ(got.used, text.size());
    EXPECT_EQ(got.request.method, "POST");
    EXPECT_EQ(got.request.target, "/a.B/C?x=%20");
    EXPECT_EQ(got.request.body, "hello");
    EXPECT_EQ(*find_header(got.request.headers, "x-y"), "a b");
    EXPECT_TRUE(got.keep_alive);
  }
}

TEST(HttpReader, TakesNothingOfTheNextMessage) {
  const std::string first = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nab";
  const std::string chunked =
      "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n";
  for (const std::string& text : {first, chunked}) {
    for (const std::size_t piece : kPieces) {
      const Read got = read(HttpRole::requests, text + "GET /next", piece);
      ASSERT_EQ(got.progress, ReadProgress::done);
      EXPECT_EQ(got.used, text.size());
      EXPECT_EQ(got.request.body, "ab");
    }
  }
}

TEST(HttpReader, ReadsMessagesOneAfterAnother) {
  HttpReader reader(HttpRole::requests, kSmall);
  std::string text;
  for (int i = 0; i < 3; ++i)
    text += "\r\nPUT /" + std::to_string(i) + " HTTP/1.1\r\nHost: h\r\n\r\n";
  std::string_view rest = text;
  for (int i = 0; i < 3; ++i) {
    EXPECT_FALSE(reader.started());
    const auto step = reader.feed(rest);
    ASSERT_EQ(step.progress, ReadProgress::done);
    rest.remove_prefix(step.used);
    EXPECT_EQ(reader.take_request().target, "/" + std::to_string(i));
    reader.reset();
  }
  EXPECT_TRUE(rest.empty());
}

TEST(HttpReader, ReadsChunksWithExtensionsAndTrailers) {
  const std::string text =
      "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: Chunked\r\n\r\n"
      "3;name=\"v\"\r\nabc\r\n0A\r\n0123456789\r\n000\r\nX-Sum: 1\r\n\r\n";
  for (const std::size_t piece : kPieces) {
    const Read got = read(HttpRole::requests, text, piece);
    ASSERT_EQ(got.progress, ReadProgress::done) << piece;
    EXPECT_EQ(got.request.body, "abc0123456789");
    EXPECT_EQ(find_header(got.request.headers, "x-sum"), nullptr);
  }
}

TEST(HttpReader, KnowsWhetherTheConnectionGoesOn) {
  struct Vector {
    std::string head;
    bool keep_alive;
  };
  for (const auto& [head, keep_alive] : std::vector<Vector>{
           {"GET / HTTP/1.1\r\nHost: h\r\n", true},
           {"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n", false},
           {"GET / HTTP/1.1\r\nHost: h\r\nConnection: x, Close\r\n", false},
           {"GET / HTTP/1.0\r\n", false},
           {"GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n", true},
           {"GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n", false},
       }) {
    const Read got = read(HttpRole::requests, head + "\r\n", kWhole);
    ASSERT_EQ(got.progress, ReadProgress::done) << head;
    EXPECT_EQ(got.keep_alive, keep_alive) << head;
  }
}

TEST(HttpReader, RefusesWhatCouldBeReadInTwoWays) {
  struct Vector {
    std::string text;
    unsigned status;
  };
  const std::string host = "Host: h\r\n";
  const std::string chunked = "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n";
  for (const auto& [text, status] : std::vector<Vector>{
           // lengths and codings
           {"POST / HTTP/1.1\r\n" + host +
                "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
            400},
           {"POST / HTTP/1.1\r\n" + host +
                "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n",
            400},
           {"POST / HTTP/1.1\r\n" + host + "Content-Length: 3\r\nContent-Length: 3\r\n\r\n", 400},
           {"POST / HTTP/1.1\r\n" + host + "Content-Length: 3, 3\r\n\r\n", 400},
           {"POST / HTTP/1.1\r\n" + host + "Content-Length: +3\r\n\r\n", 400},
           {"POST / HTTP/1.1\r\n" + host + "Content-Length: -3\r\n\r\n", 400},
           {"POST / HTTP/1.1\r\n" + host + "Content-Length: 0x3\r\n\r\n", 400},
           {"POST / HTTP/1.1\r\n" + host + "Content-Length: 3 4\r\n\r\n", 400},
           {"POST / HTTP/1.1\r\n" + host + "Content-Length: \r\n\r\n", 400},
           {"POST / HTTP/1.1\r\n" + host + "Content-Length: 18446744073709551617\r\n\r\n", 400},
           {"POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: gzip, chunked\r\n\r\n", 501},
           {"POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: xchunked\r\n\r\n", 501},
           {"POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked, identity\r\n\r\n", 501},
           {"POST / HTTP/1.1\r\n" + host +
                "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
            400},
           {"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
           // chunks
           {chunked + "\r\n", 400},
           {chunked + "x\r\n", 400},
           {chunked + "-1\r\n", 400},
           {chunked + "+1\r\n", 400},
           {chunked + "0x1\r\n", 400},
           {chunked + " 1\r\n", 400},
           {chunked + "1 \r\na\r\n", 400},
           {chunked + "1\na\r\n", 400},
           {chunked + "1;a\rb\r\n", 400},
           {chunked + "1\r\nab\r\n", 400},
           {chunked + "1\r\na0\r\n\r\n", 400},
           {chunked + "100000000\r\n", 413},
           {chunked + "FFFFFFFFFFFFFFFF1\r\n", 413},
           {chunked + "41\r\n", 413},
           {chunked + "1;" + std::string(kChunkLineBytesMax, 'x') + "\r\n", 400},
           {chunked + "0\r\nbad trailer\r\n\r\n", 400},
           {chunked + "0\r\nX: " + std::string(300, 'x') + "\r\n\r\n", 431},
           // lines
           {"GET / HTTP/1.1\r\n" + host + "X: a\r\n b\r\n\r\n", 400},
           {"GET / HTTP/1.1\r\n Host: h\r\n\r\n", 400},
           {"GET / HTTP/1.1\nHost: h\n\n", 400},
           {"GET / HTTP/1.1\r\n" + host + "X: a\rY: b\r\n\r\n", 400},
           {"GET / HTTP/1.1\r\n" + host + "X: a\n\r\n", 400},
           {"GET / HTTP/1.1\r\nHost : h\r\n\r\n", 400},
           {"GET / HTTP/1.1\r\n" + host + ": a\r\n\r\n", 400},
           {"GET / HTTP/1.1\r\n" + host + "X\r\n\r\n", 400},
           {"GET / HTTP/1.1\r\n" + host + "X(): a\r\n\r\n", 400},
           {"GET / HTTP/1.1\r\n" + host + std::string("X: a\0b\r\n\r\n", 10), 400},
           {"GET / HTTP/1.1\r\n" + host + "X: \x7F\r\n\r\n", 400},
           {"\r\n\r\n\r\nGET", 0},
           // start lines
           {"GET /\r\n\r\n", 400},
           {"GET / HTTP/1.1 x\r\n\r\n", 400},
           {"GET  / HTTP/1.1\r\n\r\n", 400},
           {"GET / http/1.1\r\n\r\n", 400},
           {"GET / HTTP/11\r\n\r\n", 400},
           {"GET / HTTP/2.0\r\n\r\n", 505},
           {"G(T / HTTP/1.1\r\n\r\n", 400},
           {std::string(33, 'M') + " / HTTP/1.1\r\n\r\n", 400},
           {"GET http://h/ HTTP/1.1\r\n\r\n", 400},
           {"GET * HTTP/1.1\r\n\r\n", 400},
           {"GET /#f HTTP/1.1\r\n\r\n", 400},
           {"GET /\xC3\xA9 HTTP/1.1\r\n\r\n", 400},
           {"\x16\x03\x01\x02\r\n\r\n", 400},
           // hosts and expectations
           {"GET / HTTP/1.1\r\n\r\n", 400},
           {"GET / HTTP/1.1\r\nHost: a\r\nhost: a\r\n\r\n", 400},
           {"GET / HTTP/1.1\r\n" + host + "Expect: tea\r\n\r\n", 417},
           // limits
           {"POST / HTTP/1.1\r\n" + host + "Content-Length: 65\r\n\r\n", 413},
           {"GET / HTTP/1.1\r\n" + host + "X: " + std::string(256, 'x') + "\r\n\r\n", 431},
           {"GET /" + std::string(300, 'x'), 431},
           // what is wrong beyond a limit is not told
           {"GET / HTTP/1.1\r\n" + host + "X: " + std::string(256, 'x') + "\n\r\n", 431},
       }) {
    for (const std::size_t piece : kPieces) {
      const Read got = read(HttpRole::requests, text, piece);
      EXPECT_EQ(got.fault, status) << text << " in pieces of " << piece;
      EXPECT_NE(got.progress, ReadProgress::done) << text;
    }
  }
}

TEST(HttpReader, HoldsItsLimitsExactly) {
  const auto head_of = [](std::size_t bytes) {
    const std::string start = "GET / HTTP/1.1\r\nHost: h\r\nX: ";
    return start + std::string(bytes - start.size() - 4, 'x') + "\r\n\r\n";
  };
  for (const std::size_t piece : kPieces) {
    EXPECT_EQ(read(HttpRole::requests, head_of(256), piece).progress, ReadProgress::done);
    EXPECT_EQ(read(HttpRole::requests, head_of(257), piece).fault, 431U);
  }
  const auto body_of = [](std::size_t bytes) {
    return "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: " + std::to_string(bytes) + "\r\n\r\n" +
           std::string(bytes, 'b');
  };
  EXPECT_EQ(read(HttpRole::requests, body_of(64), kWhole).request.body.size(), 64U);
  EXPECT_EQ(read(HttpRole::requests, body_of(65), kWhole).fault, 413U);
  const auto fields = [](std::size_t count) {
    std::string text = "GET / HTTP/1.1\r\nHost: h\r\n";
    for (std::size_t i = 1; i < count; ++i) text += "a:b\r\n";
    return text + "\r\n";
  };
  const HttpLimits large{.body_bytes_max = 64, .header_bytes_max = 32 * 1024};
  for (const std::size_t piece : kPieces) {
    EXPECT_EQ(read(HttpRole::requests, fields(kHttpHeadersMax), piece, large).progress,
              ReadProgress::done);
    EXPECT_EQ(read(HttpRole::requests, fields(kHttpHeadersMax + 1), piece, large).fault, 431U);
  }
}

TEST(HttpReader, SeesWhoWaitsForContinue) {
  HttpReader reader(HttpRole::requests, kSmall);
  const auto step = reader.feed(
      "POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
  EXPECT_EQ(step.progress, ReadProgress::more);
  EXPECT_TRUE(reader.awaits_continue());
  EXPECT_EQ(reader.feed("a").progress, ReadProgress::more);
  EXPECT_FALSE(reader.awaits_continue());
}

TEST(HttpReader, ReadsAnswersInAllTheirForms) {
  struct Vector {
    std::string text;
    std::string body;
    bool keep_alive;
    std::size_t left;  // bytes behind the answer
  };
  for (const auto& [text, body, keep_alive, left] : std::vector<Vector>{
           {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab", "ab", true, 0},
           {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nabJUNK", "ab", true, 4},
           {"HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", "", true, 0},
           {"HTTP/1.1 200 \r\nConnection: close\r\nContent-Length: 1\r\n\r\nx", "x", false, 0},
           {"HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx", "x", false, 0},
           {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n", "x", true,
            0},
           {"HTTP/1.0 200 OK\r\n\r\nuntil the end", "until the end", false, 0},
           {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nA: b\r\n\r\n"
            "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx",
            "x", true, 0},
           {"HTTP/1.1 204 No Content\r\n\r\n", "", true, 0},
           {"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", "", true, 0},
       }) {
    for (const std::size_t piece : kPieces) {
      const Read got = read(HttpRole::responses, text, piece);
      EXPECT_EQ(got.fault, 0U) << text;
      EXPECT_EQ(got.response.body, body) << text;
      EXPECT_EQ(got.keep_alive, keep_alive) << text;
      EXPECT_EQ(text.size() - got.used, left) << text;
    }
  }
}

TEST(HttpReader, RefusesAnswersThatAreNotHttp) {
  for (const std::string text : {
           "SSH-2.0-OpenSSH_9.2\r\n\r\n",
           "HTTP/1.1 abc\r\n\r\n",
           "HTTP/1.1 99 x\r\n\r\n",
           "HTTP/1.1 600 x\r\n\r\n",
           "HTTP/1.1 2000\r\n\r\n",
           "HTTP/1.1  200\r\n\r\n",
           "HTTP/2.0 200 OK\r\n\r\n",
           "HTTP/1.1 101 Switching\r\n\r\n",
           "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx",
           "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
           "HTTP/1.1 200 OK\nContent-Length: 1\n\nx",
       }) {
    for (const std::size_t piece : kPieces) {
      const Read got = read(HttpRole::responses, text, piece);
      EXPECT_EQ(got.progress, ReadProgress::failed) << text;
    }
  }
  std::string interim;
  for (int i = 0; i <= kInterimResponsesMax; ++i) interim += "HTTP/1.1 102 Wait\r\n\r\n";
  EXPECT_EQ(read(HttpRole::responses, interim, kWhole).progress, ReadProgress::failed);
}

TEST(HttpReader, BoundsABodyWithoutLength) {
  const std::string text = "HTTP/1.1 200 OK\r\n\r\n" + std::string(65, 'x');
  EXPECT_EQ(read(HttpRole::responses, text, 1).fault, 413U);
}

TEST(HttpReader, KnowsThatAnswersToHeadHaveNoBody) {
  HttpReader reader(HttpRole::responses, kSmall);
  reader.expect_no_body();
  const auto step = reader.feed("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n");
  EXPECT_EQ(step.progress, ReadProgress::done);
  EXPECT_TRUE(reader.keep_alive());
}

}  // namespace
}  // namespace skald
