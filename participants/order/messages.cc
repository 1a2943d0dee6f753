#include "participants/order/messages.h"

#include <utility>

#include "participants/kit/money.h"

namespace skald::mall::order {
namespace {

constexpr std::int32_t kBirth = -1;  // StatusChange.from

OrderItem item_of(const ::order::OrderItem& message) {
  return {.product_id = message.product_id(),
          .product_name = message.product_name(),
          .sku_id = message.sku_id(),
          .sku_specs = message.sku_specs(),
          .price_cents = message.price_cents(),
          .quantity = message.quantity()};
}

void fill(::order::OrderItem& message, const OrderItem& item) {
  message.set_product_id(item.product_id);
  message.set_product_name(item.product_name);
  message.set_sku_id(item.sku_id);
  message.set_sku_specs(item.sku_specs);
  message.set_price_cents(item.price_cents);
  message.set_quantity(item.quantity);
}

Result<std::vector<StatusChange>> history_of(const ::order::Order& message) {
  std::vector<StatusChange> history;
  for (const auto& change : message.history()) {
    const auto to = status_of(change.to());
    std::optional<OrderStatus> from;
    if (change.from() != kBirth) from = status_of(change.from());
    const bool first = history.empty();
    const bool follows = first ? change.from() == kBirth
                               : from && from == history.back().to && to && is_legal(*from, *to);
    if (!to || !follows) {
      return fail(Errc::invalid_argument, "order_id={} history: not a path", message.order_id());
    }
    history.push_back({from, *to, from_unix_ms(change.at_ms())});
  }
  return history;
}

}  // namespace

::order::Order message_of(const Order& order) {
  ::order::Order message;
  message.set_order_id(order.terms.id);
  message.set_user_id(order.terms.user_id);
  message.set_pay_amount(kit::amount_of(order.terms.pay_cents));
  message.set_status(static_cast<std::int32_t>(order.status));
  message.set_total_cents(order.terms.total_cents);
  message.set_discount_cents(order.terms.discount_cents);
  message.set_freight_cents(order.terms.freight_cents);
  message.set_pay_cents(order.terms.pay_cents);
  message.set_coupon_id(order.terms.coupon_id);
  message.set_pay_type(order.pay_type);
  message.set_address(order.terms.address);
  message.set_expire_time_ms(order.expires ? to_unix_ms(*order.expires) : 0);
  message.set_created_ms(to_unix_ms(order.created));
  for (const auto& item : order.terms.items) fill(*message.add_items(), item);
  for (const auto& change : order.history) {
    auto& out = *message.add_history();
    out.set_from(change.from ? static_cast<std::int32_t>(*change.from) : kBirth);
    out.set_to(static_cast<std::int32_t>(change.to));
    out.set_at_ms(to_unix_ms(change.at));
  }
  return message;
}

OrderTerms terms_of(const ::order::CreateOrderRequest& request) {
  OrderTerms terms{.id = request.order_id(),
                   .user_id = request.user_id(),
                   .total_cents = request.total_cents(),
                   .discount_cents = request.discount_cents(),
                   .freight_cents = request.freight_cents(),
                   .pay_cents = request.pay_cents(),
                   .coupon_id = request.coupon_id(),
                   .address = request.address()};
  for (const auto& item : request.items()) terms.items.push_back(item_of(item));
  return terms;
}

Result<Order> order_of(const ::order::Order& message, Instant now) {
  const auto status = status_of(message.status());
  if (!status) {
    return fail(Errc::invalid_argument, "order_id={} status={} unknown", message.order_id(),
                message.status());
  }
  OrderTerms terms{.id = message.order_id(),
                   .user_id = message.user_id(),
                   .total_cents = message.total_cents(),
                   .discount_cents = message.discount_cents(),
                   .freight_cents = message.freight_cents(),
                   .pay_cents = message.pay_cents(),
                   .coupon_id = message.coupon_id(),
                   .address = message.address()};
  for (const auto& item : message.items()) terms.items.push_back(item_of(item));
  auto history = history_of(message);
  if (!history) return std::unexpected(history.error());
  // The checks of a new order are those of any order.
  auto order = new_order(std::move(terms), OrderStatus::creating, now);
  if (!order) return order;
  if (history->empty()) history->push_back({std::nullopt, *status, now});
  if (history->back().to != *status) {
    return fail(Errc::invalid_argument, "order_id={} history does not end in its status",
                message.order_id());
  }
  order->status = *status;
  order->history = std::move(*history);
  order->pay_type = message.pay_type();
  if (message.created_ms() != 0) order->created = from_unix_ms(message.created_ms());
  if (message.expire_time_ms() != 0) order->expires = from_unix_ms(message.expire_time_ms());
  return order;
}

}  // namespace skald::mall::order
