// The engine on threads with a store in memory and participants that are functions: what a caller
// of the façade sees, before any socket.
#include "engine/runtime/engine.h"

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <chrono>
#include <cstdio>
#include <future>
#include <map>
#include <mutex>
#include <thread>

#include "engine/store/memory_store.h"

namespace skald {
namespace {

using Handler = std::function<InvocationResult(const Invocation&)>;

/// Participants as one function; counts what reached it.
struct World {
  std::mutex mutex;
  Handler handler = [](const Invocation&) {
    return InvocationResult{.outcome = {.kind = OutcomeKind::succeeded, .code = "ok"},
                            .response = "r"};
  };
  std::vector<std::string> keys;  // in order of arrival

  InvocationResult serve(const Invocation& call) {
    const std::lock_guard lock(mutex);
    keys.push_back(call.leg + "/" + std::string(name(call.operation)));
    return handler(call);
  }
};

class FunctionInvoker final : public Invoker {
 public:
  FunctionInvoker(boost::asio::io_context& io, World& world) : io_(io), world_(world) {}
  void invoke(Invocation call, std::move_only_function<void(InvocationResult)> done) override {
    boost::asio::post(io_, [this, call = std::move(call), done = std::move(done)]() mutable {
      done(world_.serve(call));
    });
  }

 private:
  boost::asio::io_context& io_;
  World& world_;
};

StepDefinition call_step(const std::string& name, CallClass call_class) {
  StepDefinition step;
  step.name = name;
  step.kind = StepKind::call;
  step.call_class = call_class;
  step.action.method = {.participant = "p", .path = "/" + name, .keys = KeysMode::barrier};
  step.action.retry = {.initial = Millis{1}, .delay_max = Millis{5}};
  step.legs = [name](const Facts&) -> Result<std::vector<LegPlan>> {
    return std::vector<LegPlan>{{.key = "", .request = name}};
  };
  if (call_class == CallClass::compensatable) {
    step.compensation = step.action;
    step.undo = [name](const Facts&, const Bytes&, const Bytes*) -> Result<Bytes> {
      return "undo " + name;
    };
  }
  return step;
}

DefinitionPtr order() {
  Definition definition{.name = "order", .version = 1, .steps = {}};
  definition.steps.push_back(call_step("a", CallClass::compensatable));
  definition.steps.push_back(call_step("b", CallClass::compensatable));
  definition.steps.push_back(call_step("p", CallClass::pivot));
  definition.steps.push_back(call_step("r", CallClass::retriable));
  auto sealed = seal(std::move(definition));
  EXPECT_TRUE(sealed.has_value()) << (sealed ? "" : sealed.error().message);
  return *sealed;
}

class EngineTest : public testing::Test {
 protected:
  void start(std::uint32_t threads = 2, const Logger& log = {}) {
    start(EngineOptions{.threads = threads}, log);
  }
  void start(EngineOptions options, const Logger& log = {}) {
    auto started = Engine::start({.clock = clock_,
                                  .store = store_,
                                  .options = std::move(options),
                                  .definitions = {order()},
                                  .read_inline = {},
                                  .make_invoker =
                                      [this](boost::asio::io_context& io) {
                                        return std::make_unique<FunctionInvoker>(io, world_);
                                      },
                                  .log = log});
    ASSERT_TRUE(started.has_value()) << started.error().message;
    engine_ = std::move(*started);
  }

