#include "tools/bench/finished_store.h"

#include <algorithm>
#include <chrono>
#include <utility>
#include <variant>
#include <vector>

#include "engine/base/hash.h"
#include "engine/store/rocks_store.h"
#include "engine/wire/stored.h"
#include "tools/bench/orders.h"

namespace skald::bench {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr std::uint64_t kRun = 0xF1'0000'0000;  // tells their keys from those of orders
constexpr std::size_t kPatternsMax = 1'000;
constexpr std::uint64_t kBatch = 500;              // sagas of one commit
constexpr std::int64_t kAgeMs = 6LL * 86'400'000;  // of the first: its key is still kept
constexpr std::int64_t kApartMs = 5;               // so that 100,000,000 began before now
constexpr unsigned kSerialShift = 20;

/// One saga as skaldd wrote it.
struct Pattern {
  SagaSummary end;
  struct Record {
    std::uint64_t first_seq = 0;
    std::vector<Event> events;
    Bytes bytes;
  };
  std::vector<Record> records;
};

Result<Pattern> read_pattern(Store& store, const ListedSaga& listed) {
  Pattern pattern{.end = listed.summary, .records = {}};
  auto stored = store.load(listed.id);
  if (!stored) return std::unexpected(stored.error());
  for (StoredSaga::Record& record : (*stored)->records) {
    auto events = wire::decode_events(record.bytes);
    if (!events) return std::unexpected(events.error());
    pattern.records.push_back({.first_seq = record.first_seq,
                               .events = std::move(*events),
                               .bytes = std::move(record.bytes)});
  }
  return pattern;
}

Result<std::vector<Pattern>> read_patterns(Store& store) {
  ListQuery query{.definition = "order_parallel", .limit = kPatternsMax};
  query.statuses = {SagaStatus::completed, SagaStatus::compensated};
  const auto page = store.list(query);
  if (!page) return std::unexpected(page.error());
  std::vector<Pattern> patterns;
  for (const ListedSaga& saga : page->sagas) {
    auto pattern = read_pattern(store, saga);
    if (!pattern) return std::unexpected(pattern.error());
    patterns.push_back(std::move(*pattern));
  }
  if (!patterns.empty()) return patterns;
  return fail(Errc::failed_precondition, "there is no finished order to take for a pattern");
}

class Writing {
 public:
  Writing(std::vector<Pattern> patterns, Instant now)
      : patterns_(std::move(patterns)), first_(now - Millis{kAgeMs}) {}

  /// The whole life of the nth saga. Its first and its last record are made anew, with its keys and
  /// times; those between are as they were.
  void live(std::uint64_t n, std::vector<Transition>& to) {
    const Pattern& pattern = patterns_[n % patterns_.size()];
    const Millis later =
        first_ + Millis{static_cast<std::int64_t>(n) * kApartMs} - pattern.end.started_at;
    SagaSummary end = pattern.end;
    end.started_at += later;
    end.ended_at += later;
    if (end.failure) end.since += later;
    end.business_key = finished_key(n);
    end.idempotency_key = end.business_key;
    SagaSummary begun{.definition = end.definition,
                      .version = end.version,
                      .business_key = end.business_key,
                      .idempotency_key = end.idempotency_key,
                      .started_at = end.started_at};
    const SagaId id{
        .placement = hash64(end.idempotency_key),
        .serial = (static_cast<std::uint64_t>(to_unix_ms(end.started_at)) << kSerialShift) +
                  n % (1ULL << kSerialShift)};
    for (std::size_t i = 0; i < pattern.records.size(); ++i) {
      Transition& t = to.emplace_back(record(pattern.records[i], i, pattern, later, end));
      t.id = id;
    }
    const std::size_t first = to.size() - pattern.records.size();
    std::uint64_t body_hash = 0;
    if (const auto* started =
            std::get_if<event::Started>(&pattern.records.front().events.front().body)) {
      body_hash = started->body_hash;
    }
    to[first].new_key = KeyRow{.key = end.idempotency_key, .saga = id, .body_hash = body_hash};
    if (pattern.records.size() == 1) {
      to[first].after = std::move(end);
      return;
    }
    to.back().before = begun;
    to.back().after = std::move(end);
    to[first].after = std::move(begun);
  }

 private:
  static Transition record(const Pattern::Record& from, std::size_t place, const Pattern& pattern,
                           Millis later, const SagaSummary& end) {
    Transition t{.first_seq = from.first_seq,
                 .count = static_cast<std::uint32_t>(from.events.size())};
    if (place > 0 && place + 1 < pattern.records.size()) {
      t.record = from.bytes;
      return t;
    }
    std::vector<Event> events = from.events;
    for (Event& event : events) {
      event.at += later;
      if (auto* started = std::get_if<event::Started>(&event.body)) {
        started->business_key = end.business_key;
        started->idempotency_key = end.idempotency_key;
        if (started->deadline != kNever) started->deadline += later;
      }
    }
    wire::encode_events(events, t.record);
    return t;
  }

  std::vector<Pattern> patterns_;
  Instant first_;
};

Result<std::uint64_t> finished_in(Store& store) {
  const auto counts = store.count_by_status();
  if (!counts) return std::unexpected(counts.error());
  std::uint64_t finished = 0;
  for (const auto& [status, count] : *counts) finished += is_terminal(status) ? count : 0;
  return finished;
}

/// How many have been written by us: numbers have no gap.
Result<std::uint64_t> numbers_in(Store& store) {
  std::uint64_t known = 0;  // below it every number is there
  std::uint64_t step = 1;
  while (step > 0) {
    const auto row = store.find_key(finished_key(known + step - 1));
    if (!row) return std::unexpected(row.error());
    const bool growing = step == known + 1;
    known += *row ? step : 0;
    step = *row && growing ? known + 1 : step / 2;
  }
  return known;
}

}  // namespace

std::string finished_key(std::uint64_t n) { return order_id(kRun, {.number = n}); }

Result<Filled> fill_with_finished(const std::string& directory, std::uint64_t sagas) {
  const auto begin = SteadyClock::now();
  auto store = RocksStore::open({.directory = directory});
  if (!store) return std::unexpected(store.error());
  auto patterns = read_patterns(**store);
  if (!patterns) return std::unexpected(patterns.error());
  const auto there = finished_in(**store);
  if (!there) return std::unexpected(there.error());
  const auto first = numbers_in(**store);
  if (!first) return std::unexpected(first.error());
  const std::uint64_t end = *first + sagas - std::min(sagas, *there);
  const auto meta = (*store)->open_shard(0);
  if (!meta) return std::unexpected(meta.error());
  const auto since_1970 = std::chrono::system_clock::now().time_since_epoch();
  const Instant now =
      from_unix_ms(std::chrono::duration_cast<std::chrono::milliseconds>(since_1970).count());
  Writing writing(std::move(*patterns), now);
  std::uint64_t number = meta->number;
  for (std::uint64_t n = *first; n < end;) {
    ShardBatch batch{.epoch = meta->epoch, .number = ++number, .clock_high = now};
    for (std::uint64_t i = 0; i < kBatch && n < end; ++i, ++n) writing.live(n, batch.transitions);
    if (auto done = (*store)->commit({&batch, 1}); !done) return std::unexpected(done.error());
  }
  if (auto flushed = (*store)->flush(); !flushed) return std::unexpected(flushed.error());
  return Filled{.written = end - *first,
                .numbers = end,
                .seconds = std::chrono::duration<double>(SteadyClock::now() - begin).count()};
}

}  // namespace skald::bench
