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

/// Protocols, profiles and rules of their own: what the classifier has to read.
Method random_method(Random& random, KeysMode keys, const std::string& path,
                     const DefinitionTaste& taste) {
  Method method{.participant = fmt::format("p{}", random.below(kParticipants)),
                .path = path,
                .protocol = static_cast<Protocol>(random.between(1, 3)),
                .keys = keys};
  if (random.chance(0.15)) method.profile = Profile::dtm;
  if (random.chance(0.2)) {
    method.outcomes.push_back({.code = "503", .kind = OutcomeKind::not_executed});
  }
  if (taste.short_keys && random.chance(0.5)) {
    method.keys_lifetime = Millis{random.between(2'000, 20'000)};
  }
  return method;
}

OperationPlan random_plan(Random& random, KeysMode keys, const std::string& path, bool short_lived,
                          const DefinitionTaste& taste) {
  OperationPlan plan;
  plan.method = random_method(random, keys, path, taste);
  plan.attempt_timeout = Millis{random.between(20, 300)};
  plan.retry = random_retry(random, short_lived);
  return plan;
}

KeysMode random_keys(Random& random, const DefinitionTaste& taste) {
  if (taste.keyless && random.chance(0.3)) return KeysMode::none;
  return random.chance(0.3) ? KeysMode::dedup : KeysMode::barrier;
}

void make_undo(Random& random, StepDefinition& step, KeysMode keys, const DefinitionTaste& taste) {
  if (random.chance(0.1)) {
    step.no_undo_reason = "harmless";
    return;
  }
  step.compensation = random_plan(random, keys, "/undo_" + step.name, false, taste);
  // One service keeps the keys of both, for the same time.
  step.compensation->method.keys_lifetime = step.action.method.keys_lifetime;
  step.undo_needs_receipt = (keys != KeysMode::none || step.probe) && random.chance(0.2);
  const bool needs = step.undo_needs_receipt;
  step.undo = [needs](const Facts&, const Bytes& request, const Bytes* receipt) -> Result<Bytes> {
    if (needs && receipt == nullptr) return fail(Errc::internal, "the undo lacks its receipt");
    return "undo " + request;
  };
}

void make_call(Random& random, StepDefinition& step, CallClass call_class,
               const DefinitionTaste& taste) {
  step.kind = StepKind::call;
  step.call_class = call_class;
  const KeysMode keys = random_keys(random, taste);
  step.action = random_plan(random, keys, "/" + step.name, true, taste);
  step.for_each = call_class != CallClass::pivot && random.chance(0.4);
  step.parallel = static_cast<std::uint32_t>(random.between(1, 4));
  step.on_reject = random.chance(0.5) ? OnReject::stop : OnReject::finish_all;
  step.legs = legs_of(step.name, step.for_each ? random.below(6) : 1, step.for_each);
  if (keys == KeysMode::none ? random.chance(0.6) : random.chance(0.1)) {
    step.probe = random_plan(random, KeysMode::none, "/probe_" + step.name, true, taste);
    step.probe->method.profile = Profile::native;  // which alone can say "not there"
  }
  if (call_class == CallClass::compensatable) make_undo(random, step, keys, taste);
}

void make_wait(Random& random, StepDefinition& step) {
  step.kind = StepKind::wait;
  if (random.chance(0.6)) step.wait.signal = fmt::format("s{}", random.below(kSignals));
  step.wait.timeout = Millis{random.between(10, 5'000)};
  step.wait.on_timeout = random.chance(0.8) ? OnTimeout::proceed : OnTimeout::reject;
}

void make_other(Random& random, StepDefinition& step, const DefinitionTaste& taste) {
  const std::uint64_t kind = random.below(3);
  if (kind == 0) {
    step.kind = StepKind::query;
    step.action = random_plan(random, KeysMode::none, "/" + step.name, true, taste);
    step.legs = legs_of(step.name, 1, false);
  } else if (kind == 1) {
    step.kind = StepKind::compute;
    const bool fails = random.chance(0.03);
    step.compute = [fails](const Facts&) -> Result<Bytes> {
      if (fails) return fail(Errc::invalid_argument, "the compute says no");
      return Bytes("c");
    };
  } else {
    make_wait(random, step);
  }
}

/// Builds one definition step by step: any graph before the pivot, which needs all of it; behind it
/// what needs the pivot.
class Sketch {
 public:
  Sketch(Random& random, const std::string& name, std::uint32_t version,
         const DefinitionTaste& taste)
      : random_(random), taste_(taste) {
    definition_.name = name;
    definition_.version = version;
    if (random.chance(0.3)) definition_.deadline = Millis{random.between(20, 20'000)};
    if (random.chance(0.2)) {
      definition_.output = [](const Facts&) -> Result<Bytes> { return Bytes("out"); };
    }
  }

  DefinitionPtr make() {
    const std::size_t before = random_.between(0, 4);
    const std::size_t after = random_.between(0, 3);
    const bool pivot = random_.chance(0.7) || after > 0;
    std::vector<std::string> earlier;
    for (std::size_t i = 0; i < before; ++i) {
      std::vector<std::string> needs;
      for (const std::string& e : earlier) {
        if (random_.chance(0.5)) needs.push_back(e);
      }
      earlier.push_back(add(CallClass::compensatable, random_.chance(0.35), std::move(needs)));
    }
    if (pivot) add_pivot(earlier, after);
    if (definition_.steps.empty()) add(CallClass::compensatable, false, {});
    auto sealed = seal(std::move(definition_));
    SKALD_CHECK(sealed.has_value(), "{}", sealed ? "" : sealed.error().message);
    return *sealed;
  }

 private:
  std::string add(CallClass call_class, bool other, std::vector<std::string> needs) {
    StepDefinition& step = definition_.steps.emplace_back();
    step.name = fmt::format("s{}", definition_.steps.size());
    step.after = std::move(needs);
    if (other) {
      make_other(random_, step, taste_);
    } else {
      make_call(random_, step, call_class, taste_);
    }
    if (random_.chance(0.15)) step.when = [](const Facts&) -> Result<bool> { return false; };
    return step.name;
  }

  void add_pivot(const std::vector<std::string>& earlier, std::size_t after) {
    const bool waits = random_.chance(0.25);
    std::vector<std::string> tail{add(CallClass::pivot, false, earlier)};
    if (waits) {
      StepDefinition pivot{.name = tail.front(),
                           .call_class = CallClass::pivot,
                           .after = earlier,
                           .when = definition_.steps.back().when};
      make_wait(random_, pivot);
      definition_.steps.back() = std::move(pivot);
    }
    for (std::size_t i = 0; i < after; ++i) {
      tail.push_back(
          add(CallClass::retriable, random_.chance(0.3), {tail[random_.below(tail.size())]}));
    }
  }

  Random& random_;
  const DefinitionTaste& taste_;
  Definition definition_;
};

}  // namespace

DefinitionPtr random_definition(Random& random, const std::string& name, std::uint32_t version,
                                const DefinitionTaste& taste) {
  return Sketch(random, name, version, taste).make();
}

}  // namespace skald::sim
