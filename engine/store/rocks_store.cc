// Opening and writing. Reading is in rocks_reads.cc.
#include "engine/store/rocks_store.h"

#include <rocksdb/env.h>
#include <rocksdb/file_system.h>

#include <algorithm>
#include <chrono>
#include <set>

#include "engine/store/rocks_background.h"
#include "engine/store/rocks_options.h"
#include "engine/store/rocks_table_check.h"

namespace skald {
namespace {

constexpr std::string_view kEventFamily = "events";
constexpr std::int64_t kMicrosPerMilli = 1'000;

rocksdb::Env* env_of(const RocksOptions& options) {
  return options.env != nullptr ? options.env : rocksdb::Env::Default();
}

// RocksDB does not always say which table it could not read.
Error cannot_open(const RocksOptions& options, const rocksdb::Status& status) {
  std::string message = fmt::format("cannot open {}: {}", options.directory, status.ToString());
  if (!status.IsCorruption()) return {Errc::unavailable, std::move(message)};
  for (const std::string& table : rocks::damaged_tables(options.directory, env_of(options))) {
    message += fmt::format("; table {}", table);
  }
  return {Errc::data_loss, std::move(message)};
}

}  // namespace

RocksStore::RocksStore(RocksOptions options)
    : options_(std::move(options)),
      health_(std::make_shared<rocks::Health>(options_.log)),
      mark_(std::make_shared<rocks::MarkKeeper>(*env_of(options_)->GetFileSystem(),
                                                options_.directory)) {}

RocksStore::~RocksStore() = default;

Result<std::unique_ptr<RocksStore>> RocksStore::open(RocksOptions options) {
  const auto begin = std::chrono::steady_clock::now();
  std::unique_ptr<RocksStore> store(new RocksStore(std::move(options)));
  auto lock = DirectoryLock::take(store->options_.directory);
  if (!lock) return std::unexpected(lock.error());
  store->lock_ = std::move(*lock);
  if (auto done = store->check_files(); !done) return std::unexpected(done.error());
  if (auto done = store->set_torn_tails_aside(); !done) return std::unexpected(done.error());
  const Logger& log = store->options_.log;
  log.info("store is being opened logs={} writes_to_replay={} bytes={}", store->log_check_.logs,
           store->log_check_.writes, store->log_check_.bytes);
  if (auto done = store->open_database(); !done) return std::unexpected(done.error());
  if (auto done = store->check_format(); !done) return std::unexpected(done.error());
  if (auto done = store->restore_positions(); !done) return std::unexpected(done.error());
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  log.info("store is open seconds={:.2f}", took.count());
  return store;
}

Result<void> RocksStore::check_files() {
  rocksdb::FileSystem& files = *env_of(options_)->GetFileSystem();
  const std::string& directory = options_.directory;
  const auto found = rocks::read_mark(files, directory);
  if (!found) return std::unexpected(found.error());
  if (found->damaged) {
    options_.log.warn("mark is damaged, made anew file={}/acknowledged", directory);
  }
  mark_found_ = found->mark;
  auto manifest = rocks::check_manifest(files, directory);
  if (!manifest) return std::unexpected(manifest.error());
  auto logs = rocks::check_logs(files, directory);
  if (!logs) return std::unexpected(logs.error());
  log_check_ = std::move(*logs);
  if (mark_found_) {
    const auto reached = rocks::check_reaches(*mark_found_, *manifest, directory);
    if (!reached) return reached;
    const auto in_logs = rocks::check_reaches(*mark_found_, log_check_, directory);
    if (!in_logs) return std::unexpected(in_logs.error());
    // With a torn tail RocksDB may not open yet; the check behind the opening tells then.
    if (!*in_logs && !log_check_.torn && !(*manifest)->torn) {
      if (auto reach = check_tables_reach(*mark_found_); !reach) return reach;
    }
  }
  if (*manifest) torn_manifest_ = (*manifest)->torn;
  return {};
}

Result<void> RocksStore::set_torn_tails_aside() {
  if (auto done = set_aside(torn_manifest_); !done) return done;
  return set_aside(log_check_.torn);
}

Result<void> RocksStore::set_aside(std::optional<rocks::TornTail>& torn) {
  if (!torn) return {};
  rocksdb::Env* env = env_of(options_);
  const auto now_ms = static_cast<std::int64_t>(env->NowMicros()) / kMicrosPerMilli;
  auto done = rocks::set_torn_tail_aside(*env->GetFileSystem(), options_.directory, now_ms, *torn);
  if (!done) return done;
  options_.log.warn("torn tail set aside file={} offset={} bytes={} reason=\"{}\" copy={}",
                    torn->log, torn->offset, torn->size, torn->reason, torn->copy);
  return {};
}

std::vector<rocksdb::ColumnFamilyDescriptor> RocksStore::column_families() const {
  const auto cache = rocks::block_cache();
  return {{rocksdb::kDefaultColumnFamilyName, rocks::row_options(cache, options_.sizes)},
          {std::string(kEventFamily), rocks::event_options(cache, options_.sizes)}};
}

Result<void> RocksStore::open_read_only() {
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  rocksdb::DB* opened = nullptr;
  const auto status =
      rocksdb::DB::OpenForReadOnly(rocks::database_options(options_.env, options_.log, {}),
                                   options_.directory, column_families(), &handles, &opened);
  db_.reset(opened);
  for (rocksdb::ColumnFamilyHandle* handle : handles) handles_.emplace_back(handle);
  if (!status.ok()) return std::unexpected(cannot_open(options_, status));
  families_ = {.rows = handles_[0].get(), .events = handles_[1].get()};
  return {};
}

void RocksStore::close_database() {
  handles_.clear();
  db_.reset();
}

Result<void> RocksStore::check_tables_reach(const rocks::Mark& mark) {
  if (auto done = open_read_only(); !done) return done;
  const std::uint64_t last_sequence = db_->GetLatestSequenceNumber();
  close_database();
  return rocks::check_reaches(mark, last_sequence, log_check_, options_.directory);
}

Result<void> RocksStore::open_database() {
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  rocksdb::DB* opened = nullptr;
  const auto status = rocksdb::DB::Open(
      rocks::database_options(options_.env, options_.log,
                              {health_, mark_, std::make_shared<rocks::BackgroundThreads>()}),
      options_.directory, column_families(), &handles, &opened);
  db_.reset(opened);
  for (rocksdb::ColumnFamilyHandle* handle : handles) handles_.emplace_back(handle);
  if (!status.ok()) return std::unexpected(cannot_open(options_, status));
  families_ = {.rows = handles_[0].get(), .events = handles_[1].get()};
  reader_.emplace(*db_, families_, options_.directory, *health_);
  if (mark_found_) {
    const auto reached = rocks::check_reaches(*mark_found_, db_->GetLatestSequenceNumber(),
                                              log_check_, options_.directory);
    if (!reached) return reached;
  }
  if (auto begun = mark_->begin(*db_); !begun) return begun;
  return health_->may_write();
}

Result<void> RocksStore::check_format() {
  rocks::Bytestring key;
  const auto value = reader_->get({}, key.begin(rocks::RowKind::format).view());
  if (!value) return std::unexpected(value.error());
  if (!*value) {
    rocks::BatchWriter(batch_, families_).format();
    return write();
  }
  const std::uint64_t version = rocks::ByteReader(**value).number64();
  if (version == rocks::kFormatVersion) return {};
  if (version == rocks::kFormatWithoutFailures || version == rocks::kFormatWithoutRemovable) {
    if (auto done = index_removable(); !done) return done;
    if (version == rocks::kFormatWithoutFailures) return index_failures();
    rocks::BatchWriter(batch_, families_).format();
    return write();
  }
  return fail(Errc::failed_precondition,
              "{} has format version {}, this build knows {}: open it with the build that wrote it",
              options_.directory, version, rocks::kFormatVersion);
}

Result<void> RocksStore::restore_positions() {
  const auto prefix_of = [](rocks::RowKind kind) { return rocks::Bytestring().begin(kind).view(); };
  const auto shards = reader_->rows(prefix_of(rocks::RowKind::shard));
  for (; shards->valid(); shards->next()) {
    rocks::ByteReader name(shards->key());
    rocks::ByteReader value(shards->value());
    const auto shard = static_cast<std::uint32_t>(name.number(4));
    const std::uint64_t epoch = value.number64();
    const std::uint64_t number = value.number64();
    fencing_.restore(shard, {.epoch = epoch, .number = number, .clock_high = value.instant()});
    if (!name.sound() || !value.sound()) return std::unexpected(reader_->damaged("position row"));
  }
  const auto names = reader_->rows(prefix_of(rocks::RowKind::definition));
  for (; names->valid(); names->next()) {
    const auto number = static_cast<SagaCounts::Number>(rocks::ByteReader(names->key()).number(2));
    if (number >= kDefinitionsCountedMax) {
      return std::unexpected(reader_->damaged(fmt::format("row of definition {}", number)));
    }
    counts_.restore_name(number, std::string(names->value()));
  }
  const auto counts = reader_->rows(prefix_of(rocks::RowKind::counted));
  for (; counts->valid(); counts->next()) {
    rocks::ByteReader name(counts->key());
    rocks::ByteReader value(counts->value());
    const std::uint64_t status = name.number(1);
    const auto number = static_cast<SagaCounts::Number>(name.number(2));
    const std::uint64_t count = value.varint();
    const bool known = status >= 1 && status <= kSagaStatusCount && name.sound() && value.sound() &&
                       (number < kDefinitionsCountedMax || number == SagaCounts::kOthers);
    if (!known) {
      return std::unexpected(reader_->damaged(fmt::format("count row of status {}", status)));
    }
    counts_.restore(number, static_cast<SagaStatus>(status), count);
  }
  for (const auto* rows : {shards.get(), names.get(), counts.get()}) {
    if (!rows->status().ok()) {
      return std::unexpected(reader_->failed("position rows", rows->status()));
    }
  }
  return {};
}

// Writes batch_ and syncs it. After a failure nobody knows what is on disk, so writing ends.
Result<void> RocksStore::write() {
  const auto status = db_->Write(rocks::write_options(), &batch_);
  batch_.Clear();
  if (!status.ok()) {
    health_->end_writing(status.ToString());
    return health_->may_write();
  }
  // It is durable, whatever else failed in the meantime: what readers see is acknowledged.
  const auto marked = mark_->acknowledge(db_->GetLatestSequenceNumber());
  if (!marked) health_->end_writing(marked.error().message);
  return {};
}

Result<ShardMeta> RocksStore::open_shard(std::uint32_t shard) {
  const std::scoped_lock lock(writing_);
  if (auto may = health_->may_write(); !may) return std::unexpected(may.error());
  const ShardMeta meta = fencing_.next_owner(shard);
  rocks::BatchWriter(batch_, families_).shard(shard, meta);
  if (auto written = write(); !written) return std::unexpected(written.error());
  fencing_.restore(shard, meta);
  return meta;
}

// What refuses a commit before anything is written.
Result<void> RocksStore::admit(std::span<const ShardBatch> batches) {
  bool starts = false;
  for (const ShardBatch& batch : batches) {
    for (const Transition& t : batch.transitions) {
      starts = starts || starts_saga(t);
      if (t.after && t.after->business_key.size() > rocks::kBusinessKeyBytesMax) {
        return fail(Errc::invalid_argument, "saga_id={}: a business key of {} bytes is too long",
                    t.id.text(), t.after->business_key.size());
      }
    }
  }
  if (!starts || options_.disk_reserve_bytes == 0) return {};
  const auto available = bytes_available();
  if (!available) return std::unexpected(available.error());
  if (*available >= options_.disk_reserve_bytes) return {};
  return fail(
      Errc::resource_exhausted,
      "disk reserve: {} bytes are free, {} are kept for open sagas; make room to start new ones",
      *available, options_.disk_reserve_bytes);
}

Result<void> RocksStore::remove_key(rocks::BatchWriter& writer, const std::string& key) {
  // Its saga's row in the list says when it ended. Not on the hot path: a key goes after days.
  const auto row = get_key({}, key);
  if (!row) return std::unexpected(row.error());
  if (!*row) return {};
  const ListPosition position{.started_at = (*row)->started_at, .id = (*row)->saga};
  const auto summary = reader_->summary({}, position);
  if (!summary) return std::unexpected(summary.error());
  const bool ended = *summary && is_terminal((*summary)->status);
  writer.remove_key(key, (*row)->saga, ended ? &**summary : nullptr);
  return {};
}

// Off the hot path too: a saga goes long after its end. What is stored decides, not who asked.
Result<bool> RocksStore::remove_saga(rocks::BatchWriter& writer, const EndedSaga& saga,
                                     rocks::CauseChanges& causes) {
  const ListPosition position{.started_at = saga.started_at, .id = saga.id};
  const auto summary = reader_->summary({}, position);
  if (!summary) return std::unexpected(summary.error());
  if (!*summary || !is_terminal((*summary)->status)) return false;
  if (!(*summary)->idempotency_key.empty()) {
    const auto key = get_key({}, (*summary)->idempotency_key);
    if (!key) return std::unexpected(key.error());
    if (*key && (*key)->saga == saga.id) return false;
  }
  const Transition removal{.id = saga.id, .before = **summary};
  writer.remove_saga(removal, counts_);
  if (auto done = write_causes(writer, removal, causes); !done) {
    return std::unexpected(done.error());
  }
  rocksdb::ReadOptions options;
  options.prefix_same_as_start = true;
  const std::string id = rocks::Bytestring().id(saga.id).view();
  rocks::Rows records(*db_, families_.events, id, options);
  for (; records.valid(); records.next()) writer.remove_record(id + std::string(records.key()));
  if (records.status().ok()) return true;
  return std::unexpected(reader_->failed("saga_id=" + saga.id.text(), records.status()));
}

Result<void> RocksStore::write_causes(rocks::BatchWriter& writer, const Transition& t,
                                      rocks::CauseChanges& changes) {
  const bool was = t.before && rocks::has_cause_row(t.before->status);
  const bool is = t.after && rocks::has_cause_row(t.after->status);
  if (!was && !is) return {};  // a saga that goes forward
  if (!was) {
    writer.causes(t, nullptr, changes);
    return {};
  }
  if (const SagaSummary* written = changes.written(t.id)) {
    writer.causes(t, written, changes);
    return {};
  }
  const auto stored =
      reader_->summary({}, t.before->status, {.started_at = t.before->started_at, .id = t.id});
  if (!stored) return std::unexpected(stored.error());
  writer.causes(t, *stored ? &**stored : nullptr, changes);
  return {};
}

Result<void> RocksStore::write_causes(rocks::BatchWriter& writer,
                                      const rocks::CauseChanges& changes) {
  for (const auto& [key, change] : changes.changes()) {
    if (change.more == 0) continue;
    const auto row = reader_->get({}, rocks::Bytestring()
                                          .begin(rocks::RowKind::cause)
                                          .byte(static_cast<std::uint8_t>(key.status))
                                          .number64(key.cause.value)
                                          .view());
    if (!row) return std::unexpected(row.error());
    rocks::CauseValue value{.count = 0, .cause = change.cause};
    if (*row) {
      auto read = rocks::read_cause_value(**row);
      if (!read) return std::unexpected(reader_->damaged("the row of cause " + key.cause.text()));
      value = std::move(*read);
    }
    const std::int64_t count = static_cast<std::int64_t>(value.count) + change.more;
    if (count < 0) {
      return std::unexpected(reader_->damaged("the count of cause " + key.cause.text()));
    }
    value.count = static_cast<std::uint64_t>(count);
    writer.cause(key, value);
  }
  return {};
}

Result<void> RocksStore::fill_batch(rocks::BatchWriter& writer,
                                    std::span<const ShardBatch> batches) {
  rocks::CauseChanges causes;
  std::set<SagaId> gone;  // two sweeps may have found one saga
  for (const ShardBatch& batch : batches) {
    for (const Transition& t : batch.transitions) {
      if (!writer.transition(t, counts_)) continue;
      if (auto done = write_causes(writer, t, causes); !done) return done;
    }
    for (const std::string& key : batch.keys_removed) {
      if (auto removed = remove_key(writer, key); !removed) return removed;
    }
    for (const Note& note : batch.notes) writer.note(note);
    for (const EndedSaga& saga : batch.sagas_removed) {
      if (!gone.insert(saga.id).second) continue;
      const auto removed = remove_saga(writer, saga, causes);
      if (!removed) return std::unexpected(removed.error());
    }
  }
  writer.counts(counts_);
  return write_causes(writer, causes);
}

Result<void> RocksStore::commit(std::span<const ShardBatch> batches) {
  const std::scoped_lock lock(writing_);
  if (auto may = health_->may_write(); !may) return may;
  const auto positions = fencing_.advance(batches);
  if (!positions) return std::unexpected(positions.error());
  if (auto admitted = admit(batches); !admitted) return admitted;

  batch_.Clear();
  rocks::BatchWriter writer(batch_, families_);
  if (auto filled = fill_batch(writer, batches); !filled) {
    counts_.drop();
    health_->end_writing(filled.error().message);
    return health_->may_write();
  }
  for (const auto& [shard, meta] : *positions) writer.shard(shard, meta);
  if (auto written = write(); !written) {
    counts_.drop();
    return written;
  }
  for (const auto& [shard, meta] : *positions) fencing_.restore(shard, meta);
  counts_.keep();
  return {};
}

Result<void> RocksStore::flush() {
  const std::scoped_lock lock(writing_);
  if (auto may = health_->may_write(); !may) return may;
  const auto status = db_->Flush(rocksdb::FlushOptions(), {families_.rows, families_.events});
  if (status.ok()) return {};
  return fail(Errc::unavailable, "cannot flush {}: {}", options_.directory, status.ToString());
}

Result<std::uint64_t> RocksStore::bytes_available() {
  std::uint64_t bytes = 0;
  const auto status = env_of(options_)->GetFileSystem()->GetFreeSpace(
      options_.directory, rocksdb::IOOptions(), &bytes, nullptr);
  if (!status.ok()) {
    return fail(Errc::unavailable, "cannot tell the free space of {}: {}", options_.directory,
                status.ToString());
  }
  return bytes;
}

}  // namespace skald
