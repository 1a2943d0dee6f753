// Which rows a saga should have: its history folded, and the same code that writes rows.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "engine/base/result.h"
#include "engine/core/state.h"
#include "engine/store/rocks_batch.h"
#include "engine/store/rocks_rows.h"
#include "engine/store/saga_counts.h"
#include "engine/store/store_check.h"

namespace skald::rocks {

struct History {
  SagaState state;
  std::string broken;  // where it cannot be folded, and why; empty: sound
};

/// Folds one more record, as stored. After the first that is broken nothing more is folded.
void fold(History& history, std::uint64_t first_seq, std::string_view stored);

/// What all sagas together should have.
struct Tally {
  SagaCounts counts;
  CauseChanges causes;
};

class ExpectedRows {
 public:
  ExpectedRows(const RowReader& reader, ColumnFamilies families, rocksdb::ReadOptions at,
               const CheckOptions& options)
      : reader_(reader), families_(families), at_(std::move(at)), options_(options) {}

  struct OfSaga {
    std::map<std::string, std::string> rows;  // key -> value, of the column family "default"
    bool has_key = false;                     // its idempotency key's row leads to it
  };
  /// `counts`: whether it goes into the tally. What cannot be told from the history is taken from
  /// the store: whether a key's retention is over, and where its definition is not registered,
  /// whether it waits and its failure. Errors: a row cannot be read.
  [[nodiscard]] Result<OfSaga> rows(const SagaState& state, bool counts);

  [[nodiscard]] Tally& tally() { return tally_; }

 private:
  [[nodiscard]] Result<SagaSummary> summary(const SagaState& state);

  const RowReader& reader_;
  ColumnFamilies families_;
  rocksdb::ReadOptions at_;
  const CheckOptions& options_;
  Tally tally_;
};

}  // namespace skald::rocks
