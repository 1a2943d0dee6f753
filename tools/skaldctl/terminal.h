// What skaldctl talks to: where it writes, whether a person is there to be asked, and colour.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "engine/base/time.h"

namespace skald::ctl {

/// Roles of text; a terminal without colour shows them all alike.
enum class Tone : std::uint8_t { plain = 1, dim, good, bad, warn, active, strong };

struct Terminal {
  std::function<void(std::string_view)> out;
  std::function<void(std::string_view)> err;
  std::function<std::optional<std::string>()> read_line;  // nullopt: end of input
  std::function<std::string()> read_all;                  // standard input to its end
  std::function<std::optional<std::string>(const char* name)> environment;
  std::function<void(Millis)> pause;  // between two looks at something that goes on
  /// The same of a view that is drawn anew: true as soon as q or Ctrl-C is typed. Empty: no
  /// terminal to draw on, or nobody who could type.
  std::function<bool(Millis)> left_within;
  bool input_is_tty = false;
  bool colour = false;
  bool ascii = false;         // the locale cannot show line drawing
  std::size_t width = 80;     // columns
  std::size_t height = 24;    // lines
  std::size_t err_width = 0;  // of what errors go to; 0: no terminal, one line stays one line

  [[nodiscard]] std::string toned(Tone tone, std::string_view text) const;
};

/// Standard streams. Colour only on a terminal, and not with NO_COLOR or TERM=dumb.
[[nodiscard]] Terminal process_terminal();

}  // namespace skald::ctl
