// Reading rows: streams of neighbours, one state of the database for several reads, single rows,
// and what is said when a read fails.
#pragma once

#include <rocksdb/db.h>
#include <rocksdb/iterator.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "engine/store/list_page.h"
#include "engine/store/rocks_health.h"
#include "engine/store/rocks_keys.h"

namespace skald::rocks {

struct ColumnFamilies {
  rocksdb::ColumnFamilyHandle* rows = nullptr;
  rocksdb::ColumnFamilyHandle* events = nullptr;
};

enum class Direction : std::uint8_t { forward = 1, backward };

// The rows whose keys begin with one prefix, in key order or against it.
class Rows {
 public:
  Rows(rocksdb::DB& db, rocksdb::ColumnFamilyHandle* family, std::string prefix,
       rocksdb::ReadOptions options = {}, Direction direction = Direction::forward);
  Rows(const Rows&) = delete;
  Rows& operator=(const Rows&) = delete;

  /// Moves to the first row at or behind prefix + rest, in the stream's direction.
  void seek(std::string_view rest);
  /// The same, behind it.
  void seek_behind(std::string_view rest);
  [[nodiscard]] bool valid() const { return row_->Valid(); }
  void next();
  /// What follows the prefix.
  [[nodiscard]] std::string_view key() const {
    return row_->key().ToStringView().substr(prefix_.size());
  }
  [[nodiscard]] std::string_view value() const { return row_->value().ToStringView(); }
  [[nodiscard]] rocksdb::Status status() const { return row_->status(); }
  [[nodiscard]] Direction direction() const { return direction_; }

 private:
  std::string prefix_;
  std::string end_;
  Direction direction_;
  rocksdb::Slice first_;  // both must outlive the iterator
  rocksdb::Slice bound_;
  std::unique_ptr<rocksdb::Iterator> row_;
};

// One state of the database for several reads.
class Snapshot {
 public:
  explicit Snapshot(rocksdb::DB& db) : db_(db), snapshot_(db.GetSnapshot()) {}
  ~Snapshot() { db_.ReleaseSnapshot(snapshot_); }
  Snapshot(const Snapshot&) = delete;
  Snapshot& operator=(const Snapshot&) = delete;

  [[nodiscard]] rocksdb::ReadOptions options() const {
    rocksdb::ReadOptions options;
    options.snapshot = snapshot_;
    return options;
  }

 private:
  rocksdb::DB& db_;
  const rocksdb::Snapshot* snapshot_;
};

/// The rows of the column family "default". Damage or an I/O error met while reading ends writing
/// too, since nobody knows what else is hurt. Thread: any.
class RowReader {
 public:
  RowReader(rocksdb::DB& db, ColumnFamilies families, std::string directory, Health& health)
      : db_(db), families_(families), directory_(std::move(directory)), health_(health) {}

  [[nodiscard]] rocksdb::DB& db() const { return db_; }
  [[nodiscard]] std::unique_ptr<Rows> rows(std::string prefix, rocksdb::ReadOptions options = {},
                                           Direction direction = Direction::forward) const {
    return std::make_unique<Rows>(db_, families_.rows, std::move(prefix), options, direction);
  }
  /// Not found: nullopt.
  [[nodiscard]] Result<std::optional<std::string>> get(const rocksdb::ReadOptions& options,
                                                       const std::string& key) const;
  /// The summary of the saga at this place of the list, if it has the status.
  [[nodiscard]] Result<std::optional<SagaSummary>> summary(const rocksdb::ReadOptions& options,
                                                           SagaStatus status,
                                                           const ListPosition& position) const;
  /// The same, whichever status it has.
  [[nodiscard]] Result<std::optional<SagaSummary>> summary(const rocksdb::ReadOptions& options,
                                                           const ListPosition& position) const;
  /// When the saga started, by its first record. nullopt: there is no such saga.
  [[nodiscard]] Result<std::optional<Instant>> started_at(const rocksdb::ReadOptions& options,
                                                          const SagaId& id) const;
  [[nodiscard]] Result<SagaSummary> decode(const ListPosition& position,
                                           std::string_view value) const;

  [[nodiscard]] Error failed(std::string_view what, const rocksdb::Status& status) const;
  [[nodiscard]] Error damaged(std::string_view what) const;

 private:
  rocksdb::DB& db_;
  ColumnFamilies families_;
  std::string directory_;
  Health& health_;
};

}  // namespace skald::rocks
