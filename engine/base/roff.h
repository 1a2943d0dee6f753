// Text in a manual page. What a page says is made where its program's options are.
#pragma once

#include <string>
#include <string_view>

namespace skald {

/// `text` so that `man` shows it as it stands: backslashes, minuses that can be copied, quotes, and
/// no line that roff takes as a request.
[[nodiscard]] std::string roff_text(std::string_view text);

/// A paragraph under a hanging tag: ".TP", the tag in bold, its value's name in italics (or none).
struct RoffItem {
  std::string_view tag;
  std::string_view value;
  std::string_view text;
};
[[nodiscard]] std::string roff_item(const RoffItem& item);

}  // namespace skald
