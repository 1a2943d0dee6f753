// Store: the contract between the engine and whatever keeps its data. Memory and RocksDB implement
// it and pass tests/conformance; so must every later one. Calls block: the runtime hops threads for
// them.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/ids.h"
#include "engine/base/result.h"
#include "engine/shard/transition.h"

namespace skald {

/// One saga as stored: its records in order. Folding them (wire/stored.h, core/evolve.h) gives the
/// state.
struct StoredSaga {
  SagaId id;
  struct Record {
    std::uint64_t first_seq = 0;
    Bytes bytes;
  };
  std::vector<Record> records;
};

struct ListedSaga {
  SagaId id;
  SagaSummary summary;
};

/// Empty fields do not filter. Newest first.
struct ListQuery {
  std::vector<SagaStatus> statuses;
  std::string definition;
  std::string business_key;
  std::optional<Instant> started_after;   // inclusive
  std::optional<Instant> started_before;  // exclusive
  std::size_t limit = 50;                 // 1 <= limit <= kListPageMax
  std::string page_token;                 // from an earlier page; opaque
};
inline constexpr std::size_t kListPageMax = 1'000;

struct ListPage {
  std::vector<ListedSaga> sagas;
  std::string next_page_token;  // empty: no more
};

struct TimerRow {
  Instant due{};
  SagaId id;
};

/// A shard's persisted position. All zero for a shard never written.
struct ShardMeta {
  std::uint64_t epoch = 0;
  std::uint64_t number = 0;  // of the last committed batch
  Instant clock_high{};
};

/// Placement range [first, last], inclusive on both ends.
struct PlacementRange {
  std::uint64_t first = 0;
  std::uint64_t last = ~0ULL;
};

/// Thread: commit() from one committer thread; all other calls from any thread, also during a
/// commit. Durability: when commit() returns ok, every batch in it is on disk and survives power
/// loss. All batches of one call are atomic together. Reads see exactly the acknowledged commits.
class Store {
 public:
  virtual ~Store() = default;

  /// Takes over a shard: epoch = stored epoch + 1, durable before it returns.
  [[nodiscard]] virtual Result<ShardMeta> open_shard(std::uint32_t shard) = 0;

  /// Errors: aborted ("fenced": the epoch is not ours, or the number leaves a gap; nothing was
  /// written);
  ///         unavailable (the write or sync failed: nobody knows what is on disk. Every later
  ///         commit is refused with the same error until the store is opened again; reads go on).
  ///         resource_exhausted (below the disk reserve and the batch starts new sagas; nothing
  ///         written).
  [[nodiscard]] virtual Result<void> commit(std::span<const ShardBatch> batches) = 0;

  /// nullopt: no such saga. Errors: data_loss (a record is damaged or missing; says which).
  [[nodiscard]] virtual Result<std::optional<StoredSaga>> load(const SagaId& id) = 0;
  [[nodiscard]] virtual Result<std::optional<KeyRow>> find_key(std::string_view key) = 0;
  /// find_key() where it takes microseconds and touches no disk; nullopt: ask find_key(), off the
  /// I/O threads. Most keys are new, and a store can tell that from memory.
  [[nodiscard]] virtual std::optional<Result<std::optional<KeyRow>>> find_key_in_memory(
      std::string_view) {
    return std::nullopt;
  }
  /// Sagas with this business key, newest first, at most `limit`.
  [[nodiscard]] virtual Result<std::vector<SagaId>> find_business_key(std::string_view business_key,
                                                                      std::size_t limit) = 0;
  [[nodiscard]] virtual Result<ListPage> list(const ListQuery& query) = 0;
  /// Exact counts by status, over all sagas.
  [[nodiscard]] virtual Result<std::vector<std::pair<SagaStatus, std::uint64_t>>>
  count_by_status() = 0;

  /// Timer rows due at or before `until`, earliest first, after (`after_due`, `after_id`)
  /// exclusive.
  [[nodiscard]] virtual Result<std::vector<TimerRow>> timers(PlacementRange range, Instant until,
                                                             std::optional<TimerRow> after,
                                                             std::size_t limit) = 0;
  /// Sagas that are neither terminal nor waiting, in id order after `after`: what recovery loads.
  [[nodiscard]] virtual Result<std::vector<SagaId>> active(PlacementRange range,
                                                           std::optional<SagaId> after,
                                                           std::size_t limit) = 0;
  /// Terminal sagas with an idempotency key that ended before `before`, oldest first: whose key
  /// rows may go. A key row already removed is not listed again.
  [[nodiscard]] virtual Result<std::vector<KeyRow>> expired_keys(PlacementRange range,
                                                                 Instant before,
                                                                 std::size_t limit) = 0;
  /// Notes whose name begins with `prefix`, by name.
  [[nodiscard]] virtual Result<std::vector<Note>> notes(std::string_view prefix) = 0;
  /// Bytes free for new data; admission stops below the configured reserve.
  [[nodiscard]] virtual Result<std::uint64_t> bytes_available() = 0;
};

}  // namespace skald
