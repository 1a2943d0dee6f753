// Inline definitions: random data, made a definition by the codec that the API uses.
#include <fmt/format.h>

#include "engine/base/check.h"
#include "engine/wire/definition.h"
#include "tests/sim/random_definition.h"

namespace skald::sim {
namespace {

using KeysWord = v1::KeysMode;

KeysWord::Value random_keys(Random& random, const DefinitionTaste& taste) {
  if (taste.keyless && random.chance(0.3)) return KeysWord::none;
  return random.chance(0.3) ? KeysWord::dedup : KeysWord::barrier;
}

void fill(Random& random, v1::Operation& out, const std::string& path, KeysWord::Value keys) {
  out.set_participant(fmt::format("p{}", random.below(kParticipants)));
  out.set_path(path);
  out.set_protocol(static_cast<v1::Protocol::Value>(random.between(2, 3)));
  out.set_keys(keys);
  out.set_timeout_ms(static_cast<std::uint32_t>(random.between(20, 300)));
  v1::RetryPolicy& retry = *out.mutable_retry();
  retry.set_initial_ms(static_cast<std::uint32_t>(random.between(1, 50)));
  retry.set_delay_max_ms(static_cast<std::uint32_t>(random.between(50, 2'000)));
  retry.set_total_max_ms(random.between(50, 5'000));
  if (random.chance(0.2)) (*out.mutable_outcomes())["503"] = v1::OutcomeKind::not_executed;
}

void make_call(Random& random, v1::Step& step, v1::CallClass::Value call_class,
               const DefinitionTaste& taste) {
  const auto keys = random_keys(random, taste);
  step.set_class_(call_class);
  fill(random, *step.mutable_action(), "/" + step.name(), keys);
  step.mutable_payload()->set_text(fmt::format(R"({{"step":"{}"}})", step.name()));
  if (call_class != v1::CallClass::compensatable) return;
  if (random.chance(0.1)) {
    step.set_no_undo("harmless");
  } else {
    fill(random, *step.mutable_compensation(), "/undo_" + step.name(), keys);
  }
}

void make_wait(Random& random, v1::Step& step) {
  if (random.chance(0.6))
    step.mutable_wait()->set_signal(fmt::format("s{}", random.below(kSignals)));
  step.mutable_wait()->set_timeout_ms(random.between(10, 5'000));
  if (random.chance(0.2)) step.mutable_wait()->set_on_timeout(v1::OnTimeout::reject);
}

}  // namespace

DefinitionPtr random_inline_definition(Random& random, const std::string& name,
                                       const DefinitionTaste& taste) {
  v1::Definition data;
  data.set_name(name);
  data.set_version(1);
  if (random.chance(0.3)) data.set_deadline_ms(random.between(20, 20'000));
  const auto next = [&]() -> v1::Step& {
    v1::Step& step = *data.add_steps();
    step.set_name(fmt::format("t{}", data.steps_size()));
    return step;
  };
  for (std::uint64_t i = random.between(0, 3); i > 0; --i) {
    v1::Step& step = next();
    if (random.chance(0.25)) {
      make_wait(random, step);
    } else {
      make_call(random, step, v1::CallClass::compensatable, taste);
    }
    // One after another, or beside what is there: the pivot needs all of them.
    if (random.chance(0.4)) step.mutable_after();
  }
  v1::Step& pivot = next();
  for (int i = 0; i + 1 < data.steps_size(); ++i) {
    pivot.mutable_after()->add_steps(data.steps(i).name());
  }
  if (random.chance(0.25)) {
    pivot.set_class_(v1::CallClass::pivot);
    make_wait(random, pivot);
  } else {
    make_call(random, pivot, v1::CallClass::pivot, taste);
  }
  for (std::uint64_t i = random.between(0, 2); i > 0; --i) {
    make_call(random, next(), v1::CallClass::retriable, taste);
  }
  auto read = wire::read_definition(data, {});
  SKALD_CHECK(read.has_value(), "{}", read.error().message);
  return *read;
}

}  // namespace skald::sim
