// Money is int64 cents inside. The contract's legacy double fields are converted here, at the edge.
#pragma once

#include <cstdint>
#include <string_view>

#include "engine/base/result.h"

namespace skald::kit {

/// The largest amount taken or answered, in cents: below it every amount of cents is exact in a
/// double, and sums of a whole order cannot overflow int64.
inline constexpr std::int64_t kCentsMax = 10'000'000'000'000;  // 10^13, a hundred billion

/// Cents of a legacy amount. The noise of a few binary roundings is forgiven; a third decimal is
/// not. Errors: invalid_argument naming `field`: not finite, negative, too large, or more than two
/// decimals.
[[nodiscard]] Result<std::int64_t> cents_of(double amount, std::string_view field);

/// The legacy double of an amount. Pre: |cents| <= kCentsMax.
[[nodiscard]] double amount_of(std::int64_t cents);

/// price * quantity. Errors: invalid_argument naming `field`: a negative price, a quantity that is
/// not positive, or a product beyond kCentsMax.
[[nodiscard]] Result<std::int64_t> line_cents(std::int64_t price_cents, std::int64_t quantity,
                                              std::string_view field);

}  // namespace skald::kit
