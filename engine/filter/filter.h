// Filter: which sagas are meant, as a small language that API, command line and console share:
//   definition = create_order and status in (stuck, compensating) and error ~ "timeout" and age >
//   10m
// The tree, and its way from text and back. What it says of a saga is in evaluate.h.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "engine/base/ids.h"
#include "engine/base/result.h"
#include "engine/base/time.h"
#include "engine/core/failure_class.h"
#include "engine/core/state.h"

namespace skald::filter {

inline constexpr std::size_t kFilterBytesMax = 4'096;  // as written, and as printed
inline constexpr std::size_t kFilterTermsMax = 64;     // comparisons
inline constexpr std::size_t kFilterDepthMax = 16;     // of parentheses and `not`
inline constexpr std::size_t kFilterValuesMax = 256;   // of one `in`

/// What can be asked about; spelled in filters as here.
enum class Field : std::uint8_t {
  id = 1,
  definition,
  version,
  status,
  waiting,
  business_key,
  idempotency_key,
  step,
  participant,
  operation,
  outcome,
  code,
  error,
  cause,
  age,
  stuck_for,
  started,
  ended,
};

enum class Compare : std::uint8_t {
  equal = 1,
  not_equal,
  one_of,    // `in`
  contains,  // `~`: the text holds it, upper and lower case alike
  greater,
  at_least,
  less,
  at_most,
};

/// Which alternative a field takes is said by kind_of() in fields.h.
using Value = std::variant<std::string, std::uint64_t, bool, SagaStatus, Operation, OutcomeKind,
                           CauseId, SagaId, Millis, Instant>;

struct Comparison {
  Field field = Field::id;
  Compare compare = Compare::equal;
  std::vector<Value> values;  // one, unless one_of
  bool operator==(const Comparison&) const = default;
};

struct Node;
struct AllOf {
  std::vector<Node> terms;  // two or more
  bool operator==(const AllOf&) const = default;
};
struct AnyOf {
  std::vector<Node> terms;  // two or more
  bool operator==(const AnyOf&) const = default;
};
struct Not {
  std::vector<Node> term;  // exactly one; a vector because Node is not known here
  bool operator==(const Not&) const = default;
};
struct Node {
  std::variant<Comparison, AllOf, AnyOf, Not> body;
  bool operator==(const Node&) const = default;
};

/// Empty: every saga.
struct Filter {
  std::optional<Node> root;
  bool operator==(const Filter&) const = default;
};

/// Errors: invalid_argument: one sentence with the column, and the line with a mark below it.
[[nodiscard]] Result<Filter> parse(std::string_view text);

/// Canonical text: parse(print(filter)) is the same filter. Empty for the empty one.
[[nodiscard]] std::string print(const Filter& filter);

/// What passes both.
[[nodiscard]] Filter both(Filter a, Filter b);
[[nodiscard]] Filter where(Field field, Value value);
/// Pre: not empty.
[[nodiscard]] Filter where_in(Field field, std::vector<Value> values);

/// Whether any comparison is about the field.
[[nodiscard]] bool mentions(const Filter& filter, Field field);

}  // namespace skald::filter
