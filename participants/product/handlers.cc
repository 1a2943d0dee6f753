#include "participants/product/handlers.h"

#include <string>

#include "engine/wire/json.h"
#include "mall/product.pb.h"
#include "mall/product_admin.pb.h"
#include "mall/seed.pb.h"
#include "participants/kit/dump.h"
#include "participants/product/ledger.h"
#include "participants/product/model.h"

namespace skald::mall::product {
namespace {

namespace api = ::product;
namespace admin = ::product::admin;
using kit::Txn;

constexpr std::uint16_t kPort = 9902;
constexpr int kIdsPerRequestMax = 1'000;

Result<void> check_count(int count, std::string_view field) {
  if (count <= kIdsPerRequestMax) return {};
  return fail(Errc::invalid_argument, "{}: more than {}", field, kIdsPerRequestMax);
}

api::Product message_of(const Product& product) {
  api::Product message;
  message.set_id(product.id);
  message.set_name(product.name);
  message.set_main_image(product.main_image);
  message.set_category_id(product.category_id);
  message.set_status(product.status);
  return message;
}

Result<api::Product> get_product(Txn& txn, const api::GetProductRequest& request) {
  const auto product = find_product(txn, request.id());
  if (!product) return fail(Errc::not_found, "product id={} unknown", request.id());
  return message_of(*product);
}

Result<api::GetProductsByIdsResponse> get_products(Txn& txn,
                                                   const api::GetProductsByIdsRequest& request) {
  if (auto checked = check_count(request.ids_size(), "ids"); !checked) {
    return std::unexpected(checked.error());
  }
  api::GetProductsByIdsResponse response;
  for (const auto id : request.ids()) {
    if (const auto product = find_product(txn, id)) *response.add_products() = message_of(*product);
  }
  return response;
}

Result<api::GetSkuPricesResponse> get_prices(Txn& txn, const api::GetSkuPricesRequest& request) {
  if (auto checked = check_count(request.sku_ids_size(), "sku_ids"); !checked) {
    return std::unexpected(checked.error());
  }
  api::GetSkuPricesResponse response;
  std::string unknown;
  for (const auto sku_id : request.sku_ids()) {
    const auto sku = find_sku(txn, sku_id);
    const auto product = sku ? find_product(txn, sku->product_id) : std::nullopt;
    if (!product) {
      unknown += fmt::format("{}sku_id={}", unknown.empty() ? "" : " ", sku_id);
      continue;
    }
    auto& price = *response.add_prices();
    price.set_sku_id(sku_id);
    price.set_product_id(sku->product_id);
    price.set_price_cents(sku->price_cents);
    price.set_product_status(product->status);
    price.set_product_name(product->name);
    price.set_sku_specs(sku->sku_specs);
  }
  if (!unknown.empty()) return fail(Errc::not_found, "{} unknown", unknown);
  return response;
}

Result<admin::SeedResponse> seed(Txn& txn, const admin::SeedRequest& request) {
  for (const auto& row : request.products()) {
    const Product product{.id = row.id(),
                          .name = row.name(),
                          .main_image = row.main_image(),
                          .category_id = row.category_id(),
                          .status = row.status()};
    if (auto checked = check_product(product); !checked) return std::unexpected(checked.error());
    put_product(txn, product);
  }
  for (const auto& row : request.skus()) {
    const Sku sku{.sku_id = row.sku_id(),
                  .product_id = row.product_id(),
                  .sku_specs = row.sku_specs(),
                  .price_cents = row.price_cents()};
    if (auto checked = check_sku(sku); !checked) return std::unexpected(checked.error());
    put_sku(txn, sku);
  }
  return admin::SeedResponse();
}

Result<admin::DumpResponse> dump(Txn& txn, const admin::DumpRequest& request) {
  admin::DumpResponse response;
  const auto visit = [&response](const kit::Row& row) {
    if (kit::dump_leg(row, *response.mutable_legs())) return;
    if (row.key.starts_with(kProductPrefix)) {
      const auto stored = kit::parse_row<::mall::stored::ProductRow>(row);
      *response.add_products() = message_of(product_of(stored));
    } else if (row.key.starts_with(kSkuPrefix)) {
      const Sku sku = sku_of(kit::parse_row<::mall::stored::SkuRow>(row));
      auto& out = *response.add_skus();
      out.set_sku_id(sku.sku_id);
      out.set_product_id(sku.product_id);
      out.set_sku_specs(sku.sku_specs);
      out.set_price_cents(sku.price_cents);
    }
  };
  response.set_next(kit::visit_rows(txn, request.after(), request.rows_max(), visit));
  return response;
}

Result<void> seed_file(Txn& txn, std::string_view json) {
  ::mall::SeedFile file;
  if (auto parsed = wire::message_from_json(json, file); !parsed) return parsed;
  auto seeded = seed(txn, file.product());
  if (!seeded) return std::unexpected(std::move(seeded.error()));
  return {};
}

void install(kit::Host& host) {
  host.query<api::GetProductRequest, api::Product>("/product.ProductRpc/GetProduct", get_product);
  host.query<api::GetProductsByIdsRequest, api::GetProductsByIdsResponse>(
      "/product.ProductRpc/GetProductsByIds", get_products);
  host.query<api::GetSkuPricesRequest, api::GetSkuPricesResponse>(
      "/product.ProductRpc/GetSkuPrices", get_prices);
  host.query<admin::DumpRequest, admin::DumpResponse>("/product.admin.ProductAdmin/Dump", dump);
  host.mutation<admin::SeedRequest, admin::SeedResponse>("/product.admin.ProductAdmin/Seed", seed);
}

}  // namespace

kit::Service service() {
  return {.name = "product", .port = kPort, .install = install, .seed = seed_file};
}

}  // namespace skald::mall::product
