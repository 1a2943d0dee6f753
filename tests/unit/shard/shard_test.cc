// The shard's half of the Ready contract: what is loaded, persisted, sent and answered, and in
// which order. No store, thread or clock: the test plays the driver.
#include "engine/shard/shard.h"

#include "engine/core/evolve.h"
#include "tests/unit/shard/shard_fixture.h"

namespace skald {
namespace {

TEST_F(ShardTest, ACallLeavesOnlyWithTheReadyThatHoldsItsIntent) {
  submit(1, definition_of({call("a", CallClass::pivot)}));
  const Ready ready = shard_.ready();
  ASSERT_EQ(ready.transitions.size(), 1U);
  ASSERT_EQ(ready.calls.size(), 1U);
  EXPECT_EQ(ready.number, 1U);
  EXPECT_EQ(ready.calls.front().idempotency_key, ready.transitions.front().id.text() + "/a/action");
  EXPECT_TRUE(ready.answers.empty());
  // Nothing new: the next Ready writes nothing and keeps the number.
  EXPECT_EQ(shard_.ready().number, 1U);
}

TEST_F(ShardTest, TheAnswerOfAFinishedSagaComesWithItsLastWrite) {
  submit(1, definition_of({call("a", CallClass::pivot)}));
  const Ready first = shard_.ready();
  reply(first.calls.front(), OutcomeKind::succeeded);
  const Ready second = shard_.ready();
  ASSERT_EQ(second.answers.size(), 1U);
  EXPECT_EQ(second.number, 2U);
  EXPECT_EQ(std::get<SagaAnswer>(second.answers.front().body).status, SagaStatus::completed);
  // It leaves memory when that is durable, not before.
  EXPECT_EQ(shard_.resident(), 1U);
  shard_.advance(2);
  EXPECT_EQ(shard_.resident(), 0U);
}

StepDefinition query(const std::string& name) {
  StepDefinition step = call(name, CallClass::none);
  step.kind = StepKind::query;
  return step;
}

TEST_F(ShardTest, AStartWaitsForTheFirstIntentWhileAQueryIsInFlight) {
  submit(1, definition_of({query("q"), call("p", CallClass::pivot)}));
  const Ready asked = shard_.ready();
  ASSERT_EQ(asked.queries.size(), 1U);
  EXPECT_TRUE(asked.transitions.empty());
  reply(asked.queries.front(), OutcomeKind::succeeded);
  const Ready intended = shard_.ready();
  ASSERT_EQ(intended.transitions.size(), 1U);
  EXPECT_EQ(intended.transitions.front().first_seq, 1U);
  EXPECT_EQ(intended.calls.size(), 1U);
}

TEST_F(ShardTest, AStartIsWrittenBeforeAnybodyIsTold) {
  const auto definition = definition_of({query("q"), call("p", CallClass::pivot)});
  submit(1, definition, "", WaitMode::accepted);
  const Ready accepted = shard_.ready();
  ASSERT_EQ(accepted.answers.size(), 1U);
  EXPECT_EQ(accepted.transitions.size(), 1U);
  EXPECT_EQ(accepted.number, 1U);

  submit(2, definition, "", WaitMode::done, now_ + Millis{100});
  EXPECT_TRUE(shard_.ready().transitions.empty());
  now_ += Millis{100};
  shard_.step(now_, input::Tick{});
  const Ready late = shard_.ready();
  ASSERT_EQ(late.answers.size(), 1U);
  EXPECT_TRUE(std::get<SagaAnswer>(late.answers.front().body).timed_out);
  EXPECT_EQ(late.transitions.size(), 1U);
  EXPECT_EQ(late.number, 2U);
}

TEST_F(ShardTest, AStartIsWrittenWhenItsQueryHasNoAnswer) {
  submit(1, definition_of({query("q"), call("p", CallClass::pivot)}));
  reply(shard_.ready().queries.front(), OutcomeKind::unknown);
  EXPECT_EQ(shard_.ready().transitions.size(), 1U);
}

TEST_F(ShardTest, SuccessesThatWouldBeToldAgainAreWrittenWithTheLastOfThem) {
  submit(1, definition_of({call("a", CallClass::compensatable, 3), call("p", CallClass::pivot)}));
  const Ready sent = shard_.ready();
  ASSERT_EQ(sent.calls.size(), 3U);
  reply(sent.calls[0], OutcomeKind::succeeded);
  reply(sent.calls[1], OutcomeKind::succeeded);
  EXPECT_TRUE(shard_.ready().transitions.empty());
  reply(sent.calls[2], OutcomeKind::succeeded);
  const Ready next = shard_.ready();
  ASSERT_EQ(next.transitions.size(), 1U);
  EXPECT_EQ(next.calls.size(), 1U);  // the pivot, whose intent is in the same write
}

TEST_F(ShardTest, ASuccessIsWrittenAtOnceWhereNobodyWouldTellItAgain) {
  StepDefinition keyless = call("a", CallClass::compensatable, 2);
  keyless.action.method.keys = KeysMode::none;
  submit(1, definition_of({keyless, call("p", CallClass::pivot)}));
  reply(shard_.ready().calls[0], OutcomeKind::succeeded);
  EXPECT_EQ(shard_.ready().transitions.size(), 1U);
}

TEST_F(ShardTest, ASuccessIsWrittenWhenTheOtherHasNoAnswer) {
  submit(1, definition_of({call("a", CallClass::compensatable, 2), call("p", CallClass::pivot)}));
  const Ready sent = shard_.ready();
  reply(sent.calls[0], OutcomeKind::succeeded);
  EXPECT_TRUE(shard_.ready().transitions.empty());
  reply(sent.calls[1], OutcomeKind::unknown);
  EXPECT_EQ(shard_.ready().transitions.size(), 1U);
}

TEST_F(ShardTest, RacingSubmissionsOfOneKeyAskTheStoreOnceAndMakeOneSaga) {
  const auto definition = definition_of({call("a", CallClass::pivot)});
  for (Ticket ticket = 1; ticket <= 5; ++ticket)
    submit(ticket, definition, "k", WaitMode::accepted);
  const Ready asked = shard_.ready();
  EXPECT_EQ(asked.loads.size(), 1U);
  EXPECT_TRUE(asked.transitions.empty());
  shard_.step(now_, input::KeyLoaded{.key = "k", .row = std::optional<KeyRow>{}});
  const Ready made = shard_.ready();
  EXPECT_EQ(made.transitions.size(), 1U);
  EXPECT_TRUE(made.transitions.front().new_key.has_value());
  ASSERT_EQ(made.answers.size(), 5U);
  int created = 0;
  for (const ShardAnswer& answer : made.answers)
    created += std::get<SagaAnswer>(answer.body).created;
  EXPECT_EQ(created, 1);
}

TEST_F(ShardTest, AKeyUsedWithAnotherBodyIsAConflict) {
  submit(1, definition_of({call("a", CallClass::pivot)}), "k");
  (void)shard_.ready();
  const SagaId old{.placement = 1, .serial = 2};
  shard_.step(
      now_, input::KeyLoaded{
                .key = "k", .row = std::optional(KeyRow{.key = "k", .saga = old, .body_hash = 8})});
  const Ready ready = shard_.ready();
  ASSERT_EQ(ready.answers.size(), 1U);
  const auto& error = std::get<Error>(ready.answers.front().body);
  EXPECT_EQ(error.code, Errc::already_exists);
  EXPECT_NE(error.message.find(old.text()), std::string::npos);
}

TEST_F(ShardTest, EveryCallerThatAwaitsALoadOfAFinishedSagaIsAnswered) {
  const auto definition = definition_of({call("a", CallClass::pivot)});
  submit(1, definition, "k");
  shard_.step(now_, input::KeyLoaded{.key = "k", .row = std::optional<KeyRow>{}});
  const Ready begun = shard_.ready();
  reply(begun.calls.front(), OutcomeKind::succeeded);
  const Ready ended = shard_.ready();
  const SagaId id = begun.calls.front().saga_id;
  const SagaState finished = *shard_.find(id);
  shard_.advance(ended.number);
  ASSERT_EQ(shard_.resident(), 0U);

  for (Ticket ticket = 2; ticket <= 4; ++ticket) submit(ticket, definition, "k");
  (void)shard_.ready();
  const KeyRow row{.key = "k", .saga = id, .body_hash = 7};
  shard_.step(now_, input::KeyLoaded{.key = "k", .row = std::optional(row)});
  ASSERT_EQ(shard_.ready().loads.size(), 1U);
  shard_.step(now_, input::SagaLoaded{.id = id, .state = std::optional(finished)});
  const Ready told = shard_.ready();
  ASSERT_EQ(told.answers.size(), 3U);
  for (const ShardAnswer& answer : told.answers) {
    ASSERT_TRUE(std::holds_alternative<SagaAnswer>(answer.body));
    EXPECT_EQ(std::get<SagaAnswer>(answer.body).status, SagaStatus::completed);
  }
  EXPECT_EQ(shard_.resident(), 0U);
}

TEST_F(NarrowShardTest, NoMoreAttemptsAreOutThanTheParticipantsLimit) {
  submit(1, definition_of({call("a", CallClass::compensatable, 5), call("p", CallClass::pivot)}));
  const Ready first = shard_.ready();
  ASSERT_EQ(first.calls.size(), 2U);
  // Every answer makes room for one that waits, whose intent is written only now.
  reply(first.calls[0], OutcomeKind::succeeded);
  const Ready second = shard_.ready();
  EXPECT_EQ(second.calls.size(), 1U);
  EXPECT_FALSE(second.transitions.empty());
}

TEST_F(ShardTest, BeyondItsLimitSubmissionsAreRefusedAndNothingElse) {
  const auto definition = definition_of({call("a", CallClass::pivot)});
  for (Ticket ticket = 1; ticket <= 4; ++ticket) submit(ticket, definition);
  const Ready ready = shard_.ready();
  EXPECT_EQ(ready.transitions.size(), 3U);
  ASSERT_EQ(ready.answers.size(), 1U);
  const auto& error = std::get<Error>(ready.answers.front().body);
  EXPECT_EQ(error.code, Errc::resource_exhausted);
  EXPECT_NE(error.message.find("active_sagas_max"), std::string::npos);
}

TEST_F(ShardTest, AnImpatientCallerIsAnsweredInTimeAndTheSagaGoesOn) {
  submit(1, definition_of({call("a", CallClass::pivot)}), "", WaitMode::done, now_ + Millis{50});
  const Ready first = shard_.ready();
  EXPECT_LE(first.wake_at, now_ + Millis{50});
  now_ += Millis{50};
  shard_.step(now_, input::Tick{});
  const Ready second = shard_.ready();
  ASSERT_EQ(second.answers.size(), 1U);
  EXPECT_TRUE(std::get<SagaAnswer>(second.answers.front().body).timed_out);
  EXPECT_EQ(shard_.resident(), 1U);
}

TEST_F(ShardTest, AWaitingSagaLeavesMemoryWithATimerRow) {
  StepDefinition wait;
  wait.name = "w";
  wait.kind = StepKind::wait;
  wait.wait.timeout = Millis{5'000};
  submit(1, definition_of({wait, call("p", CallClass::pivot)}), "", WaitMode::accepted);
  const Ready ready = shard_.ready();
  ASSERT_EQ(ready.transitions.size(), 1U);
  EXPECT_EQ(ready.transitions.front().timer_after, now_ + Millis{5'000});
  ASSERT_TRUE(ready.transitions.front().after.has_value());
  EXPECT_TRUE(ready.transitions.front().after->waiting);
  shard_.advance(ready.number);
  EXPECT_EQ(shard_.resident(), 0U);
}

TEST_F(ShardTest, AWaitingSagaWhoseDefinitionIsGoneBecomesActiveAndLosesItsTimerRow) {
  // given a saga that waits, and another process that does not know its definition
  StepDefinition wait;
  wait.name = "w";
  wait.kind = StepKind::wait;
  wait.wait.timeout = Millis{5'000};
  submit(1, definition_of({wait, call("p", CallClass::pivot)}), "", WaitMode::accepted);
  const Ready written = shard_.ready();
  const SagaId id = written.transitions.front().id;
  const SagaState state = *shard_.find(id);
  Shard without({}, table_, Gates({.limit_of = [](std::string_view) { return 1U; }}),
                [](std::span<const Event> events, Bytes& out) { out.append(events.size(), 'e'); });
  // when it is loaded there
  without.step(now_, input::Recover{.sagas = {id}});
  without.step(now_, input::SagaLoaded{.id = id, .state = state});
  const Ready ready = without.ready();
  // then what changes starts from the rows that are in the store
  ASSERT_EQ(ready.transitions.size(), 1U);
  const Transition& row = ready.transitions.front();
  EXPECT_EQ(row.timer_before, written.transitions.front().timer_after);
  EXPECT_EQ(row.timer_after, std::nullopt);
  EXPECT_EQ(row.before, written.transitions.front().after);
  ASSERT_TRUE(row.after.has_value());
  EXPECT_FALSE(row.after->waiting);
}

TEST_F(ShardTest, AfterAFailedWriteWaitingCallersAreToldAndNothingIsSent) {
  submit(1, definition_of({call("a", CallClass::pivot)}));
  const Ready lost = shard_.ready();
  shard_.fail(now_, {Errc::unavailable, "writing has ended"});
  const Ready told = shard_.ready();
  ASSERT_EQ(told.answers.size(), 1U);
  EXPECT_EQ(std::get<Error>(told.answers.front().body).code, Errc::unavailable);
  EXPECT_TRUE(told.calls.empty());
  submit(2, definition_of({call("a", CallClass::pivot)}));
  const Ready refused = shard_.ready();
  EXPECT_TRUE(refused.transitions.empty());
  ASSERT_EQ(refused.answers.size(), 1U);
}

TEST_F(ShardTest, AfterAFailedWriteItAsksForNoWakeUp) {
  submit(1, definition_of({call("a", CallClass::pivot)}));
  Ready ready = shard_.ready();
  shard_.advance(ready.number);
  reply(ready.calls.front(), OutcomeKind::unknown);  // it backs off
  ready = shard_.ready();
  ASSERT_NE(ready.wake_at, kNever);
  now_ = ready.wake_at;
  shard_.fail(now_, {Errc::unavailable, "writing has ended"});
  shard_.step(now_, input::Tick{});
  // It would be due for ever: whoever drives the shard would do nothing else.
  EXPECT_EQ(shard_.ready().wake_at, kNever);
}

TEST_F(ShardTest, AttemptsAfterAnUnknownOneAreMarkedUntilTheTimeOfTheOperationIsSpent) {
  StepDefinition step = call("a", CallClass::pivot);
  step.action.retry.delay_max = Millis{10'000};
  step.action.retry.total_max = Millis{60'000};
  submit(1, definition_of({step}));
  Invocation sent = shard_.ready().calls.front();
  EXPECT_FALSE(sent.after_unknown);
  const auto again = [&](OutcomeKind kind) {
    reply(sent, kind);
    now_ += Millis{15'000};
    shard_.step(now_, input::Tick{});
    sent = shard_.ready().calls.front();
    return sent.after_unknown;
  };
  EXPECT_TRUE(again(OutcomeKind::unknown));
  // A 409 was read as pending: the earlier attempt may still be being executed.
  EXPECT_TRUE(again(OutcomeKind::pending));
  EXPECT_TRUE(again(OutcomeKind::not_executed));
  // A refusal that the participant keeps would be read as pending for ever.
  EXPECT_FALSE(again(OutcomeKind::pending));
}

/// The answer to the one act that this asks.
std::variant<Error, SagaAnswer, bool> answer_to(Shard& shard, Instant now, input::Act act) {
  shard.step(now, std::move(act));
  const Ready ready = shard.ready();
  EXPECT_EQ(ready.answers.size(), 1U);
  return ready.answers.front().body;
}

TEST_F(ShardTest, OfTwoActsOnOneVersionOneWinsAndTheOtherIsTold) {
  submit(1, definition_of({call("a", CallClass::compensatable), call("p", CallClass::pivot)}));
  const SagaId id = shard_.ready().transitions.front().id;
  const std::uint64_t seen = shard_.find(id)->seq;
  const command::Act pause = command::Pause{.actor = {.name = "ann", .reason = ""}};
  const command::Act cancel = command::Cancel{.actor = {.name = "bob", .reason = ""}};

  const auto first =
      answer_to(shard_, now_, {.ticket = 2, .saga = id, .act = pause, .expected_seq = seen});
  const auto second =
      answer_to(shard_, now_, {.ticket = 3, .saga = id, .act = cancel, .expected_seq = seen});

  EXPECT_EQ(std::get<SagaAnswer>(first).status, SagaStatus::paused);
  EXPECT_EQ(std::get<Error>(second).code, Errc::aborted);
  EXPECT_NE(std::get<Error>(second).message.find("ann was first with pause"), std::string::npos);
  EXPECT_FALSE(shard_.find(id)->undoing);
}

TEST_F(ShardTest, AnEndedSagaIsRemovedUnlessSomebodyAsksForItJustNow) {
  submit(1, definition_of({call("pay", CallClass::pivot)}));
  const SagaId in_memory = shard_.ready().calls.at(0).saga_id;
  const SagaId loading{.placement = 2, .serial = 2};
  const SagaId idle{.placement = 3, .serial = 3};
  const SagaId by_key{.placement = 4, .serial = 4};
  shard_.step(now_, input::Wait{.ticket = 2, .saga = loading});
  submit(3, definition_of({call("pay", CallClass::pivot)}), "key");
  (void)shard_.ready();
  shard_.step(now_, input::RemoveSagas{.sagas = {{.id = in_memory},
                                                 {.id = loading},
                                                 {.id = idle, .idempotency_key = "other"},
                                                 {.id = by_key, .idempotency_key = "key"}}});
  const std::vector<EndedSaga> removed = shard_.ready().sagas_removed;
  EXPECT_EQ(removed, (std::vector<EndedSaga>{{.id = idle, .idempotency_key = "other"}}));
}

TEST_F(ShardTest, APausedSagaLeavesMemoryWithoutATimer) {
  submit(1, definition_of({call("a", CallClass::pivot)}), "", WaitMode::accepted);
  const Ready begun = shard_.ready();
  const SagaId id = begun.transitions.front().id;
  reply(begun.calls.front(), OutcomeKind::not_executed);
  (void)answer_to(shard_, now_, {.ticket = 2, .saga = id, .act = command::Pause{}});
  EXPECT_EQ(shard_.find(id)->status, SagaStatus::paused);
  shard_.advance(2);
  EXPECT_EQ(shard_.resident(), 0U);
}

TEST_F(ShardTest, WithoutItsDefinitionASagaCanOnlyBeAbandoned) {
  // given a saga whose attempt was in flight when the engine died
  SagaState state;
  const SagaId id{.placement = 1, .serial = 9};
  const auto happened = [&](event::Body body) { evolve(state, {.at = now_, .body = body}); };
  happened(event::Started{.definition = "gone", .version = 1, .steps = 1});
  happened(event::StepStarted{.step = 0, .legs = {{.key = "", .request = "r"}}});
  happened(event::Intended{.leg = {0, 0}});
  shard_.step(now_, input::Recover{.sagas = {id}});
  (void)shard_.ready();
  shard_.step(now_, input::SagaLoaded{.id = id, .state = std::optional(state)});
  (void)shard_.ready();
  ASSERT_EQ(shard_.find(id)->status, SagaStatus::stuck);
  const Actor ann{.name = "ann", .reason = "it was a test"};
  const auto pause = answer_to(shard_, now_, {.ticket = 1, .saga = id, .act = command::Pause{ann}});
  EXPECT_EQ(std::get<Error>(pause).code, Errc::failed_precondition);
  const auto closed =
      answer_to(shard_, now_, {.ticket = 2, .saga = id, .act = command::Abandon{ann}});
  EXPECT_EQ(std::get<SagaAnswer>(closed).status, SagaStatus::abandoned);
  EXPECT_EQ(std::get<SagaAnswer>(closed).failure->message, "it was a test");
}

TEST_F(ShardTest, AnAmendedEndpointIsWhereTheNextAttemptGoes) {
  submit(1, definition_of({call("a", CallClass::pivot)}));
  const Ready begun = shard_.ready();
  reply(begun.calls.front(), OutcomeKind::not_executed);
  (void)shard_.ready();
  shard_.step(now_, input::Act{.ticket = 2,
                               .saga = begun.transitions.front().id,
                               .act = command::Amend{
                                   .actor = {.name = "ann", .reason = "moved"},
                                   .leg = "a",
                                   .request = {},
                                   .endpoint = Endpoint{.participant = "q", .path = "/other"}}});
  const Ready amended = shard_.ready();
  ASSERT_EQ(amended.calls.size(), 1U);
  EXPECT_EQ(amended.calls.front().method->participant, "q");
  EXPECT_EQ(amended.calls.front().method->path, "/other");
  EXPECT_EQ(amended.calls.front().method->keys, KeysMode::barrier) << "what it promises stays";
  EXPECT_NE(amended.calls.front().lane, begun.calls.front().lane);
}

// The cause of a failure is in the write that makes it, and in no other.
TEST_F(ShardTest, AFailureIsInTheRowFromTheWriteThatMakesItUntilTheOneThatEndsIt) {
  submit(1, definition_of({call("a", CallClass::compensatable), call("p", CallClass::pivot)}));
  const Ready first = shard_.ready();
  EXPECT_FALSE(first.transitions.front().after->failure.has_value());
  reply(first.calls.front(), OutcomeKind::succeeded);
  const Ready second = shard_.ready();
  EXPECT_FALSE(second.transitions.front().after.has_value());  // no row changes on the way forward
  now_ += Millis{10};
  reply(second.calls.front(), OutcomeKind::rejected);
  const Ready turned = shard_.ready();
  const auto& back = turned.transitions.front().after;
  ASSERT_TRUE(back.has_value());
  EXPECT_EQ(back->status, SagaStatus::compensating);
  ASSERT_TRUE(back->failure.has_value());
  EXPECT_EQ(back->failure->step, "p");
  EXPECT_EQ(back->failure->participant, "p");
  EXPECT_EQ(back->since, now_);
  reply(turned.calls.front(), OutcomeKind::rejected);
  const Ready stuck = shard_.ready();
  const Transition& last = stuck.transitions.front();
  ASSERT_TRUE(last.after.has_value());
  EXPECT_EQ(last.before, back);
  EXPECT_EQ(last.after->status, SagaStatus::stuck);
  EXPECT_EQ(last.after->failure->step, "a");
  EXPECT_EQ(last.after->failure->operation, Operation::compensation);
}

TEST_F(ShardTest, DrainingSendsNothingNewAndRecordsWhatComes) {
  submit(1, definition_of({call("a", CallClass::compensatable), call("p", CallClass::pivot)}));
  const Ready first = shard_.ready();
  shard_.step(now_,
              input::Admission{.closed = Error{Errc::unavailable, "draining"}, .draining = true});
  reply(first.calls.front(), OutcomeKind::succeeded);
  const Ready second = shard_.ready();
  EXPECT_EQ(second.transitions.size(), 1U);
  EXPECT_TRUE(second.calls.empty());
}

}  // namespace
}  // namespace skald
