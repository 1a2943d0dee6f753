// Persist, then act: the driver and the committer over a store whose commits wait until the test
// lets them through, or fails them.
#include <gtest/gtest.h>

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <chrono>
#include <condition_variable>
#include <future>
#include <mutex>

#include "engine/runtime/engine.h"
#include "engine/store/memory_store.h"

namespace skald {
namespace {

constexpr std::chrono::seconds kPatience{30};  // a bound for a hang

/// A store in memory. Every commit waits at the door.
class DoorStore final : public Store {
 public:
  /// Until so many commits have come to the door.
  [[nodiscard]] bool await_commits(std::size_t count) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, kPatience, [&] { return came_ >= count; });
  }
  void open_door() { set_door(Door::open); }
  /// Whoever waits or comes is refused, and nothing is written.
  void fail_all() { set_door(Door::failing); }
  [[nodiscard]] std::size_t commits() {
    const std::lock_guard lock(mutex_);
    return came_;
  }

  Result<void> commit(std::span<const ShardBatch> batches) override {
    std::unique_lock lock(mutex_);
    came_ += 1;
    changed_.notify_all();
    changed_.wait(lock, [&] { return door_ != Door::closed; });
    if (door_ == Door::failing) return fail(Errc::unavailable, "the disk is gone");
    return rows_.commit(batches);
  }
  Result<ShardMeta> open_shard(std::uint32_t shard) override { return rows_.open_shard(shard); }
  Result<std::optional<StoredSaga>> load(const SagaId& id) override { return rows_.load(id); }
  Result<std::optional<KeyRow>> find_key(std::string_view key) override {
    return rows_.find_key(key);
  }
  std::optional<Result<std::optional<KeyRow>>> find_key_in_memory(std::string_view key) override {
    return rows_.find_key_in_memory(key);
  }
  Result<std::vector<SagaId>> find_business_key(std::string_view key, std::size_t limit) override {
    return rows_.find_business_key(key, limit);
  }
  Result<ListPage> list(const ListQuery& query) override { return rows_.list(query); }
  Result<CountPage> count(const CountQuery& query) override { return rows_.count(query); }
  Result<FailureGroups> groups(const GroupQuery& query) override { return rows_.groups(query); }
  Result<std::vector<std::pair<SagaStatus, std::uint64_t>>> count_by_status() override {
    return rows_.count_by_status();
  }
  Result<std::vector<DefinitionCount>> count_by_definition() override {
    return rows_.count_by_definition();
  }
  Result<std::vector<TimerRow>> timers(PlacementRange range, Instant until,
                                       std::optional<TimerRow> after, std::size_t limit) override {
    return rows_.timers(range, until, after, limit);
  }
  Result<std::vector<SagaId>> active(PlacementRange range, std::optional<SagaId> after,
                                     std::size_t limit) override {
    return rows_.active(range, after, limit);
  }
  Result<std::vector<KeyRow>> expired_keys(PlacementRange range, Instant before,
                                           std::size_t limit) override {
    return rows_.expired_keys(range, before, limit);
  }
  Result<std::vector<Note>> notes(std::string_view prefix) override { return rows_.notes(prefix); }
  Result<std::vector<EndedSaga>> removable(std::span<const RetentionRule> rules,
                                           std::size_t limit) override {
    return rows_.removable(rules, limit);
  }
  Result<std::uint64_t> bytes_available() override { return rows_.bytes_available(); }

 private:
  enum class Door : std::uint8_t { closed, open, failing };
  void set_door(Door door) {
    const std::lock_guard lock(mutex_);
    door_ = door;
    changed_.notify_all();
  }

  MemoryStore rows_;
  std::mutex mutex_;
  std::condition_variable changed_;
  Door door_ = Door::closed;
  std::size_t came_ = 0;
};

/// Counts what reaches a participant; everything succeeds.
class CountingInvoker final : public Invoker {
 public:
  CountingInvoker(boost::asio::io_context& io, std::atomic<int>& calls) : io_(io), calls_(calls) {}
  void invoke(Invocation, std::move_only_function<void(InvocationResult)> done) override {
    calls_ += 1;
    boost::asio::post(io_, [done = std::move(done)]() mutable {
      done({.outcome = {.kind = OutcomeKind::succeeded, .code = "ok"}, .response = "r"});
    });
  }

 private:
  boost::asio::io_context& io_;
  std::atomic<int>& calls_;
};

DefinitionPtr one_call() {
  StepDefinition step;
  step.name = "pay";
  step.call_class = CallClass::pivot;
  step.action.method = {.participant = "p", .path = "/pay", .keys = KeysMode::barrier};
  step.legs = [](const Facts&) -> Result<std::vector<LegPlan>> {
    return std::vector<LegPlan>{{.key = "", .request = "pay"}};
  };
  Definition definition{.name = "one_call", .version = 1, .steps = {std::move(step)}};
  return seal(std::move(definition)).value();
}

