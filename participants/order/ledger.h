// The orders' rows: one per order with its items and history, and one that finds a user's orders.
// Rules are in model.h.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mall/stored.pb.h"
#include "participants/kit/txn.h"
#include "participants/order/model.h"

namespace skald::mall::order {

inline constexpr std::string_view kOrderPrefix = "o/";   // Stored. Never another kind of row.
inline constexpr std::string_view kByUserPrefix = "u/";  // Stored. Never another kind of row.

[[nodiscard]] std::optional<Order> find_order(kit::Txn& txn, std::string_view order_id);
/// Orders of a user with numbers below `before` (empty: all), the highest number first.
[[nodiscard]] std::vector<Order> find_orders(kit::Txn& txn, std::int64_t user_id,
                                             std::string_view before, std::size_t rows_max);
/// Puts a new order, or a changed one.
void put_order(kit::Txn& txn, const Order& order);

[[nodiscard]] Order order_of(const ::mall::stored::OrderRow& row);

}  // namespace skald::mall::order
