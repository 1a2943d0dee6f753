// Inventory's rows: one per SKU. Rules are in model.h.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "mall/stored.pb.h"
#include "participants/inventory/model.h"
#include "participants/kit/txn.h"

namespace skald::mall::inventory {

inline constexpr std::string_view kStockPrefix = "s/";  // Stored. Never another kind of row.

[[nodiscard]] std::optional<Stock> find_stock(kit::Txn& txn, std::int64_t sku_id);
/// Pre: the row is consistent.
void put_stock(kit::Txn& txn, const Stock& stock);
[[nodiscard]] Stock stock_of(const ::mall::stored::StockRow& row);

}  // namespace skald::mall::inventory
