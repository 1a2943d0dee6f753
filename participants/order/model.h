// The rules of an order: amounts that add up, and a status that moves along legal paths only and
// keeps its history. Pure: no rows, no requests; the time comes with the call.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/result.h"
#include "engine/base/time.h"

namespace skald::mall::order {

/// The contract's numbers.
enum class OrderStatus : std::int32_t {
  unpaid = 0,
  paid = 1,
  shipped = 2,
  done = 3,
  cancelled = 4,
  creating = 5,
  voided = 6,
};

[[nodiscard]] std::string_view name(OrderStatus status);
[[nodiscard]] std::optional<OrderStatus> status_of(std::int32_t number);
/// 5->0|6, 0->1|4|6, 1->2, 2->3.
[[nodiscard]] bool is_legal(OrderStatus from, OrderStatus to);

struct OrderItem {
  std::int64_t product_id = 0;
  std::string product_name;
  std::int64_t sku_id = 0;
  std::string sku_specs;
  std::int64_t price_cents = 0;
  std::int32_t quantity = 0;
  bool operator==(const OrderItem&) const = default;
};

struct StatusChange {
  std::optional<OrderStatus> from;  // nothing: the order's birth
  OrderStatus to = OrderStatus::creating;
  Instant at{};
  bool operator==(const StatusChange&) const = default;
};

/// What an order is made of; it never changes once created.
struct OrderTerms {
  std::string id;
  std::int64_t user_id = 0;
  std::vector<OrderItem> items;
  std::int64_t total_cents = 0;
  std::int64_t discount_cents = 0;
  std::int64_t freight_cents = 0;
  std::int64_t pay_cents = 0;  // total - discount + freight
  std::int64_t coupon_id = 0;  // 0: none
  std::string address;
  bool operator==(const OrderTerms&) const = default;
};

struct Order {
  OrderTerms terms;
  OrderStatus status = OrderStatus::creating;
  std::int32_t pay_type = 0;
  std::optional<Instant> expires;  // the payment deadline, once it waits for payment
  Instant created{};
  std::vector<StatusChange> history;
  bool operator==(const Order&) const = default;
};

inline constexpr std::size_t kOrderIdBytesMax = 32;  // payment gateways take no more
inline constexpr std::size_t kItemsMax = 200;
inline constexpr std::size_t kAddressBytesMax = 1'024;
inline constexpr Millis kPaymentWindow = std::chrono::minutes(30);

/// A new order in `status`: creating, or unpaid as the documented chain writes it.
/// Errors: invalid_argument naming the field: an id that is empty or too long, no items, too many,
/// a SKU twice, quantities or prices out of range, amounts that do not add up, another status.
[[nodiscard]] Result<Order> new_order(OrderTerms terms, OrderStatus status, Instant now);

struct StatusStep {
  OrderStatus expected = OrderStatus::unpaid;
  OrderStatus next = OrderStatus::unpaid;
};

/// Compare-and-set. Moving to unpaid sets the payment deadline.
/// Errors: invalid_argument, no such path; failed_precondition, it is not in `expected`: the
/// message ends in `status=N`, the status that won.
[[nodiscard]] Result<Order> change_status(Order order, StatusStep step, Instant now);

/// From wherever it is to `next`, or unchanged if it is there already.
/// Errors: failed_precondition, no path leads there.
[[nodiscard]] Result<Order> move_to(Order order, OrderStatus next, Instant now);

}  // namespace skald::mall::order
