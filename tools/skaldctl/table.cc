#include "tools/skaldctl/table.h"

#include <algorithm>

namespace skald::ctl {
namespace {

constexpr std::string_view kGap = "  ";
constexpr std::string_view kDots = "...";
constexpr std::size_t kShrunkMin = 6;  // a cut column keeps this much

bool continues(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

/// Bytes of the first `columns` characters.
std::size_t bytes_of(std::string_view text, std::size_t columns) {
  std::size_t i = 0;
  while (i < text.size() && (columns > 0 || continues(text[i]))) {
    if (!continues(text[i])) --columns;
    ++i;
  }
  while (i < text.size() && continues(text[i])) ++i;
  return i;
}

std::vector<std::size_t> natural_widths(const std::vector<Column>& columns,
                                        const std::vector<std::vector<Cell>>& rows) {
  std::vector<std::size_t> widths;
  for (const Column& column : columns) widths.push_back(display_width(column.title));
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      widths[i] = std::max(widths[i], display_width(row[i].text));
    }
  }
  return widths;
}

/// Takes what is too much from the widest of the columns that shrink, one character at a time.
void shrink(const std::vector<Column>& columns, std::vector<std::size_t>& widths,
            std::size_t width) {
  std::size_t total = kGap.size() * (columns.size() - 1);
  for (const std::size_t w : widths) total += w;
  while (total > width) {
    std::size_t widest = columns.size();
    for (std::size_t i = 0; i < columns.size(); ++i) {
      if (!columns[i].shrinks || widths[i] <= kShrunkMin) continue;
      if (widest == columns.size() || widths[i] > widths[widest]) widest = i;
    }
    if (widest == columns.size()) return;
    --widths[widest];
    --total;
  }
}

}  // namespace

std::size_t display_width(std::string_view utf8) {
  return static_cast<std::size_t>(
      std::ranges::count_if(utf8, [](char c) { return !continues(c); }));
}

std::string cut(std::string_view utf8, std::size_t width) {
  if (display_width(utf8) <= width) return std::string(utf8);
  if (width <= kDots.size()) return std::string(utf8.substr(0, bytes_of(utf8, width)));
  return std::string(utf8.substr(0, bytes_of(utf8, width - kDots.size()))) + std::string(kDots);
}

std::string padded(std::string_view utf8, std::size_t width) {
  std::string text = cut(utf8, width);
  text.append(width - display_width(text), ' ');
  return text;
}

std::string wrapped(std::string_view text, std::size_t width, std::size_t indent) {
  std::string out;
  std::size_t column = indent;  // the first line is expected to be indented already
  bool first = true;
  while (!text.empty()) {
    const std::size_t space = std::min(text.find(' '), text.size());
    const std::string_view word = text.substr(0, space);
    const std::size_t length = display_width(word);
    if (!first && column + 1 + length > width) {
      out += '\n';
      out.append(indent, ' ');
      column = indent;
    } else if (!first) {
      out += ' ';
      ++column;
    }
    out += word;
    column += length;
    first = false;
    text.remove_prefix(std::min(space + 1, text.size()));
  }
  return out;
}

std::string wrapped_lines(std::string_view text, std::size_t width) {
  constexpr std::size_t kIndent = 2;
  std::string out;
  for (bool first = true; !text.empty(); first = false) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    if (!first) out += '\n';
    // The indent counts for the first line too: at most two columns are left free there.
    out += line.starts_with(' ') ? std::string(line) : wrapped(line, width, kIndent);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

std::string table(const Terminal& terminal, const std::vector<Column>& columns,
                  const std::vector<std::vector<Cell>>& rows, std::size_t width) {
  std::vector<std::size_t> widths = natural_widths(columns, rows);
  if (width != 0) shrink(columns, widths, width);
  std::string out;
  const auto line = [&](const auto& cell_at) {
    for (std::size_t i = 0; i < columns.size(); ++i) {
      const Cell cell = cell_at(i);
      const bool last = i + 1 == columns.size();
      const std::string text = last ? cut(cell.text, widths[i]) : padded(cell.text, widths[i]);
      out += terminal.toned(cell.tone, text);
      if (!last) out += kGap;
    }
    while (out.ends_with(' ')) out.pop_back();
    out += '\n';
  };
  line([&](std::size_t i) { return Cell{columns[i].title, Tone::strong}; });
  for (const auto& row : rows) {
    line([&](std::size_t i) { return i < row.size() ? row[i] : Cell{}; });
  }
  return out;
}

}  // namespace skald::ctl
