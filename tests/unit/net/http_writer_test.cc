#include "engine/net/http_writer.h"

#include <gtest/gtest.h>

namespace skald {
namespace {

std::string written(const HttpResponse& response, ResponseForm form = {}) {
  std::string out;
  append_response(out, response, form);
  return out;
}

TEST(AppendResponse, WritesHeadAndBodyWithTheLength) {
  EXPECT_EQ(written({.status = 200, .headers = {{"A", "b"}}, .body = "xyz"}),
            "HTTP/1.1 200 OK\r\nA: b\r\nContent-Length: 3\r\n\r\nxyz");
  EXPECT_EQ(written({.status = 599}), "HTTP/1.1 599 \r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(written({.status = 204}), "HTTP/1.1 204 No Content\r\n\r\n");
}

TEST(AppendResponse, SaysWhenItCloses) {
  EXPECT_EQ(written({.status = 400}, {.keep_alive = false}),
            "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
}

TEST(AppendResponse, LeavesTheBodyOutForHead) {
  EXPECT_EQ(written({.status = 200, .body = "xyz"}, {.head_only = true}),
            "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n");
}

TEST(AppendResponse, TurnsWhatCouldBreakTheMessageIntoABareServerError) {
  for (const HttpHeader& header : std::vector<HttpHeader>{
           {"A", "b\r\nX: y"},
           {"A", "b\nX: y"},
           {"A", std::string("b\0c", 3)},
           {"A b", "c"},
           {"", "c"},
           {"A:", "c"},
           {"Content-Length", "5"},
           {"transfer-encoding", "chunked"},
           {"Connection", "close"},
       }) {
    EXPECT_EQ(written({.status = 200, .headers = {header}, .body = "x"}),
              "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n");
  }
  EXPECT_TRUE(written({.status = 100}).starts_with("HTTP/1.1 500 "));
  EXPECT_TRUE(written({.status = 99'999}).starts_with("HTTP/1.1 500 "));
}

TEST(AppendRequest, WritesHostAndLength) {
  std::string out;
  const HttpRequest post{
      .method = "POST", .target = "/a?b=c", .headers = {{"A", "b"}}, .body = "xyz"};
  EXPECT_FALSE(append_request(out, "h:81", post));
  EXPECT_EQ(out, "POST /a?b=c HTTP/1.1\r\nHost: h:81\r\nA: b\r\nContent-Length: 3\r\n\r\nxyz");
  out.clear();
  EXPECT_FALSE(append_request(out, "h", {.method = "GET", .target = "/"}));
  EXPECT_EQ(out, "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  out.clear();
  EXPECT_FALSE(append_request(out, "h", {.method = "POST", .target = "/"}));
  EXPECT_EQ(out, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n");
}

TEST(AppendRequest, RefusesWhatCouldBreakTheMessage) {
  const auto refuses = [](std::string_view host, const HttpRequest& request) {
    std::string out;
    return append_request(out, host, request).has_value() && out.empty();
  };
  EXPECT_TRUE(refuses("h", {.method = "PO ST", .target = "/"}));
  EXPECT_TRUE(refuses("h", {.method = "", .target = "/"}));
  EXPECT_TRUE(refuses("h", {.method = "POST", .target = "/a b"}));
  EXPECT_TRUE(refuses("h", {.method = "POST", .target = "/a\r\nX: y"}));
  EXPECT_TRUE(refuses("h", {.method = "POST", .target = "a"}));
  EXPECT_TRUE(refuses("h\r\nX: y", {.method = "POST", .target = "/"}));
  EXPECT_TRUE(refuses("", {.method = "POST", .target = "/"}));
  EXPECT_TRUE(refuses("h", {.method = "POST", .target = "/", .headers = {{"A", "b\rc"}}}));
  EXPECT_TRUE(refuses("h", {.method = "POST", .target = "/", .headers = {{"Host", "x"}}}));
  EXPECT_TRUE(
      refuses("h", {.method = "POST", .target = "/", .headers = {{"Content-Length", "1"}}}));
}

TEST(AppendRequest, WritesHeaderLinesAfterTheHeaders) {
  HttpRequest request{.method = "POST", .target = "/", .headers = {{"A", "b"}}, .body = "xyz"};
  request.header_lines.add("C", "d");
  request.header_lines.add("E", 17U);
  request.header_lines.add_quoted("F", R"(say "g" \ h)");
  request.header_lines.add_any("I", "j");
  std::string out;
  EXPECT_FALSE(append_request(out, "h", request));
  EXPECT_EQ(out,
            "POST / HTTP/1.1\r\nHost: h\r\nA: b\r\nC: d\r\nE: 17\r\n"
            "F: \"say \\\"g\\\" \\\\ h\"\r\nI: j\r\nContent-Length: 3\r\n\r\nxyz");
}

TEST(AppendRequest, RefusesHeaderLinesThatCouldBreakTheMessage) {
  const auto refuses = [](auto add) {
    HttpRequest request{.method = "POST", .target = "/"};
    request.header_lines.add("Good", "one");
    add(request.header_lines);
    request.header_lines.add("Also", "good");
    std::string out;
    return append_request(out, "h", request).has_value() && out.empty();
  };
  EXPECT_TRUE(refuses([](HeaderLines& lines) { lines.add("A", "b\r\nX: y"); }));
  EXPECT_TRUE(refuses([](HeaderLines& lines) { lines.add_quoted("A", "b\nc"); }));
  EXPECT_TRUE(refuses([](HeaderLines& lines) { lines.add_quoted("A", std::string("\0", 1)); }));
  EXPECT_TRUE(refuses([](HeaderLines& lines) { lines.add_any("A b", "c"); }));
  EXPECT_TRUE(refuses([](HeaderLines& lines) { lines.add_any("", "c"); }));
  EXPECT_TRUE(refuses([](HeaderLines& lines) { lines.add_any("A", "\x7f"); }));
  EXPECT_TRUE(refuses([](HeaderLines& lines) { lines.add_any("Content-length", "1"); }));
  EXPECT_TRUE(refuses([](HeaderLines& lines) { lines.add_any("TRANSFER-ENCODING", "chunked"); }));
  EXPECT_FALSE(refuses([](HeaderLines& lines) { lines.add("A", "tab\tand \xC3\xA9"); }));
}

}  // namespace
}  // namespace skald
