// How the values of settings are written: numbers, durations ("30s"), sizes ("256MiB"), switches.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include "engine/base/result.h"
#include "engine/base/time.h"

namespace skald::server {

/// Errors of all: invalid_argument that shows the forms.
[[nodiscard]] Result<std::uint64_t> parse_number(std::string_view text);
/// "500ms", "30s", "5m", "12h", "7d".
[[nodiscard]] Result<Millis> parse_duration(std::string_view text);
[[nodiscard]] std::string print_duration(Millis duration);
/// A duration, or "forever" (0).
[[nodiscard]] Result<Millis> parse_retention(std::string_view text);
[[nodiscard]] std::string print_retention(std::optional<Millis> kept);
/// "4096", "64KiB", "256MiB", "1GiB".
[[nodiscard]] Result<std::uint64_t> parse_size(std::string_view text);
[[nodiscard]] std::string print_size(std::uint64_t bytes);
/// "true" or "false".
[[nodiscard]] Result<bool> parse_switch(std::string_view text);

/// Stores into a field of any unsigned width.
template <class Number>
[[nodiscard]] Result<void> store(Result<std::uint64_t> parsed, Number& to) {
  if (!parsed) return std::unexpected(parsed.error());
  if (*parsed > std::numeric_limits<Number>::max()) {
    return fail(Errc::invalid_argument, "at most {}", std::numeric_limits<Number>::max());
  }
  to = static_cast<Number>(*parsed);
  return {};
}

}  // namespace skald::server
