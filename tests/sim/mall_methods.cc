#include "tests/sim/mall_methods.h"

#include <functional>
#include <unordered_map>

#include "mall/cart.pb.h"
#include "mall/inventory.pb.h"
#include "mall/order.pb.h"
#include "mall/product.pb.h"
#include "mall/promotion.pb.h"
#include "participants/order/messages.h"

namespace skald::sim {
namespace {

using mall::order::Order;
using mall::order::OrderStatus;

template <class Message>
Result<Message> parse(const Bytes& body) {
  Message message;
  if (message.ParseFromString(body)) return message;
  return fail(Errc::invalid_argument, "not a message of this method");
}

Bytes success(const std::string& field = {}) {
  ::order::CreateOrderResponse response;  // every answer has `success` as its field 1
  response.set_success(true);
  if (!field.empty()) response.set_order_id(field);
  return response.SerializeAsString();
}

Result<Bytes> get_cart(const MallTables& tables, const Bytes& body) {
  const auto request = parse<::cart::GetCartItemsRequest>(body);
  if (!request) return std::unexpected(request.error());
  ::cart::GetCartItemsResponse response;
  for (const std::int64_t sku : request->sku_ids()) {
    const auto line = tables.carts.find({request->user_id(), sku});
    if (line == tables.carts.end()) continue;
    ::cart::CartItem& item = *response.add_items();
    item.set_sku_id(sku);
    item.set_product_id(line->second.product_id);
    item.set_price_cents(line->second.price_cents);
    item.set_quantity(line->second.quantity);
  }
  return response.SerializeAsString();
}

Result<Bytes> get_prices(const MallTables& tables, const Bytes& body) {
  const auto request = parse<::product::GetSkuPricesRequest>(body);
  if (!request) return std::unexpected(request.error());
  ::product::GetSkuPricesResponse response;
  for (const std::int64_t id : request->sku_ids()) {
    const auto sku = tables.skus.find(id);
    if (sku == tables.skus.end()) return fail(Errc::not_found, "sku_id={} unknown", id);
    ::product::SkuPrice& price = *response.add_prices();
    price.set_sku_id(id);
    price.set_product_id(sku->second.product_id);
    price.set_price_cents(sku->second.price_cents);
    price.set_product_status(tables.products.at(sku->second.product_id).status);
  }
  return response.SerializeAsString();
}

Result<Bytes> get_discount(const MallTables& tables, const Bytes& body, Instant wall) {
  const auto request = parse<::promotion::CalculateDiscountRequest>(body);
  if (!request) return std::unexpected(request.error());
  const auto coupon = tables.coupons.find(request->coupon_id());
  if (coupon == tables.coupons.end()) return fail(Errc::not_found, "unknown coupon");
  auto discount = discount_of(coupon->second, request->total_cents(), wall);
  const auto record = tables.records.find({request->user_id(), request->coupon_id()});
  const bool holds = record != tables.records.end() &&
                     record->second.status == mall::promotion::RecordStatus::unused;
  if (discount.reason.empty() && !holds) {
    discount = {.pay_cents = request->total_cents(), .reason = "not_owner"};
  }
  ::promotion::CalculateDiscountResponse response;
  response.set_valid(discount.reason.empty());
  response.set_discount_cents(discount.discount_cents);
  response.set_pay_cents(discount.pay_cents);
  response.set_reason(std::string(discount.reason));
  return response.SerializeAsString();
}

Result<Bytes> get_order(const MallTables& tables, const Bytes& body) {
  const auto request = parse<::order::GetOrderRequest>(body);
  if (!request) return std::unexpected(request.error());
  const auto order = tables.orders.find(request->order_id());
  if (order == tables.orders.end()) return fail(Errc::not_found, "unknown order");
  return message_of(order->second).SerializeAsString();
}

template <class Request>
Result<Bytes> change_stock(MallTables& tables, const Bytes& body,
                           Result<mall::inventory::Stock> (*rule)(
                               mall::inventory::Stock, const mall::inventory::StockChange&)) {
  const auto request = parse<Request>(body);
  if (!request) return std::unexpected(request.error());
  const auto stock = tables.stock.find(request->sku_id());
  if (stock == tables.stock.end()) return fail(Errc::not_found, "unknown SKU");
  const auto changed = rule(stock->second, {.quantity = request->quantity()});
  if (!changed) return std::unexpected(changed.error());
  stock->second = *changed;
  return success();
}

Result<Bytes> deduct_stock(MallTables& tables, const Bytes& body, Instant) {
  return change_stock<::inventory::DeductStockRequest>(tables, body, mall::inventory::deduct);
}

Result<Bytes> rollback_stock(MallTables& tables, const Bytes& body, Instant) {
  return change_stock<::inventory::RollbackStockRequest>(tables, body, mall::inventory::rollback);
}

/// Changes the user's record of a coupon by `rule`.
template <class Request, class Rule>
Result<Bytes> change_record(MallTables& tables, const Bytes& body, Rule rule) {
  const auto request = parse<Request>(body);
  if (!request) return std::unexpected(request.error());
  const auto coupon = tables.coupons.find(request->coupon_id());
  if (coupon == tables.coupons.end()) return fail(Errc::not_found, "unknown coupon");
  const auto record = tables.records.find({request->user_id(), request->coupon_id()});
  if (record == tables.records.end()) return fail(Errc::failed_precondition, "not_owner");
  auto changed = rule(record->second, coupon->second, request->used_order_id());
  if (!changed) return std::unexpected(changed.error());
  record->second = std::move(*changed);
  return success();
}

Result<Bytes> use_coupon(MallTables& tables, const Bytes& body, Instant wall) {
  return change_record<::promotion::UseCouponRequest>(
      tables, body, [wall](const auto& record, const auto& coupon, const std::string& order) {
        return mall::promotion::use(record, coupon, order, wall);
      });
}

Result<Bytes> release_coupon(MallTables& tables, const Bytes& body, Instant) {
  return change_record<::promotion::ReleaseCouponRequest>(
      tables, body, [](const auto& record, const auto&, const std::string& order) {
        return mall::promotion::release(record, order);
      });
}

Result<Bytes> create_order(MallTables& tables, const Bytes& body, Instant wall) {
  const auto request = parse<::order::CreateOrderRequest>(body);
  if (!request) return std::unexpected(request.error());
  const auto status = mall::order::status_of(request->status());
  if (!status) return fail(Errc::invalid_argument, "status unknown");
  auto order = new_order(mall::order::terms_of(*request), *status, wall);
  if (!order) return std::unexpected(order.error());
  const auto [taken, fresh] = tables.orders.try_emplace(request->order_id(), *order);
  const bool same = taken->second.terms == order->terms;
  if (!fresh && !same) return fail(Errc::failed_precondition, "another order's number");
  return success(request->order_id());
}

template <class Change>
Result<Bytes> change_order(MallTables& tables, const std::string& id, Change change) {
  const auto order = tables.orders.find(id);
  if (order == tables.orders.end()) return fail(Errc::not_found, "unknown order");
  Result<Order> changed = change(order->second);
  if (!changed) return std::unexpected(changed.error());
  order->second = std::move(*changed);
  return success();
}

Result<Bytes> void_order(MallTables& tables, const Bytes& body, Instant wall) {
  const auto request = parse<::order::VoidOrderRequest>(body);
  if (!request) return std::unexpected(request.error());
  return change_order(tables, request->order_id(), [wall](const Order& order) {
    return move_to(order, OrderStatus::voided, wall);
  });
}

Result<Bytes> change_status(MallTables& tables, const Bytes& body, Instant wall) {
  const auto request = parse<::order::ChangeOrderStatusRequest>(body);
  if (!request) return std::unexpected(request.error());
  const auto expected = mall::order::status_of(request->expected());
  const auto next = mall::order::status_of(request->new_status());
  if (!expected || !next) return fail(Errc::invalid_argument, "status unknown");
  return change_order(tables, request->order_id(), [&](const Order& order) {
    return mall::order::change_status(order, {.expected = *expected, .next = *next}, wall);
  });
}

Result<Bytes> clear_cart(MallTables& tables, const Bytes& body, Instant) {
  const auto request = parse<::cart::ClearCartItemsRequest>(body);
  if (!request) return std::unexpected(request.error());
  for (const ::cart::OrderedLine& ordered : request->lines()) {
    const auto line = tables.carts.find({request->user_id(), ordered.sku_id()});
    if (line == tables.carts.end()) continue;
    auto rest = take_ordered(line->second, ordered.quantity());
    if (!rest) return std::unexpected(rest.error());
    if (*rest) {
      line->second = std::move(**rest);
    } else {
      tables.carts.erase(line);
    }
  }
  return success();
}

using Effect = Result<Bytes> (*)(MallTables&, const Bytes&, Instant);

const std::unordered_map<std::string, Effect> kEffects{
    {"/cart.CartRpc/ClearCartItems", clear_cart},
    {"/inventory.InventoryRpc/DeductStock", deduct_stock},
    {"/inventory.InventoryRpc/RollbackStock", rollback_stock},
    {"/promotion.PromotionRpc/UseCoupon", use_coupon},
    {"/promotion.PromotionRpc/ReleaseCoupon", release_coupon},
    {"/order.OrderRpc/CreateOrder", create_order},
    {"/order.OrderRpc/VoidOrder", void_order},
    {"/order.OrderRpc/ChangeOrderStatus", change_status},
};

}  // namespace

Result<Bytes> mall_query(const MallTables& tables, const Request& request, Instant wall) {
  const std::string& path = request.method->path;
  if (path == "/cart.CartRpc/GetCartItems") return get_cart(tables, request.body);
  if (path == "/product.ProductRpc/GetSkuPrices") return get_prices(tables, request.body);
  if (path == "/order.OrderRpc/GetOrder") return get_order(tables, request.body);
  if (path == "/promotion.PromotionRpc/CalculateDiscount") {
    return get_discount(tables, request.body, wall);
  }
  return fail(Errc::unimplemented, "the simulated mall has no {}", path);
}

Result<Bytes> mall_effect(MallTables& tables, const Request& request, Instant wall) {
  const auto found = kEffects.find(request.method->path);
  if (found == kEffects.end()) {
    return fail(Errc::unimplemented, "the simulated mall has no {}", request.method->path);
  }
  return found->second(tables, request.body, wall);
}

Bytes mall_nothing_to_undo(const std::string&) { return success(); }

}  // namespace skald::sim
