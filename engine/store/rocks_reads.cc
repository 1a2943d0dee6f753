// The reads of RocksStore. RocksDB shows a write only after it is synced, so what is read here has
// been, or is about to be, acknowledged.
#include <rocksdb/iterator.h>

#include <algorithm>

#include "engine/store/rocks_store.h"
#include "engine/wire/stored.h"

namespace skald {
namespace {

using rocks::ByteReader;
using rocks::Bytestring;
using rocks::RowKind;

bool within(PlacementRange range, const SagaId& id) {
  return range.first <= id.placement && id.placement <= range.last;
}

// The rows whose keys begin with one prefix, in key order.
class Rows {
 public:
  Rows(rocksdb::DB& db, rocksdb::ColumnFamilyHandle* family, std::string prefix,
       rocksdb::ReadOptions options = {})
      : prefix_(std::move(prefix)), end_(rocks::after_prefix(prefix_)), bound_(end_) {
    if (!end_.empty()) options.iterate_upper_bound = &bound_;
    row_.reset(db.NewIterator(options, family));
    row_->Seek(prefix_);
  }
  Rows(const Rows&) = delete;
  Rows& operator=(const Rows&) = delete;

  /// Moves to the first row at or behind prefix + rest.
  void seek(std::string_view rest) { row_->Seek(prefix_ + std::string(rest)); }
  /// The same, behind it.
  void seek_behind(std::string_view rest) {
    seek(rest);
    if (valid() && key() == rest) next();
  }
  [[nodiscard]] bool valid() const { return row_->Valid(); }
  void next() { row_->Next(); }
  /// What follows the prefix.
  [[nodiscard]] std::string_view key() const {
    return row_->key().ToStringView().substr(prefix_.size());
  }
  [[nodiscard]] std::string_view value() const { return row_->value().ToStringView(); }
  [[nodiscard]] rocksdb::Status status() const { return row_->status(); }

