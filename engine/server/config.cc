#include "engine/server/config.h"

#include <fmt/ranges.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <fstream>

#include "engine/server/setting_values.h"
#include "engine/transport/address_rules.h"

namespace skald::server {
namespace {

constexpr std::string_view kParticipants = "participants.";
constexpr std::string_view kRetention = "retention.";
constexpr std::string_view kWebhooks = "webhooks.";
constexpr std::string_view kAllow = "participants.allow";
constexpr int kFileDepthMax = 16;  // maps inside each other; an alias may even hold itself

/// What is said of one participant: participants.NAME.`name`.
struct ParticipantField {
  std::string_view name;
  std::string_view help;
  Result<void> (*set)(ServerConfig&, const std::string& participant, const std::string& text);
};

Result<void> set_participant_url(ServerConfig& config, const std::string& participant,
                                 const std::string& text) {
  if (const auto url = parse_http_url(text); !url) return std::unexpected(url.error());
  config.participant_urls[participant] = text;
  return {};
}

Result<void> set_participant_limit(ServerConfig& config, const std::string& participant,
                                   const std::string& text) {
  auto [at, added] =
      config.engine.participants.try_emplace(participant, config.engine.participant_default);
  return store(parse_number(text), at->second.in_flight_max);
}

Result<void> set_participant_pipeline(ServerConfig& config, const std::string& participant,
                                      const std::string& text) {
  return set_pipeline_max(text, config.participant_pipelines[participant]);
}

constexpr ParticipantField kParticipantFields[]{
    {"url", "where it is", set_participant_url},
    {"in_flight_max", "attempts at once to it", set_participant_limit},
    {"pipeline_max", "attempts that wait on one connection to it", set_participant_pipeline},
};

constexpr bool is_visible(char c) { return c > ' ' && c <= '~'; }

std::string key_of(const Setting& setting) { return std::string(setting.key); }
std::string environment_name_of(const Setting& setting) { return environment_name(setting.key); }

/// The setting whose name begins most alike, if any does; all names share their first letters.
template <class NameOf>
std::string did_you_mean(std::string_view wrong, std::size_t shared, NameOf name_of) {
  std::string best;
  std::size_t best_length = shared + 3;  // fewer letters in common suggest nothing
  for (const Setting& setting : settings()) {
    std::string name = name_of(setting);
    const auto [mine, theirs] = std::ranges::mismatch(wrong, name);
    const auto length = static_cast<std::size_t>(mine - wrong.begin());
    if (length <= best_length) continue;
    best_length = length;
    best = std::move(name);
  }
  return best.empty() ? "" : fmt::format("; did you mean {}?", best);
}

/// One value and where it was written.
struct Given {
  std::string key;
  std::string value;
  std::string origin;  // "skald.yaml:3", "SKALD_LISTEN", "--listen"
};

class Loader {
 public:
  void apply(const Given& given) {
    const auto setting = std::ranges::find(settings(), given.key, &Setting::key);
    Result<void> stored;
    if (setting != settings().end()) {
      stored = setting->set(loaded_.config, given.value);
    } else if (given.key.starts_with(kParticipants)) {
      stored =
          set_participant(std::string_view(given.key).substr(kParticipants.size()), given.value);
    } else if (given.key.starts_with(kRetention)) {
      stored = set_retention(std::string_view(given.key).substr(kRetention.size()), given.value);
    } else if (given.key.starts_with(kWebhooks)) {
      stored = set_webhook(std::string_view(given.key).substr(kWebhooks.size()), given.value);
    } else {
      stored = fail(Errc::invalid_argument, "unknown key{}", did_you_mean(given.key, 0, key_of));
    }
    if (stored) {
      loaded_.origins.insert_or_assign(given.key, given.origin);
    } else {
      mistake(given.origin, given.key, stored.error().message);
    }
  }

  void warn(std::string text) { loaded_.warnings.push_back(std::move(text)); }

