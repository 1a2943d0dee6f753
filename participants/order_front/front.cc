#include "participants/order_front/front.h"

#include <charconv>
#include <optional>
#include <utility>

#include "mall/order.pb.h"
#include "mall/sagas.pb.h"
#include "participants/kit/barrier.h"
#include "participants/order/model.h"
#include "skald/v1/service.pb.h"

namespace skald::mall::order_front {
namespace {

constexpr std::string_view kPrefix = "/api/v1/order/";
constexpr std::string_view kSubmit = "/skald.v1.SagaService/Submit";
constexpr std::string_view kGetSaga = "/skald.v1.SagaService/Get";
constexpr std::string_view kGetOrder = "/order.OrderRpc/GetOrder";
constexpr std::string_view kListOrders = "/order.OrderRpc/ListOrders";
constexpr Millis kRpcTimeout{2'000};    // the mall's time for one call
constexpr Millis kAnswerMargin{1'000};  // for the engine's answer, beyond what it is asked to wait

::mall::sagas::CreateOrderRequest input_of(const CreateBody& body) {
  ::mall::sagas::CreateOrderRequest input;
  input.set_user_id(body.user_id);
  for (const auto sku_id : body.sku_ids) input.add_sku_ids(sku_id);
  input.set_coupon_id(body.coupon_id);
  input.set_address(body.address);
  return input;
}

/// The value of a name in "a=1&b=2"; values are numbers and order numbers, so nothing is escaped.
std::optional<std::string_view> query_value(std::string_view query, std::string_view name) {
  while (!query.empty()) {
    const auto end = std::min(query.find('&'), query.size());
    const auto pair = query.substr(0, end);
    if (pair.size() > name.size() && pair.starts_with(name) && pair[name.size()] == '=') {
      return pair.substr(name.size() + 1);
    }
    query.remove_prefix(std::min(end + 1, query.size()));
  }
  return std::nullopt;
}

std::optional<std::int64_t> number_of(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

bool has_status(const ::order::Order& order, order::OrderStatus status) {
  return order.status() == static_cast<std::int32_t>(status);
}

std::string saga_key(std::int64_t user_id, std::string_view key) {
  return fmt::format("order/{}/{}", user_id, key);
}

/// What the caller is told when the engine did not take a submission.
HttpResponse not_submitted(const OrderRef& order, const Error& error) {
  if (error.code == Errc::resource_exhausted) return error_reply(error);
  if (error.code == Errc::not_found) {
    return error_reply({Errc::internal, "the engine does not know it: " + error.message});
  }
  return kit::is_definite(error.code) ? error_reply(error) : unknown_reply(order, error);
}

}  // namespace

/// One create request on its way.
struct Front::Create {
  CreateBody body;
  std::string key;
  std::string input;  // the saga's input, serialized
  Ticket ticket;
  Millis waited{0};  // for the clock
  HttpResponder respond;

  [[nodiscard]] OrderRef ref() const { return {ticket.order_id, key}; }
};

struct Front::Taken {
  Result<TicketAnswer> answer = Millis(0);
  Instant now{};
};

Front::Front(FrontOptions options, FrontPorts ports, kit::RowStore& rows, const Clock& clock)
    : options_(std::move(options)), ports_(std::move(ports)), runner_(rows, clock) {}

void Front::handle(HttpRequest request, HttpResponder respond) {
  const std::string_view target = request.target;
  const auto path = target.substr(0, target.find('?'));
  const auto query = path.size() < target.size() ? target.substr(path.size() + 1) : "";
  const bool get = request.method == "GET";
  if (get && (path == "/healthz" || path == "/readyz")) return respond(health(path));
  if (!path.starts_with(kPrefix)) {
    return respond(error_reply({Errc::not_found, "no such path"}));
  }
  const auto name = path.substr(kPrefix.size());
  if (request.method == "POST" && name == "create") {
    return create(std::move(request), std::move(respond));
  }
  if (request.method == "POST" && name == "cancel") {
    return cancel(std::move(request), std::move(respond));
  }
  if (get && name == "list") return list(query, std::move(respond));
  if (get && !name.empty() && name.size() <= kOrderIdBytesMax) {
    return show(std::string(name), std::move(respond));
  }
  respond(error_reply({Errc::not_found, "no such path"}));
}

HttpResponse Front::health(std::string_view path) const {
  const auto failure = runner_.failure();
  if (failure) return error_reply(*failure);
  if (path == "/readyz" && retired_) return error_reply({Errc::unavailable, "shutting down"});
  return {200, {{"content-type", "text/plain"}}, "ok\n"};
}

void Front::create(HttpRequest request, HttpResponder respond) {
  auto body = parse_create(request.body);
  if (!body) return respond(error_reply(body.error()));
  auto order = std::make_shared<Create>();
  if (const auto* header = find_header(request.headers, "Idempotency-Key")) {
    auto key = parse_client_key(*header);
    if (!key) return respond(error_reply(key.error()));
    order->key = std::move(*key);
  } else {
    order->key = ports_.new_key();
  }
  order->body = std::move(*body);
  order->input = input_of(order->body).SerializeAsString();
  order->respond = std::move(respond);
  take(order);
}

void Front::take(const std::shared_ptr<Create>& order) {
  auto taken = std::make_shared<Taken>();
  auto work = [this, order, taken](kit::Txn& txn) {
    taken->now = txn.now();
    taken->answer = take_ticket(txn, {.user_id = order->body.user_id,
                                      .key = order->key,
                                      .request_hash = kit::request_hash("create", order->input),
                                      .worker = options_.worker});
  };
  auto done = [this, order, taken](Result<void> kept) {
    if (!kept) taken->answer = std::unexpected(kept.error());
    ports_.later(Millis(0), [this, order, taken] { ticket_taken(order, std::move(*taken)); });
  };
  runner_.submit(std::move(work), std::move(done));
}

void Front::ticket_taken(const std::shared_ptr<Create>& order, Taken taken) {
  if (!taken.answer) return order->respond(error_reply(taken.answer.error()));
  if (const auto* wait = std::get_if<Millis>(&*taken.answer)) {
    order->waited += *wait;
    if (order->waited > options_.clock_back_max) {
      return order->respond(error_reply(
          {Errc::unavailable, "the clock went back; nothing was done, ask again later"}));
    }
    return ports_.later(*wait, [this, order] { take(order); });
  }
  order->ticket = std::get<Ticket>(std::move(*taken.answer));
  taken.now - order->ticket.at > options_.resubmit_max ? recall(order) : submit(order);
}

void Front::submit(const std::shared_ptr<Create>& order) {
  skald::v1::SubmitRequest request;
  request.set_definition(options_.definition);
  request.set_input_proto(order->input);
  request.set_idempotency_key(saga_key(order->body.user_id, order->key));
  request.set_business_key(order->ticket.order_id);
  request.set_wait(skald::v1::WaitMode::decided);
  request.set_timeout_ms(static_cast<std::uint32_t>(options_.patience.count()));
  auto done = [order](Result<skald::v1::SagaAnswer> answer) {
    order->respond(answer ? verdict_reply(order->ref(), verdict_of(*answer))
                          : not_submitted(order->ref(), answer.error()));
  };
  call<skald::v1::SagaAnswer>(ports_.engine, kSubmit, request, options_.patience + kAnswerMargin,
                              std::move(done));
}

/// A request repeated so late that the engine may have forgotten it: what the order itself says.
void Front::recall(const std::shared_ptr<Create>& order) {
  ::order::GetOrderRequest request;
  request.set_order_id(order->ticket.order_id);
  auto done = [order](Result<::order::Order> found) {
    if (!found && found.error().code != Errc::not_found) {
      return order->respond(unknown_reply(order->ref(), found.error()));
    }
    if (!found || has_status(*found, order::OrderStatus::voided)) {
      const OrderVerdict none{.outcome = OrderOutcome::failed,
                              .message = "no order came of this key; order again with a new one"};
      return order->respond(verdict_reply(order->ref(), none));
    }
    OrderVerdict verdict{.outcome = OrderOutcome::created, .pay_cents = found->pay_cents()};
    if (has_status(*found, order::OrderStatus::creating)) {
      verdict.outcome = OrderOutcome::processing;
    }
    order->respond(verdict_reply(order->ref(), verdict));
  };
  call<::order::Order>(ports_.orders, kGetOrder, request, kRpcTimeout, std::move(done));
}

void Front::cancel(HttpRequest request, HttpResponder respond) {
  const auto body = parse_cancel(request.body);
  if (!body) return respond(error_reply(body.error()));
  std::string key = ports_.new_key();
  if (const auto* header = find_header(request.headers, "Idempotency-Key")) {
    auto given = parse_client_key(*header);
    if (!given) return respond(error_reply(given.error()));
    key = std::move(*given);
  }
  ::mall::sagas::CancelOrderRequest input;
  input.set_user_id(body->user_id);
  input.set_order_id(body->order_id);
  skald::v1::SubmitRequest submit;
  submit.set_definition(options_.cancel_definition);
  submit.set_input_proto(input.SerializeAsString());
  // A key of its own for each request: a refusal of today does not answer for tomorrow. The
  // compare-and-set lets one cancellation win, however many are asked for.
  submit.set_idempotency_key(fmt::format("cancel/{}/{}/{}", body->user_id, body->order_id, key));
  submit.set_business_key(body->order_id);
  submit.set_wait(skald::v1::WaitMode::decided);
  submit.set_timeout_ms(static_cast<std::uint32_t>(options_.patience.count()));
  auto done = [order_id = body->order_id, key,
               respond = std::move(respond)](Result<skald::v1::SagaAnswer> answer) mutable {
    respond(answer ? cancel_reply(order_id, verdict_of(*answer))
                   : not_submitted({order_id, key}, answer.error()));
  };
  call<skald::v1::SagaAnswer>(ports_.engine, kSubmit, submit, options_.patience + kAnswerMargin,
                              std::move(done));
}

void Front::show(std::string order_id, HttpResponder respond) {
  ::order::GetOrderRequest request;
  request.set_order_id(order_id);
  auto done = [this, order_id, respond = std::move(respond)](Result<::order::Order> order) mutable {
    if (!order && order.error().code != Errc::not_found) {
      return respond(error_reply(order.error()));
    }
    if (order && !has_status(*order, order::OrderStatus::creating) &&
        !has_status(*order, order::OrderStatus::voided)) {
      return respond(order_reply(*order));
    }
    std::optional<::order::Order> found;
    if (order) found = std::move(*order);
    show_saga(std::move(order_id), std::move(found), std::move(respond));
  };
  call<::order::Order>(ports_.orders, kGetOrder, request, kRpcTimeout, std::move(done));
}

/// An order that is not there yet, or never will be: what its saga says, and why. `order` is what
/// is there of it, for an order that has no ticket here.
void Front::show_saga(std::string order_id, std::optional<::order::Order> order,
                      HttpResponder respond) {
  auto ticket = std::make_shared<std::optional<Ticket>>();
  auto work = [ticket, order_id](kit::Txn& txn) { *ticket = find_ticket(txn, order_id); };
  auto ask = [this, ticket, order_id, order = std::move(order),
              respond = std::move(respond)](Result<void> found) mutable {
    if (!found) return respond(error_reply(found.error()));
    if (!*ticket) {
      return respond(
          order ? order_reply(*order)
                : error_reply({Errc::not_found, fmt::format("order_id={} unknown", order_id)}));
    }
    skald::v1::GetRequest request;
    request.set_idempotency_key(saga_key((*ticket)->user_id, (*ticket)->key));
    auto told = [order_id, order = std::move(order),
                 respond = std::move(respond)](Result<skald::v1::Saga> saga) mutable {
      if (saga) return respond(verdict_reply({order_id, ""}, verdict_of(*saga)));
      const bool forgotten = order && saga.error().code == Errc::not_found;
      respond(forgotten ? order_reply(*order) : error_reply(saga.error()));
    };
    call<skald::v1::Saga>(ports_.engine, kGetSaga, request, kRpcTimeout, std::move(told));
  };
  auto done = [this, ask = std::move(ask)](Result<void> found) mutable {
    ports_.later(Millis(0), [ask = std::move(ask), found]() mutable { ask(found); });
  };
  runner_.submit(std::move(work), std::move(done));
}

void Front::list(std::string_view query, HttpResponder respond) {
  const auto user_id = query_value(query, "user_id").and_then(number_of);
  if (!user_id || *user_id <= 0) {
    return respond(error_reply({Errc::invalid_argument, "user_id: a positive integer"}));
  }
  ::order::ListOrdersRequest request;
  request.set_user_id(*user_id);
  if (const auto limit = query_value(query, "limit")) {
    const auto number = number_of(*limit);
    if (!number || *number <= 0 || *number > 100) {
      return respond(error_reply({Errc::invalid_argument, "limit: 1 to 100"}));
    }
    request.set_limit(static_cast<std::int32_t>(*number));
  }
  request.set_before_order_id(std::string(query_value(query, "before").value_or("")));
  auto done = [respond = std::move(respond)](Result<::order::ListOrdersResponse> orders) mutable {
    respond(orders ? orders_reply(*orders) : error_reply(orders.error()));
  };
  call<::order::ListOrdersResponse>(ports_.orders, kListOrders, request, kRpcTimeout,
                                    std::move(done));
}

}  // namespace skald::mall::order_front
