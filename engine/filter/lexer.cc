#include "engine/filter/lexer.h"

#include <algorithm>
#include <array>

namespace skald::filter {
namespace {

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
bool is_control(char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7F'; }
bool continues(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

/// What stands in a word; everything else needs quotes.
bool is_word_character(char c) {
  constexpr std::string_view kMarks = "_-.:/@+[]#*%";
  const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  const bool other = (static_cast<unsigned char>(c) & 0x80) != 0;
  return letter || other || (c >= '0' && c <= '9') || kMarks.find(c) != kMarks.npos;
}

struct Mark {
  std::string_view text;
  TokenKind kind = TokenKind::compare;
  Compare compare = Compare::equal;
};
// Longer marks first.
constexpr std::array kMarks{
    Mark{"!=", TokenKind::compare, Compare::not_equal},
    Mark{">=", TokenKind::compare, Compare::at_least},
    Mark{"<=", TokenKind::compare, Compare::at_most},
    Mark{"=", TokenKind::compare, Compare::equal},
    Mark{"~", TokenKind::compare, Compare::contains},
    Mark{">", TokenKind::compare, Compare::greater},
    Mark{"<", TokenKind::compare, Compare::less},
    Mark{"(", TokenKind::open, Compare::equal},
    Mark{")", TokenKind::close, Compare::equal},
    Mark{",", TokenKind::comma, Compare::equal},
};

class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}

  Result<std::vector<Token>> run() {
    while (true) {
      while (at_ < text_.size() && is_space(text_[at_])) ++at_;
      if (at_ == text_.size()) break;
      auto token = next();
      if (!token) return std::unexpected(token.error());
      tokens_.push_back(std::move(*token));
    }
    tokens_.push_back({.kind = TokenKind::end, .text = {}, .at = text_.size()});
    return std::move(tokens_);
  }

 private:
  Result<Token> next() {
    const std::size_t begin = at_;
    const char c = text_[at_];
    if (c == '"' || c == '\'') return quoted(c);
    if (is_word_character(c)) {
      while (at_ < text_.size() && is_word_character(text_[at_])) ++at_;
      return Token{.kind = TokenKind::word,
                   .text = std::string(text_.substr(begin, at_ - begin)),
                   .at = begin};
    }
    for (const Mark& mark : kMarks) {
      if (!text_.substr(at_).starts_with(mark.text)) continue;
      at_ += mark.text.size();
      if (mark.text == "=" && text_.substr(at_).starts_with('=')) ++at_;  // as programmers write it
      return Token{
          .kind = mark.kind, .text = std::string(mark.text), .compare = mark.compare, .at = begin};
    }
    return std::unexpected(complaint(text_, begin, advice(c)));
  }

  static std::string advice(char c) {
    if (c == '&') return "\"&\" is not known; write `and`";
    if (c == '|') return "\"|\" is not known; write `or`";
    if (c == '!') return "\"!\" alone is not known; write `not`, or != between field and value";
    if (is_control(c)) return "a control character must stand in quotes";
    return fmt::format("\"{}\" is not known here; texts with it stand in quotes", c);
  }

  Result<Token> quoted(char quote) {
    Token token{.kind = TokenKind::quoted, .text = {}, .at = at_};
    for (std::size_t i = at_ + 1; i < text_.size(); ++i) {
      const char c = text_[i];
      if (c == quote) {
        at_ = i + 1;
        return token;
      }
      if (c != '\\') {
        token.text += c;
        continue;
      }
      const char escaped = i + 1 < text_.size() ? text_[i + 1] : '\0';
      if (escaped == 'n' || escaped == 't') {
        token.text += escaped == 'n' ? '\n' : '\t';
      } else if (escaped == '\\' || escaped == '"' || escaped == '\'') {
        token.text += escaped;
      } else {
        return std::unexpected(
            complaint(text_, i, "a backslash is written \\\\; known are \\\", \\', \\n and \\t"));
      }
      ++i;
    }
    return std::unexpected(complaint(text_, token.at, "this quote is not closed"));
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::vector<Token> tokens_;
};

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::size_t characters(std::string_view utf8) {
  return static_cast<std::size_t>(
      std::ranges::count_if(utf8, [](char c) { return !continues(c); }));
}

}  // namespace

Result<std::vector<Token>> tokens_of(std::string_view text) { return Lexer(text).run(); }

bool is_keyword(std::string_view word, std::string_view keyword) {
  return std::ranges::equal(word, keyword, {}, lower);
}

bool is_plain_word(std::string_view text) {
  if (text.empty() || !std::ranges::all_of(text, is_word_character)) return false;
  return std::ranges::none_of(
      std::array<std::string_view, 4>{"and", "or", "not", "in"},
      [text](std::string_view keyword) { return is_keyword(text, keyword); });
}

Error complaint(std::string_view text, std::size_t at, std::string_view sentence) {
  constexpr std::size_t kBefore = 40;  // bytes shown around the place
  constexpr std::size_t kAfter = 30;
  at = std::min(at, text.size());
  std::size_t begin = at > kBefore ? at - kBefore : 0;
  while (begin > 0 && continues(text[begin])) --begin;
  std::size_t end = std::min(at + kAfter, text.size());
  while (end < text.size() && continues(text[end])) ++end;
  std::string line(text.substr(begin, end - begin));
  std::ranges::replace_if(line, is_control, ' ');
  const std::string_view cut_before = begin == 0 ? "" : "...";
  const std::string_view cut_behind = end == text.size() ? "" : "...";
  const std::size_t indent = cut_before.size() + characters(text.substr(begin, at - begin));
  return {Errc::invalid_argument,
          fmt::format("filter: column {}: {}\n  {}{}{}\n  {}^", characters(text.substr(0, at)) + 1,
                      sentence, cut_before, line, cut_behind, std::string(indent, ' '))};
}

}  // namespace skald::filter