  void mistake(std::string_view origin, std::string_view key, std::string_view what) {
    mistakes_.push_back(fmt::format("{}: {}: {}", origin, key, what));
  }

  Result<LoadedConfig> finish() {
    const std::size_t before = mistakes_.size();
    for (const auto& [name, webhook] : loaded_.config.webhooks) {
      if (webhook.url.empty() && before == 0) {
        mistakes_.push_back(fmt::format("{}{}: it has no url", kWebhooks, name));
      }
      loaded_.config.engine.alerts.targets.push_back(alert_target(name, webhook));
    }
    for (const std::string& mistake : loaded_.config.engine.validate()) {
      mistakes_.push_back(fmt::format("engine: {}", mistake));
    }
    if (before == 0) check_listen();
    if (mistakes_.empty()) return std::move(loaded_);
    return fail(Errc::invalid_argument, "{}", fmt::join(mistakes_, "\n"));
  }

 private:
  /// `rest` is "inventory.url", "inventory.in_flight_max" or "inventory.pipeline_max".
  Result<void> set_participant(std::string_view rest, const std::string& value) {
    const std::size_t dot = rest.rfind('.');
    const std::string name(rest.substr(0, dot));
    const std::string_view field = dot == rest.npos ? "" : rest.substr(dot + 1);
    if (name.empty() || !std::ranges::all_of(name, is_visible)) {
      return fail(Errc::invalid_argument, "a participant's name is visible ASCII");
    }
    const auto known = std::ranges::find(kParticipantFields, field, &ParticipantField::name);
    if (known != std::end(kParticipantFields)) return known->set(loaded_.config, name, value);
    return fail(Errc::invalid_argument,
                "a participant has url, in_flight_max and pipeline_max; beside participants there "
                "are allow, in_flight_max, pipeline_max and the breaker's settings");
  }

  /// `rest` is "create_order.completed".
  Result<void> set_retention(std::string_view rest, const std::string& value) {
    const std::size_t dot = rest.rfind('.');
    const std::string definition(rest.substr(0, dot));
    const std::string_view status = dot == rest.npos || dot == 0 ? "" : rest.substr(dot + 1);
    const auto kept = parse_retention(value);
    if (!kept) return std::unexpected(kept.error());
    Retention own;
    if (const auto found = loaded_.config.engine.retention_by_definition.find(definition);
        found != loaded_.config.engine.retention_by_definition.end()) {
      own = found->second;
    }
    if (status == "completed") {
      own.completed = *kept;
    } else if (status == "compensated") {
      own.compensated = *kept;
    } else if (status == "abandoned") {
      own.abandoned = *kept;
    } else {
      return fail(Errc::invalid_argument,
                  "expected retention.STATUS or retention.DEFINITION.STATUS with completed, "
                  "compensated or abandoned: no other saga is ever removed");
    }
    loaded_.config.engine.retention_by_definition[definition] = own;
    return {};
  }

  /// `rest` is "pager.url".
  Result<void> set_webhook(std::string_view rest, const std::string& value) {
    const std::size_t dot = std::min(rest.rfind('.'), rest.size());
    const std::string_view name = rest.substr(0, dot);
    if (const auto fits = check_webhook_name(name); !fits) return fits;
    return set_webhook_field(loaded_.config.webhooks[std::string(name)],
                             rest.substr(std::min(dot + 1, rest.size())), value);
  }

  void check_listen() {
    const auto parsed = parse_listen(loaded_.config.listen);
    if (parsed && !parsed->loopback && !loaded_.config.insecure_listen) {
      mistakes_.push_back(
          fmt::format("listen: {} is not loopback and the API has no authentication: everybody who "
                      "reaches it may "
                      "act. Use a loopback address, or say --insecure-listen",
                      loaded_.config.listen));
    }
  }

  LoadedConfig loaded_;
  std::vector<std::string> mistakes_;
};

/// Flattens YAML to dotted keys.
class FileReader {
 public:
  FileReader(std::string name, Loader& loader) : name_(std::move(name)), loader_(loader) {}

