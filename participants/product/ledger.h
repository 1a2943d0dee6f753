// The catalogue's rows: products, and the SKUs sold of them. Rules are in model.h.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "mall/stored.pb.h"
#include "participants/kit/txn.h"
#include "participants/product/model.h"

namespace skald::mall::product {

inline constexpr std::string_view kProductPrefix = "p/";  // Stored. Never another kind of row.
inline constexpr std::string_view kSkuPrefix = "k/";      // Stored. Never another kind of row.

[[nodiscard]] std::optional<Product> find_product(kit::Txn& txn, std::int64_t id);
[[nodiscard]] std::optional<Sku> find_sku(kit::Txn& txn, std::int64_t sku_id);
void put_product(kit::Txn& txn, const Product& product);
void put_sku(kit::Txn& txn, const Sku& sku);
[[nodiscard]] Product product_of(const ::mall::stored::ProductRow& row);
[[nodiscard]] Sku sku_of(const ::mall::stored::SkuRow& row);

}  // namespace skald::mall::product
