// The figure to beat: a client that makes an order's calls itself, one after the other, over
// keep-alive connections, and remembers nothing. It parses what it needs of the answers, and gives
// back what it deducted when a SKU is short, as a careful author would; a crash loses it all.
#pragma once

#include <cstdint>
#include <memory>

#include "engine/net/http_client.h"
#include "tools/bench/orders.h"

namespace boost::asio {
class io_context;
}

namespace skald::bench {

/// Which calls, in which order.
enum class Chain : std::uint8_t {
  eight_calls = 1,  // cart, discount, three deductions, order, coupon, clear
  create_order,     // as sagas/create_order.cc: also prices, and the order is opened at the end
  two_branches,     // two plain HTTP POSTs
};

[[nodiscard]] std::unique_ptr<OrderTaker> direct_chain(boost::asio::io_context& io,
                                                       HttpEndpoint mall, Chain chain,
                                                       std::uint64_t run);

}  // namespace skald::bench
