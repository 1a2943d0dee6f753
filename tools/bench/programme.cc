#include "tools/bench/programme.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "tools/bench/active.h"
#include "tools/bench/direct_chain.h"
#include "tools/bench/finished.h"
#include "tools/bench/skald_orders.h"
#include "tools/bench/waiting.h"

namespace skald::bench {
namespace {

constexpr std::size_t kOpenLoopMax =
    8'000;  // orders open at once in an open loop: fewer than connections_max
constexpr std::size_t kUsualInFlight = 64;
constexpr int kFanOutLegs = 1'000;
constexpr int kManySkus = 8;
constexpr std::size_t kBestInFlight = 256;      // where the most orders a second are reached
constexpr int kActiveSagasUnderOverload = 320;  // beyond it skaldd refuses
constexpr int kActiveSamples = 4;               // as long as so many samples
constexpr double kOverload = 2;                 // times what it can do

// Causal chains, counted in the definitions (sagas/): a synced write for each set of intents that
// waits for answers, and one for the last answer. The start needs no write of its own where only
// queries stand before the first intents: it may share theirs.
constexpr Causal kOrderParallel{.syncs_completed = 5, .syncs_undone = 3};
constexpr Causal kOrderChain{.syncs_completed = 7, .syncs_undone = 5};
constexpr Causal kCreateOrder{.syncs_completed = 6, .syncs_undone = 5};
constexpr Causal kTwoBranches{.syncs_completed = 3, .syncs_undone = 0};
constexpr Causal kFanOut{.syncs_completed = 2, .syncs_undone = 0};

/// Systems that carry the same orders out, measured in turn. The first is the direct chain.
using Group = std::vector<Subject>;

Subject direct(TestBed& bed, std::string shape, Chain chain) {
  const bool branches = chain == Chain::two_branches;
  return {.system = "direct",
          .shape = std::move(shape),
          .taker = direct_chain(bed.io(), bed.mall_endpoint(), chain, bed.run()),
          .trace = branches ? Trace::branches : Trace::orders,
          .branches = branches ? 2 : 0};
}

Subject durable(TestBed& bed, std::string shape, const std::string& definition, Causal causal) {
  return {.system = "skald",
          .shape = std::move(shape),
          .taker = skald_orders(bed.io(), bed.engine_endpoint(), definition, bed.run()),
          .causal = causal};
}

Subject branches(TestBed& bed, std::string shape, Branches wanted, Causal causal) {
  return {.system = "skald",
          .shape = std::move(shape),
          .taker = skald_branches(bed.io(), bed.engine_endpoint(), bed.mall_endpoint(), wanted,
                                  bed.run()),
          .trace = Trace::branches,
          .branches = wanted.count,
          .causal = causal};
}

class Runner {
 public:
  Runner(TestBed& bed, const Programme& programme, const OnRow& on_row)
      : bed_(bed), programme_(programme), on_row_(on_row) {}

  Result<void> orders();
  Result<void> open_loop();
  Result<void> eight_skus();
  Result<void> create_order();
  Result<void> two_branches();
  Result<void> fan_out();
  Result<void> overload();
  Result<void> waiting();
  Result<void> timers() { return add_one(measure_timers(bed_, programme_.timers)); }
  Result<void> active();
  Result<void> restart() { return add_one(measure_restart(bed_, programme_.restart)); }
  Result<void> start() { return add_one(measure_start(bed_, programme_.rounds)); }
  Result<void> finished();

  std::vector<Row> rows;