 private:
  std::string prefix_;
  std::string end_;
  rocksdb::Slice bound_;  // must outlive the iterator
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

std::string prefix_of(RowKind kind) { return Bytestring().begin(kind).view(); }

// Moves a stream in list order to where the page begins: behind `after`, or at the newest start
// allowed.
void begin_page(Rows& rows, const ListQuery& query, const std::optional<ListPosition>& after) {
  if (query.started_before && *query.started_before == Instant::min()) {
    rows.seek(std::string(rocks::kPositionSize, '\xFF'));
    return;
  }
  Bytestring newest;
  newest.begin();
  if (query.started_before) {
    constexpr SagaId kGreatest{.placement = ~0ULL, .serial = ~0ULL};
    newest.newest_first({.started_at = *query.started_before - Millis{1}, .id = kGreatest});
  }
  Bytestring behind;
  behind.begin();
  if (after) behind.newest_first(*after);
  if (after && behind.view() >= newest.view()) {
    rows.seek_behind(behind.view());
  } else {
    rows.seek(newest.view());
  }
}

bool too_old(const ListQuery& query, const ListPosition& position) {
  return query.started_after && position.started_at < *query.started_after;
}

}  // namespace

Error RocksStore::damaged(std::string what) {
  Error error{Errc::data_loss,
              fmt::format("{}: {} is damaged; restore it from a copy", options_.directory, what)};
  health_->end_writing(error.message);
  return error;
}

Error RocksStore::read_failed(std::string_view what, const rocksdb::Status& status) {
  Error error{status.IsCorruption() ? Errc::data_loss : Errc::unavailable,
              fmt::format("{}: cannot read {}: {}", options_.directory, what, status.ToString())};
  health_->end_writing(error.message);
  return error;
}

Result<std::optional<std::string>> RocksStore::get(const rocksdb::ReadOptions& options,
                                                   const std::string& key) {
  std::string value;
  const auto status = db_->Get(options, families_.rows, key, &value);
  if (status.IsNotFound()) return std::nullopt;
  if (!status.ok()) return std::unexpected(read_failed("a row", status));
  return value;
}

Result<std::optional<StoredSaga>> RocksStore::load(const SagaId& id) {
  rocksdb::ReadOptions options;
  options.prefix_same_as_start = true;
  StoredSaga saga{.id = id};
  std::uint64_t next = 1;
  Rows rows(*db_, families_.events, Bytestring().id(id).view(), options);
  for (; rows.valid(); rows.next()) {
    const std::uint64_t first_seq = ByteReader(rows.key()).number64();
    ByteReader value(rows.value());
    const std::uint64_t count = value.number(rocks::kCountSize);
    const auto intact = wire::check_stored(value.rest());
    if (!value.sound() || !intact) {
      return std::unexpected(
          damaged(fmt::format("record of saga_id={} seq={} ({})", id.text(), first_seq,
                              intact ? "cut short" : intact.error().message)));
    }
    if (first_seq != next) {
      return std::unexpected(damaged(fmt::format(
          "history of saga_id={} (events from seq={} are missing, the next record is seq={})",
          id.text(), next, first_seq)));
    }
    next += count;
    saga.records.push_back({.first_seq = first_seq, .bytes = Bytes(value.rest())});
  }
  if (!rows.status().ok())
    return std::unexpected(read_failed("saga_id=" + id.text(), rows.status()));
  if (saga.records.empty()) return std::nullopt;
  return saga;
}

Result<std::optional<rocks::KeyValue>> RocksStore::get_key(const rocksdb::ReadOptions& options,
                                                           std::string_view key) {
  const auto value = get(options, Bytestring().begin(RowKind::submission_key).bytes(key).view());
  if (!value) return std::unexpected(value.error());
  if (!*value) return std::nullopt;
  const auto row = rocks::read_key_value(**value);
  if (!row) return std::unexpected(damaged("an idempotency key's row"));
  return row;
}

Result<std::optional<KeyRow>> RocksStore::find_key(std::string_view key) {
  const auto row = get_key({}, key);
  if (!row) return std::unexpected(row.error());
  if (!*row) return std::nullopt;
  return KeyRow{.key = std::string(key), .saga = (*row)->saga, .body_hash = (*row)->body_hash};
}

std::optional<Result<std::optional<KeyRow>>> RocksStore::find_key_in_memory(std::string_view key) {
  // Memtables, the filters of the tables, and cached blocks. Thread-local buffers: shards ask at
  // each submission.
  thread_local rocks::Bytestring row_key;
  rocksdb::ReadOptions options;
  options.read_tier = rocksdb::kBlockCacheTier;
  rocksdb::PinnableSlice value;
  const auto status = db_->Get(options, families_.rows,
                               row_key.begin(RowKind::submission_key).bytes(key).view(), &value);
  if (status.IsIncomplete()) return std::nullopt;
  if (status.IsNotFound()) return Result<std::optional<KeyRow>>(std::nullopt);
  if (!status.ok()) return std::unexpected(read_failed("a row", status));
  const auto row = rocks::read_key_value(value.ToStringView());
  if (!row) return std::unexpected(damaged("an idempotency key's row"));
  return KeyRow{.key = std::string(key), .saga = row->saga, .body_hash = row->body_hash};
}

Result<std::vector<SagaId>> RocksStore::find_business_key(std::string_view business_key,
                                                          std::size_t limit) {
  std::vector<SagaId> ids;
  if (business_key.size() > rocks::kBusinessKeyBytesMax) return ids;
  Bytestring prefix;
  prefix.begin(RowKind::business_key)
      .number16(static_cast<std::uint16_t>(business_key.size()))
      .bytes(business_key);
  Rows rows(*db_, families_.rows, prefix.view());
  for (; rows.valid() && ids.size() < limit; rows.next()) {
    ids.push_back(ByteReader(rows.key()).newest_first().id);
  }
  if (!rows.status().ok()) return std::unexpected(read_failed("business keys", rows.status()));
  return ids;
}

Result<SagaSummary> RocksStore::read_summary(const ListPosition& position, std::string_view value) {
  auto summary = wire::decode_summary(value);
  if (summary) return summary;
  return std::unexpected(damaged(
      fmt::format("index row of saga_id={} ({})", position.id.text(), summary.error().message)));
}

Result<std::optional<SagaSummary>> RocksStore::get_summary(const rocksdb::ReadOptions& options,
                                                           const ListPosition& position,
                                                           const ListQuery& wanted) {
  Bytestring key;
  for (std::uint8_t status = 1; status <= kSagaStatusCount; ++status) {
    if (!wants_status(wanted, static_cast<SagaStatus>(status))) continue;
    const auto value =
        get(options, key.begin(RowKind::listed).byte(status).newest_first(position).view());
    if (!value) return std::unexpected(value.error());
    if (!*value) continue;
    auto summary = read_summary(position, **value);
    if (!summary) return std::unexpected(summary.error());
    return std::move(*summary);
  }
  return std::nullopt;
}

Result<ListPage> RocksStore::list(const ListQuery& query) {
  const auto after = check_query(query);
  if (!after) return std::unexpected(after.error());
  return query.business_key.empty() ? list_by_status(query, *after)
                                    : list_by_business_key(query, *after);
}

// Merges the rows of the wanted statuses: each is in list order.
Result<ListPage> RocksStore::list_by_status(const ListQuery& query,
                                            const std::optional<ListPosition>& after) {
  const Snapshot snapshot(*db_);
  std::vector<std::unique_ptr<Rows>> streams;
  for (std::uint8_t status = 1; status <= kSagaStatusCount; ++status) {
    if (!wants_status(query, static_cast<SagaStatus>(status))) continue;
    Bytestring prefix;
    prefix.begin(RowKind::listed).byte(status);
    streams.push_back(
        std::make_unique<Rows>(*db_, families_.rows, prefix.view(), snapshot.options()));
    begin_page(*streams.back(), query, after);
  }
  PageBuilder page(query);
  while (true) {
    Rows* newest = nullptr;
    for (const auto& stream : streams) {
      if (!stream->valid()) {
        if (!stream->status().ok())
          return std::unexpected(read_failed("the list", stream->status()));
        continue;
      }
      if (newest == nullptr || stream->key() < newest->key()) newest = stream.get();
    }
    if (newest == nullptr) break;
    const ListPosition position = ByteReader(newest->key()).newest_first();
    if (too_old(query, position)) break;
    const auto summary = read_summary(position, newest->value());
    if (!summary) return std::unexpected(summary.error());
    if (!page.add(position, *summary)) break;
    newest->next();
  }
  return page.take();
}

Result<ListPage> RocksStore::list_by_business_key(const ListQuery& query,
                                                  const std::optional<ListPosition>& after) {
  PageBuilder page(query);
  if (query.business_key.size() > rocks::kBusinessKeyBytesMax) return page.take();
  const Snapshot snapshot(*db_);
  Bytestring prefix;
  prefix.begin(RowKind::business_key)
      .number16(static_cast<std::uint16_t>(query.business_key.size()))
      .bytes(query.business_key);
  Rows rows(*db_, families_.rows, prefix.view(), snapshot.options());
  begin_page(rows, query, after);
  for (; rows.valid(); rows.next()) {
    const ListPosition position = ByteReader(rows.key()).newest_first();
    if (too_old(query, position)) break;
    const auto summary = get_summary(snapshot.options(), position, query);
    if (!summary) return std::unexpected(summary.error());
    const bool more = *summary ? page.add(position, **summary) : page.pass(position);
    if (!more) break;
  }
  if (!rows.status().ok()) return std::unexpected(read_failed("business keys", rows.status()));
  return page.take();
}

Result<std::vector<std::pair<SagaStatus, std::uint64_t>>> RocksStore::count_by_status() {
  const std::scoped_lock lock(counting_);
  std::vector<std::pair<SagaStatus, std::uint64_t>> counts;
  for (std::size_t i = 0; i < counts_.size(); ++i) {
    counts.emplace_back(static_cast<SagaStatus>(i + 1), counts_.at(i));
  }
  return counts;
}

Result<std::vector<TimerRow>> RocksStore::timers(PlacementRange range, Instant until,
                                                 std::optional<TimerRow> after, std::size_t limit) {
  std::vector<TimerRow> found;
  Rows rows(*db_, families_.rows, prefix_of(RowKind::timer));
  if (after) rows.seek_behind(Bytestring().instant(after->due).id(after->id).view());
  for (; rows.valid() && found.size() < limit; rows.next()) {
    ByteReader key(rows.key());
    const Instant due = key.instant();
    if (due > until) break;
    const SagaId id = key.id();
    if (within(range, id)) found.push_back({.due = due, .id = id});
  }
  if (!rows.status().ok()) return std::unexpected(read_failed("timers", rows.status()));
  return found;
}

Result<std::vector<SagaId>> RocksStore::active(PlacementRange range, std::optional<SagaId> after,
                                               std::size_t limit) {
  std::vector<SagaId> found;
  Rows rows(*db_, families_.rows, prefix_of(RowKind::active));
  const SagaId first{.placement = range.first, .serial = 0};
  if (after && *after >= first) {
    rows.seek_behind(Bytestring().id(*after).view());
  } else {
    rows.seek(Bytestring().id(first).view());
  }
  for (; rows.valid() && found.size() < limit; rows.next()) {
    const SagaId id = ByteReader(rows.key()).id();
    if (!within(range, id)) break;
    found.push_back(id);
  }
  if (!rows.status().ok()) return std::unexpected(read_failed("active sagas", rows.status()));
  return found;
}

Result<std::vector<KeyRow>> RocksStore::expired_keys(PlacementRange range, Instant before,
                                                     std::size_t limit) {
  const Snapshot snapshot(*db_);
  std::vector<KeyRow> found;
  Rows rows(*db_, families_.rows, prefix_of(RowKind::ended), snapshot.options());
  for (; rows.valid() && found.size() < limit; rows.next()) {
    ByteReader when(rows.key());
    if (when.instant() >= before) break;
    const SagaId id = when.id();
    if (!within(range, id)) continue;
    const auto row = get_key(snapshot.options(), rows.value());
    if (!row) return std::unexpected(row.error());
    // A key that was removed, and perhaps used again, is no longer this saga's.
    if (!*row || (*row)->saga != id) continue;
    found.push_back({.key = std::string(rows.value()), .saga = id, .body_hash = (*row)->body_hash});
  }
  if (!rows.status().ok()) return std::unexpected(read_failed("ended sagas", rows.status()));
  return found;
}

Result<std::vector<Note>> RocksStore::notes(std::string_view prefix) {
  std::vector<Note> found;
  Rows rows(*db_, families_.rows, Bytestring().begin(RowKind::note).bytes(prefix).view());
  for (; rows.valid(); rows.next()) {
    found.push_back({.name = std::string(prefix) + std::string(rows.key()),
                     .value = std::string(rows.value())});
  }
  if (!rows.status().ok()) return std::unexpected(read_failed("notes", rows.status()));
  return found;
}

}  // namespace skald
