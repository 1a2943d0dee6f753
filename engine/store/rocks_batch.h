// From transitions to RocksDB's updates: which rows a change touches, and nothing of when they are
// written. As few updates as possible: inserting one costs microseconds, syncing them all costs
// one.
#pragma once

#include <rocksdb/write_batch.h>

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <unordered_map>

#include "engine/store/rocks_keys.h"
#include "engine/store/rocks_rows.h"
#include "engine/store/saga_counts.h"
#include "engine/store/store.h"
#include "engine/wire/stored.h"

namespace skald::rocks {

/// What an idempotency key's row holds.
struct KeyValue {
  SagaId saga;
  std::uint64_t body_hash = 0;
  Instant started_at{};
};
[[nodiscard]] std::optional<KeyValue> read_key_value(std::string_view value);

/// Names a cause's row: one for each status in which sagas have it.
struct CauseKey {
  SagaStatus status = SagaStatus::stuck;
  CauseId cause;  // 0: no failure
  auto operator<=>(const CauseKey&) const = default;
};
[[nodiscard]] CauseKey cause_key(const SagaSummary& summary);

/// What a cause's row holds.
struct CauseValue {
  std::uint64_t count = 0;
  wire::StoredCause cause;
};
[[nodiscard]] Result<CauseValue> read_cause_value(std::string_view value);

/// What one commit changes of causes: gathered over its transitions, written at its end.
class CauseChanges {
 public:
  struct Change {
    std::int64_t more = 0;
    wire::StoredCause cause;
  };

  void enter(const SagaSummary& summary);
  void leave(const SagaSummary& summary);
  [[nodiscard]] const std::map<CauseKey, Change>& changes() const { return changes_; }

  /// The row that an earlier transition of this commit wrote for the saga; null: none did.
  [[nodiscard]] const SagaSummary* written(const SagaId& id) const;
  void wrote(const SagaId& id, const SagaSummary* summary);

 private:
  std::map<CauseKey, Change> changes_;
  std::unordered_map<SagaId, SagaSummary> written_;
};

class BatchWriter {
 public:
  BatchWriter(rocksdb::WriteBatch& batch, ColumnFamilies families)
      : batch_(batch), families_(families) {}

  /// The record, and of the index, timer and key rows those that change. Keeps `counts` exact.
  /// False: no index row changes. Pre: see Transition; a business key has at most
  /// kBusinessKeyBytesMax bytes.
  bool transition(const Transition& transition, SagaCounts& counts);
  /// The rows by cause, of a transition that changes a row. `before`: what the store holds, where
  /// its status has such rows.
  void causes(const Transition& transition, const SagaSummary* before, CauseChanges& changes);
  /// The rows by cause of one saga that has none yet.
  void add_causes(const SagaId& id, const SagaSummary& summary, CauseChanges& changes);
  /// `count` 0: the row goes.
  void cause(const CauseKey& key, const CauseValue& value);
  void shard(std::uint32_t shard, const ShardMeta& meta);
  /// One row for each number that differs, and one for each definition seen for the first time.
  void counts(const SagaCounts& counts);
  /// The key's row goes; of `ended`, its saga's summary if it has ended, the row `ended` becomes
  /// one of `removable`.
  void remove_key(std::string_view key, const SagaId& saga, const SagaSummary* ended);
  /// The row of an ended saga without a key.
  void add_removable(const SagaId& id, const SagaSummary& summary);
  /// Every row of a saga but those of its key and its causes. `removal` has its summary in
  /// `before`, and nothing in `after`.
  void remove_saga(const Transition& removal, SagaCounts& counts);
  void remove_record(std::string_view key);
  void note(const Note& note);
  void format();
  /// Counts as format 1 kept them.
  void remove_old_counts();

 private:
  void record(const Transition& transition);
  void listed(const Transition& transition);
  void active(const Transition& transition);
  void business_key(const Transition& transition);
  void ended(const Transition& transition);
  void timer(const Transition& transition);
  void remove_causes(const SagaId& id, const SagaSummary& summary, CauseChanges& changes);
  void put(const std::string& key, const std::string& value);
  void erase(const std::string& key);

  rocksdb::WriteBatch& batch_;
  ColumnFamilies families_;
  Bytestring key_;
  Bytestring other_key_;
  Bytestring fixed_value_;
  std::string value_;
};

}  // namespace skald::rocks
