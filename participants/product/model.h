// The rules of products and their SKUs. Pure: no rows, no requests.
#pragma once

#include <cstdint>
#include <string>

#include "engine/base/result.h"

namespace skald::mall::product {

/// The contract's numbers.
enum class ProductStatus : std::int32_t { off_sale = 0, on_sale = 1 };

struct Product {
  std::int64_t id = 0;
  std::string name;
  std::string main_image;
  std::int64_t category_id = 0;
  std::int32_t status = 0;  // as given: see ProductStatus
  bool operator==(const Product&) const = default;
};

struct Sku {
  std::int64_t sku_id = 0;
  std::int64_t product_id = 0;
  std::string sku_specs;
  std::int64_t price_cents = 0;
  bool operator==(const Sku&) const = default;
};

/// Errors: invalid_argument naming the field: an id that is not positive, an unknown status.
[[nodiscard]] Result<void> check_product(const Product& product);
/// Errors: invalid_argument naming the field: an id that is not positive, a price that is negative
/// or larger than money can be.
[[nodiscard]] Result<void> check_sku(const Sku& sku);

}  // namespace skald::mall::product
