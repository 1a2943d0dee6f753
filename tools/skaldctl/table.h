// Text in columns, within a width: tables, wrapped paragraphs, cut names. Widths are counted in
// characters, one column each.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tools/skaldctl/terminal.h"

namespace skald::ctl {

[[nodiscard]] std::size_t display_width(std::string_view utf8);
/// Cut to `width` with "..." at its end where it is longer.
[[nodiscard]] std::string cut(std::string_view utf8, std::size_t width);
/// Padded with spaces to `width`; longer text is cut.
[[nodiscard]] std::string padded(std::string_view utf8, std::size_t width);
/// Broken at spaces into lines of `width`; every line but the first starts with `indent` spaces.
[[nodiscard]] std::string wrapped(std::string_view text, std::size_t width, std::size_t indent);

/// Line by line; what shows a place in the line above it (columns of a filter) is left as it is.
[[nodiscard]] std::string wrapped_lines(std::string_view text, std::size_t width);

struct Column {
  std::string title;
  bool shrinks = false;  // cut when the table is wider than the terminal
};

struct Cell {
  std::string text;
  Tone tone = Tone::plain;
};

/// With titles in the first line. `width` 0: as wide as it is.
[[nodiscard]] std::string table(const Terminal& terminal, const std::vector<Column>& columns,
                                const std::vector<std::vector<Cell>>& rows, std::size_t width);

}  // namespace skald::ctl
