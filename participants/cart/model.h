// The rules of a cart line: positive quantities, prices in cents, and taking off only what was
// ordered. Pure: no rows, no requests.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "engine/base/result.h"

namespace skald::mall::cart {

struct CartLine {
  std::int64_t user_id = 0;
  std::int64_t sku_id = 0;
  std::int64_t product_id = 0;
  std::string product_name;
  std::string sku_specs;
  std::int64_t price_cents = 0;
  std::int32_t quantity = 0;
  bool selected = false;
  bool operator==(const CartLine&) const = default;
};

/// Errors: invalid_argument naming the field: ids and quantity not positive, a negative price, or a
/// line worth more than money can be.
[[nodiscard]] Result<void> check_line(const CartLine& line);

/// The line without what was ordered; nothing when no unit remains. More ordered than is left takes
/// what is left: the user has edited the cart meanwhile.
/// Errors: invalid_argument, ordered <= 0.
[[nodiscard]] Result<std::optional<CartLine>> take_ordered(CartLine line, std::int32_t ordered);

}  // namespace skald::mall::cart