  Result<SagaAnswer> submit(const std::string& key, WaitMode mode = WaitMode::done,
                            std::uint64_t hash = 1, Millis timeout = Millis{20'000}) {
    return submit_async(key, mode, hash, timeout).get();
  }

  std::future<Result<SagaAnswer>> submit_async(const std::string& key, WaitMode mode,
                                               std::uint64_t hash, Millis timeout) {
    auto promise = std::make_shared<std::promise<Result<SagaAnswer>>>();
    auto future = promise->get_future();
    engine_->submit({.definition = "order",
                     .input = "in",
                     .idempotency_key = key,
                     .business_key = "bk-" + key,
                     .body_hash = hash},
                    mode, timeout, [promise](Result<SagaAnswer> answer) {
                      promise->set_value(std::move(answer));
                    });
    return future;
  }

  template <class T, class Ask>
  Result<T> ask(Ask&& with) {
    auto promise = std::make_shared<std::promise<Result<T>>>();
    auto future = promise->get_future();
    with([promise](Result<T> answer) { promise->set_value(std::move(answer)); });
    return future.get();
  }

  SystemClock clock_;
  MemoryStore store_;
  World world_;
  std::unique_ptr<Engine> engine_;
};

TEST_F(EngineTest, ASagaCompletesAndItsHistoryFoldsToItsState) {
  start();
  const auto answer = submit("k1");
  ASSERT_TRUE(answer.has_value()) << answer.error().message;
  EXPECT_EQ(answer->status, SagaStatus::completed);
  EXPECT_TRUE(answer->created);
  const auto snapshot =
      ask<SagaSnapshot>([&](auto tell) { engine_->get(ById{answer->id}, std::move(tell)); });
  ASSERT_TRUE(snapshot.has_value());
  EXPECT_EQ(snapshot->state.status, SagaStatus::completed);
  EXPECT_EQ(world_.keys,
            (std::vector<std::string>{"a/action", "b/action", "p/action", "r/action"}));
}

TEST_F(EngineTest, ARefusedPivotUndoesInReverseOrder) {
  world_.handler = [](const Invocation& call) {
    const bool refuse = call.leg == "p";
    return InvocationResult{
        .outcome = {.kind = refuse ? OutcomeKind::rejected : OutcomeKind::succeeded,
                    .code = refuse ? "failed_precondition" : "ok"},
        .response = {}};
  };
  start();
  const auto answer = submit("k1");
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(answer->status, SagaStatus::compensated);
  ASSERT_TRUE(answer->failure.has_value());
  EXPECT_EQ(answer->failure->leg, "p");
  EXPECT_EQ(world_.keys, (std::vector<std::string>{"a/action", "b/action", "p/action",
                                                   "b/compensation", "a/compensation"}));
}

TEST_F(EngineTest, SixtyFourRacingSubmissionsOfOneKeyMakeOneSaga) {
  start();
  std::vector<std::future<Result<SagaAnswer>>> racing;
  for (int i = 0; i < 64; ++i) {
    racing.push_back(submit_async("same", WaitMode::done, 1, Millis{20'000}));
  }
  std::map<std::string, int> sagas;
  int created = 0;
  for (auto& future : racing) {
    const auto answer = future.get();
    ASSERT_TRUE(answer.has_value()) << answer.error().message;
    sagas[answer->id.text()] += 1;
    created += answer->created ? 1 : 0;
  }
  EXPECT_EQ(sagas.size(), 1U);
  EXPECT_EQ(created, 1);
  EXPECT_EQ(world_.keys.size(), 4U);
}

TEST_F(EngineTest, TheSameKeyWithAnotherBodyIsAConflictThatNamesTheSaga) {
  start();
  const auto first = submit("k1");
  ASSERT_TRUE(first.has_value());
  const auto second = submit("k1", WaitMode::done, 2);
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().code, Errc::already_exists);
  EXPECT_NE(second.error().message.find(first->id.text()), std::string::npos);
}

TEST_F(EngineTest, ARestartTakesUpOpenSagasAndFinishesThem) {
  // Given a saga whose second step is never answered before the engine goes away.
  std::promise<void> reached;
  std::atomic<bool> dead{true};
  world_.handler = [&](const Invocation& call) {
    if (call.leg == "b" && dead) {
      if (call.attempt == 1) reached.set_value();
      return InvocationResult{.outcome = {.kind = OutcomeKind::unknown, .code = "timeout"},
                              .response = {}};
    }
    return InvocationResult{.outcome = {.kind = OutcomeKind::succeeded, .code = "ok"},
                            .response = {}};
  };
  start();
  const auto accepted = submit("k1", WaitMode::accepted);
  ASSERT_TRUE(accepted.has_value());
  reached.get_future().wait();
  engine_.reset();
  // When a new engine starts on the same store and the participant is back.
  dead = false;
  start(1);
  const auto done = ask<SagaAnswer>([&](auto tell) {
    engine_->wait(ById{accepted->id}, WaitMode::done, Millis{20'000}, std::move(tell));
  });
  // Then the saga completes under its own id and key.
  ASSERT_TRUE(done.has_value()) << done.error().message;
  EXPECT_EQ(done->status, SagaStatus::completed);
  const auto again = submit("k1");
  ASSERT_TRUE(again.has_value());
  EXPECT_EQ(again->id, accepted->id);
  EXPECT_FALSE(again->created);
}

TEST_F(EngineTest, ARestartTakesUpAllOpenSagasAndSaysHowFarItIs) {
  // Given more sagas than are listed or loaded at once, none of them finished.
  constexpr int kSagas = 700;
  std::atomic<bool> dead{true};
  world_.handler = [&](const Invocation&) {
    return dead ? InvocationResult{.outcome = {.kind = OutcomeKind::unknown, .code = "timeout"},
                                   .response = {}}
                : InvocationResult{.outcome = {.kind = OutcomeKind::succeeded, .code = "ok"},
                                   .response = {}};
  };
  start();
  for (int i = 0; i < kSagas; ++i) {
    ASSERT_TRUE(submit("k" + std::to_string(i), WaitMode::accepted).has_value());
  }
  engine_.reset();
  // When a new engine starts on the same store.
  dead = false;
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::tmpfile(), &std::fclose);
  start(1, Logger({.out = file.get()}));
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!engine_->ready() && std::chrono::steady_clock::now() < until) std::this_thread::yield();
  // Then every one of them completes, and the log says that all were taken up.
  for (int i = 0; i < kSagas; ++i) {
    const auto done = submit("k" + std::to_string(i));
    ASSERT_TRUE(done.has_value()) << done.error().message;
    EXPECT_EQ(done->status, SagaStatus::completed);
    EXPECT_FALSE(done->created);
  }
  engine_->drain(Millis{0});
  std::rewind(file.get());
  std::string log(1 << 16, '\0');
  log.resize(std::fread(log.data(), 1, log.size(), file.get()));
  EXPECT_NE(log.find("recovery finished shard=0 sagas=700 percent=100"), std::string::npos) << log;
}

TEST_F(EngineTest, AnImpatientCallerIsToldThatItIsStillRunning) {
  world_.handler = [](const Invocation&) {
    return InvocationResult{.outcome = {.kind = OutcomeKind::unknown, .code = "timeout"},
                            .response = {}};
  };
  start();
  const auto answer = submit("k1", WaitMode::done, 1, Millis{20});
  ASSERT_TRUE(answer.has_value());
  EXPECT_TRUE(answer->timed_out);
  EXPECT_EQ(answer->status, SagaStatus::running);
}

TEST_F(EngineTest, UnknownDefinitionsAndVersionsAreRefusedByName) {
  start();
  const auto unknown = ask<SagaAnswer>([&](auto tell) {
    engine_->submit({.definition = "nope"}, WaitMode::accepted, Millis{1'000}, std::move(tell));
  });
  ASSERT_FALSE(unknown.has_value());
  EXPECT_EQ(unknown.error().code, Errc::not_found);
  const auto version = ask<SagaAnswer>([&](auto tell) {
    engine_->submit({.definition = "order", .version = 9}, WaitMode::accepted, Millis{1'000},
                    std::move(tell));
  });
  ASSERT_FALSE(version.has_value());
  EXPECT_NE(version.error().message.find("9"), std::string::npos);
}

class FullEngineTest : public EngineTest {
 protected:
  /// One shard with room for two sagas, which nothing but `healed_` brings to their end.
  FullEngineTest() {
    world_.handler = [this](const Invocation&) {
      return InvocationResult{
          .outcome = {.kind = healed_ ? OutcomeKind::succeeded : OutcomeKind::unknown, .code = "x"},
          .response = {}};
    };
    start({.threads = 1, .active_sagas_max = 2});
  }
  void TearDown() override { engine_.reset(); }  // before what its participants look at
  void fill(const std::string& one, const std::string& other) {
    healed_ = false;
    for (const auto& key : {one, other}) {
      ASSERT_TRUE(submit(key, WaitMode::accepted).has_value());
    }
  }
  void finish(const std::string& one, const std::string& other) {
    healed_ = true;
    for (const auto& key : {one, other}) {
      const auto done = submit(key);
      ASSERT_TRUE(done.has_value()) << done.error().message;
      EXPECT_EQ(done->status, SagaStatus::completed);
    }
  }

  std::atomic<bool> healed_{false};
};

TEST_F(FullEngineTest, NewKeysAreRefusedAtOnceUntilASagaHasEnded) {
  EXPECT_FALSE(engine_->refuse_at_once("k3").has_value());
  fill("k1", "k2");
  const auto refusal = engine_->refuse_at_once("k3");
  ASSERT_TRUE(refusal.has_value());
  EXPECT_EQ(refusal->code, Errc::resource_exhausted);
  EXPECT_NE(refusal->message.find("active_sagas_max"), std::string::npos);
  EXPECT_GT(refusal->retry_after_s, 0U);
  EXPECT_TRUE(engine_->refuse_at_once("").has_value());  // without a key
  finish("k1", "k2");
  EXPECT_FALSE(engine_->refuse_at_once("k3").has_value());
}

TEST_F(FullEngineTest, RepeatsOfKnownKeysAreAnsweredHoweverFullItIs) {
  fill("old1", "old2");
  finish("old1", "old2");
  fill("k1", "k2");
  ASSERT_TRUE(engine_->refuse_at_once("k3").has_value());
  // One that runs, and one that has left memory.
  for (const char* known : {"k1", "old1"}) {
    EXPECT_FALSE(engine_->refuse_at_once(known).has_value()) << known;
    const auto again = submit(known, WaitMode::accepted);
    ASSERT_TRUE(again.has_value()) << again.error().message;
    EXPECT_FALSE(again->created);
  }
  // The bound is the shard's, whoever did not look first.
  const auto unasked = submit("k3", WaitMode::accepted);
  ASSERT_FALSE(unasked.has_value());
  EXPECT_EQ(unasked.error().code, Errc::resource_exhausted);
  EXPECT_GT(unasked.error().retry_after_s, 0U);
  finish("k1", "k2");
}

TEST_F(FullEngineTest, ARestartKnowsTheKeysOfOpenSagasAgain) {
  fill("k1", "k2");
  engine_.reset();
  start({.threads = 1, .active_sagas_max = 2});
  // Both are in memory again, or soon: until then, the store knows them.
  for (const char* known : {"k1", "k2"}) {
    EXPECT_FALSE(engine_->refuse_at_once(known).has_value()) << known;
  }
  finish("k1", "k2");
}

TEST_F(EngineTest, DrainRefusesSubmissionsAndAnswersThoseWhoWait) {
  std::promise<void> reached;
  world_.handler = [&](const Invocation& call) {
    if (call.attempt == 1 && call.leg == "a") reached.set_value();
    return InvocationResult{.outcome = {.kind = OutcomeKind::unknown, .code = "timeout"},
                            .response = {}};
  };
  start();
  auto waiting = submit_async("k1", WaitMode::done, 1, Millis{60'000});
  reached.get_future().wait();
  engine_->drain(Millis{5'000});
  const auto answer = waiting.get();
  ASSERT_FALSE(answer.has_value());
  EXPECT_EQ(answer.error().code, Errc::unavailable);
}

}  // namespace
}  // namespace skald
