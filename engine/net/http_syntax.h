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
[[nodiscard]] constexpr bool is_token(std::string_view text) {
  for (const char c : text) {
    if (!kToken[static_cast<unsigned char>(c)]) return false;
  }
  return !text.empty();
}

/// Field values and reasons: tab, space, visible ASCII and bytes above it. Looks at every byte
/// without leaving early, so that the compiler takes many at once.
[[nodiscard]] inline bool is_field_text(std::string_view text) {
  unsigned char bad = 0;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    bad |= static_cast<unsigned char>((byte < 0x20) & (byte != '\t')) |
           static_cast<unsigned char>(byte == 0x7F);
  }
  return bad == 0;
}

/// What may stand in a request line: ASCII without spaces and controls.
[[nodiscard]] inline bool is_visible(std::string_view text) {
  unsigned char bad = 0;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    bad |= static_cast<unsigned char>(byte <= 0x20) | static_cast<unsigned char>(byte >= 0x7F);
  }
  return bad == 0 && !text.empty();
}

/// `lower` in small letters; ASCII.
[[nodiscard]] constexpr bool is_ignoring_case(std::string_view text, std::string_view lower) {
  if (text.size() != lower.size()) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if ((c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c) != lower[i]) return false;
  }
  return true;
}

/// Fields that say where a message ends or whose it is: a second one would let two readers
/// disagree, so they belong to the writer.
[[nodiscard]] constexpr bool is_framing(std::string_view name) {
  switch (name.size()) {
    case 4:
      return is_ignoring_case(name, "host");
    case 10:
      return is_ignoring_case(name, "connection");
    case 14:
      return is_ignoring_case(name, "content-length");
    case 17:
      return is_ignoring_case(name, "transfer-encoding");
    default:
      return false;
  }
}

/// A path with its query, as a request line carries it: no fragment, nothing encoded is touched.
[[nodiscard]] inline bool is_path(std::string_view text) {
  return text.starts_with('/') && is_visible(text) && text.find('#') == std::string_view::npos;
}

}  // namespace skald::http
