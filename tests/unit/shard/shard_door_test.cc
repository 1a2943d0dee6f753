#include "engine/shard/shard_door.h"

#include <gtest/gtest.h>

#include "engine/base/hash.h"
#include "tests/unit/shard/shard_fixture.h"

namespace skald {
namespace {

constexpr std::uint64_t kKey = 0x1234'5678'9ABC'DEF0;

TEST(ShardDoor, RefusesByTheNameOfTheLimitAndSaysWhenToComeAgain) {
  ShardDoor door(2, 5);
  door.show(1, 1);
  EXPECT_FALSE(door.no_room().has_value());

  door.show(2, 2);
  ASSERT_TRUE(door.no_room().has_value());
  EXPECT_EQ(door.no_room()->code, Errc::resource_exhausted);
  EXPECT_NE(door.no_room()->message.find("active_sagas_max"), std::string::npos);
  EXPECT_EQ(door.no_room()->retry_after_s, kBusyRetryAfterS);

  door.show(1, 5);
  ASSERT_TRUE(door.no_room().has_value());
  EXPECT_NE(door.no_room()->message.find("waiters_max"), std::string::npos);
}

TEST(ShardDoor, SubmissionsThatAreOnTheirWayTakeRoom) {
  ShardDoor door(2, 5);
  door.show(1, 0);
  door.comes(kKey);
  EXPECT_TRUE(door.no_room().has_value());
  door.came(kKey);
  EXPECT_FALSE(door.no_room().has_value());
}

TEST(ShardDoor, DeniesAKeyOnlyWhileNobodyHoldsIt) {
  ShardDoor door(2, 5);
  EXPECT_FALSE(door.may_know(kKey));
  door.comes(kKey);
  EXPECT_TRUE(door.may_know(kKey));
  door.key_held(kKey);  // the shard takes it over before it has come
  door.came(kKey);
  EXPECT_TRUE(door.may_know(kKey));
  door.key_let_go(kKey);
  EXPECT_FALSE(door.may_know(kKey));
  door.comes(std::nullopt);  // without a key
  EXPECT_FALSE(door.may_know(kKey));
}

class ShardWithDoor : public ShardTest {
 protected:
  ShardWithDoor() : ShardTest(ShardOptions{.sagas_max = 3, .door = &door_}) {}

  static std::uint64_t hash(std::string_view key) { return hash64(key); }
  void key_is_new(const std::string& key) {
    shard_.step(now_, input::KeyLoaded{.key = key, .row = std::optional<KeyRow>{}});
  }

  ShardDoor door_{3, 100};
};

TEST_F(ShardWithDoor, IsSeenFullFromTheSagaThatFillsItUntilOneHasLeftDurably) {
  // given
  const auto definition = definition_of({call("a", CallClass::pivot)});
  for (Ticket ticket = 1; ticket <= 2; ++ticket) submit(ticket, definition);
  EXPECT_FALSE(door_.no_room().has_value());
  // when the last place is taken
  submit(3, definition);
  const Ready begun = shard_.ready();
  EXPECT_TRUE(door_.no_room().has_value());
  // then it is full until an ended saga is durable
  reply(begun.calls.front(), OutcomeKind::succeeded);
  const Ready ended = shard_.ready();
  EXPECT_TRUE(door_.no_room().has_value());
  shard_.advance(ended.number);
  EXPECT_FALSE(door_.no_room().has_value());
}

TEST_F(ShardWithDoor, AKeyIsKnownFromItsLookUntilItsSagaHasLeft) {
  const auto definition = definition_of({call("a", CallClass::pivot)});
  submit(1, definition, "k");
  EXPECT_TRUE(door_.may_know(hash("k")));  // its row is looked for
  key_is_new("k");
  EXPECT_TRUE(door_.may_know(hash("k")));
  const Ready begun = shard_.ready();
  reply(begun.calls.front(), OutcomeKind::succeeded);
  const Ready ended = shard_.ready();
  EXPECT_TRUE(door_.may_know(hash("k")));  // not in the store yet
  shard_.advance(ended.number);
  EXPECT_FALSE(door_.may_know(hash("k")));
}

TEST_F(ShardWithDoor, AKeyWhoseSubmissionIsRefusedIsNotKnown) {
  const auto definition = definition_of({call("a", CallClass::pivot)});
  for (Ticket ticket = 1; ticket <= 3; ++ticket) submit(ticket, definition);
  submit(4, definition, "k");
  key_is_new("k");
  EXPECT_FALSE(door_.may_know(hash("k")));
  EXPECT_EQ(shard_.counters().refused, 1U);
}

TEST_F(ShardWithDoor, WhereItIsClosedForAnotherReasonTheShardSaysSo) {
  const auto definition = definition_of({call("a", CallClass::pivot)});
  for (Ticket ticket = 1; ticket <= 3; ++ticket) submit(ticket, definition);
  ASSERT_TRUE(door_.no_room().has_value());
  shard_.step(now_, input::Admission{.closed = Error{Errc::unavailable, "draining"}});
  EXPECT_FALSE(door_.no_room().has_value());
  shard_.step(now_, input::Admission{});
  EXPECT_TRUE(door_.no_room().has_value());
  shard_.fail(now_, {Errc::unavailable, "writing has ended"});
  EXPECT_FALSE(door_.no_room().has_value());
}

TEST_F(ShardWithDoor, ASagaThatIsLoadedAgainBringsItsKeyBack) {
  const auto definition = definition_of({call("a", CallClass::pivot)});
  submit(1, definition, "k");
  key_is_new("k");
  const Ready begun = shard_.ready();
  const SagaState running = *shard_.find(begun.calls.front().saga_id);
  ShardDoor other{3, 100};
  Shard again({.sagas_max = 3, .door = &other}, table_,
              Gates({.limit_of = [](std::string_view) { return 9U; }}),
              [](std::span<const Event> events, Bytes& out) { out.append(events.size(), 'e'); });
  again.step(now_, input::Recover{.sagas = {running.id}});
  again.step(now_, input::SagaLoaded{.id = running.id, .state = std::optional(running)});
  EXPECT_TRUE(other.may_know(hash("k")));
}

}  // namespace
}  // namespace skald
