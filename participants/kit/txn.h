// One transaction of a participant: reads that see its own writes and those of the transactions
// before it, and writes that are kept or dropped as a whole. Running them is in txn_runner.h.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/check.h"
#include "engine/base/time.h"
#include "participants/kit/row_store.h"

namespace skald::kit {

/// Thread: TxnRunner's only. Never kept beyond the call it is handed to.
class Txn {
 public:
  /// `before` are changes of earlier transactions that are not in the store yet.
  Txn(RowStore& store, const RowChanges& before, Instant now)
      : store_(store), before_(before), now_(now) {}
  Txn(const Txn&) = delete;
  Txn& operator=(const Txn&) = delete;

  /// Wall time, the same for the whole transaction.
  [[nodiscard]] Instant now() const { return now_; }

  /// The row's value, or nothing. When the store cannot be read it answers nothing and the
  /// transaction is doomed: whatever is written or answered after that, nothing is kept and the
  /// caller gets `unavailable`. So handlers need not check every read.
  [[nodiscard]] std::optional<std::string> get(std::string_view key);
  /// Rows of a range; doomed like get().
  [[nodiscard]] std::vector<Row> scan(const RowRange& range);

  void put(std::string key, std::string value);
  void erase(std::string key);
  /// Drops what this transaction has written so far.
  void discard() { changes_.clear(); }

  [[nodiscard]] const RowChanges& changes() const { return changes_; }
  /// Why it is doomed, if it is.
  [[nodiscard]] const std::optional<Error>& failure() const { return failure_; }

 private:
  RowStore& store_;
  const RowChanges& before_;
  Instant now_;
  RowChanges changes_;
  std::optional<Error> failure_;
};

/// A protobuf row, or nothing. A row that does not parse is damage: it stops the process.
template <class Message>
[[nodiscard]] std::optional<Message> get_message(Txn& txn, std::string_view key) {
  const auto bytes = txn.get(key);
  if (!bytes) return std::nullopt;
  Message message;
  SKALD_CHECK(message.ParseFromString(*bytes), "row kind={} size={}", key.substr(0, 1),
              bytes->size());
  return message;
}

template <class Message>
void put_message(Txn& txn, std::string key, const Message& message) {
  txn.put(std::move(key), message.SerializeAsString());
}

/// `prefix` followed by the number so that byte order is numeric order (of non-negative numbers).
[[nodiscard]] std::string row_key(std::string_view prefix, std::int64_t number);
[[nodiscard]] std::string row_key(std::string_view prefix, std::int64_t first, std::int64_t second);

}  // namespace skald::kit
