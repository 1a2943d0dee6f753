// Log lines: constant text first, then key=value, one line each on stderr as text or JSON. Who logs
// is handed a Logger; there is no global one. spdlog is included in log.cc and nowhere else.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <cstdio>
#include <memory>
#include <string_view>
#include <utility>

namespace skald {

/// error: a person must act. warn: we recovered. info: lifecycle. debug: every transition.
enum class LogLevel : std::uint8_t { debug = 1, info, warn, error };

enum class LogFormat : std::uint8_t { text = 1, json };

struct LogOptions {
  LogLevel level = LogLevel::info;  // lines below it are not even formatted
  LogFormat format = LogFormat::text;
  std::FILE* out = stderr;  // borrowed; must outlive every Logger made from it
};

/// Writes lines of one room. A copy is cheap and writes to the same place; a default-made one is
/// silent.
/// Thread: every call may come from any thread; lines never interleave.
class Logger {
 public:
  Logger() = default;
  explicit Logger(const LogOptions& options);

  /// The same log under a room's name, which every line carries.
  [[nodiscard]] Logger named(std::string_view room) const;

  [[nodiscard]] bool enabled(LogLevel level) const;

  /// log.info("saga finished saga_id={} status={}", id, name(status)): no payloads, no secrets.
  template <class... Args>
  void debug(fmt::format_string<Args...> text, Args&&... args) const {
    line(LogLevel::debug, text, std::forward<Args>(args)...);
  }
  template <class... Args>
  void info(fmt::format_string<Args...> text, Args&&... args) const {
    line(LogLevel::info, text, std::forward<Args>(args)...);
  }
  template <class... Args>
  void warn(fmt::format_string<Args...> text, Args&&... args) const {
    line(LogLevel::warn, text, std::forward<Args>(args)...);
  }
  template <class... Args>
  void error(fmt::format_string<Args...> text, Args&&... args) const {
    line(LogLevel::error, text, std::forward<Args>(args)...);
  }

 private:
  struct Sink;

  template <class... Args>
  void line(LogLevel level, fmt::format_string<Args...> text, Args&&... args) const {
    if (enabled(level)) write(level, fmt::format(text, std::forward<Args>(args)...));
  }
  void write(LogLevel level, std::string_view text) const;

  // Shared, because loggers are copied into every room and none of them outranks the others.
  std::shared_ptr<const Sink> sink_;
};

}  // namespace skald
