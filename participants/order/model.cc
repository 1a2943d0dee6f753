#include "participants/order/model.h"

#include <set>
#include <utility>

#include "participants/kit/money.h"

namespace skald::mall::order {
namespace {

Result<std::int64_t> items_total(const std::vector<OrderItem>& items) {
  std::set<std::int64_t> seen;
  std::int64_t total = 0;
  for (const auto& item : items) {
    const auto field = fmt::format("items: sku_id={}", item.sku_id);
    if (item.sku_id <= 0) return fail(Errc::invalid_argument, "{} must be positive", field);
    if (!seen.insert(item.sku_id).second) return fail(Errc::invalid_argument, "{} twice", field);
    const auto line = kit::line_cents(item.price_cents, item.quantity, field);
    if (!line) return line;
    total += *line;  // kItemsMax * kCentsMax is far below int64's end
  }
  return total;
}

Result<void> check_amount(std::int64_t cents, std::string_view field) {
  if (cents >= 0 && cents <= kit::kCentsMax) return {};
  return fail(Errc::invalid_argument, "{} out of range", field);
}

Result<void> check_amounts(const OrderTerms& terms) {
  for (const auto& [cents, field] :
       {std::pair{terms.total_cents, "total_cents"},
        std::pair{terms.discount_cents, "discount_cents"},
        std::pair{terms.freight_cents, "freight_cents"}, std::pair{terms.pay_cents, "pay_cents"}}) {
    if (auto checked = check_amount(cents, field); !checked) return checked;
  }
  const auto total = items_total(terms.items);
  if (!total) return std::unexpected(total.error());
  if (*total != terms.total_cents) {
    return fail(Errc::invalid_argument, "total_cents is not the sum of price times quantity");
  }
  if (terms.pay_cents != terms.total_cents - terms.discount_cents + terms.freight_cents) {
    return fail(Errc::invalid_argument, "pay_cents is not total - discount + freight");
  }
  return {};
}

Result<void> check_terms(const OrderTerms& terms) {
  if (terms.id.empty() || terms.id.size() > kOrderIdBytesMax) {
    return fail(Errc::invalid_argument, "order_id: empty or longer than {} bytes",
                kOrderIdBytesMax);
  }
  if (terms.user_id <= 0) return fail(Errc::invalid_argument, "user_id must be positive");
  if (terms.coupon_id < 0) return fail(Errc::invalid_argument, "coupon_id must not be negative");
  if (terms.items.empty()) return fail(Errc::invalid_argument, "items: empty");
  if (terms.items.size() > kItemsMax) {
    return fail(Errc::invalid_argument, "items: more than {}", kItemsMax);
  }
  if (terms.address.size() > kAddressBytesMax) {
    return fail(Errc::invalid_argument, "address: longer than {} bytes", kAddressBytesMax);
  }
  return check_amounts(terms);
}

void enter(Order& order, std::optional<OrderStatus> from, OrderStatus to, Instant now) {
  order.status = to;
  order.history.push_back({from, to, now});
  if (to == OrderStatus::unpaid) order.expires = add_saturated(now, kPaymentWindow);
}

}  // namespace

std::string_view name(OrderStatus status) {
  switch (status) {
    case OrderStatus::unpaid:
      return "unpaid";
    case OrderStatus::paid:
      return "paid";
    case OrderStatus::shipped:
      return "shipped";
    case OrderStatus::done:
      return "done";
    case OrderStatus::cancelled:
      return "cancelled";
    case OrderStatus::creating:
      return "creating";
    case OrderStatus::voided:
      return "void";
  }
  return "";
}

std::optional<OrderStatus> status_of(std::int32_t number) {
  if (number < 0 || number > static_cast<std::int32_t>(OrderStatus::voided)) return std::nullopt;
  return static_cast<OrderStatus>(number);
}

bool is_legal(OrderStatus from, OrderStatus to) {
  switch (from) {
    case OrderStatus::creating:
      return to == OrderStatus::unpaid || to == OrderStatus::voided;
    case OrderStatus::unpaid:
      return to == OrderStatus::paid || to == OrderStatus::cancelled || to == OrderStatus::voided;
    case OrderStatus::paid:
      return to == OrderStatus::shipped;
    case OrderStatus::shipped:
      return to == OrderStatus::done;
    case OrderStatus::done:
    case OrderStatus::cancelled:
    case OrderStatus::voided:
      return false;
  }
  return false;
}

Result<Order> new_order(OrderTerms terms, OrderStatus status, Instant now) {
  if (status != OrderStatus::creating && status != OrderStatus::unpaid) {
    return fail(Errc::invalid_argument, "status: an order is born creating (5) or unpaid (0)");
  }
  if (auto checked = check_terms(terms); !checked) return std::unexpected(checked.error());
  Order order{.terms = std::move(terms), .created = now};
  enter(order, std::nullopt, status, now);
  return order;
}

Result<Order> change_status(Order order, StatusStep step, Instant now) {
  if (!is_legal(step.expected, step.next)) {
    return fail(Errc::invalid_argument, "no order goes from {} to {}", name(step.expected),
                name(step.next));
  }
  if (order.status != step.expected) {
    return fail(Errc::failed_precondition, "order_id={} expected {} but it is {} status={}",
                order.terms.id, name(step.expected), name(order.status),
                static_cast<std::int32_t>(order.status));
  }
  enter(order, step.expected, step.next, now);
  return order;
}

Result<Order> move_to(Order order, OrderStatus next, Instant now) {
  if (order.status == next) return order;
  if (!is_legal(order.status, next)) {
    return fail(Errc::failed_precondition, "order_id={} cannot become {}: it is {} status={}",
                order.terms.id, name(next), name(order.status),
                static_cast<std::int32_t>(order.status));
  }
  enter(order, order.status, next, now);
  return order;
}

}  // namespace skald::mall::order
