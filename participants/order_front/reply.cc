#include "participants/order_front/reply.h"

#include <boost/json.hpp>
#include <utility>

#include "engine/wire/errors.h"
#include "participants/order/model.h"

namespace skald::mall::order_front {
namespace {

namespace json = boost::json;

constexpr unsigned kAccepted = 202;
constexpr unsigned kForbidden = 403;
constexpr unsigned kNotFound = 404;
constexpr unsigned kConflict = 409;
constexpr unsigned kRefused = 422;
constexpr unsigned kCodePerStatus = 100;

HttpResponse reply(unsigned status, std::string_view msg, json::value data) {
  const unsigned code = status < 300 ? 0 : status * kCodePerStatus;
  json::object body{{"code", code}, {"msg", msg}, {"data", std::move(data)}};
  return {status, {{"content-type", "application/json"}}, json::serialize(body)};
}

json::object ref_json(const OrderRef& order, std::string_view state) {
  json::object data{{"order_id", order.order_id}, {"state", state}};
  if (!order.key.empty()) data["idempotency_key"] = order.key;
  return data;
}

json::object reason_json(const OrderVerdict& verdict) {
  return {{"leg", verdict.leg}, {"code", verdict.code}, {"message", verdict.message}};
}

std::string status_name(std::int32_t number) {
  const auto status = order::status_of(number);
  return status ? std::string(order::name(*status)) : std::to_string(number);
}

json::object order_json(const ::order::Order& order) {
  return {{"order_id", order.order_id()},
          {"user_id", order.user_id()},
          {"status", order.status()},
          {"status_name", status_name(order.status())},
          {"total_cents", order.total_cents()},
          {"discount_cents", order.discount_cents()},
          {"freight_cents", order.freight_cents()},
          {"pay_cents", order.pay_cents()},
          {"coupon_id", order.coupon_id()},
          {"address", order.address()},
          {"expire_time_ms", order.expire_time_ms()},
          {"created_ms", order.created_ms()}};
}

json::array items_json(const ::order::Order& order) {
  json::array items;
  for (const auto& item : order.items()) {
    items.push_back(json::object{{"sku_id", item.sku_id()},
                                 {"product_id", item.product_id()},
                                 {"product_name", item.product_name()},
                                 {"sku_specs", item.sku_specs()},
                                 {"price_cents", item.price_cents()},
                                 {"quantity", item.quantity()}});
  }
  return items;
}

json::array history_json(const ::order::Order& order) {
  json::array history;
  for (const auto& change : order.history()) {
    history.push_back(
        json::object{{"from", change.from()}, {"to", change.to()}, {"at_ms", change.at_ms()}});
  }
  return history;
}

unsigned status_of_refusal(std::string_view code) {
  if (code == "permission_denied") return kForbidden;
  if (code == "not_found") return kNotFound;
  return kConflict;
}

}  // namespace

HttpResponse error_reply(const Error& error) {
  return reply(wire::http_status(error.code), error.message, nullptr);
}

HttpResponse refusal_reply(unsigned status, std::string_view what) {
  return reply(status, what, nullptr);
}

HttpResponse unknown_reply(const OrderRef& order, const Error& error) {
  const auto msg =
      fmt::format("outcome unknown, repeat with the same Idempotency-Key: {}", error.message);
  return reply(wire::http_status(Errc::unavailable), msg, ref_json(order, "processing"));
}

HttpResponse verdict_reply(const OrderRef& order, const OrderVerdict& verdict) {
  json::object data = ref_json(order, name(verdict.outcome));
  if (verdict.pay_cents) data["pay_cents"] = *verdict.pay_cents;
  switch (verdict.outcome) {
    case OrderOutcome::created:
      return reply(200, "ok", std::move(data));
    case OrderOutcome::processing:
      return reply(kAccepted, "processing: ask again by the order number", std::move(data));
    case OrderOutcome::failed:
      break;
  }
  data["reason"] = reason_json(verdict);
  if (!verdict.short_skus.empty()) {
    auto& skus = data["short_skus"].emplace_array();
    for (const auto& sku : verdict.short_skus) {
      skus.push_back(json::object{
          {"sku_id", sku.sku_id}, {"available", sku.available}, {"wanted", sku.wanted}});
    }
  }
  return reply(kRefused, "the order was refused: " + verdict.message, std::move(data));
}

HttpResponse cancel_reply(const std::string& order_id, const OrderVerdict& verdict) {
  switch (verdict.outcome) {
    case OrderOutcome::created:
      return reply(200, "ok", ref_json({order_id, ""}, "cancelled"));
    case OrderOutcome::processing:
      return reply(kAccepted, "processing: ask again by the order number",
                   ref_json({order_id, ""}, "processing"));
    case OrderOutcome::failed:
      break;
  }
  json::object data = ref_json({order_id, ""}, "refused");
  data["reason"] = reason_json(verdict);
  if (const auto status = winner_status_of(verdict.message)) {
    data["status"] = *status;
    data["status_name"] = status_name(*status);
  }
  return reply(status_of_refusal(verdict.code), "not cancelled: " + verdict.message,
               std::move(data));
}

HttpResponse order_reply(const ::order::Order& order) {
  json::object data = order_json(order);
  data["items"] = items_json(order);
  data["history"] = history_json(order);
  return reply(200, "ok", std::move(data));
}

HttpResponse orders_reply(const ::order::ListOrdersResponse& orders) {
  json::array list;
  for (const auto& order : orders.orders()) list.push_back(order_json(order));
  return reply(200, "ok",
               json::object{{"orders", std::move(list)}, {"next_before", orders.next_before()}});
}

}  // namespace skald::mall::order_front
