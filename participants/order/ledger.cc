#include "participants/order/ledger.h"

#include "engine/base/check.h"
#include "participants/kit/dump.h"

namespace skald::mall::order {
namespace {

using ::mall::stored::OrderItemRow;
using ::mall::stored::OrderRow;

constexpr std::int32_t kBirth = -1;  // Stored, as StatusChangeRow.from.

OrderStatus stored_status(std::int32_t number, std::string_view order_id) {
  const auto status = status_of(number);
  SKALD_CHECK(status, "order_id={} status={}", order_id, number);
  return *status;
}

OrderItem item_of(const OrderItemRow& row) {
  return {.product_id = row.product_id(),
          .product_name = row.product_name(),
          .sku_id = row.sku_id(),
          .sku_specs = row.sku_specs(),
          .price_cents = row.price_cents(),
          .quantity = row.quantity()};
}

void fill(OrderItemRow& row, const OrderItem& item) {
  row.set_product_id(item.product_id);
  row.set_product_name(item.product_name);
  row.set_sku_id(item.sku_id);
  row.set_sku_specs(item.sku_specs);
  row.set_price_cents(item.price_cents);
  row.set_quantity(item.quantity);
}

OrderRow row_of(const Order& order) {
  OrderRow row;
  row.set_order_id(order.terms.id);
  row.set_user_id(order.terms.user_id);
  row.set_status(static_cast<std::int32_t>(order.status));
  row.set_total_cents(order.terms.total_cents);
  row.set_discount_cents(order.terms.discount_cents);
  row.set_freight_cents(order.terms.freight_cents);
  row.set_pay_cents(order.terms.pay_cents);
  row.set_coupon_id(order.terms.coupon_id);
  row.set_pay_type(order.pay_type);
  row.set_address(order.terms.address);
  row.set_expire_time_ms(order.expires ? to_unix_ms(*order.expires) : 0);
  row.set_created_ms(to_unix_ms(order.created));
  for (const auto& item : order.terms.items) fill(*row.add_items(), item);
  for (const auto& change : order.history) {
    auto& out = *row.add_history();
    out.set_from(change.from ? static_cast<std::int32_t>(*change.from) : kBirth);
    out.set_to(static_cast<std::int32_t>(change.to));
    out.set_at_ms(to_unix_ms(change.at));
  }
  return row;
}

std::string order_key(std::string_view order_id) {
  return fmt::format("{}{}", kOrderPrefix, order_id);
}

}  // namespace

Order order_of(const OrderRow& row) {
  Order order{.terms = {.id = row.order_id(),
                        .user_id = row.user_id(),
                        .total_cents = row.total_cents(),
                        .discount_cents = row.discount_cents(),
                        .freight_cents = row.freight_cents(),
                        .pay_cents = row.pay_cents(),
                        .coupon_id = row.coupon_id(),
                        .address = row.address()},
              .status = stored_status(row.status(), row.order_id()),
              .pay_type = row.pay_type(),
              .created = from_unix_ms(row.created_ms())};
  if (row.expire_time_ms() != 0) order.expires = from_unix_ms(row.expire_time_ms());
  for (const auto& item : row.items()) order.terms.items.push_back(item_of(item));
  for (const auto& change : row.history()) {
    StatusChange out{.to = stored_status(change.to(), row.order_id()),
                     .at = from_unix_ms(change.at_ms())};
    if (change.from() != kBirth) out.from = stored_status(change.from(), row.order_id());
    order.history.push_back(out);
  }
  return order;
}

std::optional<Order> find_order(kit::Txn& txn, std::string_view order_id) {
  const auto row = kit::get_message<OrderRow>(txn, order_key(order_id));
  if (!row) return std::nullopt;
  return order_of(*row);
}

std::vector<Order> find_orders(kit::Txn& txn, std::int64_t user_id, std::string_view before,
                               std::size_t rows_max) {
  const auto prefix = kit::row_key(kByUserPrefix, user_id);
  const auto rows =
      txn.scan({.prefix = prefix,
                .after = before.empty() ? std::string() : prefix + std::string(before),
                .order = kit::ScanOrder::descending,
                .rows_max = rows_max});
  std::vector<Order> orders;
  for (const auto& row : rows) {
    auto order = find_order(txn, std::string_view(row.key).substr(prefix.size()));
    // A doomed transaction finds nothing; otherwise the two rows are written together.
    if (order) orders.push_back(std::move(*order));
  }
  return orders;
}

void put_order(kit::Txn& txn, const Order& order) {
  kit::put_message(txn, order_key(order.terms.id), row_of(order));
  if (order.history.size() > 1) return;  // the user's row was put with the birth
  txn.put(kit::row_key(kByUserPrefix, order.terms.user_id) + order.terms.id, "");
}

}  // namespace skald::mall::order
