// From transitions to RocksDB's updates: which rows a change touches, and nothing of when they are
// written. As few updates as possible: inserting one costs microseconds, syncing them all costs
// one.
#pragma once

#include <rocksdb/write_batch.h>

#include <array>
#include <cstdint>
#include <optional>

#include "engine/store/rocks_keys.h"
#include "engine/store/store.h"

namespace skald::rocks {

/// Sagas by status; the first is SagaStatus 1.
using StatusCounts = std::array<std::uint64_t, kSagaStatusCount>;

struct ColumnFamilies {
  rocksdb::ColumnFamilyHandle* rows = nullptr;
  rocksdb::ColumnFamilyHandle* events = nullptr;
};

/// What an idempotency key's row holds.
struct KeyValue {
  SagaId saga;
  std::uint64_t body_hash = 0;
  Instant started_at{};
};
[[nodiscard]] std::optional<KeyValue> read_key_value(std::string_view value);

class BatchWriter {
 public:
  BatchWriter(rocksdb::WriteBatch& batch, ColumnFamilies families)
      : batch_(batch), families_(families) {}

  /// The record, and of the index, timer and key rows those that change. Keeps `counts` exact.
  /// Pre: see Transition; a business key has at most kBusinessKeyBytesMax bytes.
  void transition(const Transition& transition, StatusCounts& counts);
  void shard(std::uint32_t shard, const ShardMeta& meta);
  /// One row for each number that differs.
  void counts(const StatusCounts& before, const StatusCounts& after);
  /// The key's row, and the row that says when its saga ended.
  void remove_key(std::string_view key, const SagaId& saga, std::optional<Instant> ended_at);
  void note(const Note& note);
  void format();

 private:
  void record(const Transition& transition);
  void listed(const Transition& transition);
  void active(const Transition& transition);
  void business_key(const Transition& transition);
  void ended(const Transition& transition);
  void timer(const Transition& transition);
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
