// The cart's rows: one per user and SKU. Rules are in model.h.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "mall/stored.pb.h"
#include "participants/cart/model.h"
#include "participants/kit/txn.h"

namespace skald::mall::cart {

inline constexpr std::string_view kLinePrefix = "l/";   // Stored. Never another kind of row.
inline constexpr std::size_t kLinesPerUserMax = 1'000;  // beyond it a line is refused

[[nodiscard]] std::optional<CartLine> find_line(kit::Txn& txn, std::int64_t user_id,
                                                std::int64_t sku_id);
/// Every line of the user, by SKU.
[[nodiscard]] std::vector<CartLine> find_lines(kit::Txn& txn, std::int64_t user_id);
void put_line(kit::Txn& txn, const CartLine& line);
void erase_line(kit::Txn& txn, std::int64_t user_id, std::int64_t sku_id);
[[nodiscard]] CartLine line_of(const ::mall::stored::CartLineRow& row);

}  // namespace skald::mall::cart
