// Orders as messages of the contract, and back.
#pragma once

#include "engine/base/result.h"
#include "mall/order.pb.h"
#include "participants/order/model.h"

namespace skald::mall::order {

[[nodiscard]] ::order::Order message_of(const Order& order);
[[nodiscard]] OrderTerms terms_of(const ::order::CreateOrderRequest& request);
/// A whole order, as a seed holds it. Its history must be a path of the transition table that ends
/// in its status; an empty one is taken as its birth in that status.
/// Errors: invalid_argument naming the field.
[[nodiscard]] Result<Order> order_of(const ::order::Order& message, Instant now);

}  // namespace skald::mall::order