  void read(const YAML::Node& node, const std::string& key, int depth = 1) {
    const std::string origin = fmt::format("{}:{}", name_, node.Mark().line + 1);
    if (depth > kFileDepthMax) {
      return loader_.mistake(origin, key.substr(0, key.find('.')), "nested too deeply");
    }
    if (node.IsMap()) {
      for (const auto& entry : node) {
        const auto name = entry.first.as<std::string>();
        read(entry.second, key.empty() ? name : fmt::format("{}.{}", key, name), depth + 1);
      }
      return;
    }
    if (node.IsScalar()) {
      loader_.apply({.key = key, .value = node.Scalar(), .origin = origin});
    } else if (node.IsSequence() && (key == kAllow || is_kinds(key))) {
      loader_.apply({.key = key, .value = joined(node), .origin = origin});
    } else if (node.IsSequence()) {
      loader_.mistake(origin, key, "a list is not expected here");
    }  // null: a key without a value says nothing
  }

 private:
  static bool is_kinds(std::string_view key) {
    return key.starts_with(kWebhooks) && key.ends_with(".kinds");
  }
  static std::string joined(const YAML::Node& list) {
    std::vector<std::string> items;
    for (const auto& item : list) items.push_back(item.as<std::string>());
    return fmt::format("{}", fmt::join(items, ","));
  }

