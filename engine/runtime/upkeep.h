// The upkeep of a store in use: ended sagas are removed when their time is over, all data is held
// against its checksums now and then, and the whole is checked and copied when somebody asks.
#pragma once

#include <atomic>
#include <functional>
#include <string>
#include <vector>

#include "engine/async/blocking_pool.h"
#include "engine/base/log.h"
#include "engine/runtime/options.h"
#include "engine/runtime/scan_plan.h"
#include "engine/shard/definitions.h"
#include "engine/store/store.h"

namespace skald {

/// Thread: sweep() and scan() from one; check() and back_up() from threads that may block.
class Upkeep {
 public:
  /// All but the functions outlive it.
  struct Parts {
    Store& store;
    BlockingPool& blocking;
    const DefinitionTable& definitions;
    const EngineOptions& options;
    std::size_t shards;
    std::function<void(std::uint32_t shard, std::vector<EndedSaga>)> remove;
    Logger log;
  };
  explicit Upkeep(Parts parts);

  /// Begins to look for ended sagas whose retention is over. A saga goes in two steps, each a
  /// commit of its own: its idempotency key when that has lived as long as promised, then the rest.
  /// Nobody can therefore be told of a saga by its key and not find it.
  void sweep(Instant now);
  /// Reads one file after another and judges it by its checksums, so that what decays is found
  /// while a copy still has it, not when somebody needs it. The first round begins with the first
  /// call.
  void scan(Instant now);
  /// As Engine says.
  [[nodiscard]] Result<CheckReport> check();
  [[nodiscard]] Result<CheckReport> back_up(const std::string& directory);
  /// A check that runs gives up. Thread: any.
  void stop() { stopping_ = true; }

 private:
  struct Kept {
    std::string definition;  // empty: every one without a rule of its own
    SagaStatus status = SagaStatus::completed;
    Millis time{0};  // 0: for ever
  };
  void keep(const std::string& definition, const Retention& retention);
  void remove_what_may_go(Instant now);
  void scan_next_file(Instant now);
  template <class Work>
  [[nodiscard]] Result<CheckReport> alone(Work work);

  Parts parts_;
  std::vector<Kept> kept_;
  std::atomic<bool> scanning_{false};
  ScanPlan scan_plan_;  // of whoever has set scanning_
  std::atomic<bool> sweeping_{false};
  std::atomic<bool> checking_{false};
  std::atomic<bool> stopping_{false};
};

}  // namespace skald
