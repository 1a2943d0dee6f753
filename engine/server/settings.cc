// The table of settings: every key that skaldd knows, how it is read and how it is shown.
#include <algorithm>
#include <cctype>

#include "engine/net/http_client.h"
#include "engine/server/config.h"
#include "engine/server/setting_values.h"
#include "engine/transport/address_rules.h"

namespace skald::server {
namespace {

// Setters and getters by member pointer, so that a line of the table is a line.

template <auto member>
Result<void> set_number(ServerConfig& config, std::string_view text) {
  return store(parse_number(text), config.engine.*member);
}
template <auto member>
std::string get_number(const ServerConfig& config) {
  return fmt::format("{}", config.engine.*member);
}
template <auto member>
Result<void> set_size(ServerConfig& config, std::string_view text) {
  return store(parse_size(text), config.engine.*member);
}
template <auto member>
std::string get_size(const ServerConfig& config) {
  return print_size(config.engine.*member);
}

template <class Owner>
Result<void> store_duration(std::string_view text, Owner& to) {
  const auto parsed = parse_duration(text);
  if (!parsed) return std::unexpected(parsed.error());
  to = *parsed;
  return {};
}
template <auto member>
Result<void> set_duration(ServerConfig& config, std::string_view text) {
  return store_duration(text, config.engine.*member);
}
template <auto member>
std::string get_duration(const ServerConfig& config) {
  return print_duration(config.engine.*member);
}

template <auto member>
Result<void> set_retention(ServerConfig& config, std::string_view text) {
  const auto kept = parse_retention(text);
  if (!kept) return std::unexpected(kept.error());
  config.engine.retention.*member = *kept;
  return {};
}
template <auto member>
std::string get_retention(const ServerConfig& config) {
  return print_retention(config.engine.retention.*member);
}

std::string_view name_of(LogLevel level) {
  switch (level) {
    case LogLevel::debug:
      return "debug";
    case LogLevel::info:
      return "info";
    case LogLevel::warn:
      return "warn";
    case LogLevel::error:
      return "error";
  }
  return "info";
}

Result<void> set_log_level(ServerConfig& config, std::string_view text) {
  for (const LogLevel level : {LogLevel::debug, LogLevel::info, LogLevel::warn, LogLevel::error}) {
    if (text != name_of(level)) continue;
    config.log_level = level;
    return {};
  }
  return fail(Errc::invalid_argument, "expected debug, info, warn or error");
}

Result<void> set_log_format(ServerConfig& config, std::string_view text) {
  if (text != "text" && text != "json") {
    return fail(Errc::invalid_argument, "expected text or json");
  }
  config.log_format = text == "json" ? LogFormat::json : LogFormat::text;
  return {};
}

Result<void> set_listen(ServerConfig& config, std::string_view text) {
  if (auto parsed = parse_listen(text); !parsed) return std::unexpected(parsed.error());
  config.listen = text;
  return {};
}

Result<void> set_insecure(ServerConfig& config, std::string_view text) {
  const auto parsed = parse_switch(text);
  if (!parsed) return std::unexpected(parsed.error());
  config.insecure_listen = *parsed;
  return {};
}

Result<void> set_allow(ServerConfig& config, std::string_view text) {
  config.participants_allow.clear();
  while (!text.empty()) {
    const std::size_t comma = std::min(text.find(','), text.size());
    std::string_view item = text.substr(0, comma);
    while (item.starts_with(' ')) item.remove_prefix(1);
    while (item.ends_with(' ')) item.remove_suffix(1);
    if (!item.empty()) config.participants_allow.emplace_back(item);
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  if (config.participants_allow.empty()) return {};
  const auto rules = AddressRules::parse(config.participants_allow);
  return rules ? Result<void>{} : std::unexpected(rules.error());
}

std::string get_allow(const ServerConfig& config) {
  std::string text;
  for (const std::string& item : config.participants_allow) {
    if (!text.empty()) text += ", ";
    text += item;
  }
  return text;
}

const std::vector<Setting> kSettings{
    {"data", "directory that holds everything (required)",
     [](ServerConfig& c, std::string_view text) { return c.data = text, Result<void>{}; },
     [](const ServerConfig& c) { return c.data; }},
    {"listen", "address of the API", set_listen, [](const ServerConfig& c) { return c.listen; }},
    {"insecure_listen", "allow an address other than loopback: there is no authentication",
     set_insecure,
     [](const ServerConfig& c) { return std::string(c.insecure_listen ? "true" : "false"); }},
    {"log.level", "debug, info, warn or error", set_log_level,
     [](const ServerConfig& c) { return std::string(name_of(c.log_level)); }},
    {"log.format", "text or json", set_log_format,
     [](const ServerConfig& c) {
       return std::string(c.log_format == LogFormat::json ? "json" : "text");
     }},
    {"drain_grace", "how long the first SIGTERM lets attempts in flight be answered",
     [](ServerConfig& c, std::string_view text) { return store_duration(text, c.drain_grace); },
     [](const ServerConfig& c) { return print_duration(c.drain_grace); }},
    {"connections_max", "API connections per thread",
     [](ServerConfig& c, std::string_view text) {
       return store(parse_number(text), c.connections_max);
     },
     [](const ServerConfig& c) { return fmt::format("{}", c.connections_max); }},
    {"request_bytes_max", "body of one API request",
     [](ServerConfig& c, std::string_view text) {
       return store(parse_size(text), c.request_bytes_max);
     },
     [](const ServerConfig& c) { return print_size(c.request_bytes_max); }},
    {"engine.threads", "engine threads; 0: one per core but one",
     set_number<&EngineOptions::threads>, get_number<&EngineOptions::threads>},
    {"engine.active_sagas_max", "sagas in memory; beyond it submissions are refused",
     set_number<&EngineOptions::active_sagas_max>, get_number<&EngineOptions::active_sagas_max>},
    {"engine.inbox_max", "commands queued per shard", set_number<&EngineOptions::inbox_max>,
     get_number<&EngineOptions::inbox_max>},
    {"engine.waiters_max", "callers waiting for an outcome",
     set_number<&EngineOptions::waiters_max>, get_number<&EngineOptions::waiters_max>},
    {"engine.commit_batch_records_max", "records written with one sync",
     set_number<&EngineOptions::commit_batch_records_max>,
     get_number<&EngineOptions::commit_batch_records_max>},
    {"engine.commit_batch_bytes_max", "bytes written with one sync",
     set_size<&EngineOptions::commit_batch_bytes_max>,
     get_size<&EngineOptions::commit_batch_bytes_max>},
    {"engine.input_bytes_max", "a saga's input", set_size<&EngineOptions::input_bytes_max>,
     get_size<&EngineOptions::input_bytes_max>},
    {"engine.response_bytes_max", "a participant's answer kept in a saga",
     set_size<&EngineOptions::response_bytes_max>, get_size<&EngineOptions::response_bytes_max>},
    {"engine.disk_reserve_bytes", "free space below which submissions are refused",
     set_size<&EngineOptions::disk_reserve_bytes>, get_size<&EngineOptions::disk_reserve_bytes>},
    {"engine.key_retention", "how long idempotency keys outlive their saga",
     set_duration<&EngineOptions::key_retention>, get_duration<&EngineOptions::key_retention>},
    {"engine.timer_window", "timers due within it are kept in memory",
     set_duration<&EngineOptions::timer_window>, get_duration<&EngineOptions::timer_window>},
    {"engine.scan_every", "all data is read and held against its checksums so often; 0s: never",
     set_duration<&EngineOptions::scan_every>, get_duration<&EngineOptions::scan_every>},
    {"engine.scan_bytes_per_second", "reading so fast at most",
     set_size<&EngineOptions::scan_bytes_per_second>,
     get_size<&EngineOptions::scan_bytes_per_second>},
    {"retention.completed", "how long a completed saga is kept after its end, or forever",
     set_retention<&Retention::completed>, get_retention<&Retention::completed>},
    {"retention.compensated", "the same of one that was undone",
     set_retention<&Retention::compensated>, get_retention<&Retention::compensated>},
    {"retention.abandoned", "the same of one that a person closed",
     set_retention<&Retention::abandoned>, get_retention<&Retention::abandoned>},
    {"alerts.source", "who tells: the source of every event that a webhook is sent",
     [](ServerConfig& c, std::string_view text) {
       if (text.empty()) return Result<void>(fail(Errc::invalid_argument, "it may not be empty"));
       return c.alerts_source = text, Result<void>{};
     },
     [](const ServerConfig& c) { return c.alerts_source; }},
    {"alerts.retries_over", "failures in a row of one operation after which webhooks are told",
     [](ServerConfig& c, std::string_view text) {
       return store(parse_number(text), c.engine.alerts.retries_over);
     },
     [](const ServerConfig& c) { return fmt::format("{}", c.engine.alerts.retries_over); }},
    {"alerts.outbox_max", "alerts that wait for webhooks; beyond it they are dropped, and counted",
     [](ServerConfig& c, std::string_view text) {
       return store(parse_number(text), c.engine.alerts.outbox_max);
     },
     [](const ServerConfig& c) { return fmt::format("{}", c.engine.alerts.outbox_max); }},
    {"alerts.give_up_after", "how long a webhook that fails is tried, since it happened",
     [](ServerConfig& c, std::string_view text) {
       return store_duration(text, c.engine.alerts.give_up_after);
     },
     [](const ServerConfig& c) { return print_duration(c.engine.alerts.give_up_after); }},
    {"alerts.ca_file", "certificates (PEM) to trust besides the system's, of webhooks at https",
     [](ServerConfig& c, std::string_view text) { return c.alerts_ca_file = text, Result<void>{}; },
     [](const ServerConfig& c) { return c.alerts_ca_file; }},
    {"participants.allow", "addresses that may be called; empty: loopback only", set_allow,
     get_allow},
    {"participants.breaker_failures",
     "failures in a row after which a method is left alone for a while; 0: never",
     [](ServerConfig& c, std::string_view text) {
       return store(parse_number(text), c.engine.breaker.failures_to_open);
     },
     [](const ServerConfig& c) { return fmt::format("{}", c.engine.breaker.failures_to_open); }},
    {"participants.breaker_open", "how long at first; doubles while it does not heal",
     [](ServerConfig& c, std::string_view text) {
       return store_duration(text, c.engine.breaker.open_for);
     },
     [](const ServerConfig& c) { return print_duration(c.engine.breaker.open_for); }},
    {"participants.breaker_open_max", "how long at most",
     [](ServerConfig& c, std::string_view text) {
       return store_duration(text, c.engine.breaker.open_for_max);
     },
     [](const ServerConfig& c) { return print_duration(c.engine.breaker.open_for_max); }},
    {"participants.in_flight_max", "attempts at once to a participant without a limit of its own",
     [](ServerConfig& c, std::string_view text) {
       return store(parse_number(text), c.engine.participant_default.in_flight_max);
     },
     [](const ServerConfig& c) {
       return fmt::format("{}", c.engine.participant_default.in_flight_max);
     }},
    {"participants.pipeline_max",
     "attempts that wait on one connection at once; more than 1 only where answers keep their "
     "order",
     [](ServerConfig& c, std::string_view text) {
       return set_pipeline_max(text, c.pipeline_default);
     },
     [](const ServerConfig& c) { return fmt::format("{}", c.pipeline_default); }},
};

}  // namespace

const std::vector<Setting>& settings() { return kSettings; }

Result<void> set_pipeline_max(std::string_view text, std::uint16_t& to) {
  const auto number = parse_number(text);
  if (!number) return std::unexpected(number.error());
  if (*number < 1 || *number > kPipelineMax) {
    return fail(Errc::invalid_argument, "{} is not in 1..{}", *number, kPipelineMax);
  }
  to = static_cast<std::uint16_t>(*number);
  return {};
}

std::string flag_names(const Setting& setting) {
  return flag_name(setting.key) + (setting.key == "engine.threads" ? ",--threads" : "");
}

bool is_switch(const Setting& setting) { return setting.set == set_insecure; }

std::string environment_name(std::string_view key) {
  std::string made = "SKALD_";
  for (const char c : key) {
    made += c == '.' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  }
  return made;
}

std::string flag_name(std::string_view key) {
  std::string made = "--";
  for (const char c : key) made += c == '.' || c == '_' ? '-' : c;
  return made;
}

}  // namespace skald::server
