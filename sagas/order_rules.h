// The business rules of ordering, as pure functions of messages: what is refused, and what the
// order costs. Which step applies them is in create_order.cc and create_order_chain.cc.
#pragma once

#include "engine/base/result.h"
#include "engine/base/time.h"
#include "mall/cart.pb.h"
#include "mall/inventory.pb.h"
#include "mall/order.pb.h"
#include "mall/product.pb.h"
#include "mall/promotion.pb.h"
#include "mall/sagas.pb.h"
#include "sagas/mall_methods.h"

namespace skald::sagas {

using CreateOrderRequest = mall::sagas::CreateOrderRequest;
using CreateOrderReply = mall::sagas::CreateOrderReply;
using OrderTotal = mall::sagas::OrderTotal;
using OrderAmounts = mall::sagas::OrderAmounts;
using OrderLine = mall::sagas::OrderLine;

inline constexpr int kOrderLinesMax = 200;
inline constexpr std::size_t kOrderIdMax = 32;     // bytes; payment gateways take no more
inline constexpr std::size_t kAddressMax = 1'024;  // bytes
inline constexpr Millis kPaymentWindow{30LL * 60 * 1'000};

/// Refuses what no answer of a participant could make right: no user, no SKU, a SKU twice, too
/// many. Errors: invalid_argument naming the field.
[[nodiscard]] Result<void> admit_order(const CreateOrderRequest& request);

/// The order number. Errors: failed_precondition where the saga has no business key, or one that is
/// too long.
[[nodiscard]] Result<std::string> order_number(std::string_view business_key);

/// The lines ordered, in the order of request.sku_ids, and their sum.
/// Errors: invalid_argument for a line with a quantity below 1, a SKU twice in the request or the
/// cart; failed_precondition where the cart lacks a line; out_of_range for an amount beyond
/// kAmountCentsMax.
[[nodiscard]] Result<OrderTotal> order_total(const CreateOrderRequest& request,
                                             const cart::GetCartItemsResponse& cart);

/// Refuses lines whose price has changed since they were put into the cart, or whose product is off
/// sale or unknown. Errors: failed_precondition naming every such SKU.
[[nodiscard]] Result<void> check_prices(const OrderTotal& total,
                                        const product::GetSkuPricesResponse& prices);

/// What is to be paid. `discount` is null without a coupon.
/// Errors: failed_precondition where the coupon is refused, says why; where its discount is
/// negative or larger than the total; where the answer contradicts itself.
[[nodiscard]] Result<OrderAmounts> order_amounts(
    const OrderTotal& total, const promotion::CalculateDiscountResponse* discount);

/// Requests. Pure translations.
[[nodiscard]] cart::GetCartItemsRequest cart_request(const CreateOrderRequest& request);
[[nodiscard]] product::GetSkuPricesRequest prices_request(const CreateOrderRequest& request);
[[nodiscard]] promotion::CalculateDiscountRequest discount_request(
    const CreateOrderRequest& request, const OrderTotal& total);
[[nodiscard]] Result<order::CreateOrderRequest> write_order_request(
    std::string_view business_key, const CreateOrderRequest& request, const OrderTotal& total,
    const OrderAmounts& amounts, OrderStatus status);
[[nodiscard]] order::VoidOrderRequest void_request(const order::CreateOrderRequest& created);
[[nodiscard]] inventory::DeductStockRequest deduct_request(const OrderLine& line);
[[nodiscard]] inventory::RollbackStockRequest rollback_request(
    const inventory::DeductStockRequest& deducted);
[[nodiscard]] promotion::UseCouponRequest use_coupon_request(std::string_view business_key,
                                                             const CreateOrderRequest& request);
/// Only the ordered quantities; what came into the cart meanwhile stays.
[[nodiscard]] cart::ClearCartItemsRequest clear_request(const CreateOrderRequest& request,
                                                        const OrderTotal& total);
[[nodiscard]] CreateOrderReply order_reply(std::string_view business_key,
                                           const OrderAmounts& amounts, Instant started_at);

}  // namespace skald::sagas
