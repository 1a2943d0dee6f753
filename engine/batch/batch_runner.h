// BatchRunner: the thread that carries every open batch to its end: asks each Progress what to do,
// has it done, and writes what came of it.
#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "engine/base/clock.h"
#include "engine/base/log.h"
#include "engine/batch/progress.h"
#include "engine/batch/saga_acts.h"
#include "engine/runtime/engine.h"

namespace skald::batch {

/// What is known of outcomes is written so often. A crash loses no more: it is found out again.
inline constexpr Millis kWriteEvery{200};
inline constexpr std::size_t kNotesPerWrite = 64;

enum class Change : std::uint8_t { pause = 1, resume, cancel };

/// Thread: every call from any thread.
class BatchRunner {
 public:
  /// All but the functions outlive it. The functions are called on the runner's thread: `told` with
  /// how far a batch is, `ended` instead of that once its end is durable.
  struct Parts {
    const Clock& clock;
    Engine& engine;
    SagaActs& acts;
    std::function<void(const Batch&)> told;
    std::function<void(const Batch&)> ended;
    Logger log;
  };
  explicit BatchRunner(Parts parts) : parts_(std::move(parts)) {}
  ~BatchRunner() { stop(); }
  BatchRunner(const BatchRunner&) = delete;
  BatchRunner& operator=(const BatchRunner&) = delete;

  void start();
  /// Nothing more is asked of the engine. What is answered later is dropped.
  void stop();

  /// A batch that is durable as it is.
  void add(Batch batch, std::vector<Entry> entries);
  /// Answers when the change is durable. Errors: not_found (not open), failed_precondition.
  void change(Number number, Change change, Actor by, Answer<Batch> answer);

 private:
  struct Run {
    explicit Run(Progress from) : progress(std::move(from)) {}
    Progress progress;
    bool head_changed = false;
    std::vector<Answer<Batch>> waiting;  // for a write that has not begun
    bool writing = false;
    struct Write {
      std::vector<std::size_t> parts;
      bool head = false;
      std::vector<Answer<Batch>> waiting;
    };
    Write write;  // while writing
    Instant write_after = Instant::min();
  };
  using Input = std::move_only_function<void()>;

  void post(Input input);
  void work();
  [[nodiscard]] Instant now() const;
  [[nodiscard]] Instant turn(Run& run);
  void begin_acts(Run& run, const Progress::Todo& todo);
  void write_if_due(Run& run);
  void written(Number number, const Result<bool>& result);
  void take(Number number, std::size_t entry, Result<Verdict> verdict);
  void take(Number number, std::size_t entry, Result<std::optional<End>> end);
  [[nodiscard]] Progress* find(Number number);

  Parts parts_;
  std::map<Number, Run> runs_;  // of the runner's thread
  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<Input> inbox_;
  bool stopping_ = false;
  std::jthread thread_;
};

}  // namespace skald::batch
