// The outbox: what is to be told is written with what it tells.
#include <algorithm>

#include "tests/unit/shard/shard_fixture.h"

namespace skald {
namespace {

std::uint32_t only(AlertKind kind) { return 1U << static_cast<unsigned>(kind); }

class OutboxTest : public testing::Test {
 protected:
  OutboxTest() : OutboxTest({{.name = "pager", .kinds = ~0U}}) {}
  explicit OutboxTest(std::vector<AlertTarget> targets)
      : shard_({.alerts = {.targets = std::move(targets),
                           .retries_over = 3,
                           .outbox_max = 3,
                           .encode = [](const Alert& alert, Bytes& out) { out = alert.code; }}},
               table_, Gates({.limit_of = [](std::string_view) { return 100U; }, .breaker = {}}),
               [](std::span<const Event> events, Bytes& out) { out.append(events.size(), 'e'); }) {}

  void submit(const DefinitionPtr& definition) {
    shard_.step(now_, input::Submit{.ticket = ++ticket_, .definition = definition});
  }
  void reply(const Invocation& call, Outcome outcome) {
    shard_.step(now_, input::Reply{.saga = call.saga_id,
                                   .leg = call.ref,
                                   .operation = call.operation,
                                   .attempt = call.attempt,
                                   .lane = call.lane,
                                   .outcome = std::move(outcome),
                                   .response = {}});
  }
  /// A saga that nobody but a person can settle, and the Ready in which that is written.
  Ready get_stuck() {
    StepDefinition pivot = call("pay", CallClass::pivot);
    pivot.action.method.keys = KeysMode::none;
    submit(definition_of({pivot}));
    const Ready sent = shard_.ready();
    reply(sent.calls.front(), {.kind = OutcomeKind::unknown, .code = "reset", .message = {}});
    return shard_.ready();
  }
  static std::size_t kept(const Ready& ready, std::string_view kind) {
    return static_cast<std::size_t>(std::ranges::count_if(ready.notes, [kind](const Note& note) {
      return note.name.starts_with("outbox/") && note.name.ends_with(kind) && note.value;
    }));
  }

