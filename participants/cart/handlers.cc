#include "participants/cart/handlers.h"

#include <set>

#include "engine/wire/json.h"
#include "mall/cart.pb.h"
#include "mall/cart_admin.pb.h"
#include "mall/seed.pb.h"
#include "participants/cart/ledger.h"
#include "participants/cart/model.h"
#include "participants/kit/dump.h"
#include "participants/kit/money.h"

namespace skald::mall::cart {
namespace {

namespace api = ::cart;
namespace admin = ::cart::admin;
using kit::Txn;

constexpr std::uint16_t kPort = 9904;

api::CartItem message_of(const CartLine& line) {
  api::CartItem item;
  item.set_sku_id(line.sku_id);
  item.set_product_id(line.product_id);
  item.set_product_name(line.product_name);
  item.set_sku_specs(line.sku_specs);
  item.set_price(kit::amount_of(line.price_cents));
  item.set_quantity(line.quantity);
  item.set_price_cents(line.price_cents);
  return item;
}

/// Cents, or where there are none the legacy price.
Result<std::int64_t> price_of(const api::CartItem& item) {
  if (item.price_cents() != 0 || item.price() == 0) return item.price_cents();
  return kit::cents_of(item.price(), "price");
}

Result<CartLine> line_of(std::int64_t user_id, const api::CartItem& item, bool selected) {
  const auto price = price_of(item);
  if (!price) return std::unexpected(price.error());
  CartLine line{.user_id = user_id,
                .sku_id = item.sku_id(),
                .product_id = item.product_id(),
                .product_name = item.product_name(),
                .sku_specs = item.sku_specs(),
                .price_cents = *price,
                .quantity = item.quantity(),
                .selected = selected};
  if (auto checked = check_line(line); !checked) return std::unexpected(checked.error());
  return line;
}

Result<api::GetCartItemsResponse> get_items(Txn& txn, const api::GetCartItemsRequest& request) {
  const std::set<std::int64_t> asked(request.sku_ids().begin(), request.sku_ids().end());
  api::GetCartItemsResponse response;
  for (const auto& line : find_lines(txn, request.user_id())) {
    if (!line.selected) continue;
    if (!asked.empty() && !asked.contains(line.sku_id)) continue;
    *response.add_items() = message_of(line);
  }
  return response;
}

Result<api::ClearCartItemsResponse> clear_items(Txn& txn,
                                                const api::ClearCartItemsRequest& request) {
  std::set<std::int64_t> counted;
  for (const auto& ordered : request.lines()) {
    if (!counted.insert(ordered.sku_id()).second) {
      return fail(Errc::invalid_argument, "lines: sku_id={} twice", ordered.sku_id());
    }
    const auto line = find_line(txn, request.user_id(), ordered.sku_id());
    // What is gone from the cart needs no clearing; its quantity is still checked.
    const auto rest =
        take_ordered(line.value_or(CartLine{.sku_id = ordered.sku_id()}), ordered.quantity());
    if (!rest) return std::unexpected(rest.error());
    if (!line) continue;
    if (*rest) {
      put_line(txn, **rest);
    } else {
      erase_line(txn, request.user_id(), ordered.sku_id());
    }
  }
  for (const auto sku_id : request.sku_ids()) {
    if (!counted.contains(sku_id)) erase_line(txn, request.user_id(), sku_id);
  }
  api::ClearCartItemsResponse response;
  response.set_success(true);
  return response;
}

Result<api::SetCartItemResponse> set_item(Txn& txn, const api::SetCartItemRequest& request) {
  const auto line = line_of(request.user_id(), request.item(), request.selected());
  if (!line) return std::unexpected(line.error());
  const bool known = find_line(txn, line->user_id, line->sku_id).has_value();
  if (!known && find_lines(txn, line->user_id).size() >= kLinesPerUserMax) {
    return fail(Errc::failed_precondition, "user_id={} has {} cart lines already", line->user_id,
                kLinesPerUserMax);
  }
  put_line(txn, *line);
  api::SetCartItemResponse response;
  response.set_success(true);
  return response;
}

Result<admin::SeedResponse> seed(Txn& txn, const admin::SeedRequest& request) {
  for (const auto& row : request.lines()) {
    const auto line = line_of(row.user_id(), row.item(), row.selected());
    if (!line) return std::unexpected(line.error());
    put_line(txn, *line);
  }
  return admin::SeedResponse();
}

Result<admin::DumpResponse> dump(Txn& txn, const admin::DumpRequest& request) {
  admin::DumpResponse response;
  const auto visit = [&response](const kit::Row& row) {
    if (kit::dump_leg(row, *response.mutable_legs())) return;
    if (!row.key.starts_with(kLinePrefix)) return;
    const CartLine line = cart::line_of(kit::parse_row<::mall::stored::CartLineRow>(row));
    auto& out = *response.add_lines();
    out.set_user_id(line.user_id);
    *out.mutable_item() = message_of(line);
    out.set_selected(line.selected);
  };
  response.set_next(kit::visit_rows(txn, request.after(), request.rows_max(), visit));
  return response;
}

Result<void> seed_file(Txn& txn, std::string_view json) {
  ::mall::SeedFile file;
  if (auto parsed = wire::message_from_json(json, file); !parsed) return parsed;
  auto seeded = seed(txn, file.cart());
  if (!seeded) return std::unexpected(std::move(seeded.error()));
  return {};
}

void install(kit::Host& host) {
  api::ClearCartItemsResponse cleared;
  cleared.set_success(true);
  api::SetCartItemResponse set;
  set.set_success(true);
  host.query<api::GetCartItemsRequest, api::GetCartItemsResponse>("/cart.CartRpc/GetCartItems",
                                                                  get_items);
  host.mutation<api::ClearCartItemsRequest, api::ClearCartItemsResponse>(
      "/cart.CartRpc/ClearCartItems", clear_items, cleared);
  host.mutation<api::SetCartItemRequest, api::SetCartItemResponse>("/cart.CartRpc/SetCartItem",
                                                                   set_item, set);
  host.query<admin::DumpRequest, admin::DumpResponse>("/cart.admin.CartAdmin/Dump", dump);
  host.mutation<admin::SeedRequest, admin::SeedResponse>("/cart.admin.CartAdmin/Seed", seed);
}

}  // namespace

kit::Service service() {
  return {.name = "cart", .port = kPort, .install = install, .seed = seed_file};
}

}  // namespace skald::mall::cart
