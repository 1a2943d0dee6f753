#include "engine/base/log.h"

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <string>

namespace skald {
namespace {

constexpr const char* kTextPattern = "%Y-%m-%dT%H:%M:%S.%eZ %-5l %n: %v";
// The room's name is ours and needs no escaping; the text is escaped before it gets here.
constexpr const char* kJsonPattern =
    R"({"at":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l","room":"%n","text":"%v"})";

using FileSink = spdlog::sinks::stdout_sink_base<spdlog::details::console_mutex>;

class OpenFileSink final : public FileSink {
 public:
  explicit OpenFileSink(std::FILE* out) : FileSink(out) {}
};

spdlog::level::level_enum spdlog_level(LogLevel level) {
  switch (level) {
    case LogLevel::debug:
      return spdlog::level::debug;
    case LogLevel::info:
      return spdlog::level::info;
    case LogLevel::warn:
      return spdlog::level::warn;
    case LogLevel::error:
      return spdlog::level::err;
  }
  return spdlog::level::off;  // a number that is no LogLevel
}

// One line stays one line: what could end it or start a terminal sequence is written out.
std::string escaped(std::string_view text, LogFormat format) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    const bool control = static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
    if (control) {
      out += fmt::format("\\u{:04x}", static_cast<unsigned char>(c));
    } else if (format == LogFormat::json && (c == '"' || c == '\\')) {
      out += '\\';
      out += c;
    } else {
      out += c;
    }
  }
  return out;
}

}  // namespace

struct Logger::Sink {
  LogOptions options;
  std::shared_ptr<spdlog::logger> out;
};

Logger::Logger(const LogOptions& options) {
  auto out = std::make_shared<spdlog::logger>("skald", std::make_shared<OpenFileSink>(options.out));
  const char* pattern = options.format == LogFormat::json ? kJsonPattern : kTextPattern;
  out->set_formatter(
      std::make_unique<spdlog::pattern_formatter>(pattern, spdlog::pattern_time_type::utc));
  out->set_level(spdlog_level(options.level));
  sink_ = std::make_shared<const Sink>(Sink{.options = options, .out = std::move(out)});
}

Logger Logger::named(std::string_view room) const {
  Logger copy;
  if (sink_) {
    copy.sink_ = std::make_shared<const Sink>(
        Sink{.options = sink_->options, .out = sink_->out->clone(std::string(room))});
  }
  return copy;
}

bool Logger::enabled(LogLevel level) const { return sink_ && level >= sink_->options.level; }

void Logger::write(LogLevel level, std::string_view text) const {
  const std::string one_line = escaped(text, sink_->options.format);
  sink_->out->log(spdlog_level(level), spdlog::string_view_t(one_line.data(), one_line.size()));
}

}  // namespace skald
