#include "engine/transport/http_invoker.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <chrono>
#include <optional>
#include <unordered_map>
#include <utility>

#include "engine/transport/outcome.h"
#include "engine/transport/saga_headers.h"
#include "engine/wire/json.h"

namespace skald {
namespace {

namespace asio = boost::asio;
using SteadyTime = std::chrono::steady_clock::time_point;
using Done = std::move_only_function<void(InvocationResult)>;

constexpr std::size_t kTargetsMax = 4'096;  // participants remembered; inline ones come and go

InvocationResult not_executed(const Error& error, bool configuration_alert) {
  Outcome outcome{.kind = OutcomeKind::not_executed,
                  .code = std::string(name(error.code)),
                  .message = error.message,
                  .configuration_alert = configuration_alert};
  wire::cut_utf8(outcome.message, kOutcomeMessageMax);
  return {.outcome = std::move(outcome), .response = {}};
}

/// One participant: where it is, as far as that is known without asking anybody.
struct Target {
  HttpUrl url;
  std::uint16_t pipeline_max = 1;
  std::optional<HttpEndpoint> endpoint;  // of a literal address that is allowed
};

HttpEndpoint endpoint_of(const Target& target, const IpAddress& address) {
  return {.host = target.url.host,
          .ip = address.text(),
          .port = target.url.port,
          .pipeline_max = target.pipeline_max};
}

class HttpInvoker final : public Invoker {
 public:
  HttpInvoker(asio::io_context& io, BlockingPool& pool, const Clock& clock,
              HttpInvokerOptions options)
      : io_(io),
        clock_(clock),
        options_(std::move(options)),
        client_(HttpClient::create(io, options_.client)),
        resolver_(io, pool, options_.lookup) {}
  HttpInvoker(const HttpInvoker&) = delete;
  HttpInvoker& operator=(const HttpInvoker&) = delete;

  void invoke(Invocation call, Done done) override {
    auto target = target_of(call.method->participant);
    if (!target) return refuse(std::move(done), target.error());
    if (const auto sound = check_path(call.method->path); !sound) {
      return refuse(std::move(done), sound.error());
    }
    const SteadyTime due = std::chrono::steady_clock::now() + call.timeout;
    const Target& found = **target;
    if (found.endpoint)
      return send(*found.endpoint, found.url, std::move(call), due, std::move(done));
    if (const auto* known = resolver_.remembered(found.url.host)) {
      const auto endpoint = choose(found, *known);
      if (endpoint) return send(*endpoint, found.url, std::move(call), due, std::move(done));
      return refuse(std::move(done), endpoint.error());
    }
    const Millis timeout = call.timeout;
    resolver_.resolve(found.url.host, timeout,
                      [this, target = found, call = std::move(call), due,
                       done = std::move(done)](const auto& resolved) mutable {
                        const auto endpoint = choose(target, resolved);
                        if (!endpoint) return done(refusal(endpoint.error()));
                        send(*endpoint, target.url, std::move(call), due, std::move(done));
                      });
  }

 private:
  [[nodiscard]] static InvocationResult refusal(const Error& error) {
    const bool resolving = error.code == Errc::unavailable || error.code == Errc::deadline_exceeded;
    return not_executed(error, !resolving);
  }

  void refuse(Done done, const Error& error) {
    asio::post(io_, [done = std::move(done), result = refusal(error)]() mutable {
      done(std::move(result));
    });
  }

  Result<const Target*> target_of(const std::string& participant);
  Result<HttpEndpoint> choose(const Target& target, const Result<std::vector<IpAddress>>& resolved);
  void send(const HttpEndpoint& endpoint, const HttpUrl& url, Invocation call, SteadyTime due,
            Done done);
  InvocationResult read(const Method& method, bool after_unknown, Exchange exchange) const;

  asio::io_context& io_;
  const Clock& clock_;
  const HttpInvokerOptions options_;
  std::unordered_map<std::string, Target> targets_;
  std::unique_ptr<HttpClient> client_;
  NameResolver resolver_;  // after the client: what waits here still calls it
};

Result<const Target*> HttpInvoker::target_of(const std::string& participant) {
  if (const auto found = targets_.find(participant); found != targets_.end()) {
    return &found->second;
  }
  const auto configured = options_.participants.find(participant);
  const bool is_url = participant.find("://") != std::string::npos;
  if (configured == options_.participants.end() && !is_url) {
    return fail(Errc::not_found, "participant {} has no URL; add it to the configuration",
                participant);
  }
  auto url = parse_http_url(is_url ? participant : configured->second.url);
  if (!url) return std::unexpected(url.error());
  Target target{.url = std::move(*url), .endpoint = {}};
  if (!is_url) target.pipeline_max = configured->second.pipeline_max;
  if (const auto literal = literal_address(target.url.host)) {
    if (const auto allowed = options_.allow.check(target.url, *literal); !allowed) {
      return std::unexpected(allowed.error());
    }
    target.endpoint = endpoint_of(target, *literal);
  }
  if (targets_.size() >= kTargetsMax) targets_.clear();
  return &targets_.emplace(participant, std::move(target)).first->second;
}

/// One forbidden address makes the whole name forbidden: which of them is called must not be luck.
Result<HttpEndpoint> HttpInvoker::choose(const Target& target,
                                         const Result<std::vector<IpAddress>>& resolved) {
  const HttpUrl& url = target.url;
  if (!resolved) return std::unexpected(resolved.error());
  for (const IpAddress& address : *resolved) {
    if (const auto allowed = options_.allow.check(url, address); !allowed) {
      return std::unexpected(allowed.error());
    }
  }
  if (resolved->empty()) return fail(Errc::unavailable, "name {} has no address", url.host);
  return endpoint_of(target, resolved->front());
}

void HttpInvoker::send(const HttpEndpoint& endpoint, const HttpUrl& url, Invocation call,
                       SteadyTime due, Done done) {
  const auto left = std::chrono::ceil<Millis>(due - std::chrono::steady_clock::now());
  const Millis remaining = std::max(left, Millis{1});
  HttpRequest request = saga_request(call, url.path_prefix + call.method->path, remaining);
  // The call holds what its method is part of, so it stays until the answer is read.
  client_->call(endpoint, std::move(request), remaining,
                [this, call = std::move(call), done = std::move(done)](Exchange exchange) mutable {
                  done(read(*call.method, call.after_unknown, std::move(exchange)));
                });
}

InvocationResult HttpInvoker::read(const Method& method, bool after_unknown,
                                   Exchange exchange) const {
  const std::int64_t now_s = to_unix_ms(clock_.wall()) / 1'000;
  InvocationResult result{.outcome = classify(method, exchange, after_unknown, now_s)};
  if (result.outcome.kind == OutcomeKind::succeeded) {
    result.response = std::move(exchange.response.body);
  }
  return result;
}

}  // namespace

std::vector<std::string> validate(const HttpInvokerOptions& options) {
  std::vector<std::string> mistakes;
  for (const auto& [participant, place] : options.participants) {
    const auto url = parse_http_url(place.url);
    if (!url) mistakes.push_back(fmt::format("{}: {}", participant, url.error().message));
  }
  return mistakes;
}

std::unique_ptr<Invoker> make_http_invoker(asio::io_context& io, BlockingPool& pool,
                                           const Clock& clock, HttpInvokerOptions options) {
  return std::make_unique<HttpInvoker>(io, pool, clock, std::move(options));
}

}  // namespace skald
