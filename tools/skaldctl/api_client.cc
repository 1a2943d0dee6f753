#include "tools/skaldctl/api_client.h"

#include <netdb.h>

#include <array>
#include <boost/asio/io_context.hpp>
#include <charconv>
#include <optional>
#include <utility>

#include "engine/net/http_client.h"
#include "engine/wire/connect.h"

namespace skald::ctl {
namespace {

constexpr std::size_t kAnswerBytesMax = 64 << 20;  // a whole saga with payloads

/// The first numeric address of a host name.
Result<std::string> resolve(const std::string& host) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int error = getaddrinfo(host.c_str(), nullptr, &hints, &found);
  if (error != 0) {
    return fail(Errc::unavailable, "{}: {}", host, gai_strerror(error));
  }
  std::array<char, NI_MAXHOST> text{};
  const int named = getnameinfo(found->ai_addr, found->ai_addrlen, text.data(), text.size(),
                                nullptr, 0, NI_NUMERICHOST);
  freeaddrinfo(found);
  if (named != 0) return fail(Errc::unavailable, "{}: {}", host, gai_strerror(named));
  return std::string(text.data());
}

Result<HttpEndpoint> parse_server(std::string_view text) {
  constexpr std::string_view kForm = "server: expected http://host:port";
  if (text.starts_with("https://")) {
    return fail(Errc::invalid_argument, "server: TLS is not spoken; use http:// on loopback");
  }
  if (text.starts_with("http://")) text.remove_prefix(7);
  while (text.ends_with('/')) text.remove_suffix(1);
  const std::size_t colon = text.rfind(':');
  if (colon == text.npos || colon == 0) return fail(Errc::invalid_argument, "{}", kForm);
  HttpEndpoint endpoint{.host = std::string(text), .ip = {}, .port = 0};
  const std::string_view port = text.substr(colon + 1);
  const auto [rest, error] = std::from_chars(port.data(), port.data() + port.size(), endpoint.port);
  if (error != std::errc{} || rest != port.data() + port.size()) {
    return fail(Errc::invalid_argument, "{}", kForm);
  }
  std::string_view host = text.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  auto ip = resolve(std::string(host));
  if (!ip) return std::unexpected(ip.error());
  endpoint.ip = std::move(*ip);
  return endpoint;
}

class HttpApiClient final : public ApiClient {
 public:
  explicit HttpApiClient(HttpEndpoint endpoint) : endpoint_(std::move(endpoint)) {
    HttpClientOptions options;
    options.response_limits.body_bytes_max = kAnswerBytesMax;
    client_ = HttpClient::create(io_, options);
  }

  Result<void> call(std::string_view procedure, const google::protobuf::Message& request,
                    google::protobuf::Message& response, Millis timeout) override {
    auto body = wire::encode_message(wire::ConnectCodec::json, request);
    if (!body) return std::unexpected(body.error());
    HttpRequest http =
        wire::connect_request(procedure, wire::ConnectCodec::json, std::move(*body), timeout);
    std::optional<Exchange> exchange;
    client_->call(endpoint_, std::move(http), timeout,
                  [&exchange](Exchange done) { exchange = std::move(done); });
    io_.restart();
    while (!exchange && io_.run_one() > 0) {
    }
    return read(exchange.value_or(Exchange{}), response);
  }

 private:
  [[nodiscard]] Result<void> read(const Exchange& exchange,
                                  google::protobuf::Message& response) const {
    switch (exchange.end) {
      case ExchangeEnd::answered:
        if (exchange.response.status != 200) {
          return std::unexpected(wire::connect_error_of(exchange.response));
        }
        return wire::decode_message(wire::ConnectCodec::json, exchange.response.body, response);
      case ExchangeEnd::not_connected:
        return fail(Errc::unavailable, "{} is not reached: {}", endpoint_.host, exchange.detail);
      case ExchangeEnd::timed_out:
        return fail(Errc::deadline_exceeded, "{} did not answer in time", endpoint_.host);
      case ExchangeEnd::reset:
      case ExchangeEnd::malformed:
      case ExchangeEnd::oversized:
      case ExchangeEnd::canceled:
        return fail(Errc::unknown, "the call to {} broke and may have arrived: {}", endpoint_.host,
                    exchange.detail);
    }
    return fail(Errc::unknown, "the call to {} broke", endpoint_.host);
  }

  HttpEndpoint endpoint_;
  boost::asio::io_context io_;
  std::unique_ptr<HttpClient> client_;
};

}  // namespace

Result<std::unique_ptr<ApiClient>> connect_api(const std::string& server) {
  auto endpoint = parse_server(server);
  if (!endpoint) return std::unexpected(endpoint.error());
  return std::make_unique<HttpApiClient>(std::move(*endpoint));
}

}  // namespace skald::ctl
