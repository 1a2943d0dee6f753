// How long ended batches are kept: a real engine over a store in memory, with the notes of many
// that have ended before it starts.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <chrono>

#include "engine/batch/batch_notes.h"
#include "engine/batch/batches.h"
#include "engine/store/memory_store.h"

namespace skald::batch {
namespace {

constexpr std::chrono::seconds kLong{20};  // never reached by a test that passes

/// Every call is refused: each saga is compensated at once.
class RefusingInvoker final : public Invoker {
 public:
  explicit RefusingInvoker(boost::asio::io_context& io) : io_(io) {}
  void invoke(Invocation, std::move_only_function<void(InvocationResult)> done) override {
    boost::asio::post(io_, [done = std::move(done)]() mutable {
      done({.outcome = {.kind = OutcomeKind::rejected, .code = "no"}, .response = {}});
    });
  }

 private:
  boost::asio::io_context& io_;
};

/// Nothing is to be done for any saga: a batch ends as soon as it has begun.
class NothingToDo final : public SagaActs {
 public:
  void judge(const Spec&, const SagaId&, Answer<Verdict> answer) override {
    answer(Verdict{.kind = Verdict::Kind::skips, .why = "nothing", .followed = {}});
  }
  void act(Number, const Spec&, const SagaId&, Answer<Verdict> answer) override {
    answer(Verdict{.kind = Verdict::Kind::skips, .why = "nothing", .followed = {}});
  }
  void follow(const SagaId&, Millis, Answer<std::optional<End>> answer) override {
    answer(std::nullopt);
  }
};

DefinitionPtr order() {
  StepDefinition step;
  step.name = "pay";
  step.kind = StepKind::call;
  step.call_class = CallClass::pivot;
  step.action.method = {.participant = "p", .path = "/pay", .keys = KeysMode::barrier};
  step.legs = [](const Facts&) -> Result<std::vector<LegPlan>> {
    return std::vector<LegPlan>{{.key = "", .request = "pay"}};
  };
  Definition definition{.name = "order", .version = 1, .steps = {}};
  definition.steps.push_back(std::move(step));
  return seal(std::move(definition)).value();
}

class BatchRetention : public testing::Test {
 protected:
  BatchRetention() {
    engine_ = std::move(Engine::start({.clock = clock_,
                                       .store = store_,
                                       .options = {.threads = 1},
                                       .definitions = {order()},
                                       .read_inline = {},
                                       .make_invoker =
                                           [](boost::asio::io_context& io) {
                                             return std::make_unique<RefusingInvoker>(io);
                                           },
                                       .make_alert_sender = {},
                                       .log = {}})
                            .value());
    const auto saga = waited<SagaAnswer>([&](auto answer) {
      engine_->submit({.definition = "order", .input = "in"}, WaitMode::done, Millis{20'000},
                      std::move(answer));
    });
    EXPECT_TRUE(saga.has_value()) << saga.error().message;
  }

  void write(std::vector<Note> notes) {
    EXPECT_TRUE(waited<bool>([&](auto answer) {
      engine_->write_notes(std::move(notes), std::nullopt, std::move(answer));
    }));
  }

  /// A batch of so many sagas, of which it keeps the first.
  void had(Number number, Stage stage, std::uint64_t sagas = 1) {
    const std::vector<Entry> entries{
        {.saga = {.placement = 1, .serial = number},
         .outcome = has_ended(stage) ? Outcome::completed : Outcome::pending,
         .followed = {},
         .why = {}}};
    write({batch_note({.number = number,
                       .spec = {.filter = "status = stuck"},
                       .stage = stage,
                       .changed_by = {},
                       .sagas = sagas}),
           sagas_note(number, 0, entries)});
  }

  std::vector<std::string> notes(const std::string& prefix) {
    auto found =
        waited<std::vector<Note>>([&](auto answer) { engine_->notes(prefix, std::move(answer)); });
    std::vector<std::string> names;
    for (const Note& note : found.value()) names.push_back(note.name);
    return names;
  }

  std::unique_ptr<Batches> open() {
    auto batches = std::make_unique<Batches>(
        Batches::Parts{.clock = clock_, .engine = *engine_, .acts = acts_, .log = {}});
    EXPECT_TRUE(batches->open().has_value());
    return batches;
  }

  /// Begins one, waits until it has ended and what was too old is gone, and stops them.
  Number one_more(Batches& batches, std::size_t left) {
    const auto begun = waited<Batch>([&](auto answer) {
      batches.start({.filter = "status = compensated"}, 0, std::move(answer));
    });
    EXPECT_TRUE(begun.has_value()) << begun.error().message;
    if (!begun) return 0;
    const auto bound = std::chrono::steady_clock::now() + kLong;
    const auto settled = [&] {
      const auto batch = batches.find(begun->number);
      return batch && has_ended(batch->stage) && batches.all().size() <= left;
    };
    while (!settled() && std::chrono::steady_clock::now() < bound) notes("none/");
    batches.stop();  // who forgets has come to an end: nothing more goes
    EXPECT_EQ(batches.all().size(), left);
    return begun->number;
  }

  SystemClock clock_;
  MemoryStore store_;
  NothingToDo acts_;
  std::unique_ptr<Engine> engine_;
};

TEST_F(BatchRetention, BeyondTheLimitTheOldestGoesWithItsSagas) {
  for (Number number = 1; number <= kBatchesKept + 2; ++number) had(number, Stage::finished);
  const auto batches = open();
  const Number last = one_more(*batches, kBatchesKept);
  EXPECT_EQ(last, kBatchesKept + 3);
  for (Number gone = 1; gone <= 3; ++gone) {
    EXPECT_FALSE(batches->find(gone)) << gone;
    EXPECT_THAT(notes(sagas_prefix(gone)), testing::IsEmpty()) << gone;
  }
  EXPECT_TRUE(batches->find(4));
  EXPECT_EQ(notes(sagas_prefix(4)).size(), 1U);
  EXPECT_EQ(notes(std::string(kBatchPrefix)).size(), kBatchesKept);
}

TEST_F(BatchRetention, WhatHasNotEndedStaysHoweverOldItIs) {
  had(1, Stage::paused);
  for (Number number = 2; number <= kBatchesKept + 1; ++number) had(number, Stage::cancelled);
  const auto batches = open();
  one_more(*batches, kBatchesKept + 1);
  EXPECT_TRUE(batches->find(1));
  EXPECT_EQ(notes(sagas_prefix(1)).size(), 1U);
  EXPECT_FALSE(batches->find(2));
}

TEST_F(BatchRetention, BatchesOfManySagasGoSooner) {
  had(1, Stage::finished);
  had(2, Stage::finished, kSagasKeptMax);
  had(3, Stage::finished, kSagasKeptMax - 1);
  const auto batches = open();
  one_more(*batches, 2);
  EXPECT_TRUE(batches->find(3));
  EXPECT_THAT(notes(sagas_prefix(2)), testing::IsEmpty());
}

TEST_F(BatchRetention, NumbersGoOnAfterARestart) {
  had(7, Stage::finished, kSagasKeptMax + 1);
  EXPECT_EQ(one_more(*open(), 1), 8U);
  EXPECT_EQ(one_more(*open(), 2), 9U);
}

// A beginning that was cut short leaves notes under a number that the next one gets.
TEST_F(BatchRetention, WhatABeginningThatWasCutShortHadWrittenGoesAsWell) {
  had(1, Stage::finished);
  write({sagas_note(1, 1, {}), sagas_note(1, 70, {})});
  had(2, Stage::finished, kSagasKeptMax);
  const auto batches = open();
  one_more(*batches, 1);
  EXPECT_THAT(notes(sagas_prefix(1)), testing::IsEmpty());
}

}  // namespace
}  // namespace skald::batch
