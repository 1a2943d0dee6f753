#include "engine/server/webhook_settings.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <optional>

#include "engine/net/http_syntax.h"

namespace skald::server {
namespace {

constexpr std::size_t kNameMax = 32;
constexpr AlertKind kLastKind = AlertKind::batch_finished;  // a test goes to everybody

std::vector<std::string> kind_names() {
  std::vector<std::string> names;
  for (std::size_t i = 1; i <= static_cast<std::size_t>(kLastKind); ++i) {
    names.emplace_back(name(static_cast<AlertKind>(i)));
  }
  return names;
}

Result<std::vector<AlertKind>> parse_kinds(std::string_view text) {
  const std::vector<std::string> names = kind_names();
  std::vector<AlertKind> kinds;
  while (!text.empty()) {
    const std::size_t comma = std::min(text.find(','), text.size());
    std::string_view word = text.substr(0, comma);
    while (word.starts_with(' ')) word.remove_prefix(1);
    while (word.ends_with(' ')) word.remove_suffix(1);
    const auto known = std::ranges::find(names, word);
    if (known == names.end()) {
      return fail(Errc::invalid_argument, "\"{}\" is no kind of alert: they are {}", word,
                  fmt::join(names, ", "));
    }
    kinds.push_back(static_cast<AlertKind>(1 + (known - names.begin())));
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return kinds;
}

Result<std::string> read_secret(const std::string& webhook, const WebhookConfig& config) {
  std::string secret;
  if (!config.authorization_env.empty()) {
    const char* value = std::getenv(config.authorization_env.c_str());
    if (value == nullptr || *value == '\0') {
      return fail(Errc::not_found, "webhooks.{}.authorization_env: {} is not in the environment",
                  webhook, config.authorization_env);
    }
    secret = value;
  } else if (!config.authorization_file.empty()) {
    std::ifstream file(config.authorization_file);
    if (!std::getline(file, secret) || secret.empty()) {
      return fail(Errc::not_found, "webhooks.{}.authorization_file: {} cannot be read, or is empty",
                  webhook, config.authorization_file);
    }
  }
  if (!http::is_field_text(secret)) {
    return fail(Errc::invalid_argument,
                "webhooks.{}: its secret has control characters in it and cannot be a header",
                webhook);
  }
  return secret;
}

Result<void> set_url(WebhookConfig& webhook, const std::string& text) {
  if (const auto parsed = parse_webhook_url(text); !parsed) return std::unexpected(parsed.error());
  webhook.url = text;
  return {};
}

Result<void> set_kinds(WebhookConfig& webhook, const std::string& text) {
  auto kinds = parse_kinds(text);
  if (!kinds) return std::unexpected(kinds.error());
  webhook.kinds = std::move(*kinds);
  return {};
}

std::string get_kinds(const WebhookConfig& webhook) {
  std::vector<std::string> kinds;
  for (const AlertKind kind : webhook.kinds) kinds.emplace_back(name(kind));
  return fmt::format("{}", fmt::join(kinds, ","));
}

template <auto member>
Result<void> set_text(WebhookConfig& webhook, const std::string& text) {
  webhook.*member = text;
  return {};
}
template <auto member>
std::string get_text(const WebhookConfig& webhook) {
  return webhook.*member;
}

constexpr WebhookField kFields[]{
    {"url", "where it is", set_url, get_text<&WebhookConfig::url>},
    {"kinds", "the kinds of alert it is told; without it every kind", set_kinds, get_kinds},
    {"authorization_env", "the environment variable that holds the Authorization header's value",
     set_text<&WebhookConfig::authorization_env>, get_text<&WebhookConfig::authorization_env>},
    {"authorization_file", "or the file that holds it, in its first line",
     set_text<&WebhookConfig::authorization_file>, get_text<&WebhookConfig::authorization_file>},
};

}  // namespace

std::span<const WebhookField> webhook_fields() { return kFields; }

Result<void> set_webhook_field(WebhookConfig& webhook, std::string_view field,
                               const std::string& text) {
  const auto known = std::ranges::find(kFields, field, &WebhookField::name);
  if (known != std::end(kFields)) return known->set(webhook, text);
  std::vector<std::string_view> names;
  for (const WebhookField& one : kFields) names.push_back(one.name);
  return fail(Errc::invalid_argument, "a webhook has {}", fmt::join(names, ", "));
}

Result<void> check_webhook_name(std::string_view name) {
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  };
  if (!name.empty() && name.size() <= kNameMax && std::ranges::all_of(name, fits)) return {};
  return fail(Errc::invalid_argument, "a webhook's name is 1 to {} of a-z, 0-9, _ and -", kNameMax);
}

AlertTarget alert_target(const std::string& name, const WebhookConfig& webhook) {
  AlertTarget target{.name = name, .kinds = webhook.kinds.empty() ? ~0U : 0U};
  for (const AlertKind kind : webhook.kinds) target.kinds |= 1U << static_cast<unsigned>(kind);
  return target;
}

Result<WebhookEndpoint> webhook_endpoint(const std::string& name, const WebhookConfig& webhook) {
  auto url = parse_webhook_url(webhook.url);
  if (!url) {
    return fail(Errc::invalid_argument, "webhooks.{}.url: {}", name, url.error().message);
  }
  auto secret = read_secret(name, webhook);
  if (!secret) return std::unexpected(secret.error());
  return WebhookEndpoint{.url = std::move(*url), .authorization = std::move(*secret)};
}

}  // namespace skald::server