 private:
  /// Every subject of the group once in each round, forwards and backwards in turn, so that none
  /// always follows the same one.
  Result<void> cell(Group& group, const Cell& cell);
  void add(Row row) {
    on_row_(row);
    rows.push_back(std::move(row));
  }
  Result<void> add_one(Result<Row> row) {
    if (!row) return std::unexpected(row.error());
    add(std::move(*row));
    return {};
  }
  Result<void> add_all(Result<std::vector<Row>> more) {
    if (!more) return std::unexpected(more.error());
    for (Row& row : *more) add(std::move(row));
    return {};
  }
  [[nodiscard]] double reached(std::string_view shape, std::string_view system) const;
  [[nodiscard]] Group order_group() {
    Group group;
    group.push_back(direct(bed_, "eight_calls", Chain::eight_calls));
    group.push_back(durable(bed_, "order_parallel", "order_parallel", kOrderParallel));
    group.push_back(durable(bed_, "order_chain", "create_order_chain", kOrderChain));
    return group;
  }

  TestBed& bed_;
  const Programme& programme_;
  const OnRow& on_row_;
};

Result<void> Runner::cell(Group& group, const Cell& cell) {
  std::vector<std::vector<Sample>> samples(group.size());
  const LoadPlan plan{.in_flight = cell.rate > 0 ? kOpenLoopMax : cell.in_flight,
                      .per_second = cell.rate,
                      .warm = programme_.warm,
                      .measured = programme_.measured,
                      .short_percent = cell.short_percent,
                      .skus = cell.skus};
  for (int round = 0; round < programme_.rounds; ++round) {
    for (std::size_t i = 0; i < group.size(); ++i) {
      const std::size_t which = round % 2 == 0 ? i : group.size() - 1 - i;
      auto sample = bed_.measure(group[which], plan);
      if (!sample) return std::unexpected(sample.error());
      samples[which].push_back(std::move(*sample));
    }
  }
  const bool comparable = group.front().system == "direct";
  for (std::size_t i = 0; i < group.size(); ++i) {
    const std::span<const Sample> base =
        comparable && i > 0 ? std::span<const Sample>(samples[0]) : std::span<const Sample>();
    add(make_row(group[i], cell, samples[i], base));
  }
  return {};
}

double Runner::reached(std::string_view shape, std::string_view system) const {
  double best = 0;
  for (const Row& row : rows) {
    if (row.shape == shape && row.system == system && row.rate == 0 && row.short_percent == 0 &&
        row.in_flight <= kUsualInFlight) {
      best = std::max(best, row.per_second.middle);
    }
  }
  return best;
}

Result<void> Runner::orders() {
  Group group = order_group();
  for (const int short_percent : programme_.short_percents) {
    for (const std::size_t in_flight : programme_.in_flight) {
      auto done = cell(group, {.in_flight = in_flight, .short_percent = short_percent});
      if (!done) return done;
    }
  }
  return {};
}

Result<void> Runner::open_loop() {
  const double capacity = reached("order_parallel", "skald");
  if (capacity == 0) return {};  // its shape was not chosen
  Group group = order_group();
  group.pop_back();
  for (const double share : programme_.open_shares) {
    auto done = cell(group, {.in_flight = 0, .rate = capacity * share});
    if (!done) return done;
  }
  return {};
}

/// One order at a time: parallel deductions, each durable, beside deductions one after another.
Result<void> Runner::eight_skus() {
  Group group;
  group.push_back(direct(bed_, "eight_skus", Chain::eight_calls));
  group.push_back(durable(bed_, "eight_skus", "order_parallel", kOrderParallel));
  return cell(group, {.in_flight = 1, .skus = kManySkus});
}

Result<void> Runner::create_order() {
  Group group;
  group.push_back(direct(bed_, "create_order", Chain::create_order));
  group.push_back(durable(bed_, "create_order", "create_order", kCreateOrder));
  for (const int short_percent : programme_.short_percents) {
    auto done = cell(group, {.in_flight = kUsualInFlight, .short_percent = short_percent});
    if (!done) return done;
  }
  return {};
}

Result<void> Runner::two_branches() {
  Group group;
  group.push_back(direct(bed_, "two_branches", Chain::two_branches));
  group.push_back(branches(bed_, "two_branches", {.count = 2}, kTwoBranches));
  for (const std::size_t in_flight : {std::size_t{1}, kUsualInFlight}) {
    if (auto done = cell(group, {.in_flight = in_flight}); !done) return done;
  }
  return {};
}

Result<void> Runner::fan_out() {
  Group group;
  group.push_back(branches(bed_, "fan_out_1000", {.count = kFanOutLegs, .at_once = true}, kFanOut));
  if (auto done = cell(group, {.in_flight = 1}); !done) return done;
  Row& row = rows.back();
  row.more.emplace_back("legs_per_s", row.per_second.middle * kFanOutLegs);
  return {};
}

Result<void> Runner::overload() {
  bed_.stop_engine();
  const std::vector<std::string> few{"--engine-active-sagas-max",
                                     std::to_string(kActiveSagasUnderOverload)};
  if (auto done = bed_.start_engine(few); !done) return done;
  Group group;
  group.push_back(durable(bed_, "overload", "order_parallel", kOrderParallel));
  if (auto done = cell(group, {.in_flight = kBestInFlight}); !done) return done;
  const double best = rows.back().per_second.middle;
  if (auto done = cell(group, {.in_flight = 0, .rate = best * kOverload}); !done) return done;
  Row& row = rows.back();
  row.more.emplace_back("of_best", row.per_second.middle / best);
  row.more.emplace_back("refused_share",
                        static_cast<double>(row.refused) / static_cast<double>(row.orders));
  bed_.stop_engine();
  return bed_.start_engine();
}

Result<void> Runner::waiting() {
  Group group = order_group();
  group.pop_back();
  const auto orders = [&]() -> Result<double> {
    const LoadPlan plan{
        .in_flight = kUsualInFlight, .warm = programme_.warm, .measured = programme_.measured};
    std::vector<double> rates;
    for (int round = 0; round < programme_.rounds; ++round) {
      auto sample = bed_.measure(group.back(), plan);
      if (!sample) return std::unexpected(sample.error());
      rates.push_back(sample->load.per_second);
    }
    return median(std::move(rates));
  };
  return add_one(measure_waiting(bed_, programme_.waiting_sagas, orders));
}

Result<void> Runner::active() {
  return add_all(measure_active(
      bed_, {.sagas = programme_.active_sagas, .measured = programme_.measured * kActiveSamples}));
}

Result<void> Runner::finished() {
  if (programme_.finished_sizes.empty()) return {};
  return add_all(measure_finished(bed_, {.sizes = programme_.finished_sizes,
                                         .rounds = programme_.rounds,
                                         .warm = programme_.warm,
                                         .measured = programme_.measured,
                                         .keep_in = programme_.finished_folder}));
}

struct Shape {
  std::string_view name;
  Result<void> (Runner::*run)();
};

constexpr std::array kShapes{
    Shape{"orders", &Runner::orders},
    Shape{"open_loop", &Runner::open_loop},
    Shape{"eight_skus", &Runner::eight_skus},
    Shape{"create_order", &Runner::create_order},
    Shape{"two_branches", &Runner::two_branches},
    Shape{"fan_out", &Runner::fan_out},
    Shape{"overload", &Runner::overload},
    Shape{"start", &Runner::start},
    Shape{"timers", &Runner::timers},
    Shape{"active", &Runner::active},
    Shape{"restart", &Runner::restart},
    Shape{"finished", &Runner::finished},
    Shape{"waiting", &Runner::waiting},
};

}  // namespace

std::vector<std::string> shape_names() {
  std::vector<std::string> names;
  for (const Shape& shape : kShapes) names.emplace_back(shape.name);
  return names;
}

Result<std::vector<Row>> run_programme(TestBed& bed, const Programme& programme,
                                       const OnRow& on_row) {
  Runner runner(bed, programme, on_row);
  for (const Shape& shape : kShapes) {
    if (!programme.shapes.empty() && !programme.shapes.contains(std::string(shape.name))) continue;
    if (auto done = (runner.*shape.run)(); !done) return std::unexpected(done.error());
  }
  return std::move(runner.rows);
}

}  // namespace skald::bench
