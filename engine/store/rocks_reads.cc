// The reads of RocksStore. RocksDB shows a write only after it is synced, so what is read here has
// been, or is about to be, acknowledged.
#include "engine/store/retention.h"
#include "engine/store/rocks_search.h"
#include "engine/store/rocks_store.h"
#include "engine/wire/stored.h"

namespace skald {
namespace {

using rocks::ByteReader;
using rocks::Bytestring;
using rocks::RowKind;
using rocks::Rows;
using rocks::Snapshot;

bool within(PlacementRange range, const SagaId& id) {
  return range.first <= id.placement && id.placement <= range.last;
}

std::string prefix_of(RowKind kind) { return Bytestring().begin(kind).view(); }

}  // namespace

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
          reader_->damaged(fmt::format("record of saga_id={} seq={} ({})", id.text(), first_seq,
                                       intact ? "cut short" : intact.error().message)));
    }
    if (first_seq != next) {
      return std::unexpected(reader_->damaged(fmt::format(
          "history of saga_id={} (events from seq={} are missing, the next record is seq={})",
          id.text(), next, first_seq)));
    }
    next += count;
    saga.records.push_back({.first_seq = first_seq, .bytes = Bytes(value.rest())});
  }
  if (!rows.status().ok())
    return std::unexpected(reader_->failed("saga_id=" + id.text(), rows.status()));
  if (saga.records.empty()) return std::nullopt;
  return saga;
}

Result<std::optional<rocks::KeyValue>> RocksStore::get_key(const rocksdb::ReadOptions& options,
                                                           std::string_view key) {
  const auto value =
      reader_->get(options, Bytestring().begin(RowKind::submission_key).bytes(key).view());
  if (!value) return std::unexpected(value.error());
  if (!*value) return std::nullopt;
  const auto row = rocks::read_key_value(**value);
  if (!row) return std::unexpected(reader_->damaged("an idempotency key's row"));
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
  if (!status.ok()) return std::unexpected(reader_->failed("a row", status));
  const auto row = rocks::read_key_value(value.ToStringView());
  if (!row) return std::unexpected(reader_->damaged("an idempotency key's row"));
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
  if (!rows.status().ok()) return std::unexpected(reader_->failed("business keys", rows.status()));
  return ids;
}

Result<ListPage> RocksStore::list(const ListQuery& query) {
  const auto after = check_query(query);
  if (!after) return std::unexpected(after.error());
  const filter::Filter filter = whole_filter(query);
  const std::vector<std::string> names = counts_.names();
  return rocks::Search(*reader_, names, filter, query.now).list(query, *after);
}

Result<CountPage> RocksStore::count(const CountQuery& query) {
  const auto after = check_count(query);
  if (!after) return std::unexpected(after.error());
  const std::vector<std::string> names = counts_.names();
  return rocks::Search(*reader_, names, query.filter, query.now).count(*after);
}

Result<FailureGroups> RocksStore::groups(const GroupQuery& query) {
  const std::vector<std::string> names = counts_.names();
  return rocks::Search(*reader_, names, query.filter, query.now).groups(query.by);
}

Result<std::vector<std::pair<SagaStatus, std::uint64_t>>> RocksStore::count_by_status() {
  return counts_.by_status();
}

Result<std::vector<DefinitionCount>> RocksStore::count_by_definition() {
  return counts_.by_definition();
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
  if (!rows.status().ok()) return std::unexpected(reader_->failed("timers", rows.status()));
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
  if (!rows.status().ok()) return std::unexpected(reader_->failed("active sagas", rows.status()));
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
  if (!rows.status().ok()) return std::unexpected(reader_->failed("ended sagas", rows.status()));
  return found;
}

Result<std::vector<Note>> RocksStore::notes(std::string_view prefix) {
  std::vector<Note> found;
  Rows rows(*db_, families_.rows, Bytestring().begin(RowKind::note).bytes(prefix).view());
  for (; rows.valid(); rows.next()) {
    found.push_back({.name = std::string(prefix) + std::string(rows.key()),
                     .value = std::string(rows.value())});
  }
  if (!rows.status().ok()) return std::unexpected(reader_->failed("notes", rows.status()));
  return found;
}

// From one definition of a status to the next by seeking: the rows of those that are kept are not
// looked at.
Result<std::vector<EndedSaga>> RocksStore::removable(std::span<const RetentionRule> rules,
                                                     std::size_t limit) {
  const RetentionRules judged(rules);
  std::vector<EndedSaga> found;
  for (std::uint8_t number = 1; number <= kSagaStatusCount; ++number) {
    const auto status = static_cast<SagaStatus>(number);
    if (!judged.lets_go(status)) continue;
    const auto rows = reader_->rows(Bytestring().begin(RowKind::removable).byte(number).view());
    while (rows->valid() && found.size() < limit) {
      ByteReader key(rows->key());
      const std::uint64_t definition = key.number64();
      const Instant ended_at = key.instant();
      const auto before = judged.ended_before(status, definition);
      if (before && ended_at < *before) {
        ByteReader value(rows->value());
        const Instant started_at = value.instant();
        found.push_back({.id = key.id(),
                         .started_at = started_at,
                         .idempotency_key = std::string(value.rest())});
        rows->next();
      } else if (definition == ~0ULL) {
        break;
      } else {
        rows->seek(Bytestring().number64(definition + 1).view());
      }
    }
    if (!rows->status().ok()) {
      return std::unexpected(reader_->failed("ended sagas", rows->status()));
    }
  }
  return found;
}

}  // namespace skald
