#include "tests/sim/random_definition.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/base/check.h"
#include "engine/core/facts.h"

namespace skald::sim {
namespace {

RetryPolicy random_retry(Random& random, bool short_lived) {
  return {.initial = Millis{random.between(1, 50)},
          .factor = 1.5,
          .delay_max = Millis{random.between(50, 2'000)},
          .jitter = 0.5,
          .attempts_max = static_cast<std::uint32_t>(random.chance(0.5) ? 0 : random.between(1, 6)),
          .total_max = Millis{short_lived ? random.between(50, 5'000) : 30'000}};
}

LegsBuilder legs_of(std::string step, std::size_t count, bool for_each) {
  return [step = std::move(step), count, for_each](const Facts&) -> Result<std::vector<LegPlan>> {
    std::vector<LegPlan> legs;
    for (std::size_t i = 0; i < count; ++i) {
      legs.push_back(
          {.key = for_each ? fmt::format("k{}", i) : "", .request = fmt::format("{}:{}", step, i)});
    }
    return legs;
  };
}

OperationPlan random_plan(Random& random, KeysMode keys, const std::string& path,
                          bool short_lived) {
  OperationPlan plan;
  plan.method = {.participant = fmt::format("p{}", random.below(3)), .path = path, .keys = keys};
  plan.attempt_timeout = Millis{random.between(20, 300)};
  plan.retry = random_retry(random, short_lived);
  return plan;
}

KeysMode random_keys(Random& random, const DefinitionTaste& taste) {
  if (taste.keyless && random.chance(0.3)) return KeysMode::none;
  return random.chance(0.3) ? KeysMode::dedup : KeysMode::barrier;
}

void make_call(Random& random, StepDefinition& step, CallClass call_class,
               const DefinitionTaste& taste) {
  step.kind = StepKind::call;
  step.call_class = call_class;
  const KeysMode keys = random_keys(random, taste);
  step.action = random_plan(random, keys, "/" + step.name, true);
  step.for_each = call_class != CallClass::pivot && random.chance(0.4);
  step.parallel = static_cast<std::uint32_t>(random.between(1, 4));
  step.on_reject = random.chance(0.5) ? OnReject::stop : OnReject::finish_all;
  step.legs = legs_of(step.name, step.for_each ? random.below(6) : 1, step.for_each);
  if (keys == KeysMode::none && random.chance(0.6)) {
    step.probe = random_plan(random, KeysMode::none, "/probe_" + step.name, true);
  }
  if (call_class != CallClass::compensatable) return;
  step.compensation = random_plan(random, keys, "/undo_" + step.name, false);
  step.undo_needs_receipt = (keys != KeysMode::none || step.probe) && random.chance(0.2);
  const bool needs = step.undo_needs_receipt;
  step.undo = [needs](const Facts&, const Bytes& request, const Bytes* receipt) -> Result<Bytes> {
    if (needs && receipt == nullptr) return fail(Errc::internal, "the undo lacks its receipt");
    return "undo " + request;
  };
}

void make_other(Random& random, StepDefinition& step, const DefinitionTaste& taste) {
  const std::uint64_t kind = random.below(taste.waits ? 3 : 2);
  if (kind == 0) {
    step.kind = StepKind::query;
    step.action = random_plan(random, KeysMode::none, "/" + step.name, true);
    step.legs = legs_of(step.name, 1, false);
  } else if (kind == 1) {
    step.kind = StepKind::compute;
    const bool fails = random.chance(0.03);
    step.compute = [fails](const Facts&) -> Result<Bytes> {
      if (fails) return fail(Errc::invalid_argument, "the compute says no");
      return Bytes("c");
    };
  } else {
    step.kind = StepKind::wait;
    if (random.chance(0.6)) step.wait.signal = fmt::format("s{}", random.below(2));
    step.wait.timeout = Millis{random.between(10, 5'000)};
    step.wait.on_timeout = random.chance(0.8) ? OnTimeout::proceed : OnTimeout::reject;
  }
}

}  // namespace

DefinitionPtr random_definition(Random& random, const std::string& name,
                                const DefinitionTaste& taste) {
  const std::size_t before = random.between(0, 4);
  const std::size_t after = random.between(0, 3);
  const bool pivot = random.chance(0.7) || after > 0;
  Definition definition{.name = name, .version = 1, .steps = {}};
  if (random.chance(0.3)) definition.deadline = Millis{random.between(20, 20'000)};
  std::vector<std::string> earlier;
  const auto add = [&](CallClass call_class, bool other) {
    StepDefinition& step = definition.steps.emplace_back();
    step.name = fmt::format("s{}", definition.steps.size());
    if (other) {
      make_other(random, step, taste);
    } else {
      make_call(random, step, call_class, taste);
    }
    if (random.chance(0.15)) step.when = [](const Facts&) -> Result<bool> { return false; };
    return step.name;
  };
  // Before the pivot: any graph. The pivot needs all of them; what follows needs the pivot.
  for (std::size_t i = 0; i < before; ++i) {
    const std::string added = add(CallClass::compensatable, random.chance(0.35));
    std::vector<std::string> needs;
    for (const std::string& e : earlier) {
      if (random.chance(0.5)) needs.push_back(e);
    }
    definition.steps.back().after = needs;
    earlier.push_back(added);
  }
  if (pivot) {
    const std::string added = add(CallClass::pivot, false);
    definition.steps.back().after = earlier;
    std::vector<std::string> tail{added};
    for (std::size_t i = 0; i < after; ++i) {
      const std::string next = add(CallClass::retriable, random.chance(0.3));
      definition.steps.back().after = std::vector<std::string>{tail[random.below(tail.size())]};
      tail.push_back(next);
    }
  } else if (definition.steps.empty()) {
    add(CallClass::compensatable, false);
    definition.steps.back().after = std::vector<std::string>{};
  }
  auto sealed = seal(std::move(definition));
  SKALD_CHECK(sealed.has_value(), "{}", sealed ? "" : sealed.error().message);
  return *sealed;
}

}  // namespace skald::sim
