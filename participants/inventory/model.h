// The rules of stock: available + locked + sold = total, and nothing negative. Pure: no rows, no
// requests.
#pragma once

#include <cstdint>
#include <optional>

#include "engine/base/result.h"

namespace skald::mall::inventory {

struct Stock {
  std::int64_t sku_id = 0;
  std::int32_t total = 0;
  std::int32_t available = 0;
  std::int32_t locked = 0;
  std::int32_t sold = 0;
  std::int64_t version = 0;  // grows by one with every change
  bool operator==(const Stock&) const = default;
};

struct StockChange {
  std::int32_t quantity = 0;
  std::optional<std::int64_t> expected_version = {};  // only if the row is still at this version
};

/// Everything available. Errors: invalid_argument: a negative total or a SKU id that is not
/// positive.
[[nodiscard]] Result<Stock> new_stock(std::int64_t sku_id, std::int32_t total);

/// available -> locked. The row after the change.
/// Errors: invalid_argument, quantity <= 0; aborted, the version is another (nothing was decided:
/// read again and retry); failed_precondition, too little available.
[[nodiscard]] Result<Stock> deduct(Stock stock, const StockChange& change);
/// locked -> available. Errors: as deduct, with too little locked.
[[nodiscard]] Result<Stock> rollback(Stock stock, const StockChange& change);
/// locked -> sold. Errors: as deduct, with too little locked.
[[nodiscard]] Result<Stock> confirm(Stock stock, const StockChange& change);

/// The invariant that every row satisfies.
[[nodiscard]] bool is_consistent(const Stock& stock);

}  // namespace skald::mall::inventory
