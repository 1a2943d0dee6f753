// Rule 8 against a wall clock that jumps, stands still and goes back: engine time never goes back,
// follows the steady clock, and makes no timer fire early; and sagas end as if nothing had been.
#include <gtest/gtest.h>

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <cstdlib>
#include <future>
#include <random>
#include <variant>

#include "engine/runtime/engine.h"
#include "engine/runtime/engine_clock.h"
#include "engine/store/memory_store.h"

namespace skald {
namespace {

constexpr int kSchedules = 50;
constexpr Millis kHour{3'600'000};
constexpr Instant kStart = from_unix_ms(1'700'000'000'000);

/// What may happen to a wall clock. DST moves local time only; as a jump of an hour it is here too.
enum class Trick : std::uint8_t { runs, hour_ahead, hour_back, stands_still, creeps };

std::uint64_t seed_of_this_run() {
  const char* given = std::getenv("SKALD_SEED");
  const std::uint64_t seed =
      given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device{}();
  ::testing::Test::RecordProperty("seed", std::to_string(seed));
  return seed;
}

/// Both clocks by hand.
class ManualClock final : public Clock {
 public:
  [[nodiscard]] Instant wall() const override { return wall_; }
  [[nodiscard]] std::chrono::nanoseconds steady() const override { return steady_; }

  void pass(Millis time, Trick trick) {
    steady_ += time;
    switch (trick) {
      case Trick::runs:
        wall_ += time;
        return;
      case Trick::hour_ahead:
        wall_ += time + kHour;
        return;
      case Trick::hour_back:
        wall_ += time - kHour;
        return;
      case Trick::stands_still:
        return;
      case Trick::creeps:
        wall_ += time / 2;
        return;
    }
  }

