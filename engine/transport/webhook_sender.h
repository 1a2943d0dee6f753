// The AlertSender over HTTP/1.1: an alert becomes a CloudEvent, POSTed once. When to try again is
// the runtime's (outbox_queue.h).
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/async/blocking_pool.h"
#include "engine/base/result.h"
#include "engine/net/http_client.h"
#include "engine/runtime/alert_sender.h"
#include "engine/transport/address_rules.h"
#include "engine/transport/name_resolver.h"
#include "engine/transport/tls_exchange.h"

namespace boost::asio {
class io_context;
}

namespace skald {

/// Where a webhook is: http://host[:port][/path][?query], or https.
struct WebhookUrl {
  bool tls = false;    // https
  HttpUrl host;        // without its path
  std::string target;  // "/alerts?team=mall"
  bool operator==(const WebhookUrl&) const = default;
};
/// Errors: invalid_argument, as parse_http_url(); a query may be there, and https (port 443).
[[nodiscard]] Result<WebhookUrl> parse_webhook_url(std::string_view url);

struct WebhookEndpoint {
  WebhookUrl url;
  std::string authorization;  // the header's value; empty: none. Never logged
};

struct WebhookSenderOptions {
  std::map<std::string, WebhookEndpoint> webhooks;  // by target's name
  std::string source;                               // of every event
  Millis timeout{5'000};                            // of one attempt, looking the name up included
  HostLookup lookup = system_lookup;
  TlsTrustPtr trust;  // of webhooks at https; null: there are none
};
inline constexpr std::size_t kWebhookAnswerShown = 512;  // bytes of a receiver's answer kept

/// Addresses are the operator's own and not judged by participants.allow; redirects are never
/// followed. Thread: create, use and destroy on the io_context's one thread, or after it has ended.
/// `pool` outlives it and is stopped before the io_context goes.
[[nodiscard]] std::unique_ptr<AlertSender> make_webhook_sender(boost::asio::io_context& io,
                                                               BlockingPool& pool,
                                                               WebhookSenderOptions options);

}  // namespace skald
