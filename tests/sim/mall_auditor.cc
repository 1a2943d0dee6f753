#include "tests/sim/mall_auditor.h"

#include <fmt/format.h>

#include <algorithm>

#include "mall/cart.pb.h"
#include "mall/inventory.pb.h"

namespace skald::sim {
namespace {

using mall::order::Order;
using mall::order::OrderStatus;

bool is_live(const Order& order) {
  return order.status == OrderStatus::unpaid || order.status == OrderStatus::paid;
}

}  // namespace

std::string MallAuditor::order_of(const SagaId& saga) const {
  const KnownSaga* known = sagas_.find(saga);
  return known == nullptr ? "" : known->state.business_key;
}

void MallAuditor::took_stock(const Request& request, std::int64_t sign) {
  ::inventory::DeductStockRequest line;  // the fields of both are the same
  if (!line.ParseFromString(request.body)) return wrong("I4 not a stock request");
  const std::int64_t units = sign * line.quantity();
  outstanding_[line.sku_id()] += units;
  std::int64_t& held = orders_[order_of(request.saga)].held[line.sku_id()];
  held += units;
  if (held < 0) wrong("I4 more was returned than deducted for " + order_of(request.saga));
  check_stock(line.sku_id());
}

/// I4, always: S0 = available + what orders hold; nothing negative.
void MallAuditor::check_stock(std::int64_t sku) {
  const mall::inventory::Stock& stock = mall_.tables().stock.at(sku);
  if (!is_consistent(stock)) wrong(fmt::format("I4 the row of SKU {} is inconsistent", sku));
  if (stock.available + outstanding_[sku] != stock.total) {
    wrong(fmt::format("I4 SKU {}: {} available and {} with orders of {}", sku, stock.available,
                      outstanding_[sku], stock.total));
  }
}

void MallAuditor::executed(const Request& request, const ParticipantAnswer& answer) {
  const std::string& path = request.method->path;
  if (path == "/cart.CartRpc/GetCartItems" && answer.body) {
    carts_shown_[request.saga].push_back(*answer.body);
  }
  if (!answer.took_effect) return;
  if (path == "/inventory.InventoryRpc/DeductStock") took_stock(request, 1);
  if (path == "/inventory.InventoryRpc/RollbackStock") took_stock(request, -1);
  if (path == "/promotion.PromotionRpc/UseCoupon") orders_[order_of(request.saga)].coupons += 1;
  if (path == "/promotion.PromotionRpc/ReleaseCoupon") {
    orders_[order_of(request.saga)].coupons -= 1;
  }
  if (path == "/cart.CartRpc/ClearCartItems") carts_cleared_[request.saga] += 1;
}

std::map<std::string, MallAuditor::Fate> MallAuditor::fates() {
  std::map<std::string, Fate> fates;
  for (const auto& [id, saga] : sagas_.sagas()) {
    const SagaState& state = saga.state;
    if (state.definition == "cancel_order") {
      const bool done = state.status == SagaStatus::completed;
      if (done && fates[state.business_key].cancelled) {
        wrong("D5 cancelled twice: " + state.business_key);
      }
      fates[state.business_key].cancelled |= done;
    } else if (state.definition.find("order") != std::string::npos) {
      Fate& fate = fates[state.business_key];
      if (fate.created != nullptr) wrong("oracle6 two sagas made " + state.business_key);
      fate.created = &saga;
      // I7: the cart is cleared, once, if and only if the order was made.
      const auto found = carts_cleared_.find(id);
      const int cleared = found == carts_cleared_.end() ? 0 : found->second;
      if (cleared != (state.status == SagaStatus::completed ? 1 : 0)) {
        wrong(fmt::format("I7 {} is {}, its cart was cleared {} times", state.business_key,
                          name(state.status), cleared));
      }
    }
  }
  return fates;
}

/// Oracle 5: the order is what the cart showed; total, discount and pay add up.
void MallAuditor::check_terms(const Order& order, const KnownSaga& created) {
  std::int64_t total = 0;
  for (const mall::order::OrderItem& item : order.terms.items) {
    total += item.price_cents * item.quantity;
  }
  if (total != order.terms.total_cents ||
      total - order.terms.discount_cents != order.terms.pay_cents || order.terms.pay_cents < 0) {
    wrong("oracle5 the amounts of " + order.terms.id + " do not add up");
  }
  const bool shown = std::ranges::any_of(carts_shown_[created.state.id], [&](const Bytes& bytes) {
    ::cart::GetCartItemsResponse cart;
    if (!cart.ParseFromString(bytes)) return false;
    return std::ranges::all_of(order.terms.items, [&](const mall::order::OrderItem& item) {
      return std::ranges::any_of(cart.items(), [&](const ::cart::CartItem& line) {
        return line.sku_id() == item.sku_id && line.quantity() == item.quantity &&
               line.price_cents() == item.price_cents;
      });
    });
  });
  if (!shown) wrong("oracle5 the items of " + order.terms.id + " are not what the cart showed");
}

/// Oracle 7: its history is a path of the table that ends where it is. Oracle 8 needs refunds:
/// until there are, no order may be paid and cancelled.
void MallAuditor::check_history(const Order& order) {
  std::optional<OrderStatus> at;
  bool paid = false;
  for (const mall::order::StatusChange& change : order.history) {
    const bool follows = change.from == at && (!at || is_legal(*at, change.to));
    if (!follows) wrong("oracle7 the history of " + order.terms.id + " is no path");
    at = change.to;
    paid = paid || change.to == OrderStatus::paid;
  }
  if (at != order.status) wrong("oracle7 the history of " + order.terms.id + " ends elsewhere");
  if (paid && order.status == OrderStatus::cancelled) {
    wrong("oracle8 paid and cancelled: " + order.terms.id);
  }
}

/// I5: the order is live if and only if its saga was completed and not cancelled since, and if and
/// only if it holds what it ordered.
void MallAuditor::check_order(const std::string& number, const Fate& fate) {
  const auto found = mall_.tables().orders.find(number);
  const Order* order = found == mall_.tables().orders.end() ? nullptr : &found->second;
  const bool made = fate.created != nullptr && fate.created->state.status == SagaStatus::completed;
  const bool live = order != nullptr && is_live(*order);
  if (live != (made && !fate.cancelled)) {
    wrong(fmt::format("I5 order {} is {}live, its saga {}completed{}", number, live ? "" : "not ",
                      made ? "" : "not ", fate.cancelled ? " and cancelled" : ""));
  }
  std::map<std::int64_t, std::int64_t> ordered;
  if (live) {
    for (const mall::order::OrderItem& item : order->terms.items) {
      ordered[item.sku_id] += item.quantity;
    }
  }
  std::map<std::int64_t, std::int64_t> held = orders_[number].held;
  std::erase_if(held, [](const auto& line) { return line.second == 0; });
  if (held != ordered) wrong("I5 order " + number + " does not hold what it ordered");
  if (order == nullptr || fate.created == nullptr) return;
  check_terms(*order, *fate.created);
  check_history(*order);
}

/// Oracles 1 and 2: locked = what live orders ordered; no leak, no oversell.
void MallAuditor::check_locked() {
  std::map<std::int64_t, std::int64_t> ordered;
  for (const auto& [number, order] : mall_.tables().orders) {
    if (!is_live(order)) continue;
    for (const mall::order::OrderItem& item : order.terms.items) {
      ordered[item.sku_id] += item.quantity;
    }
  }
  for (const auto& [sku, stock] : mall_.tables().stock) {
    check_stock(sku);
    if (stock.locked != ordered[sku]) {
      wrong(fmt::format("I4 SKU {}: {} locked, live orders hold {}", sku, stock.locked,
                        ordered[sku]));
    }
  }
}

/// I6: a record is used if and only if one live order with that coupon holds it.
void MallAuditor::check_coupons(const std::map<std::string, Fate>& fates) {
  std::map<std::string, int> serves;
  for (const auto& [place, record] : mall_.tables().records) {
    const bool used = record.status == mall::promotion::RecordStatus::used;
    if (used) serves[record.used_order_id] += 1;
    const auto order = mall_.tables().orders.find(record.used_order_id);
    const bool live = order != mall_.tables().orders.end() && is_live(order->second) &&
                      order->second.terms.coupon_id == record.coupon_id;
    if (used != live) {
      wrong(fmt::format("I6 coupon {} of user {} serves {}", record.coupon_id, record.user_id,
                        record.used_order_id));
    }
  }
  for (const auto& [number, fate] : fates) {
    const auto order = mall_.tables().orders.find(number);
    const bool live = order != mall_.tables().orders.end() && is_live(order->second);
    const int wanted = live && order->second.terms.coupon_id != 0 ? 1 : 0;
    if (serves[number] != wanted || orders_[number].coupons != wanted) {
      wrong(fmt::format("I6 order {} should hold {} coupons, holds {}", number, wanted,
                        serves[number]));
    }
  }
}

void MallAuditor::at_rest() {
  const auto fates = this->fates();
  for (const auto& [number, fate] : fates) check_order(number, fate);
  for (const auto& [number, order] : mall_.tables().orders) {
    if (!fates.contains(number)) wrong("I5 an order without a saga: " + number);
  }
  check_locked();
  check_coupons(fates);
}

}  // namespace skald::sim
