// The check of an open database: folds every history, makes the rows that it should have with the
// same code that writes them (rocks_expected.h), and compares; where a kind has more rows than were
// found so, each is held against its saga's history. Changes nothing.
//
// What histories cannot tell is taken as stored: whether a key's retention is over, and, where its
// definition is not registered, whether a saga waits and why it failed. A row without a failure, as
// an earlier build wrote it, passes.
#pragma once

#include <rocksdb/db.h>

#include "engine/base/result.h"
#include "engine/store/rocks_rows.h"
#include "engine/store/store_check.h"

namespace skald::rocks {

struct CheckedDatabase {
  rocksdb::DB& db;
  ColumnFamilies families;
  std::string directory;    // for messages
  rocksdb::ReadOptions at;  // its snapshot, where the database is in use
};

/// Errors: failed_precondition (a format that is not known here), data_loss and unavailable (a
/// table cannot be read).
[[nodiscard]] Result<CheckReport> check_rows(const CheckedDatabase& database,
                                             const CheckOptions& options);

}  // namespace skald::rocks
