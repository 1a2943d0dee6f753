// The configuration of skaldd: one table of settings, filled from a YAML file, then the
// environment, then flags; each later source wins. Who reads the command line is flags.h; what is
// built from it, wiring.h.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/log.h"
#include "engine/base/result.h"
#include "engine/base/time.h"
#include "engine/runtime/options.h"
#include "engine/server/webhook_settings.h"

namespace skald::server {

struct ServerConfig {
  std::string data;  // directory; required to run
  std::string listen = "127.0.0.1:7900";
  bool insecure_listen =
      false;  // there is no authentication: other addresses than loopback need it
  LogLevel log_level = LogLevel::info;
  LogFormat log_format = LogFormat::text;
  Millis drain_grace{10'000};
  std::size_t connections_max = 10'000;         // of the API, per thread
  std::size_t request_bytes_max = 1 << 20;      // one request's body
  std::vector<std::string> participants_allow;  // addresses that may be called; empty: loopback
  std::map<std::string, std::string> participant_urls;  // name -> origin
  /// Attempts that wait on one connection, 1 to kPipelineMax: of one participant, and of those that
  /// say nothing of their own.
  std::map<std::string, std::uint16_t> participant_pipelines;
  std::uint16_t pipeline_default = 1;
  std::map<std::string, WebhookConfig> webhooks;  // by name
  std::string alerts_source = "/skald";           // of every event that a webhook is sent
  std::string alerts_ca_file;                     // empty: the system's certificates alone
  EngineOptions engine;                           // in-flight limits of participants included
};

/// One thing that can be set. Its key is "engine.threads" in the file, SKALD_ENGINE_THREADS in the
/// environment and --engine-threads as a flag.
struct Setting {
  std::string_view key;
  std::string_view help;
  Result<void> (*set)(ServerConfig&, std::string_view text);
  std::string (*get)(const ServerConfig&);
};
[[nodiscard]] const std::vector<Setting>& settings();
/// Errors: invalid_argument, outside 1 to kPipelineMax.
[[nodiscard]] Result<void> set_pipeline_max(std::string_view text, std::uint16_t& to);
[[nodiscard]] std::string environment_name(std::string_view key);
[[nodiscard]] std::string flag_name(std::string_view key);
/// As the command line takes it: its name, and a short one if there is one, with a comma between.
[[nodiscard]] std::string flag_names(const Setting& setting);
/// As a flag it is given without a value.
[[nodiscard]] bool is_switch(const Setting& setting);

/// "inventory=http://127.0.0.1:9903,cart=..." as one word on the command line or in the environment
/// says several settings of one shape: `prefix` NAME `suffix`.
struct Shorthand {
  std::string_view variable;  // SKALD_PARTICIPANTS
  std::string_view flag;      // "participant"
  std::string_view prefix;    // "participants."
  std::string_view suffix;    // ".url"
  std::string_view expected;  // what a word of it looks like
  std::string_view help;
};
[[nodiscard]] std::span<const Shorthand> shorthands();

/// Keys with a name inside that the user chooses: in the file only, but for their shorthands.
struct NamedKey {
  std::string key;  // "participants.NAME.in_flight_max"
  std::string_view help;
};
[[nodiscard]] std::vector<NamedKey> named_keys();

/// A value given on the command line.
struct FlagValue {
  std::string key;
  std::string value;
};

struct ConfigSources {
  std::string file;  // path; empty: none
  std::function<std::optional<std::string>(const std::string& name)> environment;
  std::vector<std::string> environment_names;  // of all that is there: those of no setting warn
  std::vector<FlagValue> flags;
};

struct LoadedConfig {
  ServerConfig config;
  std::map<std::string, std::string, std::less<>>
      origins;                        // key -> "skald.yaml:3"; absent: default
  std::vector<std::string> warnings;  // what is there and does nothing
};

/// Errors: invalid_argument with one line per mistake, each naming its source ("skald.yaml:4:
/// ..."); not_found when the file cannot be read.
[[nodiscard]] Result<LoadedConfig> load_config(const ConfigSources& sources);

/// The effective configuration as a YAML file, each value with where it comes from.
[[nodiscard]] std::string print_config(const LoadedConfig& loaded);

/// Splits "127.0.0.1:7900" or "[::1]:7900". Errors: invalid_argument.
struct ListenAddress {
  std::string address;
  std::uint16_t port = 0;
  bool loopback = false;
};
[[nodiscard]] Result<ListenAddress> parse_listen(std::string_view text);

}  // namespace skald::server
