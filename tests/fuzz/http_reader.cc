#include "engine/net/http_reader.h"

#include <fmt/format.h>

#include <string>
#include <vector>

#include "engine/base/check.h"
#include "engine/net/http_writer.h"
#include "tests/fuzz/targets.h"

namespace skald::fuzz {
namespace {

constexpr HttpLimits kTight{.body_bytes_max = 4'096, .header_bytes_max = 1'024};
constexpr std::size_t kMessagesMax = 64;

/// Everything that a peer would learn of these bytes.
struct Reading {
  std::vector<std::string> messages;
  std::vector<HttpRequest> requests;
  unsigned fault = 0;
  bool complete_at_close = false;
};

std::string text_of(const std::vector<HttpHeader>& headers, std::string_view body) {
  std::string text;
  for (const HttpHeader& header : headers) text += fmt::format("{}={};", header.name, header.value);
  return text.append("|").append(body);
}

void take_message(HttpRole role, HttpReader& reader, Reading& read) {
  if (role == HttpRole::requests) {
    HttpRequest request = reader.take_request();
    read.messages.push_back(request.method + " " + request.target + " " +
                            text_of(request.headers, request.body));
    read.requests.push_back(std::move(request));
  } else {
    const HttpResponse response = reader.take_response();
    read.messages.push_back(
        fmt::format("{} {}", response.status, text_of(response.headers, response.body)));
  }
  reader.reset();
}

Reading read_in_pieces(HttpRole role, HttpLimits limits, std::string_view text, std::size_t piece) {
  Reading read;
  HttpReader reader(role, limits);
  while (!text.empty() && read.messages.size() < kMessagesMax) {
    const std::string_view given = text.substr(0, piece);
    const auto step = reader.feed(given);
    SKALD_CHECK(step.used <= given.size());
    SKALD_CHECK(step.progress != ReadProgress::more || step.used == given.size());
    text.remove_prefix(step.used);
    if (step.progress == ReadProgress::failed) {
      read.fault = reader.fault().status;
      SKALD_CHECK(read.fault >= 400 && !reader.fault().what.empty());
      return read;
    }
    if (step.progress == ReadProgress::done) {
      SKALD_CHECK(step.used > 0);
      take_message(role, reader, read);
    }
  }
  read.complete_at_close = reader.complete_at_close();
  return read;
}

bool belongs_to_the_writer(const HttpHeader& header) {
  for (const std::string_view name :
       {"Host", "Connection", "Content-Length", "Transfer-Encoding"}) {
    if (equal_ignoring_case(header.name, name)) return true;
  }
  return false;
}

void check_written_reads_back(HttpRequest request) {
  std::erase_if(request.headers, belongs_to_the_writer);
  std::string bytes;
  if (append_request(bytes, "host", request)) return;
  const Reading again = read_in_pieces(HttpRole::requests, {}, bytes, bytes.size());
  SKALD_CHECK(again.requests.size() == 1 && again.fault == 0, "fault={}", again.fault);
  HttpRequest back = again.requests.front();
  std::erase_if(back.headers, belongs_to_the_writer);
  SKALD_CHECK(back.method == request.method && back.target == request.target);
  SKALD_CHECK(back.headers == request.headers && back.body == request.body);
}

}  // namespace

void http_reader(std::string_view input) {
  const std::uint8_t choice = take_byte(input);
  const HttpRole role = (choice & 1) != 0 ? HttpRole::responses : HttpRole::requests;
  const HttpLimits limits = (choice & 2) != 0 ? HttpLimits{} : kTight;
  const Reading whole = read_in_pieces(role, limits, input, input.size());
  const Reading cut = read_in_pieces(role, limits, input, 1U + (choice >> 2U) % 16U);
  SKALD_CHECK(whole.messages == cut.messages && whole.complete_at_close == cut.complete_at_close);
  SKALD_CHECK(whole.fault == cut.fault, "{} in one, {} in pieces", whole.fault, cut.fault);
  for (const HttpRequest& request : whole.requests) check_written_reads_back(request);
}

}  // namespace skald::fuzz
