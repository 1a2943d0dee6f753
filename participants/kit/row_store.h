// Rows of a participant on disk: bytes under ordered keys, changed by one atomic, synced write.
// What the rows mean is the participants' business; who may change them when is TxnRunner's.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/result.h"

namespace skald::kit {

struct Row {
  std::string key;
  std::string value;
  bool operator==(const Row&) const = default;
};

/// What one write changes: the new value of a key, or nothing where the row is erased.
using RowChanges = std::map<std::string, std::optional<std::string>, std::less<>>;

enum class ScanOrder : std::uint8_t { ascending = 1, descending };

struct RowRange {
  std::string prefix;
  /// Where the scan goes on: keys strictly beyond this one in the scan's order. Empty: all.
  std::string after = {};
  ScanOrder order = ScanOrder::ascending;
  std::size_t rows_max = 1'000;
};

/// Thread: one thread at a time (TxnRunner's).
class RowStore {
 public:
  virtual ~RowStore() = default;
  /// Errors: unavailable, the store cannot be read; the caller stops using it.
  [[nodiscard]] virtual Result<std::optional<std::string>> get(std::string_view key) = 0;
  [[nodiscard]] virtual Result<std::vector<Row>> scan(const RowRange& range) = 0;
  /// All changes or none, on disk when it returns.
  /// Errors: unavailable; whether the change is on disk is not known until the store is reopened.
  [[nodiscard]] virtual Result<void> write(const RowChanges& changes) = 0;
};

/// Opens or creates a RocksDB in `dir`. Errors: unavailable with the directory and RocksDB's reason
/// (held by another process, damaged beyond a torn tail of the last log).
[[nodiscard]] Result<std::unique_ptr<RowStore>> open_rocks_rows(const std::string& dir);

}  // namespace skald::kit
