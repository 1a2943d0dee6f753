#include "participants/cart/ledger.h"

#include "participants/kit/dump.h"

namespace skald::mall::cart {

using ::mall::stored::CartLineRow;

CartLine line_of(const CartLineRow& row) {
  return {.user_id = row.user_id(),
          .sku_id = row.sku_id(),
          .product_id = row.product_id(),
          .product_name = row.product_name(),
          .sku_specs = row.sku_specs(),
          .price_cents = row.price_cents(),
          .quantity = row.quantity(),
          .selected = row.selected()};
}

std::optional<CartLine> find_line(kit::Txn& txn, std::int64_t user_id, std::int64_t sku_id) {
  const auto row = kit::get_message<CartLineRow>(txn, kit::row_key(kLinePrefix, user_id, sku_id));
  if (!row) return std::nullopt;
  return line_of(*row);
}

std::vector<CartLine> find_lines(kit::Txn& txn, std::int64_t user_id) {
  std::vector<CartLine> lines;
  const auto rows =
      txn.scan({.prefix = kit::row_key(kLinePrefix, user_id), .rows_max = kLinesPerUserMax});
  for (const auto& row : rows) lines.push_back(line_of(kit::parse_row<CartLineRow>(row)));
  return lines;
}

void put_line(kit::Txn& txn, const CartLine& line) {
  CartLineRow row;
  row.set_user_id(line.user_id);
  row.set_sku_id(line.sku_id);
  row.set_product_id(line.product_id);
  row.set_product_name(line.product_name);
  row.set_sku_specs(line.sku_specs);
  row.set_price_cents(line.price_cents);
  row.set_quantity(line.quantity);
  row.set_selected(line.selected);
  kit::put_message(txn, kit::row_key(kLinePrefix, line.user_id, line.sku_id), row);
}

void erase_line(kit::Txn& txn, std::int64_t user_id, std::int64_t sku_id) {
  txn.erase(kit::row_key(kLinePrefix, user_id, sku_id));
}

}  // namespace skald::mall::cart
