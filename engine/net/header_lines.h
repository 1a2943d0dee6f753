// Header lines as they are sent. Who makes many requests writes its headers here, into one buffer,
// instead of into a vector of pairs of strings. Pure.
#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

#include "engine/net/http_syntax.h"

namespace skald {

/// The name of a header, found sound while compiling: a token, and none that frames a message
/// (those are the writer's).
class HeaderName {
 public:
  template <class Text>
    requires std::convertible_to<Text, std::string_view>
  consteval HeaderName(const Text& name) : text_(name) {  // NOLINT: converts on purpose
    if (!http::is_token(text_) || http::is_framing(text_)) throw "not a header's name";
  }
  [[nodiscard]] constexpr std::string_view text() const { return text_; }

 private:
  std::string_view text_;
};

/// What could break the message (control characters, a name that is no token, framing fields) is
/// not added, and makes the lines unsound: a request with them is not sent.
class HeaderLines {
 public:
  void reserve(std::size_t bytes) { text_.reserve(bytes); }
  void add(HeaderName name, std::string_view value) { add_sound_name(name.text(), value); }
  void add(HeaderName name, std::uint64_t value);
  /// The value as a structured-field string (RFC 8941 section 3.3.3): in quotes, escaped.
  void add_quoted(HeaderName name, std::string_view value);
  /// A name from outside.
  void add_any(std::string_view name, std::string_view value);

  [[nodiscard]] bool sound() const { return sound_; }
  /// Each ends in CR LF.
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  void add_sound_name(std::string_view name, std::string_view value);

  std::string text_;
  bool sound_ = true;
};

}  // namespace skald
