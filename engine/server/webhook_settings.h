// Webhooks as they are configured: who is told of alerts, where, of what, and by which secret. A
// secret itself is never a setting: only where it is to be found.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/result.h"
#include "engine/shard/alert.h"
#include "engine/transport/webhook_sender.h"

namespace skald::server {

struct WebhookConfig {
  std::string url;
  std::vector<AlertKind> kinds;    // empty: all
  std::string authorization_env;   // the environment variable that holds the header's value
  std::string authorization_file;  // or the file
};

/// One thing that is said of a webhook: webhooks.NAME.`name` in the file.
struct WebhookField {
  std::string_view name;
  std::string_view help;
  Result<void> (*set)(WebhookConfig&, const std::string& text);
  std::string (*get)(const WebhookConfig&);  // empty: not said
};
[[nodiscard]] std::span<const WebhookField> webhook_fields();

/// Sets `field` from its text. Errors: invalid_argument that says what is expected.
[[nodiscard]] Result<void> set_webhook_field(WebhookConfig& webhook, std::string_view field,
                                             const std::string& text);
/// Errors: invalid_argument: 1 to 32 of a-z, 0-9, _ and -.
[[nodiscard]] Result<void> check_webhook_name(std::string_view name);

[[nodiscard]] AlertTarget alert_target(const std::string& name, const WebhookConfig& webhook);
/// With its secret, read now. Errors: not_found (the variable or file), invalid_argument; they name
/// the place, never the secret.
[[nodiscard]] Result<WebhookEndpoint> webhook_endpoint(const std::string& name,
                                                       const WebhookConfig& webhook);

}  // namespace skald::server
