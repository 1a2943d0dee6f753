// From tokens to the tree:
//   any   := all ("or" all)*
//   all   := term ("and" term)*
//   term  := "not" term | "(" any ")" | field compare value | field ["not"] "in" "(" value, ... ")"
#include <fmt/ranges.h>

#include <utility>

#include "engine/filter/fields.h"
#include "engine/filter/lexer.h"

namespace skald::filter {
namespace {

class Parser {
 public:
  Parser(std::string_view text, std::vector<Token> tokens)
      : text_(text), tokens_(std::move(tokens)) {}

  Result<Filter> run() {
    if (here().kind == TokenKind::end) return Filter{};
    auto root = any();
    if (!root) return std::unexpected(root.error());
    if (here().kind != TokenKind::end) {
      return refuse(here().kind == TokenKind::close ? "this parenthesis closes nothing"
                                                    : "`and` or `or` is missing before this");
    }
    return Filter{.root = std::move(*root)};
  }

 private:
  [[nodiscard]] const Token& here() const { return tokens_[at_]; }
  [[nodiscard]] bool at_keyword(std::string_view keyword) const {
    return here().kind == TokenKind::word && is_keyword(here().text, keyword);
  }
  bool take_keyword(std::string_view keyword) {
    if (!at_keyword(keyword)) return false;
    ++at_;
    return true;
  }
  bool take(TokenKind kind) {
    if (here().kind != kind) return false;
    ++at_;
    return true;
  }
  [[nodiscard]] std::unexpected<Error> refuse(std::string_view sentence) const {
    return std::unexpected(complaint(text_, here().at, sentence));
  }
  [[nodiscard]] std::unexpected<Error> refuse_depth() const {
    return refuse(fmt::format("more than {} levels of parentheses and `not`", kFilterDepthMax));
  }

  /// Terms with the same word between them; one alone stays what it is.
  template <class Together>
  Result<Node> together(std::string_view word, Result<Node> (Parser::*part)()) {
    auto first = (this->*part)();
    if (!first || !at_keyword(word)) return first;
    Together all;
    all.terms.push_back(std::move(*first));
    while (take_keyword(word)) {
      auto next = (this->*part)();
      if (!next) return next;
      all.terms.push_back(std::move(*next));
    }
    return Node{std::move(all)};
  }
  Result<Node> any() { return together<AnyOf>("or", &Parser::all); }
  Result<Node> all() { return together<AllOf>("and", &Parser::term); }

  Result<Node> term() {
    const bool is_not = at_keyword("not");
    if (!is_not && here().kind != TokenKind::open) return comparison();
    if (depth_ == kFilterDepthMax) return refuse_depth();
    ++depth_;
    ++at_;
    auto inner = is_not ? term() : any();
    --depth_;
    if (!inner) return inner;
    if (is_not) return Node{Not{{std::move(*inner)}}};
    if (!take(TokenKind::close)) return refuse("`)`, `and` or `or` is missing here");
    return inner;
  }

  Result<Node> comparison() {
    if (terms_ == kFilterTermsMax) {
      return refuse(fmt::format("more than {} comparisons", kFilterTermsMax));
    }
    ++terms_;
    auto rule = field();
    if (!rule) return std::unexpected(rule.error());
    Comparison made{.field = (*rule)->field, .values = {}};
    const bool negated = take_keyword("not");
    if (negated && !at_keyword("in")) return refuse("`in` is missing after `not`");
    if (negated && depth_ == kFilterDepthMax) return refuse_depth();
    const Token& mark = here();
    if (at_keyword("in")) {
      made.compare = Compare::one_of;
    } else if (mark.kind == TokenKind::compare) {
      made.compare = mark.compare;
    } else {
      return refuse(fmt::format("a comparison of `{}` is missing: {}", (*rule)->name,
                                comparisons((*rule)->kind)));
    }
    if (!allows((*rule)->kind, made.compare)) {
      return refuse(fmt::format("`{}` is not for `{}`; it takes {}", name(made.compare),
                                (*rule)->name, comparisons((*rule)->kind)));
    }
    ++at_;
    if (auto read = values(**rule, made); !read) return std::unexpected(read.error());
    if (negated) return Node{Not{{Node{std::move(made)}}}};
    return Node{std::move(made)};
  }

  Result<const FieldRule*> field() {
    std::vector<std::string_view> known;
    for (const FieldRule& rule : field_rules()) known.push_back(rule.name);
    if (here().kind != TokenKind::word) {
      return refuse(fmt::format("a field is missing here: one of {}", fmt::join(known, ", ")));
    }
    const FieldRule* rule = find_field(here().text);
    if (rule == nullptr) {
      const std::string_view near = nearest(here().text, known);
      const std::string advice = near.empty()
                                     ? fmt::format("it is one of {}", fmt::join(known, ", "))
                                     : fmt::format("did you mean {}?", near);
      return refuse(fmt::format("there is no field \"{}\"; {}", here().text, advice));
    }
    ++at_;
    return rule;
  }

  static std::string comparisons(ValueKind kind) {
    std::vector<std::string_view> words;
    for (std::uint8_t i = 1; i <= static_cast<std::uint8_t>(Compare::at_most); ++i) {
      if (allows(kind, static_cast<Compare>(i))) words.push_back(name(static_cast<Compare>(i)));
    }
    return fmt::format("{}", fmt::join(words, " "));
  }

  Result<void> values(const FieldRule& rule, Comparison& to) {
    if (to.compare != Compare::one_of) return value(rule, to);
    if (!take(TokenKind::open)) return refuse("`(` is missing: write in (one, other)");
    do {
      if (to.values.size() == kFilterValuesMax) {
        return refuse(fmt::format("more than {} values of one `in`", kFilterValuesMax));
      }
      if (auto read = value(rule, to); !read) return read;
    } while (take(TokenKind::comma));
    if (!take(TokenKind::close)) return refuse("`,` or `)` is missing here");
    return {};
  }

  Result<void> value(const FieldRule& rule, Comparison& to) {
    const bool is_value = here().kind == TokenKind::word || here().kind == TokenKind::quoted;
    if (!is_value) return refuse(fmt::format("a value for `{}` is missing here", rule.name));
    auto read = read_value(rule.kind, here().text);
    if (!read) return refuse(read.error());
    to.values.push_back(std::move(*read));
    ++at_;
    return {};
  }

  std::string_view text_;
  std::vector<Token> tokens_;
  std::size_t at_ = 0;
  std::size_t depth_ = 0;
  std::size_t terms_ = 0;
};

}  // namespace

Result<Filter> parse(std::string_view text) {
  if (text.size() > kFilterBytesMax) {
    return fail(Errc::invalid_argument, "filter: {} bytes, at most {} are allowed", text.size(),
                kFilterBytesMax);
  }
  auto tokens = tokens_of(text);
  if (!tokens) return std::unexpected(tokens.error());
  auto filter = Parser(text, std::move(*tokens)).run();
  // Whoever keeps a filter keeps its canonical text, which has more spaces, quotes and escapes.
  if (!filter) return filter;
  if (const std::size_t size = print(*filter).size(); size > kFilterBytesMax) {
    return fail(Errc::invalid_argument, "filter: {} bytes when written out, at most {} are allowed",
                size, kFilterBytesMax);
  }
  return filter;
}

}  // namespace skald::filter
