// From the tree to its canonical text, and what else is made of trees without asking a saga.
#include <algorithm>

#include "engine/filter/fields.h"
#include "engine/filter/lexer.h"

namespace skald::filter {
namespace {

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (c == '\n' || c == '\t') {
      out += c == '\n' ? "\\n" : "\\t";
    } else {
      out += c;
    }
  }
  return out += '"';
}

std::string word_or_quoted(const Value& value) {
  std::string text = value_text(value);
  return is_plain_word(text) ? text : quoted(text);
}

/// How tightly a node binds; a part that binds no tighter than its whole stands in parentheses.
int binding(const Node& node) {
  if (std::holds_alternative<AnyOf>(node.body)) return 1;
  if (std::holds_alternative<AllOf>(node.body)) return 2;
  return 3;
}

class Printer {
 public:
  std::string run(const Node& node) {
    std::visit([this](const auto& body) { print(body); }, node.body);
    return std::move(out_);
  }

 private:
  void part(const Node& node, int whole) {
    const bool open = binding(node) <= whole;
    if (open) out_ += '(';
    std::visit([this](const auto& body) { print(body); }, node.body);
    if (open) out_ += ')';
  }
  void joined(const std::vector<Node>& terms, std::string_view word, int whole) {
    for (std::size_t i = 0; i < terms.size(); ++i) {
      if (i != 0) out_ += word;
      part(terms[i], whole);
    }
  }
  void print(const AllOf& all) { joined(all.terms, " and ", 2); }
  void print(const AnyOf& any) { joined(any.terms, " or ", 1); }
  void print(const Not& negated) {
    out_ += "not ";
    part(negated.term.front(), 2);
  }
  void print(const Comparison& comparison) {
    out_ += rule_of(comparison.field).name;
    out_ += ' ';
    out_ += name(comparison.compare);
    out_ += ' ';
    if (comparison.compare != Compare::one_of) {
      out_ += word_or_quoted(comparison.values.front());
      return;
    }
    for (std::size_t i = 0; i < comparison.values.size(); ++i) {
      out_ += i == 0 ? "(" : ", ";
      out_ += word_or_quoted(comparison.values[i]);
    }
    out_ += ')';
  }

  std::string out_;
};

bool node_mentions(const Node& node, Field field) {
  struct Mentions {
    Field field;
    bool operator()(const Comparison& comparison) const { return comparison.field == field; }
    bool operator()(const AllOf& all) const { return any_of(all.terms); }
    bool operator()(const AnyOf& any) const { return any_of(any.terms); }
    bool operator()(const Not& negated) const { return any_of(negated.term); }
    [[nodiscard]] bool any_of(const std::vector<Node>& terms) const {
      return std::ranges::any_of(terms,
                                 [this](const Node& term) { return node_mentions(term, field); });
    }
  };
  return std::visit(Mentions{field}, node.body);
}

}  // namespace

std::string print(const Filter& filter) {
  return filter.root ? Printer().run(*filter.root) : std::string();
}

Filter both(Filter a, Filter b) {
  if (!a.root) return b;
  if (!b.root) return a;
  AllOf all;
  for (Filter* part : {&a, &b}) {
    if (auto* terms = std::get_if<AllOf>(&part->root->body)) {
      std::ranges::move(terms->terms, std::back_inserter(all.terms));
    } else {
      all.terms.push_back(std::move(*part->root));
    }
  }
  return {.root = Node{std::move(all)}};
}

Filter where(Field field, Value value) {
  return {.root = Node{Comparison{.field = field, .values = {std::move(value)}}}};
}

Filter where_in(Field field, std::vector<Value> values) {
  return {.root = Node{
              Comparison{.field = field, .compare = Compare::one_of, .values = std::move(values)}}};
}

bool mentions(const Filter& filter, Field field) {
  return filter.root && node_mentions(*filter.root, field);
}

}  // namespace skald::filter
