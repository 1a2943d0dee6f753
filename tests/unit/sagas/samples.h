// Hand-made facts of the mall: a cart of three lines, its prices and a coupon, as samples for dry
// runs.
#pragma once

#include "engine/dsl/dry_run.h"
#include "mall/sagas.pb.h"
#include "sagas/order_rules.h"

namespace skald::sagas {

inline constexpr std::string_view kOrderNumber = "SN1234567890123456789";

inline cart::CartItem cart_item(std::int64_t sku_id, std::int64_t price_cents,
                                std::int32_t quantity) {
  cart::CartItem item;
  item.set_sku_id(sku_id);
  item.set_product_id(sku_id / 10);
  item.set_product_name("product " + std::to_string(sku_id));
  item.set_sku_specs("blue");
  item.set_price_cents(price_cents);
  item.set_quantity(quantity);
  return item;
}

/// SKUs 101, 102, 103: 2 x 10.00 + 1 x 5.50 + 3 x 0.99 = 28.47.
inline cart::GetCartItemsResponse three_lines() {
  cart::GetCartItemsResponse cart;
  *cart.add_items() = cart_item(103, 99, 3);
  *cart.add_items() = cart_item(101, 1'000, 2);
  *cart.add_items() = cart_item(102, 550, 1);
  return cart;
}
inline constexpr std::int64_t kThreeLinesCents = 2'847;

inline product::GetSkuPricesResponse prices_of(const cart::GetCartItemsResponse& cart) {
  product::GetSkuPricesResponse prices;
  for (const cart::CartItem& item : cart.items()) {
    product::SkuPrice& price = *prices.add_prices();
    price.set_sku_id(item.sku_id());
    price.set_price_cents(item.price_cents());
    price.set_product_status(1);
  }
  return prices;
}

inline CreateOrderRequest order_of(const cart::GetCartItemsResponse& cart,
                                   std::int64_t coupon_id = 0) {
  CreateOrderRequest request;
  request.set_user_id(42);
  for (const cart::CartItem& item : cart.items()) request.add_sku_ids(item.sku_id());
  request.set_coupon_id(coupon_id);
  request.set_address("1 Harbour Street");
  return request;
}

inline promotion::CalculateDiscountResponse discount_of(std::int64_t cents, std::int64_t total) {
  promotion::CalculateDiscountResponse discount;
  discount.set_valid(true);
  discount.set_discount_cents(cents);
  discount.set_pay_cents(total - cents);
  return discount;
}

inline dsl::Sample order_sample(std::string name, std::int64_t coupon_id = 0) {
  dsl::Sample sample = dsl::sample(std::move(name), order_of(three_lines(), coupon_id));
  sample.business_key = kOrderNumber;
  sample.answer("cart", three_lines()).answer("prices", prices_of(three_lines()));
  if (coupon_id != 0) sample.answer("discount", discount_of(500, kThreeLinesCents));
  return sample;
}

inline order::Order placed_order(OrderStatus status, std::int64_t coupon_id) {
  order::Order order;
  order.set_order_id(std::string(kOrderNumber));
  order.set_user_id(42);
  order.set_status(static_cast<std::int32_t>(status));
  order.set_coupon_id(coupon_id);
  for (const std::int64_t sku_id : {101, 102}) {
    order::OrderItem& item = *order.add_items();
    item.set_sku_id(sku_id);
    item.set_product_id(10);
    item.set_quantity(static_cast<std::int32_t>(sku_id - 100));
  }
  return order;
}

inline dsl::Sample cancel_sample(std::string name, OrderStatus status, std::int64_t coupon_id,
                                 std::int64_t user_id = 42) {
  mall::sagas::CancelOrderRequest request;
  request.set_user_id(user_id);
  request.set_order_id(std::string(kOrderNumber));
  dsl::Sample sample = dsl::sample(std::move(name), request);
  sample.answer("order", placed_order(status, coupon_id));
  return sample;
}

}  // namespace skald::sagas
