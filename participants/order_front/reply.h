// The bodies that the order front answers: {code, msg, data}. Code 0 is success; any other is the
// HTTP status times 100. Pure.
#pragma once

#include <string>
#include <string_view>

#include "engine/base/result.h"
#include "engine/net/http_message.h"
#include "mall/order.pb.h"
#include "participants/order_front/outcome.h"

namespace skald::mall::order_front {

/// What a repeated request needs: where its order is, and under which key.
struct OrderRef {
  std::string order_id;
  std::string key;  // empty: not told
};

/// data: null.
[[nodiscard]] HttpResponse error_reply(const Error& error);
/// Of what is no sound HTTP request: see HttpRefusal.
[[nodiscard]] HttpResponse refusal_reply(unsigned status, std::string_view what);
/// The outcome could not be learnt; the same key asks again. data: {order_id, idempotency_key,
/// state: "processing"}. HTTP 503.
[[nodiscard]] HttpResponse unknown_reply(const OrderRef& order, const Error& error);

/// data: {order_id, idempotency_key, state}, with pay_cents when known, and when failed with reason
/// {leg, code, message} and short_skus [{sku_id, available, wanted}].
/// HTTP 200 created, 202 processing, 422 failed.
[[nodiscard]] HttpResponse verdict_reply(const OrderRef& order, const OrderVerdict& verdict);

/// Cancelling: created means cancelled here. data: {order_id, state: "cancelled" | "processing" |
/// "refused"}, refused with the reason and, where the compare-and-set was lost, the status that
/// won. HTTP 200, 202, or by the reason's code 403, 404 or 409.
[[nodiscard]] HttpResponse cancel_reply(const std::string& order_id, const OrderVerdict& verdict);

/// data: the order with items and history.
[[nodiscard]] HttpResponse order_reply(const ::order::Order& order);
/// data: {orders, next_before}.
[[nodiscard]] HttpResponse orders_reply(const ::order::ListOrdersResponse& orders);

}  // namespace skald::mall::order_front
