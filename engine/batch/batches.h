// Batches: what the API asks about batches. Chooses, previews and keeps them; BatchRunner carries
// them out.
#pragma once

#include <atomic>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "engine/async/blocking_pool.h"
#include "engine/batch/batch_runner.h"
#include "engine/batch/selection.h"

namespace skald::batch {

struct ResultQuery {
  Number number = 0;
  std::optional<Outcome> outcome;  // absent: all
  std::size_t limit = 100;         // 1 <= limit <= kListPageMax
  std::string page_token;          // from an earlier page; opaque
};

/// May be short, and even empty, and have a next one.
struct ResultPage {
  std::vector<Entry> entries;
  std::string next_page_token;  // empty: no more
};

/// Thread: every call from any thread. Answers come on any thread.
class Batches {
 public:
  /// They outlive it.
  struct Parts {
    const Clock& clock;
    Engine& engine;
    SagaActs& acts;
    Logger log;
  };
  explicit Batches(Parts parts);
  ~Batches() { stop(); }
  Batches(const Batches&) = delete;
  Batches& operator=(const Batches&) = delete;

  /// Takes up what had not ended. Blocks. Errors: data_loss, the store's.
  [[nodiscard]] Result<void> open();
  /// Nothing more is asked of the engine; what had not ended goes on at the next start.
  void stop();

  /// Which sagas the filter means now, and what the act would do. Changes nothing.
  void preview(Spec spec, Answer<Preview> answer);
  /// Freezes which sagas are meant; answers when that is durable. `sagas_most`: what was looked at
  /// before, 0: whatever there is. Errors: those of choose_sagas(), not_found (none matches),
  /// aborted (more than `sagas_most` match), resource_exhausted (kBatchesOpenMax), already_exists
  /// (the key was used for another one).
  void start(Spec spec, std::uint64_t sagas_most, Answer<Batch> answer);
  void change(Number number, Change change, Actor by, Answer<Batch> answer);
  /// Errors: not_found.
  [[nodiscard]] Result<Batch> find(Number number) const;
  /// The newest first.
  [[nodiscard]] std::vector<Batch> all() const;
  /// In the order they were chosen in. Errors: not_found, invalid_argument (token).
  void results(ResultQuery query, Answer<ResultPage> answer);
  /// Prometheus text.
  [[nodiscard]] std::string metrics() const;

 private:
  [[nodiscard]] Result<Batch> begin(Spec spec, std::uint64_t sagas_most);
  [[nodiscard]] Result<std::optional<Batch>> known_by_key(const Spec& spec) const;
  [[nodiscard]] Result<void> write(std::vector<Note> notes);
  [[nodiscard]] Result<ResultPage> read_results(const ResultQuery& query);
  [[nodiscard]] std::size_t open_count() const;
  void keep(const Batch& batch);
  void on_end(const Batch& batch);
  void forget_old();
  [[nodiscard]] Result<void> forget(Number number);

  Parts parts_;
  std::atomic<bool> stopping_{false};
  std::mutex beginning_;  // one at a time gets a number
  mutable std::mutex mutex_;
  std::map<Number, Batch> book_;
  Counts settled_{};  // since the start, over all batches
  BatchRunner runner_;
  BlockingPool pool_;
};

}  // namespace skald::batch