  Instant now_ = kStart;
  Ticket ticket_ = 0;
  DefinitionTable table_{{}, nullptr};
  Shard shard_;
};

class SilentOutboxTest : public OutboxTest {
 protected:
  SilentOutboxTest() : OutboxTest(std::vector<AlertTarget>()) {}
};
class ChoosyOutboxTest : public OutboxTest {
 protected:
  ChoosyOutboxTest()
      : OutboxTest({{.name = "pager", .kinds = only(AlertKind::stuck)},
                    {.name = "chat", .kinds = only(AlertKind::compensated)}}) {}
};

TEST_F(OutboxTest, TheNoteIsInTheWriteThatMakesTheSagaStuck) {
  const Ready ready = get_stuck();
  ASSERT_EQ(ready.transitions.size(), 1U);
  EXPECT_EQ(ready.transitions.front().after->status, SagaStatus::stuck);
  ASSERT_EQ(ready.notes.size(), 1U);
  ASSERT_EQ(ready.alerts.size(), 1U);
  const Alert& alert = ready.alerts.front();
  EXPECT_EQ(ready.notes.front().name, outbox_note_name("pager", alert));
  EXPECT_EQ(alert.kept_for, 1U);
  EXPECT_EQ(alert.leg, "pay");
  EXPECT_NE(alert.cause, CauseId{});
}

TEST_F(SilentOutboxTest, WithoutAnybodyToTellNothingIsWritten) {
  const Ready ready = get_stuck();
  EXPECT_TRUE(ready.notes.empty());
  EXPECT_EQ(ready.alerts.size(), 1U) << "it is logged all the same";
}

TEST_F(ChoosyOutboxTest, EachIsToldOfWhatItWants) {
  const Ready stuck = get_stuck();
  ASSERT_EQ(stuck.notes.size(), 1U);
  EXPECT_TRUE(stuck.notes.front().name.starts_with("outbox/pager/"));
  submit(definition_of({call("pay", CallClass::pivot)}));
  reply(shard_.ready().calls.front(), {.kind = OutcomeKind::rejected, .code = "no", .message = {}});
  const Ready undone = shard_.ready();
  ASSERT_EQ(undone.notes.size(), 1U);
  EXPECT_TRUE(undone.notes.front().name.starts_with("outbox/chat/"));
}

TEST_F(OutboxTest, ASagaThatWasStuckTellsThatItCompleted) {
  const Ready stuck = get_stuck();
  const SagaId id = stuck.transitions.front().id;
  shard_.step(now_, input::Act{.ticket = 90,
                               .saga = id,
                               .act = command::Resolve{.actor = {.name = "ann", .reason = "seen"},
                                                       .leg = "pay",
                                                       .happened = true}});
  const Ready ready = shard_.ready();
  EXPECT_EQ(kept(ready, "/completed_after_stuck"), 1U);
  submit(definition_of({call("pay", CallClass::pivot)}));
  reply(shard_.ready().calls.front(), {.kind = OutcomeKind::succeeded, .code = {}, .message = {}});
  EXPECT_TRUE(shard_.ready().notes.empty()) << "what never was stuck is no news";
}

TEST_F(OutboxTest, FailuresInARowAreToldOnceWhenTheyReachTheLimit) {
  submit(definition_of({call("pay", CallClass::pivot)}));
  Invocation sent = shard_.ready().calls.front();
  std::vector<std::size_t> told;
  for (int i = 0; i < 5; ++i) {
    reply(sent, {.kind = OutcomeKind::not_executed, .code = "down", .message = {}});
    const Ready ready = shard_.ready();
    told.push_back(kept(ready, "/retries"));
    now_ += Millis{5'000};
    shard_.step(now_, input::Tick{});
    const Ready again = shard_.ready();
    if (again.calls.empty()) break;
    sent = again.calls.front();
  }
  ASSERT_GE(told.size(), 3U);
  told.resize(3);
  EXPECT_EQ(told, (std::vector<std::size_t>{0, 0, 1}));
}

TEST_F(OutboxTest, AFullOutboxRefusesAndSaysSoUntilSomethingLeaves) {
  shard_.step(now_, input::Outbox{.found = 2, .leaving = {}});
  EXPECT_EQ(get_stuck().notes.size(), 1U);
  const Ready full = get_stuck();
  EXPECT_TRUE(full.notes.empty());
  ASSERT_EQ(full.alerts.size(), 1U);
  EXPECT_TRUE(full.alerts.front().outbox_was_full);
  EXPECT_EQ(shard_.counters().alerts_not_kept, 1U);
  shard_.step(now_, input::Outbox{.leaving = {"outbox/pager/x/1/stuck"}});
  const Ready left = shard_.ready();
  ASSERT_EQ(left.notes.size(), 1U);
  EXPECT_FALSE(left.notes.front().value);
  EXPECT_EQ(get_stuck().notes.size(), 1U);
}

TEST_F(OutboxTest, WhatNoSagaTellsIsWrittenWithItsOwnNote) {
  shard_.step(now_, input::Tell{.ticket = 7,
                                .alert = {.kind = AlertKind::batch_finished,
                                          .subject = "batch-3",
                                          .text = "2 of 2 done"},
                                .notes = {{.name = "batch/3", .value = "done"}}});
  const Ready ready = shard_.ready();
  EXPECT_EQ(ready.notes.size(), 2U);
  EXPECT_EQ(kept(ready, "outbox/pager/batch-3/0/batch_finished"), 1U);
  ASSERT_EQ(ready.answers.size(), 1U);
  EXPECT_TRUE(std::get<bool>(ready.answers.front().body));
}

}  // namespace
}  // namespace skald
