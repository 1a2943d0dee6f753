// The effective configuration as YAML that skaldd reads again, each value with where it comes from.
#include <fmt/ranges.h>

#include <algorithm>

#include "engine/server/config.h"
#include "engine/server/setting_values.h"

namespace skald::server {
namespace {

constexpr std::string_view kAllow = "participants.allow";
constexpr std::string_view kRetention = "retention.";
constexpr std::string_view kLastRetention = "retention.abandoned";  // of every definition

/// What YAML would read as something else than this text is quoted.
std::string yaml_text(std::string_view text) {
  constexpr std::string_view kPlain =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/._-";
  const bool is_null = text.size() == 4 && (text[0] == 'n' || text[0] == 'N');
  const bool plain = !text.empty() && text.front() != '-' && text.front() != '.' && !is_null &&
                     text.find_first_not_of(kPlain) == text.npos;
  if (plain) return std::string(text);
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    if ((c >= 0 && c < ' ') || c == 0x7F) {
      quoted += fmt::format("\\x{:02x}", static_cast<unsigned>(c));
    } else {
      quoted += c;
    }
  }
  return quoted + "\"";
}

/// Prints "a.b.c" keys as nested YAML; keys come grouped by their parents.
class ConfigPrinter {
 public:
  explicit ConfigPrinter(const LoadedConfig& loaded) : loaded_(loaded) {}

  void line(const std::string& key, const std::string& value) {
    const std::size_t dot = key.rfind('.');
    const std::string parent = dot == key.npos ? "" : key.substr(0, dot);
    if (parent != parent_) open(parent);
    const std::string indent(parent.empty() ? 0 : 2 * (1 + std::ranges::count(parent, '.')), ' ');
    const std::string text = fmt::format("{}{}: {}", indent, key.substr(dot + 1), value);
    const auto origin = loaded_.origins.find(key);
    out_ += fmt::format("{:<48} # {}\n", text,
                        origin == loaded_.origins.end() ? "default" : origin->second);
  }
  std::string take() { return std::move(out_); }

 private:
  void open(const std::string& parent) {
    // Parents have at most two levels: "participants" and "participants.inventory".
    const std::size_t dot = parent.find('.');
    const std::string top = parent.substr(0, dot);
    const bool opens = !top.empty() && top != parent_.substr(0, parent_.find('.'));
    if (opens) out_ += fmt::format("{}:\n", top);
    if (dot != parent.npos) out_ += fmt::format("  {}:\n", yaml_text(parent.substr(dot + 1)));
    parent_ = parent;
  }

  const LoadedConfig& loaded_;
  std::string parent_;
  std::string out_;
};

std::string yaml_list(const std::vector<std::string>& items) {
  std::vector<std::string> quoted;
  for (const std::string& item : items) quoted.push_back(yaml_text(item));
  return fmt::format("[{}]", fmt::join(quoted, ", "));
}

void print_retention(const EngineOptions& options, ConfigPrinter& printer) {
  for (const auto& [definition, own] : options.retention_by_definition) {
    const auto line = [&](std::string_view status, const std::optional<Millis>& kept) {
      if (!kept) return;
      printer.line(fmt::format("{}{}.{}", kRetention, definition, status),
                   yaml_text(server::print_retention(kept)));
    };
    line("completed", own.completed);
    line("compensated", own.compensated);
    line("abandoned", own.abandoned);
  }
}

}  // namespace

std::string print_config(const LoadedConfig& loaded) {
  ConfigPrinter printer(loaded);
  for (const Setting& setting : settings()) {
    const std::string value = setting.get(loaded.config);
    printer.line(std::string(setting.key), setting.key == kAllow
                                               ? yaml_list(loaded.config.participants_allow)
                                               : yaml_text(value));
    if (setting.key == kLastRetention) print_retention(loaded.config.engine, printer);
  }
  std::map<std::string, std::vector<std::pair<std::string, std::string>>> participants;
  for (const auto& [name, url] : loaded.config.participant_urls) {
    participants[name].emplace_back("url", yaml_text(url));
  }
  for (const auto& [name, options] : loaded.config.engine.participants) {
    participants[name].emplace_back("in_flight_max", fmt::format("{}", options.in_flight_max));
  }
  for (const auto& [name, pipeline_max] : loaded.config.participant_pipelines) {
    participants[name].emplace_back("pipeline_max", fmt::format("{}", pipeline_max));
  }
  for (const auto& [name, fields] : participants) {
    for (const auto& [field, value] : fields) {
      printer.line(fmt::format("participants.{}.{}", name, field), value);
    }
  }
  for (const auto& [name, webhook] : loaded.config.webhooks) {
    for (const WebhookField& field : webhook_fields()) {
      const std::string value = field.get(webhook);
      if (value.empty()) continue;
      printer.line(fmt::format("webhooks.{}.{}", name, field.name), yaml_text(value));
    }
  }
  return printer.take();
}

}  // namespace skald::server
