#include "participants/product/model.h"

#include "participants/kit/money.h"

namespace skald::mall::product {

Result<void> check_product(const Product& product) {
  if (product.id <= 0) {
    return fail(Errc::invalid_argument, "product id={} must be positive", product.id);
  }
  if (product.status != static_cast<std::int32_t>(ProductStatus::off_sale) &&
      product.status != static_cast<std::int32_t>(ProductStatus::on_sale)) {
    return fail(Errc::invalid_argument, "product id={} status={} unknown", product.id,
                product.status);
  }
  return {};
}

Result<void> check_sku(const Sku& sku) {
  if (sku.sku_id <= 0) {
    return fail(Errc::invalid_argument, "sku_id={} must be positive", sku.sku_id);
  }
  if (sku.product_id <= 0) {
    return fail(Errc::invalid_argument, "sku_id={} product_id={} must be positive", sku.sku_id,
                sku.product_id);
  }
  if (sku.price_cents < 0 || sku.price_cents > kit::kCentsMax) {
    return fail(Errc::invalid_argument, "sku_id={} price_cents out of range", sku.sku_id);
  }
  return {};
}

}  // namespace skald::mall::product
