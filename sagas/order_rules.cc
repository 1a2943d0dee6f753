// What is refused and what is asked when an order is made; see the header.
#include "sagas/order_rules.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "sagas/money.h"

namespace skald::sagas {
namespace {

constexpr std::int32_t kOnSale = 1;

/// New fields carry cents; a cart that fills only the legacy price is read by that.
Result<std::int64_t> price_cents(const cart::CartItem& item) {
  if (item.price_cents() != 0) return item.price_cents();
  return cents_of_yuan(item.price());
}

Result<std::int64_t> discount_cents(const promotion::CalculateDiscountResponse& discount) {
  if (discount.discount_cents() != 0) return discount.discount_cents();
  return cents_of_yuan(discount.discount_amount());
}

Result<OrderLine> order_line(const cart::CartItem& item) {
  const auto price = price_cents(item);
  if (!price) {
    return fail(price.error().code, "SKU {}: {}", item.sku_id(), price.error().message);
  }
  OrderLine line;
  line.set_sku_id(item.sku_id());
  line.set_product_id(item.product_id());
  line.set_product_name(item.product_name());
  line.set_sku_specs(item.sku_specs());
  line.set_price_cents(*price);
  line.set_quantity(item.quantity());
  return line;
}

}  // namespace

Result<void> admit_order(const CreateOrderRequest& request) {
  if (request.user_id() <= 0) return fail(Errc::invalid_argument, "user_id: must be positive");
  if (request.sku_ids().empty()) return fail(Errc::invalid_argument, "sku_ids: nothing is ordered");
  if (request.sku_ids_size() > kOrderLinesMax) {
    return fail(Errc::invalid_argument, "sku_ids: {} lines, at most {}", request.sku_ids_size(),
                kOrderLinesMax);
  }
  std::unordered_set<std::int64_t> seen;
  for (const std::int64_t sku_id : request.sku_ids()) {
    if (sku_id <= 0) return fail(Errc::invalid_argument, "sku_ids: must be positive");
    if (!seen.insert(sku_id).second) {
      return fail(Errc::invalid_argument, "sku_ids: {} is named twice", sku_id);
    }
  }
  if (request.coupon_id() < 0) {
    return fail(Errc::invalid_argument, "coupon_id: must not be negative");
  }
  if (request.address().size() > kAddressMax) {
    return fail(Errc::invalid_argument, "address: more than {} bytes", kAddressMax);
  }
  return {};
}

Result<std::string> order_number(std::string_view business_key) {
  if (business_key.empty() || business_key.size() > kOrderIdMax) {
    return fail(Errc::failed_precondition,
                "the order number is the saga's business key: 1..{} bytes, not {}", kOrderIdMax,
                business_key.size());
  }
  return std::string(business_key);
}

Result<OrderTotal> order_total(const CreateOrderRequest& request,
                               const cart::GetCartItemsResponse& cart) {
  // A saga may be submitted past the admission check, so it is made again here.
  if (const auto admitted = admit_order(request); !admitted) {
    return std::unexpected(admitted.error());
  }
  std::unordered_map<std::int64_t, const cart::CartItem*> in_cart;
  for (const cart::CartItem& item : cart.items()) {
    if (!in_cart.emplace(item.sku_id(), &item).second) {
      return fail(Errc::invalid_argument, "SKU {} is in the cart twice", item.sku_id());
    }
  }
  OrderTotal out;
  std::vector<std::int64_t> lacking;
  for (const std::int64_t sku_id : request.sku_ids()) {
    const auto found = in_cart.find(sku_id);
    if (found == in_cart.end()) {
      lacking.push_back(sku_id);
      continue;
    }
    const auto line = order_line(*found->second);
    if (!line) return std::unexpected(line.error());
    const auto cents = line_cents(line->price_cents(), line->quantity());
    if (!cents) return fail(cents.error().code, "SKU {}: {}", sku_id, cents.error().message);
    const auto sum = add_cents(out.total_cents(), *cents);
    if (!sum) return std::unexpected(sum.error());
    out.set_total_cents(*sum);
    *out.add_lines() = *line;
  }
  if (!lacking.empty()) {
    return fail(Errc::failed_precondition, "not in the cart: SKU {}", fmt::join(lacking, ", "));
  }
  return out;
}

Result<void> check_prices(const OrderTotal& total, const product::GetSkuPricesResponse& prices) {
  std::unordered_map<std::int64_t, const product::SkuPrice*> today;
  for (const product::SkuPrice& price : prices.prices()) today.emplace(price.sku_id(), &price);
  std::vector<std::string> refusals;
  for (const OrderLine& line : total.lines()) {
    const auto found = today.find(line.sku_id());
    if (found == today.end()) {
      refusals.push_back(fmt::format("SKU {} has no price", line.sku_id()));
    } else if (found->second->product_status() != kOnSale) {
      refusals.push_back(fmt::format("SKU {} is off sale", line.sku_id()));
    } else if (found->second->price_cents() != line.price_cents()) {
      refusals.push_back(fmt::format("SKU {} costs {} cents now, {} in the cart", line.sku_id(),
                                     found->second->price_cents(), line.price_cents()));
    }
  }
  if (!refusals.empty()) {
    return fail(Errc::failed_precondition, "{}", fmt::join(refusals, "; "));
  }
  return {};
}

Result<OrderAmounts> order_amounts(const OrderTotal& total,
                                   const promotion::CalculateDiscountResponse* discount) {
  OrderAmounts out;
  out.set_total_cents(total.total_cents());
  out.set_pay_cents(total.total_cents());
  if (discount == nullptr) return out;
  if (!discount->valid()) {
    return fail(Errc::failed_precondition, "the coupon is refused: {}",
                discount->reason().empty() ? "no reason given" : discount->reason());
  }
  const auto cents = discount_cents(*discount);
  if (!cents) return fail(Errc::failed_precondition, "discount: {}", cents.error().message);
  if (*cents < 0) return fail(Errc::failed_precondition, "the discount is negative");
  if (*cents > total.total_cents()) {
    return fail(Errc::failed_precondition, "the discount of {} cents exceeds the total of {} cents",
                *cents, total.total_cents());
  }
  const std::int64_t pay = total.total_cents() - *cents;
  if (discount->pay_cents() != 0 && discount->pay_cents() != pay) {
    return fail(Errc::failed_precondition,
                "the discount answers {} cents to pay, total less discount is {}",
                discount->pay_cents(), pay);
  }
  out.set_discount_cents(*cents);
  out.set_pay_cents(pay);
  return out;
}

cart::GetCartItemsRequest cart_request(const CreateOrderRequest& request) {
  cart::GetCartItemsRequest out;
  out.set_user_id(request.user_id());
  *out.mutable_sku_ids() = request.sku_ids();
  return out;
}

product::GetSkuPricesRequest prices_request(const CreateOrderRequest& request) {
  product::GetSkuPricesRequest out;
  *out.mutable_sku_ids() = request.sku_ids();
  return out;
}

promotion::CalculateDiscountRequest discount_request(const CreateOrderRequest& request,
                                                     const OrderTotal& total) {
  promotion::CalculateDiscountRequest out;
  out.set_coupon_id(request.coupon_id());
  out.set_total_amount(yuan_of_cents(total.total_cents()));
  out.set_total_cents(total.total_cents());
  out.set_user_id(request.user_id());
  return out;
}

Result<order::CreateOrderRequest> write_order_request(std::string_view business_key,
                                                      const CreateOrderRequest& request,
                                                      const OrderTotal& total,
                                                      const OrderAmounts& amounts,
                                                      OrderStatus status) {
  auto number = order_number(business_key);
  if (!number) return std::unexpected(number.error());
  order::CreateOrderRequest out;
  out.set_order_id(std::move(*number));
  out.set_user_id(request.user_id());
  for (const OrderLine& line : total.lines()) {
    order::OrderItem& item = *out.add_items();
    item.set_product_id(line.product_id());
    item.set_product_name(line.product_name());
    item.set_sku_id(line.sku_id());
    item.set_sku_specs(line.sku_specs());
    item.set_price_cents(line.price_cents());
    item.set_quantity(line.quantity());
  }
  out.set_total_cents(amounts.total_cents());
  out.set_discount_cents(amounts.discount_cents());
  out.set_pay_cents(amounts.pay_cents());
  out.set_coupon_id(request.coupon_id());
  out.set_address(request.address());
  out.set_status(static_cast<std::int32_t>(status));
  return out;
}

order::VoidOrderRequest void_request(const order::CreateOrderRequest& created) {
  order::VoidOrderRequest out;
  out.set_order_id(created.order_id());
  return out;
}

inventory::DeductStockRequest deduct_request(const OrderLine& line) {
  inventory::DeductStockRequest out;
  out.set_sku_id(line.sku_id());
  out.set_quantity(line.quantity());
  return out;
}

inventory::RollbackStockRequest rollback_request(const inventory::DeductStockRequest& deducted) {
  inventory::RollbackStockRequest out;
  out.set_sku_id(deducted.sku_id());
  out.set_quantity(deducted.quantity());
  return out;
}

promotion::UseCouponRequest use_coupon_request(std::string_view business_key,
                                               const CreateOrderRequest& request) {
  promotion::UseCouponRequest out;
  out.set_user_id(request.user_id());
  out.set_coupon_id(request.coupon_id());
  out.set_used_order_id(std::string(business_key));
  return out;
}

cart::ClearCartItemsRequest clear_request(const CreateOrderRequest& request,
                                          const OrderTotal& total) {
  cart::ClearCartItemsRequest out;
  out.set_user_id(request.user_id());
  for (const OrderLine& line : total.lines()) {
    // Both forms: a cart that does not know `lines` removes the whole line, one that does ignores
    // the SKU where `lines` names it.
    out.add_sku_ids(line.sku_id());
    cart::OrderedLine& ordered = *out.add_lines();
    ordered.set_sku_id(line.sku_id());
    ordered.set_quantity(line.quantity());
  }
  return out;
}

CreateOrderReply order_reply(std::string_view business_key, const OrderAmounts& amounts,
                             Instant started_at) {
  CreateOrderReply out;
  out.set_order_id(std::string(business_key));
  out.set_total_cents(amounts.total_cents());
  out.set_discount_cents(amounts.discount_cents());
  out.set_pay_cents(amounts.pay_cents());
  out.set_payment_deadline_ms(to_unix_ms(add_saturated(started_at, kPaymentWindow)));
  return out;
}

}  // namespace skald::sagas
