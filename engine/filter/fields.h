// The fields of the language: their names, what values they take, what may be asked of them.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/filter/filter.h"

namespace skald::filter {

enum class ValueKind : std::uint8_t {
  text = 1,
  number,
  flag,
  status,
  operation,
  outcome,
  cause,
  saga_id,
  duration,
  time,
};

struct FieldRule {
  Field field = Field::id;
  std::string_view name;
  ValueKind kind = ValueKind::text;
  std::string_view meaning;  // for people
};

/// In the order of Field.
[[nodiscard]] std::span<const FieldRule> field_rules();
[[nodiscard]] const FieldRule& rule_of(Field field);
[[nodiscard]] const FieldRule* find_field(std::string_view name);

[[nodiscard]] std::string_view name(Compare compare);
[[nodiscard]] bool allows(ValueKind kind, Compare compare);

/// Reads one value. Errors: the sentence that says what would be right, for the parser to place.
[[nodiscard]] std::expected<Value, std::string> read_value(ValueKind kind, std::string_view text);
/// As read_value() takes it; not quoted.
[[nodiscard]] std::string value_text(const Value& value);

/// The word of `known` that is nearest to `word`; empty: none is near.
[[nodiscard]] std::string_view nearest(std::string_view word,
                                       std::span<const std::string_view> known);

}  // namespace skald::filter
