// The order saga with every fault at every moment, and two faults at two moments, in every pair of
// faults and a third of the pairs of moments.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <array>
#include <vector>

#include "tests/support/core_world.h"
#include "tests/support/plan.h"

namespace skald::test {
namespace {

enum class Fault : std::uint8_t {
  not_delivered,
  request_lost,
  answer_lost,
  late,
  accepted,
  refused,
  crash,
  double_crash,
  cancel,
  long_silence,  // the deadline and every operation's time pass
};
constexpr std::array kFaults = {Fault::not_delivered, Fault::request_lost, Fault::answer_lost,
                                Fault::late,          Fault::accepted,     Fault::refused,
                                Fault::crash,         Fault::double_crash, Fault::cancel,
                                Fault::long_silence};
constexpr std::size_t kMomentsMax = 200;

struct Strike {
  std::size_t moment = 0;
  Fault fault = Fault::crash;
};

/// The documented order saga, with keys as given; probes where there are no keys.
DefinitionPtr order_saga(KeysMode keys) {
  Plan plan("create_order");
  const auto settled = [&] {
    plan.keys(keys);
    if (keys == KeysMode::none) plan.probe();
  };
  plan.query("cart").compute("total");
  plan.call("deduct").for_each({"7", "8"}, 2).finish_all();
  settled();
  plan.call("coupon").after({"total"});
  settled();
  plan.pivot("order").after({"deduct", "coupon"});
  settled();
  plan.retriable("clear").wait("paid", "paid", Millis{60'000}).query("receipt");
  plan.deadline(Millis{30'000});
  return plan.seal();
}

Fate fate_of(Fault fault) {
  switch (fault) {
    case Fault::not_delivered:
      return Fate::not_delivered;
    case Fault::request_lost:
      return Fate::request_lost;
    case Fault::answer_lost:
      return Fate::answer_lost;
    case Fault::late:
      return Fate::late;
    case Fault::accepted:
      return Fate::accepted;
    case Fault::refused:
      return Fate::refused;
    case Fault::crash:
    case Fault::double_crash:
    case Fault::cancel:
    case Fault::long_silence:
      return Fate::answered;
  }
  return Fate::answered;
}

/// Faults that strike the saga and not one answer.
void strike(CoreWorld& world, Fault fault) {
  if (fault == Fault::crash) return world.crash();
  if (fault == Fault::double_crash) return world.crash(), world.crash();
  if (fault == Fault::cancel) return world.cancel();
  if (fault == Fault::long_silence) world.pass(Millis{40'000});
}

/// One moment of the script: whatever comes next. False: it is over.
bool moment(CoreWorld& world, Fate fate) {
  if (world.state().terminal) return false;
  if (!world.queue().empty()) return world.dispatch(0), true;
  if (!world.flights().empty()) return world.answer(0, fate), true;
  const std::uint64_t before = world.state().seq;
  world.pass_to_wake();
  return world.state().seq != before || !world.queue().empty();
}

/// Plays the script with these strikes and sees it to its end. Returns how many moments it had.
std::size_t play(const DefinitionPtr& definition, const std::vector<Strike>& strikes) {
  CoreWorld world(definition, strikes.size() + 1, false);
  world.start();
  std::size_t now = 0;
  for (bool going = true; going && now < kMomentsMax; ++now) {
    Fate fate = Fate::answered;
    for (const Strike& planned : strikes) {
      if (planned.moment != now) continue;
      strike(world, planned.fault);
      if (fate_of(planned.fault) != Fate::answered) fate = fate_of(planned.fault);
    }
    going = moment(world, fate);
  }
  const bool ended = world.heals();
  EXPECT_TRUE(ended);
  EXPECT_TRUE(world.state().terminal) << "nobody is needed: there are keys or probes";
  EXPECT_TRUE(world.wrong().empty()) << world.story();
  return now;
}

TEST(OrderSaga, SurvivesEveryFaultAtEveryMoment) {
  for (const KeysMode keys : {KeysMode::barrier, KeysMode::dedup, KeysMode::none}) {
    const DefinitionPtr definition = order_saga(keys);
    const std::size_t moments = play(definition, {});
    ASSERT_GT(moments, 12U);
    for (std::size_t at = 0; at < moments; ++at) {
      for (const Fault fault : kFaults) {
        SCOPED_TRACE(
            fmt::format("keys={} moment={} fault={}", name(keys), at, static_cast<int>(fault)));
        play(definition, {{at, fault}});
        if (HasFailure()) return;
      }
    }
  }
}

TEST(OrderSaga, SurvivesTwoFaults) {
  const DefinitionPtr definition = order_saga(KeysMode::barrier);
  const std::size_t moments = play(definition, {});
  std::size_t runs = 0;
  for (std::size_t at = 0; at < moments; ++at) {
    for (const Fault fault : kFaults) {
      // A third of the second moments, another third for each first one and fault.
      const std::size_t shift = (at + static_cast<std::size_t>(fault)) % 3;
      for (std::size_t then = at + 1 + shift; then < moments + 4; then += 3) {
        for (const Fault another : kFaults) {
          SCOPED_TRACE(fmt::format("moment={} fault={} moment={} fault={}", at,
                                   static_cast<int>(fault), then, static_cast<int>(another)));
          play(definition, {{at, fault}, {then, another}});
          runs += 1;
          if (HasFailure()) return;
        }
      }
    }
  }
  fmt::print("{} runs with two faults\n", runs);
}

}  // namespace
}  // namespace skald::test
