// MemoryStore: the reference implementation of the Store contract, in plain containers. Everything
// is gone with the object; durability is the one promise it cannot keep.
#pragma once

#include <array>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

#include "engine/store/fencing.h"
#include "engine/store/list_page.h"
#include "engine/store/store.h"

namespace skald {

/// Thread: every call from any thread.
class MemoryStore final : public Store {
 public:
  MemoryStore() = default;
  MemoryStore(const MemoryStore&) = delete;
  MemoryStore& operator=(const MemoryStore&) = delete;

  Result<ShardMeta> open_shard(std::uint32_t shard) override;
  Result<void> commit(std::span<const ShardBatch> batches) override;
  Result<std::optional<StoredSaga>> load(const SagaId& id) override;
  Result<std::optional<KeyRow>> find_key(std::string_view key) override;
  std::optional<Result<std::optional<KeyRow>>> find_key_in_memory(std::string_view key) override {
    return find_key(key);
  }
  Result<std::vector<SagaId>> find_business_key(std::string_view business_key,
                                                std::size_t limit) override;
  Result<ListPage> list(const ListQuery& query) override;
  Result<CountPage> count(const CountQuery& query) override;
  Result<FailureGroups> groups(const GroupQuery& query) override;
  Result<std::vector<std::pair<SagaStatus, std::uint64_t>>> count_by_status() override;
  Result<std::vector<DefinitionCount>> count_by_definition() override;
  Result<std::vector<TimerRow>> timers(PlacementRange range, Instant until,
                                       std::optional<TimerRow> after, std::size_t limit) override;
  Result<std::vector<SagaId>> active(PlacementRange range, std::optional<SagaId> after,
                                     std::size_t limit) override;
  Result<std::vector<KeyRow>> expired_keys(PlacementRange range, Instant before,
                                           std::size_t limit) override;
  Result<std::vector<Note>> notes(std::string_view prefix) override;
  Result<std::vector<EndedSaga>> removable(std::span<const RetentionRule> rules,
                                           std::size_t limit) override;
  Result<std::uint64_t> bytes_available() override;

 private:
  struct Record {
    std::uint64_t first_seq = 0;
    std::uint32_t count = 0;
    Bytes bytes;
  };
  struct Key {
    KeyRow row;
    Instant ended_at{};  // of its saga
  };
  using ByTime = std::pair<Instant, SagaId>;

  void apply(const Transition& transition);
  void add_rows(const SagaId& id, const SagaSummary& summary);
  void remove_rows(const SagaId& id, const SagaSummary& summary);
  void remove_key(const std::string& key);
  void remove_saga(const EndedSaga& saga);
  [[nodiscard]] bool has_key(const SagaId& id, const SagaSummary& summary) const;
  /// Every row behind `after`, in the order asked for, until `take` says no.
  template <class Take>
  void each_listed(ListOrder order, const std::optional<ListPosition>& after, Take&& take);

  std::mutex mutex_;  // guards all below
  Fencing fencing_;
  std::unordered_map<SagaId, std::vector<Record>> records_;
  std::map<ListPosition, SagaSummary, std::greater<>> listed_;
  std::map<std::string, std::set<ListPosition, std::greater<>>, std::less<>> by_business_key_;
  std::set<SagaId> active_;
  std::set<ByTime> timers_;
  std::map<ByTime, std::string> ended_;  // only of sagas with an idempotency key
  std::map<std::string, Key, std::less<>> keys_;
  std::map<std::string, Bytes, std::less<>> notes_;
  std::array<std::uint64_t, kSagaStatusCount> counts_{};
};

}  // namespace skald
