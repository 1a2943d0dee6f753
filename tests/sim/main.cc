// sim: runs seeds until a count of sagas, of seeds or a time is reached; stops at the first wrong
// one.
//   sim --sagas 1000000       many seeds, new ones each time (the first is printed)
//   sim --seed 8317 --trace   one seed again, with its story
#include <fmt/format.h>

#include <chrono>
#include <cstdlib>
#include <cstring>
#include <random>
#include <string>

#include "tests/sim/world.h"

namespace {

struct Arguments {
  std::uint64_t seed = 0;
  bool one_seed = false;
  std::uint64_t seeds = ~0ULL;
  std::uint64_t sagas = 100'000;
  double seconds = 1e9;
  bool trace = false;
};

Arguments parse(int argc, char** argv) {
  Arguments a;
  for (int i = 1; i < argc; ++i) {
    const std::string flag = argv[i];
    const auto value = [&] { return i + 1 < argc ? argv[++i] : "0"; };
    if (flag == "--seed") {
      a.seed = std::strtoull(value(), nullptr, 10);
      a.one_seed = true;
    } else if (flag == "--from") {
      a.seed = std::strtoull(value(), nullptr, 10);
    } else if (flag == "--seeds") {
      a.seeds = std::strtoull(value(), nullptr, 10);
    } else if (flag == "--sagas") {
      a.sagas = std::strtoull(value(), nullptr, 10);
    } else if (flag == "--for") {
      a.seconds = std::strtod(value(), nullptr);
    } else if (flag == "--trace") {
      a.trace = true;
    } else {
      fmt::print(stderr,
                 "sim: unknown flag {}; use --seed N [--trace], --from N, --seeds N, --sagas N, "
                 "--for SECONDS\n",
                 flag);
      std::exit(2);
    }
  }
  if (a.seed == 0) a.seed = (std::uint64_t{std::random_device{}()} << 16) + 1;
  if (a.one_seed) a.seeds = 1;
  return a;
}

void print(const skald::sim::WorldFigures& f, std::uint64_t seeds, std::uint64_t first) {
  fmt::print(
      "sim: {} sagas ({} completed, {} compensated, {} left to a person) in {} seeds from {}\n"
      "     {:.1f} simulated hours, {} steps, {} calls\n"
      "     faults: {} crashes, {} lost, {} refused, {} pending, {} late, {} duplicates, {} "
      "rejections\n"
      "     acts: {} cancels, {} retries, {} signals\n",
      f.sagas, f.completed, f.compensated, f.stuck, seeds, first,
      static_cast<double>(f.simulated_ms) / 3'600'000, f.steps, f.calls, f.crashes, f.lost,
      f.refused, f.pending, f.late, f.duplicates, f.rejections, f.cancels, f.retries, f.signals);
}

}  // namespace

int main(int argc, char** argv) {
  const Arguments arguments = parse(argc, argv);
  const auto begin = std::chrono::steady_clock::now();
  skald::sim::WorldFigures total;
  std::uint64_t seeds = 0;
  for (std::uint64_t seed = arguments.seed;
       seeds < arguments.seeds && total.sagas < arguments.sagas; ++seed) {
    skald::sim::World world({.seed = seed, .trace = arguments.trace});
    const auto wrongs = world.run();
    seeds += 1;
    total.add(world.figures());
    if (!wrongs.empty()) {
      fmt::print("sim: seed {} is wrong; its story: sim --seed {} --trace\n", seed, seed);
      for (const std::string& wrong : wrongs) fmt::print("  {}\n", wrong);
      return 1;
    }
    const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - begin;
    if (passed.count() > arguments.seconds) break;
  }
  print(total, seeds, arguments.seed);
  return 0;
}
