// The character classes of HTTP, shared by what reads and what writes messages. Pure.
#pragma once

#include <array>
#include <string_view>

namespace skald::http {

inline constexpr auto kToken = [] {
  std::array<bool, 256> table{};
  for (unsigned c = '0'; c <= '9'; ++c) table[c] = true;
  for (unsigned c = 'a'; c <= 'z'; ++c) table[c] = true;
  for (unsigned c = 'A'; c <= 'Z'; ++c) table[c] = true;
  for (const char c : std::string_view("!#$%&'*+-.^_`|~")) {
    table[static_cast<unsigned char>(c)] = true;
  }
  return table;
}();

/// Methods and field names. Source: RFC 9110 section 5.6.2.
[[nodiscard]] inline bool is_token(std::string_view text) {
  for (const char c : text) {
    if (!kToken[static_cast<unsigned char>(c)]) return false;
  }
  return !text.empty();
}

/// Field values and reasons: tab, space, visible ASCII and bytes above it.
[[nodiscard]] inline bool is_field_text(std::string_view text) {
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte < 0x20 && byte != '\t') || byte == 0x7F) return false;
  }
  return true;
}

/// What may stand in a request line: ASCII without spaces and controls.
[[nodiscard]] inline bool is_visible(std::string_view text) {
  for (const char c : text) {
    if (c <= 0x20 || c >= 0x7F) return false;
  }
  return !text.empty();
}

/// A path with its query, as a request line carries it: no fragment, nothing encoded is touched.
[[nodiscard]] inline bool is_path(std::string_view text) {
  return text.starts_with('/') && is_visible(text) && text.find('#') == std::string_view::npos;
}

}  // namespace skald::http
