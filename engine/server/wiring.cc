#include "engine/server/wiring.h"

#include <fmt/ranges.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <future>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "engine/api/batch_acts.h"
#include "engine/api/routes.h"
#include "engine/async/blocking_pool.h"
#include "engine/base/clock.h"
#include "engine/batch/batches.h"
#include "engine/net/http_server.h"
#include "engine/runtime/engine.h"
#include "engine/runtime/shard_count.h"
#include "engine/server/descriptors.h"
#include "engine/store/open_store.h"
#include "engine/transport/http_invoker.h"
#include "engine/transport/webhook_sender.h"
#include "engine/wire/definition.h"
#include "sagas/registry.h"

namespace skald::server {
namespace {

constexpr std::uint32_t kLookupThreads = 2;  // for names of participants

/// Runs on the io_context's thread and waits for it.
template <class Work>
auto run_on(boost::asio::io_context& io, Work work) {
  std::packaged_task<decltype(work())()> task(std::move(work));
  auto done = task.get_future();
  boost::asio::post(io, std::move(task));
  return done.get();
}

/// Judges what can be judged without looking a name up; the rest is judged at connect.
/// What an inline definition may name: an address that is allowed, as far as that is known without
/// asking a resolver, or a participant that is configured.
Result<void> check_inline_address(const HttpInvokerOptions& options, std::string_view text) {
  if (text.find("://") == std::string_view::npos) {
    if (options.participants.contains(std::string(text))) return {};
    return fail(Errc::not_found, "{} is not configured here: see participants.NAME.url", text);
  }
  const auto url = parse_http_url(text);
  if (!url) return std::unexpected(url.error());
  if (const auto address = literal_address(url->host)) return options.allow.check(*url, *address);
  if (url->host != "localhost") return {};
  const auto v4 = options.allow.check(*url, *literal_address("127.0.0.1"));
  return v4 || options.allow.check(*url, *literal_address("[::1]")) ? Result<void>{} : v4;
}

/// Whom a step calls, in each of its operations.
std::vector<std::string> participants_of(const StepDefinition& step) {
  std::vector<std::string> names;
  if (step.kind == StepKind::query || step.kind == StepKind::call) {
    names.push_back(step.action.method.participant);
  }
  if (step.compensation) names.push_back(step.compensation->method.participant);
  if (step.probe) names.push_back(step.probe->method.participant);
  return names;
}

class RunningDaemon final : public Daemon {
 public:
  RunningDaemon(const ServerConfig& config, Logger log) : config_(config), log_(std::move(log)) {}

  ~RunningDaemon() override { stop(Millis{0}); }

  Result<void> open() {
    share_sockets();
    auto invoker_options = read_invoker_options();
    if (!invoker_options) return std::unexpected(invoker_options.error());
    auto webhooks = read_webhooks();
    if (!webhooks) return std::unexpected(webhooks.error());
    // The reserve is judged at admission, where refusing costs nobody anything: a commit that the
    // store refused would end writing for everybody.
    auto store = open_store("rocks:" + config_.data, {.log = log_});
    if (!store) return std::unexpected(store.error());
    store_ = std::move(*store);

    auto make_invoker = [this, options = *invoker_options](boost::asio::io_context& io) {
      return make_http_invoker(io, lookups_, clock_, options);
    };
    auto engine =
        Engine::start({.clock = clock_,
                       .store = *store_,
                       .options = config_.engine,
                       .definitions = sagas::all_definitions(),
                       .read_inline = wire::definition_of_source,
                       .make_invoker = std::move(make_invoker),
                       .make_alert_sender =
                           [this, options = std::move(*webhooks)](boost::asio::io_context& io) {
                             return make_webhook_sender(io, lookups_, options);
                           },
                       .log = log_});
    if (!engine) return std::unexpected(engine.error());
    engine_ = std::move(*engine);
    warn_of_missing_participants();

    api::ServiceOptions service;
    service.input_bytes_max = config_.engine.input_bytes_max;
    service.read_inline = [options = *invoker_options](const v1::Definition& from) {
      const auto allowed = [&options](std::string_view address) {
        return check_inline_address(options, address);
      };
      return wire::read_definition(from, allowed);
    };
    service.allowed_address = [options = *invoker_options](std::string_view address) {
      return check_inline_address(options, address);
    };
    batch_acts_ = std::make_unique<api::BatchActs>(*engine_, service);
    batches_ = std::make_unique<batch::Batches>(batch::Batches::Parts{
        .clock = clock_, .engine = *engine_, .acts = *batch_acts_, .log = log_.named("batch")});
    if (auto opened = batches_->open(); !opened) return std::unexpected(opened.error());
    routes_ = std::make_unique<api::Routes>(*engine_, *batches_, std::move(service));
    return listen_on_every_thread();
  }

  [[nodiscard]] std::string listen() const override { return listen_; }

  void drain() override { stop(config_.drain_grace); }

 private:
  void share_sockets() {
    const std::size_t limit = raise_descriptor_limit();
    descriptors_ = share_descriptors(limit, shard_count(config_.engine), config_.connections_max);
    log_.named("server").info(
        "descriptors limit={} api_connections_per_thread={} call_connections_per_thread={}", limit,
        descriptors_.served_max, descriptors_.calling_max);
  }

