#include "tools/skaldctl/terminal.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <iterator>
#include <thread>

namespace skald::ctl {
namespace {

std::optional<std::string> environment(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr) return std::nullopt;
  return std::string(value);
}

void write_to(std::FILE* stream, std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stream);
  std::fflush(stream);
}

std::string_view code_of(Tone tone) {
  switch (tone) {
    case Tone::plain:
      return "";
    case Tone::dim:
      return "\x1b[2m";
    case Tone::good:
      return "\x1b[32m";
    case Tone::bad:
      return "\x1b[31m";
    case Tone::warn:
      return "\x1b[33m";
    case Tone::active:
      return "\x1b[36m";
    case Tone::strong:
      return "\x1b[1m";
  }
  return "";
}

bool locale_is_utf8() {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const auto value = environment(name);
    if (!value || value->empty()) continue;
    return value->find("UTF-8") != value->npos || value->find("utf8") != value->npos;
  }
  return false;
}

/// nullopt: it is no terminal.
std::optional<std::size_t> width_of(int stream) {
  constexpr std::size_t kWidthMin = 60;  // narrower terminals wrap
  constexpr std::size_t kWidthMax = 160;
  winsize size{};
  if (::isatty(stream) != 1 || ::ioctl(stream, TIOCGWINSZ, &size) != 0) return std::nullopt;
  if (size.ws_col == 0) return std::nullopt;
  return std::clamp<std::size_t>(size.ws_col, kWidthMin, kWidthMax);
}

std::optional<std::size_t> height_of(int stream) {
  winsize size{};
  if (::ioctl(stream, TIOCGWINSZ, &size) != 0 || size.ws_row == 0) return std::nullopt;
  return size.ws_row;
}

/// Waits for a key that ends a view. What is typed is not shown, and Ctrl-C is a key: so the
/// terminal is left as it was found, whatever is typed.
bool left_within(Millis time) {
  termios before{};
  if (::tcgetattr(STDIN_FILENO, &before) != 0) return true;
  termios quiet = before;
  quiet.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO | ISIG);
  ::tcsetattr(STDIN_FILENO, TCSANOW, &quiet);
  const auto until = std::chrono::steady_clock::now() + time;
  bool left = false;
  for (;;) {
    const auto rest =
        std::chrono::duration_cast<Millis>(until - std::chrono::steady_clock::now()).count();
    pollfd typed{.fd = STDIN_FILENO, .events = POLLIN, .revents = 0};
    if (rest <= 0 || ::poll(&typed, 1, static_cast<int>(rest)) <= 0) break;
    constexpr char kCtrlC = 3;
    constexpr char kEndOfInput = 4;
    char key = 0;
    const bool ended = ::read(STDIN_FILENO, &key, 1) != 1;
    left = ended || key == 'q' || key == 'Q' || key == kCtrlC || key == kEndOfInput;
    if (left) break;
  }
  ::tcsetattr(STDIN_FILENO, TCSANOW, &before);
  return left;
}

}  // namespace

std::string Terminal::toned(Tone tone, std::string_view text) const {
  if (!colour || tone == Tone::plain || text.empty()) return std::string(text);
  return fmt::format("{}{}\x1b[0m", code_of(tone), text);
}

Terminal process_terminal() {
  Terminal terminal;
  terminal.out = [](std::string_view text) { write_to(stdout, text); };
  terminal.err = [](std::string_view text) { write_to(stderr, text); };
  terminal.read_line = []() -> std::optional<std::string> {
    std::string line;
    if (!std::getline(std::cin, line)) return std::nullopt;
    return line;
  };
  terminal.read_all = [] {
    return std::string(std::istreambuf_iterator<char>(std::cin), std::istreambuf_iterator<char>());
  };
  terminal.environment = environment;
  terminal.pause = [](Millis time) { std::this_thread::sleep_for(time); };
  terminal.input_is_tty = ::isatty(STDIN_FILENO) == 1;
  const bool out_is_tty = ::isatty(STDOUT_FILENO) == 1;
  if (out_is_tty && terminal.input_is_tty) terminal.left_within = left_within;
  terminal.height = height_of(STDOUT_FILENO).value_or(terminal.height);
  const auto term = environment("TERM");
  terminal.colour = out_is_tty && !environment("NO_COLOR") && term != "dumb";
  terminal.ascii = !locale_is_utf8();
  terminal.width = width_of(STDOUT_FILENO).value_or(terminal.width);
  terminal.err_width = width_of(STDERR_FILENO).value_or(0);
  return terminal;
}

}  // namespace skald::ctl