DefinitionPtr one_wait() {
  StepDefinition step;
  step.name = "paid";
  step.kind = StepKind::wait;
  step.wait = {.signal = "paid", .until = {}, .timeout = Millis{3'600'000}};
  Definition definition{.name = "one_wait", .version = 1, .steps = {std::move(step)}};
  return seal(std::move(definition)).value();
}

constexpr std::uint32_t kRoom = 4;

class PersistFirst : public testing::Test {
 protected:
  void SetUp() override {
    auto started = Engine::start({.clock = clock_,
                                  .store = store_,
                                  .options = {.threads = 1, .active_sagas_max = kRoom},
                                  .definitions = {one_call(), one_wait()},
                                  .read_inline = {},
                                  .make_invoker =
                                      [this](boost::asio::io_context& io) {
                                        return std::make_unique<CountingInvoker>(io, calls_);
                                      },
                                  .log = {}});
    ASSERT_TRUE(started.has_value()) << started.error().message;
    engine_ = std::move(*started);
  }
  void TearDown() override {
    store_.fail_all();  // nobody waits for ever
    engine_.reset();
  }

  using Told = std::future<Result<SagaAnswer>>;
  Told submit(const std::string& key, WaitMode mode, const std::string& definition = "one_call") {
    auto promise = std::make_shared<std::promise<Result<SagaAnswer>>>();
    auto future = promise->get_future();
    engine_->submit(
        {.definition = definition, .idempotency_key = key, .body_hash = 1}, mode, Millis{20'000},
        [promise](Result<SagaAnswer> answer) { promise->set_value(std::move(answer)); });
    return future;
  }

  /// Until the engine's thread has done everything that was ready to be done.
  void settle() {
    for (int hop = 0; hop < 8; ++hop) {
      for (boost::asio::io_context* io : engine_->threads()) {
        std::promise<void> passed;
        boost::asio::post(*io, [&passed] { passed.set_value(); });
        passed.get_future().wait();
      }
    }
  }

  static bool is_told(Told& told) {
    return told.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
  }
  static Result<SagaAnswer> answer(Told& told) {
    if (told.wait_for(kPatience) != std::future_status::ready) {
      return fail(Errc::deadline_exceeded, "no answer");
    }
    return told.get();
  }

  SystemClock clock_;
  DoorStore store_;
  std::atomic<int> calls_ = 0;
  std::unique_ptr<Engine> engine_;
};

TEST_F(PersistFirst, NothingIsSentAndNobodyAnsweredWhileTheCommitIsOut) {
  Told first = submit("k", WaitMode::accepted);
  ASSERT_TRUE(store_.await_commits(1));
  settle();
  EXPECT_EQ(calls_, 0);
  EXPECT_FALSE(is_told(first));

  store_.open_door();
  EXPECT_TRUE(answer(first).has_value());
}

TEST_F(PersistFirst, WhoJoinsASagaIsToldOnlyWhenItsBeginningIsDurable) {
  // Nothing is sent and nobody told before the second one comes: its answer is the first to wait.
  Told first = submit("k", WaitMode::done, "one_wait");
  ASSERT_TRUE(store_.await_commits(1));
  Told second = submit("k", WaitMode::accepted, "one_wait");
  settle();
  EXPECT_FALSE(is_told(second));

  store_.open_door();
  const auto told = answer(second);
  ASSERT_TRUE(told.has_value()) << told.error().message;
  EXPECT_FALSE(told->created);
}

TEST_F(PersistFirst, AKeyIsKnownToAFullEngineBeforeItIsDurable) {
  // given no room, and nothing of it in the store yet
  std::vector<Told> all;
  for (std::uint32_t i = 0; i < kRoom; ++i) {
    all.push_back(submit(std::to_string(i), WaitMode::accepted));
  }
  ASSERT_TRUE(store_.await_commits(1));
  settle();
  // then whoever repeats is not told that there is no room, and somebody new is
  for (std::uint32_t i = 0; i < kRoom; ++i) {
    EXPECT_FALSE(engine_->refuse_at_once(std::to_string(i)).has_value()) << i;
  }
  EXPECT_TRUE(engine_->refuse_at_once("new").has_value());
  store_.open_door();
  for (Told& told : all) EXPECT_TRUE(answer(told).has_value());
}

TEST_F(PersistFirst, AfterAFailedCommitNothingIsSentAndNothingWritten) {
  Told first = submit("k", WaitMode::accepted);
  ASSERT_TRUE(store_.await_commits(1));
  Told second = submit("", WaitMode::done);  // its write waits behind the one that fails
  settle();

  store_.fail_all();
  EXPECT_EQ(answer(first).error().code, Errc::unavailable);
  EXPECT_EQ(answer(second).error().code, Errc::unavailable);
  settle();
  EXPECT_EQ(calls_, 0);
  EXPECT_FALSE(engine_->ready().has_value());

  engine_.reset();  // the committer has seen all that waits for it
  EXPECT_EQ(store_.commits(), 1U);
  EXPECT_EQ(calls_, 0);
}

}  // namespace
}  // namespace skald
