#include "engine/store/memory_store.h"

#include <algorithm>
#include <iterator>
#include <limits>
#include <ranges>

#include "engine/base/check.h"
#include "engine/store/retention.h"

namespace skald {
namespace {

bool within(PlacementRange range, const SagaId& id) {
  return range.first <= id.placement && id.placement <= range.last;
}

std::size_t index(SagaStatus status) { return static_cast<std::size_t>(status) - 1; }

}  // namespace

Result<ShardMeta> MemoryStore::open_shard(std::uint32_t shard) {
  const std::scoped_lock lock(mutex_);
  const ShardMeta meta = fencing_.next_owner(shard);
  fencing_.restore(shard, meta);
  return meta;
}

Result<void> MemoryStore::commit(std::span<const ShardBatch> batches) {
  const std::scoped_lock lock(mutex_);
  const auto after = fencing_.advance(batches);
  if (!after) return std::unexpected(after.error());
  for (const auto& [shard, meta] : *after) fencing_.restore(shard, meta);
  for (const ShardBatch& batch : batches) {
    for (const Transition& transition : batch.transitions) apply(transition);
    for (const std::string& key : batch.keys_removed) remove_key(key);
    for (const Note& note : batch.notes) {
      if (note.value) {
        notes_[note.name] = *note.value;
      } else {
        notes_.erase(note.name);
      }
    }
    for (const EndedSaga& saga : batch.sagas_removed) remove_saga(saga);
  }
  return {};
}

void MemoryStore::apply(const Transition& t) {
  auto& records = records_[t.id];
  SKALD_CHECK(t.folded.size() <= records.size(), "saga_id={}", t.id.text());
  const auto folded = records.end() - static_cast<std::ptrdiff_t>(t.folded.size());
  SKALD_CHECK(std::ranges::equal(std::ranges::subrange(folded, records.end()), t.folded, {},
                                 &Record::first_seq),
              "saga_id={} folds what are not its latest records", t.id.text());
  records.erase(folded, records.end());
  records.push_back({.first_seq = t.first_seq, .count = t.count, .bytes = t.record});
  if (t.new_key) keys_[t.new_key->key] = {.row = *t.new_key};
  if (t.before != t.after) {
    if (t.before) remove_rows(t.id, *t.before);
    if (t.after) add_rows(t.id, *t.after);
  }
  if (t.timer_before != t.timer_after) {
    if (t.timer_before) timers_.erase({*t.timer_before, t.id});
    if (t.timer_after) timers_.insert({*t.timer_after, t.id});
  }
}

void MemoryStore::add_rows(const SagaId& id, const SagaSummary& summary) {
  const ListPosition position{.started_at = summary.started_at, .id = id};
  listed_[position] = summary;
  ++counts_[index(summary.status)];
  if (!summary.business_key.empty()) by_business_key_[summary.business_key].insert(position);
  const bool terminal = is_terminal(summary.status);
  if (!terminal && !summary.waiting) active_.insert(id);
  if (terminal && !summary.idempotency_key.empty()) {
    ended_[{summary.ended_at, id}] = summary.idempotency_key;
    const auto key = keys_.find(summary.idempotency_key);
    if (key != keys_.end() && key->second.row.saga == id) key->second.ended_at = summary.ended_at;
  }
}

void MemoryStore::remove_rows(const SagaId& id, const SagaSummary& summary) {
  const ListPosition position{.started_at = summary.started_at, .id = id};
  listed_.erase(position);
  --counts_[index(summary.status)];
  if (!summary.business_key.empty()) by_business_key_[summary.business_key].erase(position);
  active_.erase(id);
  ended_.erase({summary.ended_at, id});
}

void MemoryStore::remove_key(const std::string& key) {
  const auto found = keys_.find(key);
  if (found == keys_.end()) return;
  ended_.erase({found->second.ended_at, found->second.row.saga});
  keys_.erase(found);
}

bool MemoryStore::has_key(const SagaId& id, const SagaSummary& summary) const {
  const auto key = keys_.find(summary.idempotency_key);
  return key != keys_.end() && key->second.row.saga == id;
}

void MemoryStore::remove_saga(const EndedSaga& saga) {
  const auto found = listed_.find({.started_at = saga.started_at, .id = saga.id});
  if (found == listed_.end() || !is_terminal(found->second.status)) return;
  if (has_key(saga.id, found->second)) return;
  const SagaSummary summary = found->second;
  remove_rows(saga.id, summary);
  records_.erase(saga.id);
}

Result<std::optional<StoredSaga>> MemoryStore::load(const SagaId& id) {
  const std::scoped_lock lock(mutex_);
  const auto found = records_.find(id);
  if (found == records_.end()) return std::nullopt;
  StoredSaga saga{.id = id};
  std::uint64_t next = 1;
  for (const Record& record : found->second) {
    if (record.first_seq != next) {
      return fail(Errc::data_loss,
                  "saga_id={}: events from seq={} are missing, the next record is seq={}",
                  id.text(), next, record.first_seq);
    }
    next += record.count;
    saga.records.push_back({.first_seq = record.first_seq, .bytes = record.bytes});
  }
  return saga;
}

Result<std::optional<KeyRow>> MemoryStore::find_key(std::string_view key) {
  const std::scoped_lock lock(mutex_);
  const auto found = keys_.find(key);
  if (found == keys_.end()) return std::nullopt;
  return found->second.row;
}

Result<std::vector<SagaId>> MemoryStore::find_business_key(std::string_view business_key,
                                                           std::size_t limit) {
  const std::scoped_lock lock(mutex_);
  std::vector<SagaId> ids;
  const auto found = by_business_key_.find(business_key);
  if (found == by_business_key_.end()) return ids;
  for (const ListPosition& position : found->second) {
    if (ids.size() == limit) break;
    ids.push_back(position.id);
  }
  return ids;
}

template <class Take>
void MemoryStore::each_listed(ListOrder order, const std::optional<ListPosition>& after,
                              Take&& take) {
  switch (order) {
    case ListOrder::newest:
      for (auto row = after ? listed_.upper_bound(*after) : listed_.begin();
           row != listed_.end() && take(row->first, row->second); ++row) {
      }
      return;
    case ListOrder::oldest:
      for (auto row = after ? std::reverse_iterator(listed_.lower_bound(*after)) : listed_.rbegin();
           row != listed_.rend() && take(row->first, row->second); ++row) {
      }
      return;
    case ListOrder::longest_stuck:
      std::map<ListPosition, const SagaSummary*> stuck;
      for (const auto& [position, summary] : listed_) {
        if (summary.status != SagaStatus::stuck) continue;
        stuck[{.started_at = stuck_since(summary), .id = position.id}] = &summary;
      }
      for (auto row = after ? stuck.upper_bound(*after) : stuck.begin();
           row != stuck.end() && take(row->first, *row->second); ++row) {
      }
      return;
  }
}

Result<ListPage> MemoryStore::list(const ListQuery& query) {
  const auto after = check_query(query);
  if (!after) return std::unexpected(after.error());
  const filter::Filter filter = whole_filter(query);
  const std::scoped_lock lock(mutex_);
  PageBuilder page(query, filter);
  each_listed(query.order, *after, [&page](const ListPosition& position, const SagaSummary& saga) {
    return page.add(position, saga);
  });
  return page.take();
}

Result<CountPage> MemoryStore::count(const CountQuery& query) {
  if (const auto after = check_count(query); !after) return std::unexpected(after.error());
  const std::scoped_lock lock(mutex_);
  CountPage page;
  for (const auto& [position, saga] : listed_) {
    const auto subject = filter::Subject::saga(position.id, saga, query.now);
    if (evaluate(query.filter, subject) == filter::Verdict::yes) ++page.count;
  }
  return page;
}

Result<FailureGroups> MemoryStore::groups(const GroupQuery& query) {
  const std::scoped_lock lock(mutex_);
  GroupGatherer gatherer(query.by);
  for (const auto& [position, saga] : listed_) {
    // Without a failure there is nothing to group by; a stuck saga is shown all the same.
    if (!saga.failure && saga.status != SagaStatus::stuck) continue;
    const auto subject = filter::Subject::saga(position.id, saga, query.now);
    if (evaluate(query.filter, subject) != filter::Verdict::yes) continue;
    const GroupMember member{.started_at = position.started_at, .id = position.id};
    gatherer.add({.definition = saga.failure ? saga.definition : std::string(),
                  .failure = saga.failure.value_or(FailureClass{}),
                  .oldest = member,
                  .newest = member});
  }
  return gatherer.take();
}

Result<std::vector<DefinitionCount>> MemoryStore::count_by_definition() {
  const std::scoped_lock lock(mutex_);
  std::map<std::pair<std::string, SagaStatus>, std::uint64_t> found;
  for (const auto& [position, saga] : listed_) ++found[{saga.definition, saga.status}];
  std::vector<DefinitionCount> counts;
  for (const auto& [key, count] : found) {
    counts.push_back({.definition = key.first, .status = key.second, .count = count});
  }
  return counts;
}

Result<std::vector<std::pair<SagaStatus, std::uint64_t>>> MemoryStore::count_by_status() {
  const std::scoped_lock lock(mutex_);
  std::vector<std::pair<SagaStatus, std::uint64_t>> counts;
  for (std::size_t i = 0; i < counts_.size(); ++i) {
    counts.emplace_back(static_cast<SagaStatus>(i + 1), counts_[i]);
  }
  return counts;
}

Result<std::vector<TimerRow>> MemoryStore::timers(PlacementRange range, Instant until,
                                                  std::optional<TimerRow> after,
                                                  std::size_t limit) {
  const std::scoped_lock lock(mutex_);
  std::vector<TimerRow> rows;
  auto row = after ? timers_.upper_bound({after->due, after->id}) : timers_.begin();
  for (; row != timers_.end() && row->first <= until && rows.size() < limit; ++row) {
    if (within(range, row->second)) rows.push_back({.due = row->first, .id = row->second});
  }
  return rows;
}

Result<std::vector<SagaId>> MemoryStore::active(PlacementRange range, std::optional<SagaId> after,
                                                std::size_t limit) {
  const std::scoped_lock lock(mutex_);
  std::vector<SagaId> ids;
  auto id = active_.lower_bound({.placement = range.first, .serial = 0});
  if (after && (id == active_.end() || *id <= *after)) id = active_.upper_bound(*after);
  for (; id != active_.end() && within(range, *id) && ids.size() < limit; ++id) ids.push_back(*id);
  return ids;
}

Result<std::vector<KeyRow>> MemoryStore::expired_keys(PlacementRange range, Instant before,
                                                      std::size_t limit) {
  const std::scoped_lock lock(mutex_);
  std::vector<KeyRow> rows;
  for (const auto& [when, key] : ended_) {
    if (when.first >= before || rows.size() == limit) break;
    const auto found = keys_.find(key);
    const bool ours = found != keys_.end() && found->second.row.saga == when.second;
    if (ours && within(range, when.second)) rows.push_back(found->second.row);
  }
  return rows;
}

Result<std::vector<Note>> MemoryStore::notes(std::string_view prefix) {
  const std::scoped_lock lock(mutex_);
  std::vector<Note> found;
  for (auto note = notes_.lower_bound(prefix); note != notes_.end(); ++note) {
    if (!note->first.starts_with(prefix)) break;
    found.push_back({.name = note->first, .value = note->second});
  }
  return found;
}

Result<std::vector<EndedSaga>> MemoryStore::removable(std::span<const RetentionRule> rules,
                                                      std::size_t limit) {
  const std::scoped_lock lock(mutex_);
  const RetentionRules judged(rules);
  std::map<std::tuple<SagaStatus, std::uint64_t, Instant, SagaId>, EndedSaga> found;
  for (const auto& [position, saga] : listed_) {
    if (!is_terminal(saga.status) || has_key(position.id, saga)) continue;
    const std::uint64_t definition = definition_hash(saga.definition);
    const auto before = judged.ended_before(saga.status, definition);
    if (!before || saga.ended_at >= *before) continue;
    found[{saga.status, definition, saga.ended_at, position.id}] = {
        .id = position.id,
        .started_at = position.started_at,
        .idempotency_key = saga.idempotency_key};
  }
  std::vector<EndedSaga> sagas;
  for (auto& [order, saga] : found) {
    if (sagas.size() == limit) break;
    sagas.push_back(std::move(saga));
  }
  return sagas;
}

Result<std::uint64_t> MemoryStore::bytes_available() {
  return std::numeric_limits<std::uint64_t>::max();
}

}  // namespace skald