 private:
  Instant wall_ = kStart;
  std::chrono::nanoseconds steady_{1};
};

Trick any_trick(std::mt19937_64& dice) { return static_cast<Trick>(dice() % 5); }

TEST(EngineTime, NeverGoesBackNorLeavesTheSteadyClockWhateverTheWallDoes) {
  const std::uint64_t seed = seed_of_this_run();
  for (int schedule = 0; schedule < kSchedules; ++schedule) {
    SCOPED_TRACE("SKALD_SEED=" + std::to_string(seed) + " schedule " + std::to_string(schedule));
    std::mt19937_64 dice(seed + static_cast<std::uint64_t>(schedule));
    ManualClock clock;
    Instant high{};
    for (int life = 0; life < 3; ++life) {  // restarts take the highest time that was stored
      EngineClock engine_time(clock, high, {});
      EXPECT_GE(engine_time.now(), std::max(high, clock.wall()));
      for (int second = 0; second < 200; ++second) {
        const Instant before = engine_time.now();
        const Millis passed{1 + static_cast<std::int64_t>(dice() % 2'000)};
        clock.pass(passed, dice() % 10 == 0 ? any_trick(dice) : Trick::runs);
        const Millis counted = engine_time.now() - before;
        EXPECT_GE(counted, passed - Millis{1});
        EXPECT_LE(counted, passed + Millis{1});
        engine_time.slew();
        const Millis leaned = engine_time.now() - before - counted;
        EXPECT_GE(leaned, Millis{0}) << "engine time went back";
        EXPECT_LE(leaned, passed * EngineClock::kSlewPerMille / 1'000 + Millis{1});
      }
      high = engine_time.now();
      clock.pass(Millis{static_cast<std::int64_t>(dice() % 5'000)}, any_trick(dice));
    }
  }
}

TEST(EngineTime, CountsEachJumpOnce) {
  ManualClock clock;
  EngineClock engine_time(clock, {}, {});
  for (const Trick trick : {Trick::runs, Trick::hour_ahead, Trick::runs, Trick::runs,
                            Trick::hour_back, Trick::runs, Trick::hour_back, Trick::runs}) {
    clock.pass(Millis{1'000}, trick);
    engine_time.slew();
  }
  EXPECT_EQ(engine_time.wall_jumps(), 3U);
}

TEST(EngineTime, CatchesUpWithAWallThatIsAheadAndWaitsForOneThatIsBehind) {
  ManualClock clock;
  EngineClock engine_time(clock, {}, {});
  clock.pass(Millis{1'000}, Trick::hour_ahead);
  for (int second = 0; second < 40'000; ++second) {
    engine_time.slew();
    clock.pass(Millis{1'000}, Trick::runs);
  }
  EXPECT_EQ(engine_time.now(), clock.wall()) << "an hour is caught up within ten";
  clock.pass(Millis{1'000}, Trick::hour_back);
  engine_time.slew();
  EXPECT_EQ(engine_time.now(), clock.wall() + kHour);
}

// --- The engine on threads, with the steady clock of this machine and a wall that is moved. ---

class MovedWall final : public Clock {
 public:
  [[nodiscard]] Instant wall() const override {
    return system_.wall() + Millis{offset_ms_.load(std::memory_order_relaxed)};
  }
  [[nodiscard]] std::chrono::nanoseconds steady() const override { return system_.steady(); }
  void move(Millis by) { offset_ms_.fetch_add(by.count(), std::memory_order_relaxed); }

 private:
  SystemClock system_;
  std::atomic<std::int64_t> offset_ms_{0};
};

/// Every second attempt of a participant is lost, so that backoff timers are at work.
class ForgetfulInvoker final : public Invoker {
 public:
  explicit ForgetfulInvoker(boost::asio::io_context& io) : io_(io) {}
  void invoke(Invocation call, std::move_only_function<void(InvocationResult)> done) override {
    const bool lost = call.attempt % 2 == 1;
    boost::asio::post(io_, [lost, done = std::move(done)]() mutable {
      done({.outcome = {.kind = lost ? OutcomeKind::unknown : OutcomeKind::succeeded,
                        .code = lost ? "timeout" : "ok"},
            .response = {}});
    });
  }

 private:
  boost::asio::io_context& io_;
};

StepDefinition call_step(const std::string& name, CallClass call_class) {
  StepDefinition step;
  step.name = name;
  step.kind = StepKind::call;
  step.call_class = call_class;
  step.action.method = {.participant = "p", .path = "/" + name, .keys = KeysMode::barrier};
  step.action.retry = {.initial = Millis{2}, .delay_max = Millis{5}};
  step.legs = [name](const Facts&) -> Result<std::vector<LegPlan>> {
    return std::vector<LegPlan>{{.key = "", .request = name}};
  };
  return step;
}

StepDefinition wait_step(const std::string& name, Millis timeout) {
  StepDefinition step;
  step.name = name;
  step.kind = StepKind::wait;
  step.wait.timeout = timeout;
  return step;
}

/// A call, a timer, a call.
DefinitionPtr timed(const std::string& name, Millis timer) {
  Definition definition{.name = name, .version = 1, .steps = {}};
  definition.steps.push_back(call_step("first", CallClass::pivot));
  definition.steps.push_back(wait_step("pause", timer));
  definition.steps.push_back(call_step("last", CallClass::retriable));
  auto sealed = seal(std::move(definition));
  EXPECT_TRUE(sealed.has_value()) << (sealed ? "" : sealed.error().message);
  return *sealed;
}

constexpr Millis kShort{25};
constexpr Millis kLong{1'800'000};  // half an hour: due at a restart after a jump ahead, not before

class WallJumps : public testing::Test {
 protected:
  void start() {
    auto started = Engine::start(
        {.clock = clock_,
         .store = store_,
         .options = {.threads = 1},
         .definitions = {timed("short", kShort), timed("long", kLong)},
         .read_inline = {},
         .make_invoker =
             [](boost::asio::io_context& io) { return std::make_unique<ForgetfulInvoker>(io); },
         .log = {}});
    ASSERT_TRUE(started.has_value()) << started.error().message;
    engine_ = std::move(*started);
  }
  template <class T, class Ask>
  Result<T> ask(Ask&& with) {
    auto promise = std::make_shared<std::promise<Result<T>>>();
    auto future = promise->get_future();
    with([promise](Result<T> answer) { promise->set_value(std::move(answer)); });
    return future.get();
  }
  SagaId submit(const std::string& definition, WaitMode mode) {
    const auto answer = ask<SagaAnswer>([&](auto tell) {
      engine_->submit({.definition = definition}, mode, Millis{20'000}, std::move(tell));
    });
    EXPECT_TRUE(answer.has_value() && !answer->timed_out);
    return answer ? answer->id : SagaId{};
  }
  SagaAnswer wait(SagaId id, Millis timeout) {
    return ask<SagaAnswer>([&](auto tell) {
             engine_->wait(ById{id}, WaitMode::done, timeout, std::move(tell));
           })
        .value();
  }
  /// Every event of the saga is at or after the one before, and no timer ended before it was due.
  void expect_sound_times(SagaId id) {
    const auto history =
        ask<SagaHistory>([&](auto tell) { engine_->history(ById{id}, std::move(tell)); });
    ASSERT_TRUE(history.has_value());
    Instant last{};
    Instant due{};
    for (const Event& event : history->events) {
      EXPECT_GE(event.at, last);
      last = event.at;
      if (const auto* began = std::get_if<event::WaitBegan>(&event.body)) due = began->due_at;
      if (std::holds_alternative<event::WaitEnded>(event.body)) EXPECT_GE(event.at, due);
    }
  }

  MovedWall clock_;
  MemoryStore store_;
  std::unique_ptr<Engine> engine_;
};

TEST_F(WallJumps, SagasEndAndTheirTimesAreSoundInEverySchedule) {
  const std::uint64_t seed = seed_of_this_run();
  for (int schedule = 0; schedule < kSchedules; ++schedule) {
    SCOPED_TRACE("SKALD_SEED=" + std::to_string(seed) + " schedule " + std::to_string(schedule));
    std::mt19937_64 dice(seed + static_cast<std::uint64_t>(schedule));
    const auto jump = [&] { clock_.move(dice() % 2 == 0 ? kHour : -kHour); };
    start();
    if (dice() % 2 == 0) jump();
    const auto began = std::chrono::steady_clock::now();
    const SagaId id = submit("short", WaitMode::accepted);
    jump();
    if (dice() % 3 == 0) {
      engine_.reset();
      jump();
      start();
    } else {
      EXPECT_EQ(wait(id, Millis{20'000}).status, SagaStatus::completed);
      EXPECT_GE(std::chrono::steady_clock::now() - began, kShort) << "fired early";
    }
    EXPECT_EQ(wait(id, Millis{20'000}).status, SagaStatus::completed);
    expect_sound_times(id);
    engine_.reset();
  }
}

TEST_F(WallJumps, ALongTimerWaitsThroughAJumpAndCountsDowntimeAtTheRestart) {
  start();
  const SagaId id = submit("long", WaitMode::accepted);
  clock_.move(kHour);
  EXPECT_TRUE(wait(id, Millis{50}).timed_out) << "half an hour has not passed";
  engine_.reset();
  start();  // the wall is an hour on, and an engine that was down cannot know better
  EXPECT_EQ(wait(id, Millis{20'000}).status, SagaStatus::completed);
  expect_sound_times(id);
}

TEST_F(WallJumps, ARestartWithTheWallBehindGoesOnFromTheStoredTime) {
  start();
  const SagaId id = submit("short", WaitMode::done);
  engine_.reset();
  clock_.move(-kHour);
  start();
  const SagaId later = submit("short", WaitMode::done);
  expect_sound_times(id);
  expect_sound_times(later);
  const auto first = ask<SagaSnapshot>([&](auto tell) { engine_->get(ById{id}, std::move(tell)); });
  const auto second =
      ask<SagaSnapshot>([&](auto tell) { engine_->get(ById{later}, std::move(tell)); });
  EXPECT_GE(second->state.started_at, first->state.updated_at);
}

}  // namespace
}  // namespace skald
