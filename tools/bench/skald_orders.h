// Orders carried out by skaldd: one Submit a saga, which answers when the saga has ended.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "engine/net/http_client.h"
#include "tools/bench/orders.h"

namespace boost::asio {
class io_context;
}

namespace skald::bench {

/// Sagas of a registered definition that takes mall.sagas.CreateOrderRequest. Its stock is counted
/// after "done", so the answer is awaited until every call has been made.
[[nodiscard]] std::unique_ptr<OrderTaker> skald_orders(boost::asio::io_context& io,
                                                       HttpEndpoint engine, std::string definition,
                                                       std::uint64_t run);

/// Sagas that come with their definition: plain HTTP branches at `mall`, in sequence when `after`
/// each other, else all at once.
struct Branches {
  int count = 2;
  bool at_once = false;
};
[[nodiscard]] std::unique_ptr<OrderTaker> skald_branches(boost::asio::io_context& io,
                                                         HttpEndpoint engine,
                                                         const HttpEndpoint& mall,
                                                         Branches branches, std::uint64_t run);

}  // namespace skald::bench
