// Money in cents: checked arithmetic, and the legacy double fields converted at the edge.
#pragma once

#include <cstdint>

#include "engine/base/result.h"

namespace skald::sagas {

/// Largest amount of one order, in cents. Far below 2^53, so that the legacy double fields are
/// exact.
inline constexpr std::int64_t kAmountCentsMax = 1'000'000'000'000;

/// price * quantity. Errors: invalid_argument for a negative price or a quantity below 1;
/// out_of_range beyond kAmountCentsMax.
[[nodiscard]] Result<std::int64_t> line_cents(std::int64_t price_cents, std::int32_t quantity);
/// sum + amount of two amounts within 0..kAmountCentsMax. Errors: out_of_range beyond it.
[[nodiscard]] Result<std::int64_t> add_cents(std::int64_t sum, std::int64_t amount);

/// A legacy amount in yuan. Errors: invalid_argument where it is not finite, negative, has more
/// than two decimals or exceeds kAmountCentsMax.
[[nodiscard]] Result<std::int64_t> cents_of_yuan(double yuan);
/// Pre: 0 <= cents <= kAmountCentsMax.
[[nodiscard]] double yuan_of_cents(std::int64_t cents);

}  // namespace skald::sagas
