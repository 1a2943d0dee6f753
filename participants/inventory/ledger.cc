#include "participants/inventory/ledger.h"

#include "engine/base/check.h"

namespace skald::mall::inventory {

Stock stock_of(const ::mall::stored::StockRow& row) {
  return {.sku_id = row.sku_id(),
          .total = row.total(),
          .available = row.available(),
          .locked = row.locked(),
          .sold = row.sold(),
          .version = row.version()};
}

std::optional<Stock> find_stock(kit::Txn& txn, std::int64_t sku_id) {
  const auto row =
      kit::get_message<::mall::stored::StockRow>(txn, kit::row_key(kStockPrefix, sku_id));
  if (!row) return std::nullopt;
  Stock stock = stock_of(*row);
  SKALD_CHECK(is_consistent(stock), "sku_id={}", sku_id);
  return stock;
}

void put_stock(kit::Txn& txn, const Stock& stock) {
  SKALD_CHECK(is_consistent(stock), "sku_id={}", stock.sku_id);
  ::mall::stored::StockRow row;
  row.set_sku_id(stock.sku_id);
  row.set_total(stock.total);
  row.set_available(stock.available);
  row.set_locked(stock.locked);
  row.set_sold(stock.sold);
  row.set_version(stock.version);
  kit::put_message(txn, kit::row_key(kStockPrefix, stock.sku_id), row);
}

}  // namespace skald::mall::inventory
