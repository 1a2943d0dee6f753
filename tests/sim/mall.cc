// Who orders what, and requests on their way through the real barrier. What the methods do is in
// mall_methods.cc.
#include "tests/sim/mall.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "engine/base/check.h"
#include "mall/sagas.pb.h"
#include "participants/kit/barrier.h"
#include "sagas/registry.h"
#include "tests/sim/mall_methods.h"

namespace skald::sim {
namespace {

constexpr std::int64_t kSkus = 6;
constexpr std::int64_t kCoupons = 4;
constexpr std::array<std::string_view, 5> kServices{"cart", "product", "inventory", "promotion",
                                                    "order"};

/// Its orders wait for payment only when they are decided.
constexpr std::string_view kSafeToCancel = "create_order";

kit::Operation kit_operation(Operation operation) { return static_cast<kit::Operation>(operation); }

}  // namespace

const std::vector<DefinitionPtr>& mall_definitions() {
  static const std::vector<DefinitionPtr> all = sagas::all_definitions();
  return all;
}

Result<std::optional<std::string>> MemoryRows::get(std::string_view key) {
  const auto found = rows_.find(key);
  if (found == rows_.end()) return std::nullopt;
  return found->second;
}

Result<std::vector<kit::Row>> MemoryRows::scan(const kit::RowRange&) {
  return std::vector<kit::Row>{};  // the barrier reads single rows only
}

Result<void> MemoryRows::write(const kit::RowChanges& changes) {
  for (const auto& [key, value] : changes) {
    if (value) {
      rows_[key] = *value;
    } else {
      rows_.erase(key);
    }
  }
  return {};
}

Mall::Mall(std::uint64_t seed) {
  Random random(seed);
  for (std::int64_t id = 1; id <= kSkus; ++id) {
    const auto stock = mall::inventory::new_stock(
        id, static_cast<std::int32_t>(random.chance(0.3) ? random.below(10) : 1'000));
    SKALD_CHECK(stock.has_value(), "");
    tables_.stock[id] = *stock;
    tables_.products[id] = {.id = id, .name = "p", .status = 1};
    tables_.skus[id] = {.sku_id = id,
                        .product_id = id,
                        .price_cents = static_cast<std::int64_t>(random.between(1, 10'000))};
  }
  for (std::int64_t id = 1; id <= kCoupons; ++id) {
    tables_.coupons[id] = {.id = id,
                           .type = static_cast<mall::promotion::CouponType>(random.between(1, 3)),
                           .threshold_cents = static_cast<std::int64_t>(random.below(5'000)),
                           .discount_cents = static_cast<std::int64_t>(random.below(3'000)),
                           .pay_basis_points = static_cast<std::int32_t>(random.between(1, 9'999)),
                           .disabled = random.chance(0.1)};
  }
}

bool Mall::serves(const Method& method) {
  return std::ranges::find(kServices, method.participant) != kServices.end();
}

std::string Mall::participant(std::uint64_t salt) {
  const std::uint64_t who = salt % 8;
  return who < kServices.size() ? std::string(kServices[who])
                                : fmt::format("p{}", who - kServices.size());
}

std::int64_t Mall::new_user(Random& random) {
  const std::int64_t user = ++users_;
  for (std::int64_t sku = 1; sku <= kSkus; ++sku) {
    if (!random.chance(0.5)) continue;
    tables_.carts[{user, sku}] = {.user_id = user,
                                  .sku_id = sku,
                                  .product_id = sku,
                                  .price_cents = tables_.skus[sku].price_cents,
                                  .quantity = static_cast<std::int32_t>(random.between(1, 5)),
                                  .selected = true};
  }
  for (std::int64_t coupon = 1; coupon <= kCoupons; ++coupon) {
    if (!random.chance(0.5)) continue;
    tables_.records[{user, coupon}] = {.user_id = user, .coupon_id = coupon};
  }
  return user;
}

MallOrder Mall::plan_order(Random& random, std::size_t index) {
  if (!planned_.empty() && random.chance(0.2)) {
    const Planned& order = planned_[random.below(planned_.size())];
    ::mall::sagas::CancelOrderRequest cancel;
    cancel.set_order_id(order.number);
    cancel.set_user_id(order.user);
    MallOrder made{.definition = "cancel_order",
                   .key = fmt::format("cancel{}", index),
                   .business_key = order.number,
                   .input = cancel.SerializeAsString(),
                   .later = Millis{random.below(15'000)}};
    if (order.definition != kSafeToCancel) made.after = order.index;
    return made;
  }
  const bool shared = users_ > 0 && random.chance(0.3);  // two orders of one cart and coupon
  const std::int64_t user =
      shared ? static_cast<std::int64_t>(random.between(1, static_cast<std::uint64_t>(users_)))
             : new_user(random);
  ::mall::sagas::CreateOrderRequest order;
  order.set_user_id(user);
  for (std::int64_t sku = 1; sku <= kSkus; ++sku) {
    if (tables_.carts.contains({user, sku}) && random.chance(0.7)) order.add_sku_ids(sku);
  }
  if (order.sku_ids().empty()) order.add_sku_ids(1);
  if (random.chance(0.5)) {
    order.set_coupon_id(static_cast<std::int64_t>(random.between(1, kCoupons)));
  }
  constexpr std::array kDefinitions{"create_order", "create_order_chain", "order_parallel"};
  const std::string number = fmt::format("SN{:019}", index);
  const std::string definition = kDefinitions[random.below(kDefinitions.size())];
  planned_.push_back({.number = number, .definition = definition, .user = user, .index = index});
  return {.definition = definition,
          .key = number,
          .business_key = number,
          .input = order.SerializeAsString()};
}

void Mall::edit_cart(Random& random) {
  if (tables_.carts.empty()) return;
  auto line = tables_.carts.begin();
  std::advance(line, static_cast<std::ptrdiff_t>(random.below(tables_.carts.size())));
  if (random.chance(0.3)) {
    tables_.carts.erase(line);
  } else {
    line->second.quantity = static_cast<std::int32_t>(random.between(1, 5));
  }
}

void Mall::change_price(Random& random) {
  mall::product::Sku& sku = tables_.skus[static_cast<std::int64_t>(random.between(1, kSkus))];
  sku.price_cents = static_cast<std::int64_t>(random.between(1, 10'000));
  // Those who look at their cart again are shown the new price.
  for (auto& [place, line] : tables_.carts) {
    if (line.sku_id == sku.sku_id && random.chance(0.5)) line.price_cents = sku.price_cents;
  }
}

void Mall::pay_order(Random& random, Instant wall) {
  if (planned_.empty()) return;
  const Planned& planned = planned_[random.below(planned_.size())];
  const auto order = tables_.orders.find(planned.number);
  if (order == tables_.orders.end() || planned.definition != kSafeToCancel) return;
  using mall::order::OrderStatus;
  auto paid = change_status(order->second,
                            {.expected = OrderStatus::unpaid, .next = OrderStatus::paid}, wall);
  if (paid) order->second = std::move(*paid);
}

ParticipantAnswer Mall::execute(const Request& request, Instant wall) {
  if (request.is_query) return {.body = mall_query(tables_, request, wall)};
  const kit::RowChanges none;
  kit::Txn txn(rows_, none, wall);
  const kit::BarrierCall call{.saga = {.key = request.key,
                                       .operation = kit_operation(request.operation),
                                       .saga_id = request.saga.text(),
                                       .leg = request.leg},
                              .procedure = request.method->path,
                              .request_hash = kit::request_hash(request.method->path, request.body),
                              .nothing_to_undo = mall_nothing_to_undo(request.method->path)};
  auto passed = kit::pass_barrier(txn, call, [&](kit::Txn&) -> Result<std::string> {
    return mall_effect(tables_, request, wall);
  });
  const auto written = rows_.write(txn.changes());
  SKALD_CHECK(written.has_value(), "");
  const bool ran = passed.verdict == kit::BarrierVerdict::executed && passed.response.has_value();
  return {.body = std::move(passed.response), .took_effect = ran};
}

}  // namespace skald::sim
