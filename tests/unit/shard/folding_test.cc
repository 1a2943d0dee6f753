// A saga that is tried for days keeps a few records, however often its shard dies meanwhile. The
// test plays driver and store.
#include "engine/core/folding.h"

#include <gtest/gtest.h>

#include <map>
#include <memory>

#include "engine/core/evolve.h"
#include "engine/shard/shard.h"

namespace skald {
namespace {

constexpr Instant kStart = from_unix_ms(1'700'000'000'000);

StepDefinition call(const std::string& name, CallClass call_class, std::size_t legs) {
  StepDefinition step;
  step.name = name;
  step.kind = StepKind::call;
  step.call_class = call_class;
  step.for_each = legs != 1;
  step.parallel = static_cast<std::uint32_t>(legs);
  step.action.method = {.participant = "p", .path = "/" + name, .keys = KeysMode::barrier};
  step.action.method.keys_lifetime = Millis{100'000'000'000};
  step.legs = [legs](const Facts&) -> Result<std::vector<LegPlan>> {
    std::vector<LegPlan> plans(legs);
    for (std::size_t i = 0; legs != 1 && i < legs; ++i) plans[i].key = std::to_string(i);
    return plans;
  };
  return step;
}

/// A pivot, and so many legs behind it: whatever happens, they are tried again.
DefinitionPtr trip(std::size_t legs) {
  auto sealed = seal(
      {.name = "trip",
       .version = 1,
       .steps = {call("book", CallClass::pivot, 1), call("mail", CallClass::retriable, legs)}});
  EXPECT_TRUE(sealed.has_value()) << (sealed ? "" : sealed.error().message);
  return *sealed;
}

/// What a store would hold of one saga, and the shard that writes it.
class FoldingTest : public testing::Test {
 protected:
  static constexpr int kTimes = 10'000;
  /// The start, the pivot, the first attempts, their answers, a fold and what came since.
  static constexpr std::size_t kRecordsMax = 2 + 2 * kAttemptsKeptFirst + 1 + kRunRecordsMax;

  FoldingTest() : shard_(a_shard()) {}

  std::unique_ptr<Shard> a_shard() {
    return std::make_unique<Shard>(ShardOptions{}, *table_,
                                   Gates({.limit_of = [](std::string_view) { return 9U; }}),
                                   [this](std::span<const Event> events, Bytes& out) {
                                     out = std::to_string(written_.size());
                                     written_.emplace_back(events.begin(), events.end());
                                   });
  }
  void know(const DefinitionPtr& definition) {
    table_ = std::make_unique<DefinitionTable>(std::vector{definition}, nullptr);
    shard_ = a_shard();
  }
  void begin(const DefinitionPtr& definition) {
    shard_->step(now_, input::Submit{.ticket = 1, .definition = definition, .input = "in"});
    drive();
    answer(OutcomeKind::succeeded);  // the pivot
  }
  /// Commits, and keeps what was sent.
  void drive() {
    Ready ready = shard_->ready();
    for (const Transition& row : ready.transitions) {
      id_ = row.id;
      for (const std::uint64_t folded : row.folded) ASSERT_EQ(stored_.erase(folded), 1U);
      ASSERT_TRUE(stored_.empty() || stored_.rbegin()->first < row.first_seq);
      stored_[row.first_seq] = written_[std::stoul(row.record)];
      most_ = std::max(most_, stored_.size());
    }
    for (Invocation& call : ready.calls) sent_.push_back(std::move(call));
    now_ = std::max(now_, std::min(ready.wake_at, now_ + Millis{3'600'000}));
    shard_->advance(ready.number);
  }
  void answer(OutcomeKind kind) {
    for (const Invocation& call : std::exchange(sent_, {})) {
      shard_->step(now_, input::Reply{.saga = call.saga_id,
                                      .leg = call.ref,
                                      .operation = call.operation,
                                      .attempt = call.attempt,
                                      .lane = call.lane,
                                      .outcome = {.kind = kind, .code = "timeout", .message = {}},
                                      .response = {}});
    }
    drive();
    constexpr int kTicksMax = 10;  // a wake may be for something else
    for (int tick = 0; sent_.empty() && tick < kTicksMax; ++tick) {
      shard_->step(now_, input::Tick{});
      drive();
    }
  }
  /// As load_saga() reads it.
  [[nodiscard]] input::SagaLoaded read() const {
    SagaState state;
    state.id = id_;
    RunOfRepeats run;
    for (const auto& [first_seq, events] : stored_) {
      EXPECT_EQ(first_seq, state.seq + 1);
      bool repeats = true;
      for (const Event& event : events) {
        repeats = repeats && is_repeat(state, event);
        evolve(state, event);
      }
      run.take(first_seq, events, repeats);
    }
    return {.id = id_, .state = state, .run = run};
  }
  void crash() {
    sent_.clear();
    shard_ = a_shard();
    shard_->step(now_, input::Recover{.sagas = {id_}});
    drive();
    shard_->step(now_, read());
    drive();
  }

  Instant now_ = kStart;
  std::unique_ptr<DefinitionTable> table_ =
      std::make_unique<DefinitionTable>(std::vector<DefinitionPtr>{}, nullptr);
  std::vector<std::vector<Event>> written_;
  std::map<std::uint64_t, std::vector<Event>> stored_;
  std::size_t most_ = 0;
  std::vector<Invocation> sent_;
  SagaId id_;
  std::unique_ptr<Shard> shard_;
};

TEST_F(FoldingTest, ALegTriedTenThousandTimesKeepsAFewRecords) {
  const auto definition = trip(1);
  begin(definition);
  for (int i = 0; i < kTimes; ++i) {
    ASSERT_EQ(sent_.size(), 1U) << i;
    answer(i % 2 == 0 ? OutcomeKind::unknown : OutcomeKind::pending);
    if (i % 97 == 0) ASSERT_EQ(**read().state, *shard_->find(id_)) << i;
  }
  const SagaState state = *shard_->find(id_);
  EXPECT_EQ(state.steps[1].legs[0].action.attempts, kTimes + 1U);
  EXPECT_GT(state.seq, 2U * kTimes);
  EXPECT_EQ(**read().state, state);
  EXPECT_LE(most_, kRecordsMax);
  EXPECT_GT(shard_->counters().folds, kTimes / 16U);
  // and it still ends
  answer(OutcomeKind::succeeded);
  EXPECT_EQ((*read().state)->status, SagaStatus::completed);
}

TEST_F(FoldingTest, ACrashAtAnyWriteGoesOnFoldingWhereItStopped) {
  const auto definition = trip(1);
  know(definition);
  begin(definition);
  for (int i = 0; i < 300; ++i) {
    answer(OutcomeKind::unknown);
    crash();
    ASSERT_EQ(**read().state, *shard_->find(id_)) << i;
  }
  EXPECT_GT((*read().state)->seq, 600U);
  EXPECT_LE(most_, kRecordsMax);
}

TEST_F(FoldingTest, ManyLegsThatRepeatAtOnceFoldTogether) {
  constexpr std::size_t kLegs = 9;
  const auto definition = trip(kLegs);
  begin(definition);
  for (int i = 0; i < 500; ++i) {
    answer(OutcomeKind::pending);
    ASSERT_EQ(**read().state, *shard_->find(id_)) << i;
  }
  EXPECT_GT((*read().state)->seq, 1'000U);
  EXPECT_LE(most_, kLegs * (2 * kAttemptsKeptFirst + kRunRecordsMax + 1) + 2);
}

}  // namespace
}  // namespace skald
