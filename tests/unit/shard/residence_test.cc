// How long a saga stays in memory, and what it does when it comes back into it.
#include <gtest/gtest.h>

#include "engine/shard/shard.h"

namespace skald {
namespace {

constexpr Instant kNow = from_unix_ms(1'700'000'000'000);

DefinitionPtr pay() {
  StepDefinition step;
  step.name = "pay";
  step.call_class = CallClass::pivot;
  step.action.method = {.participant = "p", .path = "/pay", .keys = KeysMode::barrier};
  step.legs = [](const Facts&) -> Result<std::vector<LegPlan>> {
    return std::vector<LegPlan>{{.key = "", .request = "pay"}};
  };
  return seal({.name = "d", .version = 1, .steps = {std::move(step)}}).value();
}

class ResidenceTest : public testing::Test {
 protected:
  Shard make_shard() const {
    return {{},
            table_,
            Gates({.limit_of = [](std::string_view) { return 1U; }}),
            [](std::span<const Event> events, Bytes& out) { out.append(events.size(), 'e'); }};
  }
  void submit(Shard& shard, Ticket ticket) const {
    shard.step(
        kNow,
        input::Submit{
            .ticket = ticket, .definition = definition_, .input = "in", .mode = WaitMode::done});
  }

  DefinitionPtr definition_ = pay();
  DefinitionTable table_{{definition_}, nullptr};
};

TEST_F(ResidenceTest, AFinishedSagaIsAskedInMemoryUntilItsEndIsDurable) {
  Shard shard = make_shard();
  submit(shard, 1);
  const Ready begun = shard.ready();
  ASSERT_EQ(begun.calls.size(), 1U);
  const Invocation& call = begun.calls.front();
  shard.step(kNow, input::Reply{.saga = call.saga_id,
                                .leg = call.ref,
                                .attempt = call.attempt,
                                .lane = call.lane,
                                .outcome = {.kind = OutcomeKind::succeeded, .code = "ok"}});
  const std::uint64_t end = shard.ready().number;

  // The store may not have it yet.
  for (const Ticket ticket : {2U, 3U}) {
    shard.step(kNow, input::Wait{.ticket = ticket, .saga = call.saga_id});
    const Ready asked = shard.ready();
    EXPECT_TRUE(asked.loads.empty());
    EXPECT_EQ(asked.answers.size(), 1U);
    EXPECT_EQ(asked.number, end);
  }

  shard.advance(end);
  EXPECT_EQ(shard.resident(), 0U);
}

TEST_F(ResidenceTest, ASagaThatOnlyWaitedForRoomIsSentAfterTheRestart) {
  Shard before = make_shard();
  submit(before, 1);
  submit(before, 2);
  const Ready begun = before.ready();
  ASSERT_EQ(begun.calls.size(), 1U) << "there is room for one";
  ASSERT_EQ(begun.transitions.size(), 2U);
  const SagaId waits = begun.transitions.back().id;
  ASSERT_NE(waits, begun.calls.front().saga_id);
  const SagaState stored = *before.find(waits);

  Shard after = make_shard();
  after.step(kNow, input::Recover{.sagas = {waits}});
  ASSERT_EQ(after.ready().loads.size(), 1U);
  after.step(kNow, input::SagaLoaded{.id = waits, .state = stored});

  EXPECT_EQ(after.ready().calls.size(), 1U);
}

}  // namespace
}  // namespace skald
