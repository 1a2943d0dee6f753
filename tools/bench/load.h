// Places orders: so many at once (closed loop), or so many a second (open loop, where an order's
// latency counts from the moment it was meant to be placed, so that a stall is not forgotten).
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>

#include "engine/base/result.h"
#include "engine/base/time.h"
#include "tools/bench/latencies.h"
#include "tools/bench/orders.h"

namespace boost::asio {
class io_context;
}

namespace skald::bench {

struct LoadPlan {
  std::size_t in_flight = 1;                  // closed loop; in the open loop the most there may be
  double per_second = 0;                      // > 0: open loop
  std::chrono::duration<double> warm{0.2};    // not counted
  std::chrono::duration<double> measured{1};  // counted
  int short_percent = 0;
  int skus = kSkusPerOrder;
  std::uint64_t first_number = 1;
};

struct LoadResult {
  std::uint64_t placed = 0;
  std::uint64_t completed = 0;
  std::uint64_t undone = 0;
  std::uint64_t failed = 0;
  std::uint64_t refused = 0;
  double per_second = 0;  // orders that ended well within the measured time
  Latencies latencies;    // of these
};

/// Returns when every order placed has ended. Errors: deadline_exceeded, some never did.
[[nodiscard]] Result<LoadResult> run_load(boost::asio::io_context& io, OrderTaker& taker,
                                          const LoadPlan& plan);

[[nodiscard]] inline double seconds_since(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

/// Runs the loop until `done` says so, at most for `limit`. False: it never did.
[[nodiscard]] bool run_until(boost::asio::io_context& io, const std::function<bool()>& done,
                             std::chrono::duration<double> limit);

}  // namespace skald::bench
