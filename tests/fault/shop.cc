#include "tests/fault/shop.h"

#include <fmt/format.h>

#include "sagas/order_rules.h"

namespace skald::fault {
namespace {

constexpr std::int64_t kPrice = 1'000;
constexpr std::int64_t kDiscount = 300;
// Longer than an operation may take in all (60 s) by more than the pause between two attempts, so
// that one of them finds its time spent.
constexpr Millis kDownFor{90'000};
constexpr Millis kDownPause{25'000};

Answer succeeded(Bytes body) {
  return {.outcome = {.kind = OutcomeKind::succeeded, .code = "ok", .message = {}},
          .body = std::move(body)};
}

Answer refused(std::string code) {
  return {
      .outcome = {.kind = OutcomeKind::rejected, .code = std::move(code), .message = "as planned"},
      .body = {}};
}

Answer timeout(const Invocation& call) {
  return {.outcome = {.kind = OutcomeKind::unknown, .code = "timeout", .message = {}},
          .body = {},
          .after = call.timeout};
}

Answer not_executed(std::optional<Millis> retry_after) {
  return {.outcome = {.kind = OutcomeKind::not_executed,
                      .code = "unavailable",
                      .message = {},
                      .retry_after = retry_after},
          .body = {}};
}

bool is_query(const Invocation& call) {
  return call.definition->steps[call.ref.step].kind == StepKind::query;
}

template <class Message>
Message parsed(const Bytes& bytes) {
  Message message;
  if (!message.ParseFromString(bytes)) message.Clear();
  return message;
}

template <class Response>
Bytes success() {
  Response response;
  response.set_success(true);
  return response.SerializeAsString();
}

}  // namespace

std::string_view name(Trouble trouble) {
  switch (trouble) {
    case Trouble::none:
      return "no trouble";
    case Trouble::refused:
      return "refused";
    case Trouble::not_executed:
      return "not executed once";
    case Trouble::request_lost:
      return "timeout, request lost";
    case Trouble::reply_lost:
      return "timeout, reply lost";
    case Trouble::lost_then_down:
      return "timeout, reply lost, then down";
    case Trouble::canceled:
      return "canceled meanwhile";
  }
  return "";
}

Answer Shop::receive(Instant now, const Invocation& call) {
  const Place place{.leg = call.leg, .operation = call.operation};
  if (const auto down = down_until_.find(place); down != down_until_.end() && now < down->second) {
    return not_executed(kDownPause);
  }
  const auto planned = troubles_.find(place);
  return planned == troubles_.end() ? execute(call) : trouble(now, call, planned->second);
}

Answer Shop::trouble(Instant now, const Invocation& call, Trouble& planned) {
  const Trouble trouble = planned;
  if (trouble != Trouble::refused) planned = Trouble::none;  // once
  switch (trouble) {
    case Trouble::none:
    case Trouble::canceled:
      return execute(call);
    case Trouble::refused: {
      const std::string first =
          fmt::format("{}/{}/{}", call.saga_id.text(), call.leg, skald::name(call.operation));
      const bool later_generation = call.idempotency_key != first;
      return later_generation ? execute(call) : refused("failed_precondition");
    }
    case Trouble::not_executed:
      return not_executed(std::nullopt);
    case Trouble::request_lost:
      return timeout(call);
    case Trouble::lost_then_down:
      down_until_[{.leg = call.leg, .operation = call.operation}] = now + kDownFor;
      [[fallthrough]];
    case Trouble::reply_lost:
      (void)execute(call);
      return timeout(call);
  }
  return execute(call);
}

std::vector<std::string> Shop::standing() const {
  std::vector<std::string> legs;
  for (const auto& [leg, effects] : effects_) {
    if (effects.done > effects.undone) legs.push_back(leg);
  }
  return legs;
}

Answer Shop::execute(const Invocation& call) {
  if (is_query(call)) return ask(call);
  const auto [known, fresh] = requests_.try_emplace(call.idempotency_key, call.request);
  if (!fresh && known->second != call.request) {
    outrages_.push_back(fmt::format("key {} came with two requests", call.idempotency_key));
  }
  if (const auto before = answers_.find(call.idempotency_key); before != answers_.end()) {
    return before->second;
  }
  return answers_[call.idempotency_key] = pass_barrier(call);
}

Answer Shop::pass_barrier(const Invocation& call) {
  Effects& effects = effects_[call.leg];
  const bool undo = call.operation == Operation::compensation;
  if (undo && effects.done == effects.undone) {
    closed_[call.leg] = true;
    return succeeded({});
  }
  if (!undo && closed_[call.leg]) return refused("undone_before");
  auto body = change(call);
  if (!body) return refused("failed_precondition");
  (undo ? effects.undone : effects.done) += 1;
  closed_[call.leg] = undo;
  return succeeded(std::move(*body));
}

Answer Shop::ask(const Invocation& call) const {
  if (call.method->path == sagas::kGetCartItems.path) {
    cart::GetCartItemsResponse response;
    for (const auto& [sku, quantity] : cart_) {
      auto& item = *response.add_items();
      item.set_sku_id(sku);
      item.set_product_id(sku);
      item.set_quantity(quantity);
      item.set_price_cents(kPrice);
    }
    return succeeded(response.SerializeAsString());
  }
  if (call.method->path == sagas::kGetSkuPrices.path) {
    product::GetSkuPricesResponse response;
    for (const auto sku : kSkus) {
      auto& price = *response.add_prices();
      price.set_sku_id(sku);
      price.set_product_id(sku);
      price.set_price_cents(kPrice);
      price.set_product_status(1);
    }
    return succeeded(response.SerializeAsString());
  }
  promotion::CalculateDiscountResponse response;
  response.set_valid(true);
  response.set_discount_cents(kDiscount);
  return succeeded(response.SerializeAsString());
}

bool Shop::move_order(int from, int to) {
  if (order_ != from) return false;
  order_ = to;
  return true;
}

std::optional<Bytes> Shop::change(const Invocation& call) {
  const std::string_view path = call.method->path;
  if (path == sagas::kCreateOrder.path) {
    if (order_) return std::nullopt;
    order_ = parsed<order::CreateOrderRequest>(call.request).status();
    return success<order::CreateOrderResponse>();
  }
  if (path == sagas::kVoidOrder.path) {
    if (!move_order(5, 6) && !move_order(0, 6)) return std::nullopt;
    return success<order::VoidOrderResponse>();
  }
  if (path == sagas::kDeductStock.path) {
    const auto wanted = parsed<inventory::DeductStockRequest>(call.request);
    Stock& stock = stock_[wanted.sku_id()];
    if (stock.available < wanted.quantity()) return std::nullopt;
    stock.available -= wanted.quantity();
    stock.locked += wanted.quantity();
    return success<inventory::DeductStockResponse>();
  }
  if (path == sagas::kRollbackStock.path) {
    const auto wanted = parsed<inventory::RollbackStockRequest>(call.request);
    Stock& stock = stock_[wanted.sku_id()];
    if (stock.locked < wanted.quantity()) return std::nullopt;
    stock.available += wanted.quantity();
    stock.locked -= wanted.quantity();
    return success<inventory::RollbackStockResponse>();
  }
  if (path == sagas::kUseCoupon.path) {
    if (coupon_used_) return std::nullopt;
    coupon_used_ = true;
    return success<promotion::UseCouponResponse>();
  }
  if (path == sagas::kChangeOrderStatus.path) {
    const auto wanted = parsed<order::ChangeOrderStatusRequest>(call.request);
    if (!move_order(wanted.expected(), wanted.new_status())) return std::nullopt;
    return success<order::ChangeOrderStatusResponse>();
  }
  if (path == sagas::kClearCartItems.path) {
    for (const auto& line : parsed<cart::ClearCartItemsRequest>(call.request).lines()) {
      cart_[line.sku_id()] -= line.quantity();
    }
    return success<cart::ClearCartItemsResponse>();
  }
  outrages_.push_back(fmt::format("nobody serves {}", path));
  return std::nullopt;
}

std::vector<std::string> Shop::findings(bool completed) const {
  std::vector<std::string> found = outrages_;
  const auto want = [&](bool holds, std::string text) {
    if (!holds) found.push_back(std::move(text));
  };
  for (const auto& [sku, stock] : stock_) {
    want(stock.locked == (completed ? kQuantity : 0) && stock.available + stock.locked == 10,
         fmt::format("SKU {}: available {}, locked {}", sku, stock.available, stock.locked));
  }
  for (const auto& [sku, quantity] : cart_) {
    want(quantity == (completed ? 0 : kQuantity),
         fmt::format("SKU {}: {} left in the cart", sku, quantity));
  }
  const bool order_fits = completed ? order_ == 0 : !order_ || order_ == 6;
  want(order_fits, fmt::format("the order is {}", order_ ? *order_ : -1));
  want(coupon_used_ == completed, fmt::format("coupon used: {}", coupon_used_));
  for (const auto& [leg, effects] : effects_) {
    want(effects.done <= 1 && effects.undone == (completed ? 0 : effects.done),
         fmt::format("{} was done {} and undone {} times", leg, effects.done, effects.undone));
  }
  return found;
}

}  // namespace skald::fault
