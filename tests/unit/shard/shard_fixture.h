// A shard without store, thread or clock: the test plays the driver.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "engine/shard/shard.h"

namespace skald {

inline constexpr Instant kStart = from_unix_ms(1'700'000'000'000);

inline StepDefinition call(const std::string& name, CallClass call_class, std::size_t legs = 1) {
  StepDefinition step;
  step.name = name;
  step.kind = StepKind::call;
  step.call_class = call_class;
  step.for_each = legs != 1;
  step.parallel = static_cast<std::uint32_t>(legs);
  step.action.method = {.participant = "p", .path = "/" + name, .keys = KeysMode::barrier};
  step.legs = [name, legs](const Facts&) -> Result<std::vector<LegPlan>> {
    std::vector<LegPlan> plans;
    for (std::size_t i = 0; i < legs; ++i) {
      plans.push_back({.key = legs == 1 ? "" : fmt::format("{}", i), .request = name});
    }
    return plans;
  };
  if (call_class == CallClass::compensatable) {
    step.compensation = step.action;
    step.undo = [](const Facts&, const Bytes& request, const Bytes*) -> Result<Bytes> {
      return "undo " + request;
    };
  }
  return step;
}

inline DefinitionPtr definition_of(std::vector<StepDefinition> steps) {
  auto sealed = seal({.name = "d", .version = 1, .steps = std::move(steps)});
  EXPECT_TRUE(sealed.has_value()) << (sealed ? "" : sealed.error().message);
  return *sealed;
}

class ShardTest : public testing::Test {
 protected:
  explicit ShardTest(std::uint32_t in_flight_max = 100)
      : ShardTest({.sagas_max = 3, .timer_window = Millis{60'000}}, in_flight_max) {}
  explicit ShardTest(ShardOptions options, std::uint32_t in_flight_max = 100)
      : shard_(options, table_,
               Gates({.limit_of = [in_flight_max](std::string_view) { return in_flight_max; }}),
               [](std::span<const Event> events, Bytes& out) { out.append(events.size(), 'e'); }) {}

  void submit(Ticket ticket, const DefinitionPtr& definition, const std::string& key = "",
              WaitMode mode = WaitMode::done, Instant until = kNever) {
    shard_.step(now_, input::Submit{.ticket = ticket,
                                    .definition = definition,
                                    .input = "in",
                                    .idempotency_key = key,
                                    .body_hash = 7,
                                    .mode = mode,
                                    .wait_until = until});
  }
  void reply(const Invocation& call, OutcomeKind kind) {
    shard_.step(now_, input::Reply{.saga = call.saga_id,
                                   .leg = call.ref,
                                   .operation = call.operation,
                                   .attempt = call.attempt,
                                   .lane = call.lane,
                                   .outcome = {.kind = kind, .code = "x", .message = {}},
                                   .response = {}});
  }

  Instant now_ = kStart;
  DefinitionTable table_{{}, nullptr};
  Shard shard_;
};

class NarrowShardTest : public ShardTest {
 protected:
  NarrowShardTest() : ShardTest(2) {}
};

}  // namespace skald
