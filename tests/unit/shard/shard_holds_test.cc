// Holds, breakers and notes as a shard sees them.
#include "tests/unit/shard/shard_fixture.h"

namespace skald {
namespace {

TEST_F(ShardTest, NothingIsSentToAHeldParticipantUntilItIsReleased) {
  shard_.step(now_, input::Hold{.participant = "p"});
  submit(1, definition_of({call("a", CallClass::pivot)}));
  const Ready held = shard_.ready();
  EXPECT_EQ(held.transitions.size(), 1U) << "the saga is durable all the same";
  EXPECT_TRUE(held.calls.empty());
  shard_.step(now_, input::Hold{.participant = "p", .held = false});
  EXPECT_EQ(shard_.ready().calls.size(), 1U);
}

TEST_F(ShardTest, AnOpenBreakerSpendsNoAttemptAndOneAttemptTries) {
  const auto definition = definition_of({call("a", CallClass::pivot)});
  submit(1, definition);
  Invocation sent = shard_.ready().calls.front();
  const std::uint32_t failures = BreakerPolicy{}.failures_to_open;
  for (std::uint32_t i = 1; i < failures; ++i) {
    reply(sent, OutcomeKind::unknown);
    now_ += Millis{60'000};
    shard_.step(now_, input::Tick{});
    sent = shard_.ready().calls.front();
  }
  reply(sent, OutcomeKind::unknown);  // the breaker opens
  submit(2, definition);
  const Ready refused = shard_.ready();
  EXPECT_TRUE(refused.calls.empty());
  EXPECT_LE(refused.wake_at, now_ + BreakerPolicy{}.open_for);
  now_ += BreakerPolicy{}.open_for;
  shard_.step(now_, input::Tick{});
  const Ready trying = shard_.ready();
  ASSERT_EQ(trying.calls.size(), 1U) << "of both sagas one tries";
  reply(trying.calls.front(), OutcomeKind::succeeded);
  // It has healed: whoever waited goes.
  EXPECT_EQ(shard_.gates().loads().front().breaker, BreakerState::closed);
}

TEST_F(ShardTest, WhatWaitsForAHeldParticipantGoesWhereAPersonSendsIt) {
  // Given a call that waits for a participant that is held.
  const auto definition = definition_of({call("a", CallClass::pivot)});
  shard_.step(now_, input::Hold{.participant = "p"});
  submit(1, definition);
  const SagaId id = shard_.ready().transitions.front().id;
  // When a person sends it elsewhere, it goes at once.
  shard_.step(now_, input::Act{.saga = id,
                               .act = command::Amend{.actor = {.name = "op", .reason = "moved"},
                                                     .leg = "a",
                                                     .request = {},
                                                     .endpoint = Endpoint{"q", "/a"},
                                                     .operation = {}}});
  const Ready moved = shard_.ready();
  ASSERT_EQ(moved.calls.size(), 1U);
  EXPECT_EQ(moved.calls.front().method->participant, "q");
  reply(moved.calls.front(), OutcomeKind::succeeded);
  // Then its old place is void, and no room is taken for good.
  shard_.step(now_, input::Hold{.participant = "p", .held = false});
  EXPECT_TRUE(shard_.ready().calls.empty());
  for (const Gates::Load& load : shard_.gates().loads()) {
    EXPECT_EQ(load.in_flight, 0U) << load.participant;
    EXPECT_EQ(load.queued, 0U) << load.participant;
  }
}

TEST_F(ShardTest, ANoteIsAnsweredWithTheWriteThatHoldsIt) {
  shard_.step(now_, input::WriteNotes{.ticket = 5, .notes = {{.name = "n", .value = "v"}}});
  const Ready ready = shard_.ready();
  ASSERT_EQ(ready.notes.size(), 1U);
  EXPECT_TRUE(ready.has_writes());
  EXPECT_EQ(ready.number, 1U);
  ASSERT_EQ(ready.answers.size(), 1U);
}

}  // namespace
}  // namespace skald