  [[nodiscard]] Result<HttpInvokerOptions> read_invoker_options() const {
    HttpInvokerOptions options;
    const auto& pipelines = config_.participant_pipelines;
    for (const auto& [name, url] : config_.participant_urls) {
      const auto own = pipelines.find(name);
      options.participants[name] = {
          .url = url,
          .pipeline_max = own == pipelines.end() ? config_.pipeline_default : own->second};
    }
    options.client.connections_max = descriptors_.calling_max;
    options.client.response_limits.body_bytes_max = config_.engine.response_bytes_max;
    if (!config_.participants_allow.empty()) {
      auto rules = AddressRules::parse(config_.participants_allow);
      if (!rules) return std::unexpected(rules.error());
      options.allow = std::move(*rules);
    }
    if (const auto mistakes = validate(options); !mistakes.empty()) {
      return fail(Errc::invalid_argument, "{}", fmt::join(mistakes, "\n"));
    }
    return options;
  }

  [[nodiscard]] Result<WebhookSenderOptions> read_webhooks() const {
    WebhookSenderOptions options{.webhooks = {}, .source = config_.alerts_source};
    for (const auto& [name, webhook] : config_.webhooks) {
      auto endpoint = webhook_endpoint(name, webhook);
      if (!endpoint) return std::unexpected(endpoint.error());
      options.webhooks.emplace(name, std::move(*endpoint));
    }
    auto trust = load_tls_trust(config_.alerts_ca_file);
    if (!trust) {
      return fail(trust.error().code, "alerts.ca_file: {}", trust.error().message);
    }
    options.trust = std::move(*trust);
    return options;
  }

  /// A saga that calls somebody who is not configured becomes stuck: better known before.
  void warn_of_missing_participants() const {
    std::map<std::string, std::set<std::string>> definitions;  // by participant
    for (const DefinitionPtr& definition : engine_->definitions()) {
      for (const StepDefinition& step : definition->steps) {
        for (const std::string& name : participants_of(step)) {
          const bool known = name.contains("://") || config_.participant_urls.contains(name);
          if (!known) definitions[name].insert(definition->name);
        }
      }
    }
    for (const auto& [name, used_by] : definitions) {
      log_.named("server").warn(
          "participant {} has no url: sagas of {} that call it become stuck; set "
          "participants.{}.url",
          name, fmt::join(used_by, ", "), name);
    }
  }

  Result<void> listen_on_every_thread() {
    const auto address = parse_listen(config_.listen);
    if (!address) return std::unexpected(address.error());
    HttpServerOptions options;
    options.address = address->address;
    options.port = address->port;
    options.limits.body_bytes_max = config_.request_bytes_max;
    options.connections_max = descriptors_.served_max;
    options.refusal = [body_max = config_.request_bytes_max](unsigned status,
                                                             std::string_view what) {
      return api::refused_request(status, what, body_max);
    };
    const auto threads = engine_->threads();
    options.share_port = threads.size() > 1;
    options.first_on_port = true;
    for (boost::asio::io_context* io : threads) {
      auto server = run_on(*io, [&] {
        return HttpServer::listen(*io, options, [this](HttpRequest request, HttpResponder respond) {
          routes_->handle(std::move(request), std::move(respond));
        });
      });
      if (!server) return std::unexpected(server.error());
      options.port = (*server)->port();  // where the system chose it, the others join
      options.first_on_port = false;
      servers_.push_back({.io = io, .server = std::move(*server)});
    }
    const bool is_v6 = options.address.find(':') != std::string::npos;
    listen_ = fmt::format(fmt::runtime(is_v6 ? "[{}]:{}" : "{}:{}"), options.address, options.port);
    return {};
  }

  /// The API first, so that answers still leave; then who else asks the engine; then the engine,
  /// then what it used.
  void stop(Millis grace) {
    close_servers(grace);
    if (batches_) batches_->stop();
    if (engine_) {
      engine_->drain(grace);
      const auto flushed = store_->flush();
      if (!flushed) log_.named("server").warn("{}", flushed.error().message);
    }
    lookups_.stop();
    routes_.reset();
    batches_.reset();
    batch_acts_.reset();
    engine_.reset();
    store_.reset();
  }

  void close_servers(Millis grace) {
    std::vector<std::future<void>> closed;
    for (Listening& listening : servers_) {
      std::promise<void> promise;
      closed.push_back(promise.get_future());
      listening.server->drain(grace,
                              [promise = std::move(promise)]() mutable { promise.set_value(); });
    }
    for (std::future<void>& one : closed) one.wait();
    for (Listening& listening : servers_) {
      run_on(*listening.io, [&listening] { listening.server.reset(); });
    }
    servers_.clear();
  }

  struct Listening {
    boost::asio::io_context* io = nullptr;
    std::unique_ptr<HttpServer> server;
  };

  ServerConfig config_;
  Logger log_;
  SystemClock clock_;
  DescriptorShares descriptors_;
  BlockingPool lookups_{kLookupThreads};
  std::unique_ptr<Store> store_;
  std::unique_ptr<Engine> engine_;
  std::unique_ptr<api::BatchActs> batch_acts_;
  std::unique_ptr<batch::Batches> batches_;
  std::unique_ptr<api::Routes> routes_;
  std::vector<Listening> servers_;
  std::string listen_;
};

}  // namespace

Result<std::unique_ptr<Daemon>> Daemon::start(const ServerConfig& config, Logger log) {
  auto daemon = std::make_unique<RunningDaemon>(config, std::move(log));
  if (auto opened = daemon->open(); !opened) return std::unexpected(opened.error());
  return daemon;
}

}  // namespace skald::server
