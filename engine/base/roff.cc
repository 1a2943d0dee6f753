#include "engine/base/roff.h"

#include <fmt/format.h>

namespace skald {

std::string roff_text(std::string_view text) {
  std::string out;
  bool line_begins = true;
  for (const char c : text) {
    if (line_begins && (c == '.' || c == '\'')) out += "\\&";
    line_begins = c == '\n';
    if (c == '\\') {
      out += "\\e";
    } else if (c == '-') {
      out += "\\-";
    } else if (c == '\'') {
      out += "\\(aq";
    } else {
      out.push_back(c);
    }
  }
  return out;
}

std::string roff_item(const RoffItem& item) {
  std::string text = ".TP\n.B " + roff_text(item.tag);
  if (!item.value.empty()) text += fmt::format(" \\fI{}\\fR", roff_text(item.value));
  return text + "\n" + roff_text(item.text) + "\n";
}

}  // namespace skald
