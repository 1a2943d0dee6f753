#include "participants/inventory/model.h"

#include "engine/base/check.h"

namespace skald::mall::inventory {
namespace {

Result<void> check_change(const Stock& stock, const StockChange& change) {
  if (change.quantity <= 0) {
    return fail(Errc::invalid_argument, "sku_id={} quantity={} must be positive", stock.sku_id,
                change.quantity);
  }
  if (change.expected_version && *change.expected_version != stock.version) {
    return fail(Errc::aborted, "sku_id={} version={} expected={}: another change came first",
                stock.sku_id, stock.version, *change.expected_version);
  }
  return {};
}

/// Moves a quantity between two counts. No sum can overflow: both are parts of one int32 total.
Result<Stock> move(Stock stock, const StockChange& change, std::int32_t Stock::* from,
                   std::int32_t Stock::* to, std::string_view from_name) {
  if (auto checked = check_change(stock, change); !checked) {
    return std::unexpected(checked.error());
  }
  if (stock.*from < change.quantity) {
    return fail(Errc::failed_precondition, "sku_id={} short {}={} wanted={}", stock.sku_id,
                from_name, stock.*from, change.quantity);
  }
  stock.*from -= change.quantity;
  stock.*to += change.quantity;
  ++stock.version;
  SKALD_CHECK(is_consistent(stock), "sku_id={}", stock.sku_id);
  return stock;
}

}  // namespace

Result<Stock> new_stock(std::int64_t sku_id, std::int32_t total) {
  if (sku_id <= 0) return fail(Errc::invalid_argument, "sku_id={} must be positive", sku_id);
  if (total < 0) return fail(Errc::invalid_argument, "sku_id={} total={} negative", sku_id, total);
  return Stock{.sku_id = sku_id, .total = total, .available = total};
}

Result<Stock> deduct(Stock stock, const StockChange& change) {
  return move(stock, change, &Stock::available, &Stock::locked, "available");
}

Result<Stock> rollback(Stock stock, const StockChange& change) {
  return move(stock, change, &Stock::locked, &Stock::available, "locked");
}

Result<Stock> confirm(Stock stock, const StockChange& change) {
  return move(stock, change, &Stock::locked, &Stock::sold, "locked");
}

bool is_consistent(const Stock& stock) {
  const auto sum = std::int64_t{stock.available} + stock.locked + stock.sold;
  return stock.available >= 0 && stock.locked >= 0 && stock.sold >= 0 && sum == stock.total;
}

}  // namespace skald::mall::inventory
