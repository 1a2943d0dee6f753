#include "engine/store/rocks_batch.h"

#include "engine/base/check.h"
#include "engine/store/fencing.h"
#include "engine/wire/stored.h"

namespace skald::rocks {
namespace {

ListPosition position(const SagaId& id, const SagaSummary& summary) {
  return {.started_at = summary.started_at, .id = id};
}

bool is_active(const std::optional<SagaSummary>& summary) {
  return summary && !summary->waiting && !is_terminal(summary->status);
}

bool has_ended_row(const std::optional<SagaSummary>& summary) {
  return summary && is_terminal(summary->status) && !summary->idempotency_key.empty();
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

std::uint64_t& count_of(StatusCounts& counts, const SagaSummary& summary) {
  return counts.at(static_cast<std::size_t>(summary.status) - 1);
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

void BatchWriter::put(const std::string& key, const std::string& value) {
  const auto status = batch_.Put(families_.rows, key, value);
  SKALD_CHECK(status.ok(), "{}", status.ToString());
}

void BatchWriter::erase(const std::string& key) {
  const auto status = batch_.Delete(families_.rows, key);
  SKALD_CHECK(status.ok(), "{}", status.ToString());
}

void BatchWriter::transition(const Transition& t, StatusCounts& counts) {
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
  if (t.before == t.after) return;
  if (t.before) {
    std::uint64_t& count = count_of(counts, *t.before);
    SKALD_CHECK(count > 0, "saga_id={} left a status that no saga has", t.id.text());
    --count;
  }
  if (t.after) ++count_of(counts, *t.after);
  listed(t);
  active(t);
  business_key(t);
  ended(t);
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
  const bool was = has_ended_row(t.before);
  const bool is = has_ended_row(t.after);
  if (was && is && t.before->ended_at == t.after->ended_at) return;
  if (was) erase(timed_key(key_, RowKind::ended, t.before->ended_at, t.id));
  if (is) put(timed_key(key_, RowKind::ended, t.after->ended_at, t.id), t.after->idempotency_key);
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

void BatchWriter::counts(const StatusCounts& before, const StatusCounts& after) {
  for (std::size_t i = 0; i < after.size(); ++i) {
    if (before.at(i) == after.at(i)) continue;
    put(key_.begin(RowKind::count).byte(static_cast<std::uint8_t>(i + 1)).view(),
        fixed_value_.begin().number64(after.at(i)).view());
  }
}

void BatchWriter::remove_key(std::string_view key, const SagaId& saga,
                             std::optional<Instant> ended_at) {
  erase(key_.begin(RowKind::submission_key).bytes(key).view());
  if (ended_at) erase(timed_key(key_, RowKind::ended, *ended_at, saga));
}

void BatchWriter::format() {
  put(key_.begin(RowKind::format).view(), fixed_value_.begin().number64(kFormatVersion).view());
}

}  // namespace skald::rocks
