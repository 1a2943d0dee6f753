#include "participants/order/handlers.h"

#include <algorithm>

#include "engine/wire/json.h"
#include "mall/order.pb.h"
#include "mall/order_admin.pb.h"
#include "mall/seed.pb.h"
#include "participants/kit/dump.h"
#include "participants/order/ledger.h"
#include "participants/order/messages.h"
#include "participants/order/model.h"

namespace skald::mall::order {
namespace {

namespace api = ::order;
namespace admin = ::order::admin;
using kit::Txn;

constexpr std::uint16_t kPort = 9906;
constexpr std::int32_t kListDefault = 20;
constexpr std::int32_t kListMax = 100;

Result<Order> known_order(Txn& txn, std::string_view order_id) {
  auto order = find_order(txn, order_id);
  if (!order) return fail(Errc::not_found, "order_id={} unknown", order_id);
  return std::move(*order);
}

Result<OrderStatus> known_status(std::int32_t number, std::string_view field) {
  const auto status = status_of(number);
  if (!status) return fail(Errc::invalid_argument, "{}={} unknown", field, number);
  return *status;
}

Result<api::Order> get_order(Txn& txn, const api::GetOrderRequest& request) {
  const auto order = known_order(txn, request.order_id());
  if (!order) return std::unexpected(order.error());
  return message_of(*order);
}

Result<api::CreateOrderResponse> create_order(Txn& txn, const api::CreateOrderRequest& request) {
  const auto status = known_status(request.status(), "status");
  if (!status) return std::unexpected(status.error());
  const auto order = new_order(terms_of(request), *status, txn.now());
  if (!order) return std::unexpected(order.error());
  if (const auto taken = find_order(txn, request.order_id())) {
    if (taken->terms != order->terms || taken->history.front().to != *status) {
      return fail(Errc::failed_precondition, "order_id={} is another order's", request.order_id());
    }
  } else {
    put_order(txn, *order);
  }
  api::CreateOrderResponse response;
  response.set_success(true);
  response.set_order_id(request.order_id());
  return response;
}

Result<api::VoidOrderResponse> void_order(Txn& txn, const api::VoidOrderRequest& request) {
  auto order = known_order(txn, request.order_id());
  if (!order) return std::unexpected(order.error());
  const auto voided = move_to(std::move(*order), OrderStatus::voided, txn.now());
  if (!voided) return std::unexpected(voided.error());
  put_order(txn, *voided);
  api::VoidOrderResponse response;
  response.set_success(true);
  return response;
}

Result<api::ChangeOrderStatusResponse> change(Txn& txn,
                                              const api::ChangeOrderStatusRequest& request) {
  const auto expected = known_status(request.expected(), "expected");
  if (!expected) return std::unexpected(expected.error());
  const auto next = known_status(request.new_status(), "new_status");
  if (!next) return std::unexpected(next.error());
  auto order = known_order(txn, request.order_id());
  if (!order) return std::unexpected(order.error());
  const auto changed =
      change_status(std::move(*order), {.expected = *expected, .next = *next}, txn.now());
  if (!changed) return std::unexpected(changed.error());
  put_order(txn, *changed);
  api::ChangeOrderStatusResponse response;
  response.set_success(true);
  response.set_status(static_cast<std::int32_t>(changed->status));
  response.set_expire_time_ms(changed->expires ? to_unix_ms(*changed->expires) : 0);
  return response;
}

Result<api::UpdateOrderStatusResponse> update(Txn& txn,
                                              const api::UpdateOrderStatusRequest& request) {
  const auto next = known_status(request.status(), "status");
  if (!next) return std::unexpected(next.error());
  auto order = known_order(txn, request.order_id());
  if (!order) return std::unexpected(order.error());
  const auto moved = move_to(std::move(*order), *next, txn.now());
  if (!moved) return std::unexpected(moved.error());
  put_order(txn, *moved);
  api::UpdateOrderStatusResponse response;
  response.set_success(true);
  return response;
}

Result<api::ListOrdersResponse> list(Txn& txn, const api::ListOrdersRequest& request) {
  const auto limit = request.limit() <= 0 ? kListDefault : std::min(request.limit(), kListMax);
  const auto orders = find_orders(txn, request.user_id(), request.before_order_id(),
                                  static_cast<std::size_t>(limit));
  api::ListOrdersResponse response;
  for (const auto& order : orders) {
    auto& out = *response.add_orders();
    out = message_of(order);
    out.clear_items();
    out.clear_history();
  }
  if (orders.size() == static_cast<std::size_t>(limit)) {
    response.set_next_before(orders.back().terms.id);
  }
  return response;
}

Result<admin::SeedResponse> seed(Txn& txn, const admin::SeedRequest& request) {
  for (const auto& row : request.orders()) {
    const auto order = order_of(row, txn.now());
    if (!order) return std::unexpected(order.error());
    put_order(txn, *order);
    txn.put(kit::row_key(kByUserPrefix, order->terms.user_id) + order->terms.id, "");
  }
  return admin::SeedResponse();
}

Result<admin::DumpResponse> dump(Txn& txn, const admin::DumpRequest& request) {
  admin::DumpResponse response;
  const auto visit = [&response](const kit::Row& row) {
    if (kit::dump_leg(row, *response.mutable_legs())) return;
    if (!row.key.starts_with(kOrderPrefix)) return;
    const auto stored = kit::parse_row<::mall::stored::OrderRow>(row);
    *response.add_orders() = message_of(order_of(stored));
  };
  response.set_next(kit::visit_rows(txn, request.after(), request.rows_max(), visit));
  return response;
}

Result<void> seed_file(Txn& txn, std::string_view json) {
  ::mall::SeedFile file;
  if (auto parsed = wire::message_from_json(json, file); !parsed) return parsed;
  auto seeded = seed(txn, file.order());
  if (!seeded) return std::unexpected(std::move(seeded.error()));
  return {};
}

void install(kit::Host& host) {
  api::CreateOrderResponse created;
  created.set_success(true);
  api::VoidOrderResponse voided;
  voided.set_success(true);
  api::ChangeOrderStatusResponse changed;
  changed.set_success(true);
  api::UpdateOrderStatusResponse updated;
  updated.set_success(true);
  host.query<api::GetOrderRequest, api::Order>("/order.OrderRpc/GetOrder", get_order);
  host.query<api::ListOrdersRequest, api::ListOrdersResponse>("/order.OrderRpc/ListOrders", list);
  host.mutation<api::CreateOrderRequest, api::CreateOrderResponse>("/order.OrderRpc/CreateOrder",
                                                                   create_order, created);
  host.mutation<api::VoidOrderRequest, api::VoidOrderResponse>("/order.OrderRpc/VoidOrder",
                                                               void_order, voided);
  host.mutation<api::ChangeOrderStatusRequest, api::ChangeOrderStatusResponse>(
      "/order.OrderRpc/ChangeOrderStatus", change, changed);
  host.mutation<api::UpdateOrderStatusRequest, api::UpdateOrderStatusResponse>(
      "/order.OrderRpc/UpdateOrderStatus", update, updated);
  host.query<admin::DumpRequest, admin::DumpResponse>("/order.admin.OrderAdmin/Dump", dump);
  host.mutation<admin::SeedRequest, admin::SeedResponse>("/order.admin.OrderAdmin/Seed", seed);
}

}  // namespace

kit::Service service() {
  return {.name = "order", .port = kPort, .install = install, .seed = seed_file};
}

}  // namespace skald::mall::order
