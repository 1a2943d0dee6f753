#include "engine/store/rocks_batch.h"

#include "engine/base/check.h"
#include "engine/store/fencing.h"
#include "engine/store/retention.h"
#include "engine/wire/stored.h"

namespace skald::rocks {
namespace {

ListPosition position(const SagaId& id, const SagaSummary& summary) {
  return {.started_at = summary.started_at, .id = id};
}

bool is_active(const std::optional<SagaSummary>& summary) {
  return summary && !summary->waiting && !is_terminal(summary->status);
}

bool has_ended(const std::optional<SagaSummary>& summary) {
  return summary && is_terminal(summary->status);
}

const std::string& listed_key(Bytestring& out, const SagaId& id, const SagaSummary& summary) {
  return out.begin(RowKind::listed)
      .byte(static_cast<std::uint8_t>(summary.status))
      .newest_first(position(id, summary))
      .view();
}

const std::string& business_row_key(Bytestring& out, const SagaId& id, const SagaSummary& summary) {
  return out.begin(RowKind::business_key)
      .number16(static_cast<std::uint16_t>(summary.business_key.size()))
      .bytes(summary.business_key)
      .newest_first(position(id, summary))
      .view();
}

const std::string& timed_key(Bytestring& out, RowKind kind, Instant when, const SagaId& id) {
  return out.begin(kind).instant(when).id(id).view();
}

const std::string& removable_key(Bytestring& out, const SagaId& id, const SagaSummary& summary) {
  return out.begin(RowKind::removable)
      .byte(static_cast<std::uint8_t>(summary.status))
      .number64(definition_hash(summary.definition))
      .instant(summary.ended_at)
      .id(id)
      .view();
}

const std::string& cause_saga_key(Bytestring& out, const SagaId& id, const SagaSummary& summary) {
  const CauseKey key = cause_key(summary);
  return out.begin(RowKind::cause_saga)
      .byte(static_cast<std::uint8_t>(key.status))
      .number64(key.cause.value)
      .newest_first(position(id, summary))
      .view();
}

}  // namespace

std::optional<KeyValue> read_key_value(std::string_view value) {
  ByteReader reader(value);
  KeyValue row{.saga = reader.id()};
  row.body_hash = reader.number64();
  row.started_at = reader.instant();
  if (!reader.sound()) return std::nullopt;
  return row;
}

CauseKey cause_key(const SagaSummary& summary) {
  return {.status = summary.status, .cause = summary.failure ? summary.failure->cause : CauseId{}};
}

Result<CauseValue> read_cause_value(std::string_view value) {
  ByteReader reader(value);
  CauseValue read{.count = reader.number64(), .cause = {}};
  auto cause = wire::decode_cause(reader.rest());
  if (!cause) return std::unexpected(cause.error());
  read.cause = std::move(*cause);
  return read;
}

void CauseChanges::enter(const SagaSummary& summary) {
  Change& change = changes_[cause_key(summary)];
  ++change.more;
  if (!summary.failure || change.cause.failure) return;
  change.cause = {.definition = summary.definition, .failure = summary.failure};
}

void CauseChanges::leave(const SagaSummary& summary) { --changes_[cause_key(summary)].more; }

const SagaSummary* CauseChanges::written(const SagaId& id) const {
  const auto found = written_.find(id);
  return found == written_.end() ? nullptr : &found->second;
}

void CauseChanges::wrote(const SagaId& id, const SagaSummary* summary) {
  if (summary != nullptr) {
    written_[id] = *summary;
  } else {
    written_.erase(id);
  }
}

void BatchWriter::put(const std::string& key, const std::string& value) {
  const auto status = batch_.Put(families_.rows, key, value);
  SKALD_CHECK(status.ok(), "{}", status.ToString());
}

void BatchWriter::erase(const std::string& key) {
  const auto status = batch_.Delete(families_.rows, key);
  SKALD_CHECK(status.ok(), "{}", status.ToString());
}

bool BatchWriter::transition(const Transition& t, SagaCounts& counts) {
  record(t);
  if (t.timer_before != t.timer_after) timer(t);
  if (t.new_key) {
    const Instant started_at = t.after ? t.after->started_at : Instant{};
    put(key_.begin(RowKind::submission_key).bytes(t.new_key->key).view(),
        fixed_value_.begin()
            .id(t.new_key->saga)
            .number64(t.new_key->body_hash)
            .instant(started_at)
            .view());
  }
  if (t.before == t.after) return false;
  if (t.before) counts.leave(t.before->definition, t.before->status);
  if (t.after) counts.enter(t.after->definition, t.after->status);
  listed(t);
  active(t);
  business_key(t);
  ended(t);
  return true;
}

void BatchWriter::record(const Transition& t) {
  for (const std::uint64_t folded : t.folded) {
    if (folded == t.first_seq) continue;  // overwritten
    const auto erased =
        batch_.Delete(families_.events, key_.begin().id(t.id).number64(folded).view());
    SKALD_CHECK(erased.ok(), "{}", erased.ToString());
  }
  const rocksdb::Slice key(key_.begin().id(t.id).number64(t.first_seq).view());
  const std::array<rocksdb::Slice, 2> parts = {
      rocksdb::Slice(fixed_value_.begin().number32(t.count).view()), rocksdb::Slice(t.record)};
  const auto status = batch_.Put(families_.events, rocksdb::SliceParts(&key, 1),
                                 rocksdb::SliceParts(parts.data(), static_cast<int>(parts.size())));
  SKALD_CHECK(status.ok(), "{}", status.ToString());
}

void BatchWriter::listed(const Transition& t) {
  const std::string* after = t.after ? &listed_key(key_, t.id, *t.after) : nullptr;
  if (t.before) {
    const std::string& before = listed_key(other_key_, t.id, *t.before);
    if (after == nullptr || *after != before) erase(before);
  }
  if (after == nullptr) return;
  value_.clear();
  wire::encode_summary(*t.after, value_);
  put(*after, value_);
}

void BatchWriter::active(const Transition& t) {
  const bool was = is_active(t.before);
  const bool is = is_active(t.after);
  if (was == is) return;
  const std::string& key = key_.begin(RowKind::active).id(t.id).view();
  if (is) put(key, {});
  if (was) erase(key);
}

void BatchWriter::business_key(const Transition& t) {
  const bool was = t.before && !t.before->business_key.empty();
  const bool is = t.after && !t.after->business_key.empty();
  if (was && is && t.before->business_key == t.after->business_key &&
      t.before->started_at == t.after->started_at) {
    return;
  }
  if (was) erase(business_row_key(key_, t.id, *t.before));
  if (is) put(business_row_key(key_, t.id, *t.after), {});
}

void BatchWriter::ended(const Transition& t) {
  if (has_ended(t.before)) {
    // Which of the two it has depends on whether its key is still there.
    erase(removable_key(key_, t.id, *t.before));
    if (!t.before->idempotency_key.empty()) {
      erase(timed_key(key_, RowKind::ended, t.before->ended_at, t.id));
    }
  }
  if (!has_ended(t.after)) return;
  if (t.after->idempotency_key.empty()) return add_removable(t.id, *t.after);
  put(timed_key(key_, RowKind::ended, t.after->ended_at, t.id), t.after->idempotency_key);
}

void BatchWriter::add_removable(const SagaId& id, const SagaSummary& summary) {
  put(removable_key(key_, id, summary),
      fixed_value_.begin().instant(summary.started_at).bytes(summary.idempotency_key).view());
}

void BatchWriter::remove_saga(const Transition& removal, SagaCounts& counts) {
  counts.leave(removal.before->definition, removal.before->status);
  listed(removal);
  active(removal);
  business_key(removal);
  ended(removal);
}

void BatchWriter::remove_record(std::string_view key) {
  const auto status = batch_.Delete(families_.events, key);
  SKALD_CHECK(status.ok(), "{}", status.ToString());
}

void BatchWriter::timer(const Transition& t) {
  if (t.timer_before) erase(timed_key(key_, RowKind::timer, *t.timer_before, t.id));
  if (t.timer_after) put(timed_key(key_, RowKind::timer, *t.timer_after, t.id), {});
}

void BatchWriter::shard(std::uint32_t shard, const ShardMeta& meta) {
  put(key_.begin(RowKind::shard).number32(shard).view(), fixed_value_.begin()
                                                             .number64(meta.epoch)
                                                             .number64(meta.number)
                                                             .instant(meta.clock_high)
                                                             .view());
}

void BatchWriter::counts(const SagaCounts& counts) {
  for (const auto& [number, definition] : counts.new_names()) {
    put(key_.begin(RowKind::definition).number16(number).view(), definition);
  }
  for (const SagaCounts::Change& change : counts.changes()) {
    for (std::size_t i = 0; i < change.after.size(); ++i) {
      if (change.before.at(i) == change.after.at(i)) continue;
      put(key_.begin(RowKind::counted)
              .byte(static_cast<std::uint8_t>(i + 1))
              .number16(change.number)
              .view(),
          fixed_value_.begin().varint(change.after.at(i)).view());
    }
  }
}

void BatchWriter::causes(const Transition& t, const SagaSummary* before, CauseChanges& changes) {
  const SagaSummary* after = t.after && has_cause_row(t.after->status) ? &*t.after : nullptr;
  const bool stays = before != nullptr && after != nullptr &&
                     cause_key(*before) == cause_key(*after) &&
                     stuck_since(*before) == stuck_since(*after);
  if (!stays) {
    if (before != nullptr) remove_causes(t.id, *before, changes);
    if (after != nullptr) add_causes(t.id, *after, changes);
  }
  changes.wrote(t.id, after);
}

void BatchWriter::remove_causes(const SagaId& id, const SagaSummary& summary,
                                CauseChanges& changes) {
  erase(cause_saga_key(key_, id, summary));
  if (summary.status == SagaStatus::stuck) {
    erase(timed_key(key_, RowKind::stuck_since, stuck_since(summary), id));
  }
  changes.leave(summary);
}

void BatchWriter::add_causes(const SagaId& id, const SagaSummary& summary, CauseChanges& changes) {
  put(cause_saga_key(key_, id, summary), {});
  if (summary.status == SagaStatus::stuck) {
    put(timed_key(key_, RowKind::stuck_since, stuck_since(summary), id),
        fixed_value_.begin().instant(summary.started_at).view());
  }
  changes.enter(summary);
}

void BatchWriter::cause(const CauseKey& key, const CauseValue& value) {
  key_.begin(RowKind::cause).byte(static_cast<std::uint8_t>(key.status)).number64(key.cause.value);
  if (value.count == 0) return erase(key_.view());
  value_ = fixed_value_.begin().number64(value.count).view();
  wire::encode_cause(value.cause, value_);
  put(key_.view(), value_);
}

void BatchWriter::remove_key(std::string_view key, const SagaId& saga, const SagaSummary* ended) {
  erase(key_.begin(RowKind::submission_key).bytes(key).view());
  if (ended == nullptr) return;
  erase(timed_key(key_, RowKind::ended, ended->ended_at, saga));
  add_removable(saga, *ended);
}

void BatchWriter::note(const Note& note) {
  const std::string& key = key_.begin(RowKind::note).bytes(note.name).view();
  note.value ? put(key, *note.value) : erase(key);
}

void BatchWriter::format() {
  put(key_.begin(RowKind::format).view(), fixed_value_.begin().number64(kFormatVersion).view());
}

void BatchWriter::remove_old_counts() {
  for (std::uint8_t status = 1; status <= kSagaStatusCount; ++status) {
    erase(key_.begin(RowKind::count).byte(status).view());
  }
}

}  // namespace skald::rocks
