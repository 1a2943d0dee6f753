#include "engine/transport/webhook_sender.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "engine/base/version.h"
#include "engine/transport/cloud_event.h"
#include "engine/wire/json.h"

namespace skald {
namespace {

using Done = std::move_only_function<void(AlertReceipt)>;
using SteadyTime = std::chrono::steady_clock::time_point;

constexpr HttpLimits kAnswerLimits{.body_bytes_max = 64 << 10};
constexpr std::string_view kHttps = "https://";
constexpr std::uint16_t kHttpsPort = 443;

Millis since(SteadyTime began) {
  return std::chrono::ceil<Millis>(std::chrono::steady_clock::now() - began);
}

class WebhookSender final : public AlertSender {
 public:
  WebhookSender(boost::asio::io_context& io, BlockingPool& pool, WebhookSenderOptions options)
      : options_(std::move(options)),
        client_(HttpClient::create(io, {.response_limits = kAnswerLimits, .idle_per_host_max = 4})),
        tls_(options_.trust ? TlsExchanges::create(io, options_.trust, kAnswerLimits) : nullptr),
        resolver_(io, pool, options_.lookup) {}

  void send(const std::string& target, const Alert& alert, Done done) override {
    const WebhookEndpoint& to = options_.webhooks.at(target);
    Attempt attempt{.event_id = event_id(alert),
                    .began = std::chrono::steady_clock::now(),
                    .done = std::move(done)};
    auto body = cloud_event(alert, options_.source);
    HttpRequest request{.method = "POST",
                        .target = to.url.target,
                        .headers = {{"Content-Type", std::string(kCloudEventType)},
                                    {"User-Agent", fmt::format("skald/{}", kVersion)}},
                        .header_lines = {},
                        .body = body ? std::move(*body) : "{}"};
    if (!to.authorization.empty()) request.headers.push_back({"Authorization", to.authorization});
    // Always by way of the resolver, which answers from the io_context: never from inside send().
    resolver_.resolve(bare(to.url.host.host), options_.timeout,
                      [this, &to, request = std::move(request),
                       attempt = std::move(attempt)](const auto& resolved) mutable {
                        if (!resolved) return end(attempt, 0, resolved.error().message);
                        if (resolved->empty()) return end(attempt, 0, "the name has no address");
                        post(to, resolved->front(), std::move(request), std::move(attempt));
                      });
  }

 private:
  struct Attempt {
    std::string event_id;
    SteadyTime began;
    Done done;
  };

  /// The resolver knows an IPv6 address without its brackets.
  static std::string bare(const std::string& host) {
    return host.starts_with('[') ? host.substr(1, host.size() - 2) : host;
  }

  static void end(Attempt& attempt, unsigned status, std::string detail, std::string body = {}) {
    wire::cut_utf8(body, kWebhookAnswerShown);
    attempt.done({.status = status,
                  .detail = std::move(detail),
                  .body = std::move(body),
                  .event_id = std::move(attempt.event_id),
                  .took = since(attempt.began)});
  }

  void post(const WebhookEndpoint& to, const IpAddress& address, HttpRequest request,
            Attempt attempt) {
    const HttpEndpoint endpoint{
        .host = to.url.host.host, .ip = address.text(), .port = to.url.host.port};
    const Millis left = std::max(options_.timeout - since(attempt.began), Millis{1});
    auto done = [attempt = std::move(attempt)](Exchange exchange) mutable {
      if (exchange.end != ExchangeEnd::answered) {
        return end(attempt, 0, std::move(exchange.detail));
      }
      const unsigned status = exchange.response.status;
      end(attempt, status, fmt::format("HTTP {}", status), std::move(exchange.response.body));
    };
    if (!to.url.tls) return client_->call(endpoint, std::move(request), left, std::move(done));
    tls_->call(endpoint, request, left, std::move(done));
  }

  const WebhookSenderOptions options_;
  std::unique_ptr<HttpClient> client_;
  std::unique_ptr<TlsExchanges> tls_;  // null: no webhook is at https
  NameResolver resolver_;              // after both: what waits here still calls them
};

}  // namespace

Result<WebhookUrl> parse_webhook_url(std::string_view url) {
  const bool tls = equal_ignoring_case(url.substr(0, kHttps.size()), kHttps);
  std::string plain;  // the same with the one scheme that parse_http_url() knows
  if (tls) url = plain = fmt::format("http://{}", url.substr(kHttps.size()));
  const std::size_t host = std::min(url.find("://") + 3, url.size());
  const std::size_t slash = std::min(url.find_first_of("/?", host), url.size());
  auto parsed = parse_http_url(url.substr(0, slash));
  if (!parsed) return std::unexpected(parsed.error());
  const std::string_view authority = url.substr(host, slash - host);
  const bool has_port = authority.rfind(':') != std::string_view::npos && authority.back() != ']';
  if (tls && !has_port) parsed->port = kHttpsPort;
  std::string target(url.substr(slash));
  if (!target.starts_with('/')) target.insert(0, "/");
  if (target.size() > kUrlBytesMax) {
    return fail(Errc::invalid_argument, "the path is longer than {} bytes", kUrlBytesMax);
  }
  if (const auto sound = check_path(target); !sound) {
    return fail(Errc::invalid_argument,
                "the path has spaces, control characters or a fragment in it");
  }
  return WebhookUrl{.tls = tls, .host = std::move(*parsed), .target = std::move(target)};
}

std::unique_ptr<AlertSender> make_webhook_sender(boost::asio::io_context& io, BlockingPool& pool,
                                                 WebhookSenderOptions options) {
  return std::make_unique<WebhookSender>(io, pool, std::move(options));
}

}  // namespace skald
