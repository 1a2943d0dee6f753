#include "participants/cart/model.h"

#include "participants/kit/money.h"

namespace skald::mall::cart {

Result<void> check_line(const CartLine& line) {
  if (line.user_id <= 0) {
    return fail(Errc::invalid_argument, "user_id={} must be positive", line.user_id);
  }
  if (line.sku_id <= 0) {
    return fail(Errc::invalid_argument, "sku_id={} must be positive", line.sku_id);
  }
  const auto field = fmt::format("sku_id={}", line.sku_id);
  const auto worth = kit::line_cents(line.price_cents, line.quantity, field);
  if (!worth) return std::unexpected(worth.error());
  return {};
}

Result<std::optional<CartLine>> take_ordered(CartLine line, std::int32_t ordered) {
  if (ordered <= 0) {
    return fail(Errc::invalid_argument, "sku_id={} quantity={} must be positive", line.sku_id,
                ordered);
  }
  if (ordered >= line.quantity) return std::nullopt;
  line.quantity -= ordered;
  return line;
}

}  // namespace skald::mall::cart