  std::string name_;
  Loader& loader_;
};

Result<void> read_file(const std::string& path, Loader& loader) {
  std::ifstream file(path);
  if (!file) return fail(Errc::not_found, "configuration file {} cannot be read", path);
  // yaml-cpp reports by exception; they end here.
  try {
    const YAML::Node root = YAML::Load(file);
    if (!root.IsNull() && !root.IsMap()) {
      return fail(Errc::invalid_argument, "{}:1: a map of settings is expected", path);
    }
    FileReader(path, loader).read(root, "");
  } catch (const YAML::Exception& error) {  // tidy: allow(catch) a library's only way to say it
    return fail(Errc::invalid_argument, "{}:{}: {}", path, error.mark.line + 1, error.msg);
  }
  return {};
}

constexpr Shorthand kShorthands[] = {
    {.variable = "SKALD_PARTICIPANTS",
     .flag = "participant",
     .prefix = kParticipants,
     .suffix = ".url",
     .expected = "NAME=URL",
     .help = "where a participant is; may be repeated"},
    {.variable = "SKALD_RETENTION",
     .flag = "retention",
     .prefix = kRetention,
     .suffix = "",
     .expected = "DEFINITION.STATUS=DURATION",
     .help = "of one definition: create_order.completed=30d; may be repeated"},
    {.variable = "SKALD_WEBHOOKS",
     .flag = "webhook",
     .prefix = kWebhooks,
     .suffix = ".url",
     .expected = "NAME=URL",
     .help = "who is told of alerts, and where; may be repeated"},
};

void apply(const Shorthand& shorthand, std::string_view text, const std::string& origin,
           Loader& loader) {
  while (!text.empty()) {
    const std::size_t comma = std::min(text.find(','), text.size());
    const std::string_view item = text.substr(0, comma);
    const std::size_t equals = item.find('=');
    if (equals == item.npos || equals == 0 || equals + 1 == item.size()) {
      loader.mistake(origin, item, fmt::format("expected {}", shorthand.expected));
    } else {
      loader.apply(
          {.key = fmt::format("{}{}{}", shorthand.prefix, item.substr(0, equals), shorthand.suffix),
           .value = std::string(item.substr(equals + 1)),
           .origin = origin});
    }
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
}

constexpr std::string_view kSkald = "SKALD_";
/// In the environment, and no setting: the file of settings, several at once, skaldctl's server.
constexpr std::array<std::string_view, 5> kOtherNames{
    "SKALD_CONFIG", "SKALD_PARTICIPANTS", "SKALD_RETENTION", "SKALD_WEBHOOKS", "SKALD_SERVER"};

/// A name that is misspelt would otherwise do nothing, and nobody would know.
void warn_of_unknown_names(const ConfigSources& sources, Loader& loader) {
  for (const std::string& name : sources.environment_names) {
    if (!name.starts_with(kSkald)) continue;
    if (std::ranges::find(kOtherNames, name) != kOtherNames.end()) continue;
    if (std::ranges::find(settings(), name, environment_name_of) != settings().end()) continue;
    loader.warn(fmt::format("{}: no setting has this name, it does nothing{}", name,
                            did_you_mean(name, kSkald.size(), environment_name_of)));
  }
}

void read_environment(const ConfigSources& sources, Loader& loader) {
  warn_of_unknown_names(sources, loader);
  if (!sources.environment) return;
  for (const Setting& setting : settings()) {
    const std::string name = environment_name(setting.key);
    if (auto value = sources.environment(name)) {
      loader.apply({.key = std::string(setting.key), .value = std::move(*value), .origin = name});
    }
  }
  for (const Shorthand& shorthand : kShorthands) {
    const std::string name(shorthand.variable);
    if (const auto value = sources.environment(name)) apply(shorthand, *value, name, loader);
  }
}

void read_flags(const ConfigSources& sources, Loader& loader) {
  for (const FlagValue& flag : sources.flags) {
    const auto shorthand = std::ranges::find(kShorthands, flag.key, &Shorthand::flag);
    if (shorthand != std::end(kShorthands)) {
      apply(*shorthand, flag.value, fmt::format("--{}", flag.key), loader);
    } else {
      loader.apply({.key = flag.key, .value = flag.value, .origin = flag_name(flag.key)});
    }
  }
}

bool is_loopback(std::string_view address) {
  return address == "localhost" || address == "::1" || address.starts_with("127.");
}

}  // namespace

std::span<const Shorthand> shorthands() { return kShorthands; }

std::vector<NamedKey> named_keys() {
  std::vector<NamedKey> keys;
  for (const ParticipantField& field : kParticipantFields) {
    keys.push_back({fmt::format("{}NAME.{}", kParticipants, field.name), field.help});
  }
  keys.push_back({fmt::format("{}DEFINITION.STATUS", kRetention),
                  "how long ended sagas of one definition are kept; the status is completed, "
                  "compensated or abandoned"});
  for (const WebhookField& field : webhook_fields()) {
    keys.push_back({fmt::format("{}NAME.{}", kWebhooks, field.name), field.help});
  }
  return keys;
}

Result<ListenAddress> parse_listen(std::string_view text) {
  const auto broken =
      fail(Errc::invalid_argument, "expected ADDRESS:PORT, as 127.0.0.1:7900 or [::1]:7900");
  const std::size_t colon = text.rfind(':');
  if (colon == text.npos || colon == 0) return broken;
  std::string_view address = text.substr(0, colon);
  if (address.starts_with('[') && address.ends_with(']')) {
    address = address.substr(1, address.size() - 2);
  } else if (address.find(':') != address.npos) {
    return broken;
  }
  ListenAddress listen{.address = std::string(address), .loopback = is_loopback(address)};
  const std::string_view port = text.substr(colon + 1);
  const auto [rest, error] = std::from_chars(port.data(), port.data() + port.size(), listen.port);
  if (error != std::errc{} || rest != port.data() + port.size() || address.empty()) return broken;
  if (listen.address == "localhost") listen.address = "127.0.0.1";
  return listen;
}

Result<LoadedConfig> load_config(const ConfigSources& sources) {
  Loader loader;
  if (!sources.file.empty()) {
    if (auto read = read_file(sources.file, loader); !read) return std::unexpected(read.error());
  }
  read_environment(sources, loader);
  read_flags(sources, loader);
  return loader.finish();
}

}  // namespace skald::server
