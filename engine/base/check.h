// SKALD_CHECK: states what the code itself guarantees, in release too. It checks us, never the
// user.
#pragma once

#include <fmt/format.h>

#include <string_view>

namespace skald::detail {
[[noreturn]] void check_failed(std::string_view expression, std::string_view file, int line,
                               std::string_view detail);
}  // namespace skald::detail

/// SKALD_CHECK(condition, "saga_id={}", id)  prints, flushes and aborts when the condition is
/// false.
#define SKALD_CHECK(condition, ...)                                                               \
  do {                                                                                            \
    if (!(condition)) [[unlikely]] {                                                              \
      ::skald::detail::check_failed(#condition, __FILE__, __LINE__, fmt::format("" __VA_ARGS__)); \
    }                                                                                             \
  } while (false)
