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
#include "engine/filter/filter.h"
#include "engine/shard/transition.h"
#include "engine/store/failure_groups.h"
#include "engine/store/store_check.h"

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

/// Sent by name; in page tokens by letter.
enum class ListOrder : std::uint8_t {
  newest = 1,     // started last, first
  oldest,         // started first, first
  longest_stuck,  // stuck sagas only, the one that waits longest for a person first
};

/// Empty fields do not filter; a saga passes all that are set.
struct ListQuery {
  std::vector<SagaStatus> statuses;
  std::string definition;
  std::string business_key;
  std::optional<Instant> started_after;   // inclusive
  std::optional<Instant> started_before;  // exclusive
  filter::Filter filter;
  Instant now{};  // for what the filter says of ages
  ListOrder order = ListOrder::newest;
  std::size_t limit = 50;  // 1 <= limit <= kListPageMax
  std::string page_token;  // from an earlier page of the same order; opaque
};
inline constexpr std::size_t kListPageMax = 1'000;

struct ListPage {
  std::vector<ListedSaga> sagas;
  std::string next_page_token;  // empty: no more
};

struct CountQuery {
  filter::Filter filter;
  Instant now{};           // for what the filter says of ages
  std::string page_token;  // from an earlier page; opaque
};

/// A part of the count; the whole is the sum over all pages.
struct CountPage {
  std::uint64_t count = 0;
  std::string next_page_token;  // empty: that was all
};

struct GroupQuery {
  GroupBy by = GroupBy::cause;
  filter::Filter filter;
  Instant now{};  // for what the filter says of ages
};

struct DefinitionCount {
  std::string definition;  // empty: all beyond kDefinitionsCountedMax together
  SagaStatus status = SagaStatus::running;
  std::uint64_t count = 0;
  bool operator==(const DefinitionCount&) const = default;
};
inline constexpr std::size_t kDefinitionsCountedMax = 4'096;

/// Which ended sagas may go: those of the status that ended before a moment.
struct RetentionRule {
  std::string definition;  // empty: every definition without a rule of its own for the status
  SagaStatus status = SagaStatus::completed;
  std::optional<Instant> ended_before;  // absent: none may, they are kept for ever
};

struct TimerRow {
  Instant due{};
  SagaId id;
};

/// A shard's persisted position. All zero for a shard never written.
struct ShardMeta {
  std::uint64_t epoch = 0;
  std::uint64_t number = 0;  // of the last committed batch
  Instant clock_high{};      // as open_shard() tells it: of all shards
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
  /// A page may be short, and even empty, and have a next one: no call looks at more than a bounded
  /// number of sagas. Errors: invalid_argument (limit, token).
  [[nodiscard]] virtual Result<ListPage> list(const ListQuery& query) = 0;
  /// How many sagas pass. One exact page for filters about definition, status and failure;
  /// others look at sagas, page by page. Errors: invalid_argument (token).
  [[nodiscard]] virtual Result<CountPage> count(const CountQuery& query) = 0;
  /// The failed sagas that pass, by what they have in common, the largest group first. Exact.
  [[nodiscard]] virtual Result<FailureGroups> groups(const GroupQuery& query) = 0;
  /// Exact counts by status, over all sagas.
  [[nodiscard]] virtual Result<std::vector<std::pair<SagaStatus, std::uint64_t>>>
  count_by_status() = 0;
  /// The same by definition too, without zeros; by definition, then status.
  [[nodiscard]] virtual Result<std::vector<DefinitionCount>> count_by_definition() = 0;

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
  /// Ended sagas that the rules let go, at most `limit`; of one definition and status those that
  /// ended first. A saga whose idempotency key is still there is not among them: its key goes first
  /// (expired_keys).
  [[nodiscard]] virtual Result<std::vector<EndedSaga>> removable(
      std::span<const RetentionRule> rules, std::size_t limit) = 0;
  /// Holds every row against the histories, as of now, beside whatever goes on. Slow: reads all.
  /// Errors: unimplemented (a store that cannot be damaged), or what a read says.
  [[nodiscard]] virtual Result<CheckReport> check(const CheckOptions&) {
    return fail(Errc::unimplemented, "this store has no check");
  }
  /// Copies all that is acknowledged into a new directory, durable when it returns, and checks the
  /// copy. Commits wait for a moment. Errors: already_exists (the directory), unavailable (it
  /// cannot be written), unimplemented.
  [[nodiscard]] virtual Result<CheckReport> back_up(const std::string&, const CheckOptions&) {
    return fail(Errc::unimplemented, "this store has no backup");
  }
  /// Before a clean end: what the next open would have to replay is written to its place, so that
  /// it need not. Nothing is lost without it. Errors: unavailable.
  [[nodiscard]] virtual Result<void> flush() { return {}; }
  /// Reads the next file of data whole, in the order of their names, and holds it against its
  /// checksums: nullopt when none comes after `after`. Damage ends writing, as when a read finds
  /// it. Errors: data_loss, with the file named.
  [[nodiscard]] virtual Result<std::optional<ScannedFile>> scan_after(std::string_view) {
    return std::nullopt;  // nothing of a store in memory decays
  }
  /// Bytes free for new data; admission stops below the configured reserve.
  [[nodiscard]] virtual Result<std::uint64_t> bytes_available() = 0;
};

}  // namespace skald
