// Orders placed with a skaldd that runs already: so many at once for so long, then how they ended.
// What the load cost is measured by whoever started skaldd (tools/bench/instructions).
//
//   orders_bench PORT [SECONDS] [IN_FLIGHT] [DEFINITION]
#include <fmt/format.h>

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstdlib>

#include "tools/bench/load.h"
#include "tools/bench/skald_orders.h"

int main(int argc, char** argv) {
  using namespace skald;
  if (argc < 2) {
    fmt::print(stderr, "usage: orders_bench PORT [SECONDS] [IN_FLIGHT] [DEFINITION]\n");
    return 2;
  }
  const auto port = static_cast<std::uint16_t>(std::atoi(argv[1]));
  const double seconds = argc > 2 ? std::atof(argv[2]) : 5;
  const auto in_flight = argc > 3 ? std::strtoull(argv[3], nullptr, 10) : 64ULL;
  const std::string definition = argc > 4 ? argv[4] : "order_parallel";
  const auto run = static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch() /
                                              std::chrono::microseconds(1));

  boost::asio::io_context io{1};
  const auto taker = bench::skald_orders(io, {.host = "127.0.0.1", .ip = "127.0.0.1", .port = port},
                                         definition, run);
  const auto load = bench::run_load(io, *taker,
                                    {.in_flight = in_flight,
                                     .warm = std::chrono::duration<double>(0),
                                     .measured = std::chrono::duration<double>(seconds)});
  if (!load) {
    fmt::print(stderr, "orders_bench: {}\n", load.error().message);
    return 1;
  }
  fmt::print("completed={} undone={} refused={} failed={}\n", load->completed, load->undone,
             load->refused, load->failed);
  return load->failed == 0 ? 0 : 1;
}
