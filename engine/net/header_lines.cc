#include "engine/net/header_lines.h"

#include <array>
#include <charconv>

namespace skald {

void HeaderLines::add_sound_name(std::string_view name, std::string_view value) {
  if (!http::is_field_text(value)) {
    sound_ = false;
    return;
  }
  const std::array parts = {name, std::string_view(": "), value, std::string_view("\r\n")};
  std::size_t size = text_.size();
  for (const std::string_view part : parts) size += part.size();
  text_.resize_and_overwrite(size, [&, at = text_.size()](char* text, std::size_t) mutable {
    for (const std::string_view part : parts) at += part.copy(text + at, part.size());
    return at;
  });
}

void HeaderLines::add(HeaderName name, std::uint64_t value) {
  std::array<char, 20> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  add_sound_name(name.text(), {digits.data(), static_cast<std::size_t>(end - digits.data())});
}

void HeaderLines::add_quoted(HeaderName name, std::string_view value) {
  if (!http::is_field_text(value)) {
    sound_ = false;
    return;
  }
  text_.append(name.text()).append(": \"");
  if (!value.contains('"') && !value.contains('\\')) {
    text_.append(value);
  } else {
    for (const char c : value) {
      if (c == '"' || c == '\\') text_.push_back('\\');
      text_.push_back(c);
    }
  }
  text_.append("\"\r\n");
}

void HeaderLines::add_any(std::string_view name, std::string_view value) {
  if (http::is_token(name) && !http::is_framing(name)) return add_sound_name(name, value);
  sound_ = false;
}

}  // namespace skald
