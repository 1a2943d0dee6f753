// From the text of a filter to its tokens, each with its place.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/base/result.h"
#include "engine/filter/filter.h"

namespace skald::filter {

enum class TokenKind : std::uint8_t { word = 1, quoted, compare, open, close, comma, end };

struct Token {
  TokenKind kind = TokenKind::end;
  std::string text;                  // of a quoted one: what is between the quotes
  Compare compare = Compare::equal;  // of a comparison
  std::size_t at = 0;                // byte in the filter
};

/// The last token is the end. Errors: invalid_argument, with the column.
[[nodiscard]] Result<std::vector<Token>> tokens_of(std::string_view text);

/// One of and, or, not, in; upper and lower case alike.
[[nodiscard]] bool is_keyword(std::string_view word, std::string_view keyword);
/// Whether a text may stand without quotes.
[[nodiscard]] bool is_plain_word(std::string_view text);

/// "filter: column 14: SENTENCE", the line around it, and a mark below the place.
[[nodiscard]] Error complaint(std::string_view text, std::size_t at, std::string_view sentence);

}  // namespace skald::filter
