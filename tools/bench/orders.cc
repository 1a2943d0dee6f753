#include "tools/bench/orders.h"

#include <fmt/format.h>

namespace skald::bench {

std::string order_id(std::uint64_t run, const Order& order) {
  return fmt::format("B{:010x}{:012}", run & 0xFF'FFFF'FFFFULL, order.number);
}

::mall::sagas::CreateOrderRequest order_request(const Order& order) {
  ::mall::sagas::CreateOrderRequest out;
  out.set_user_id(static_cast<std::int64_t>(order.number % 1'000'000) + 1);
  for (int i = 0; i < order.skus; ++i) {
    const bool lacking = order.is_short && i + 1 == order.skus;
    const auto place = static_cast<std::int64_t>(order.number) * order.skus + i;
    out.add_sku_ids(lacking ? kSkuOutOfStock : 1 + place % kSkusInStock);
  }
  out.set_coupon_id(7);
  out.set_address("1 Harbour Street");
  return out;
}

}  // namespace skald::bench
