#include "participants/product/ledger.h"

namespace skald::mall::product {

using ::mall::stored::ProductRow;
using ::mall::stored::SkuRow;

Product product_of(const ProductRow& row) {
  return {.id = row.id(),
          .name = row.name(),
          .main_image = row.main_image(),
          .category_id = row.category_id(),
          .status = row.status()};
}

Sku sku_of(const SkuRow& row) {
  return {.sku_id = row.sku_id(),
          .product_id = row.product_id(),
          .sku_specs = row.sku_specs(),
          .price_cents = row.price_cents()};
}

std::optional<Product> find_product(kit::Txn& txn, std::int64_t id) {
  const auto row = kit::get_message<ProductRow>(txn, kit::row_key(kProductPrefix, id));
  if (!row) return std::nullopt;
  return product_of(*row);
}

std::optional<Sku> find_sku(kit::Txn& txn, std::int64_t sku_id) {
  const auto row = kit::get_message<SkuRow>(txn, kit::row_key(kSkuPrefix, sku_id));
  if (!row) return std::nullopt;
  return sku_of(*row);
}

void put_product(kit::Txn& txn, const Product& product) {
  ProductRow row;
  row.set_id(product.id);
  row.set_name(product.name);
  row.set_main_image(product.main_image);
  row.set_category_id(product.category_id);
  row.set_status(product.status);
  kit::put_message(txn, kit::row_key(kProductPrefix, product.id), row);
}

void put_sku(kit::Txn& txn, const Sku& sku) {
  SkuRow row;
  row.set_sku_id(sku.sku_id);
  row.set_product_id(sku.product_id);
  row.set_sku_specs(sku.sku_specs);
  row.set_price_cents(sku.price_cents);
  kit::put_message(txn, kit::row_key(kSkuPrefix, sku.sku_id), row);
}

}  // namespace skald::mall::product
