// What the store tests write with: sagas that keep their own summaries, and a writer that numbers
// its batches. The records are real ones, so that a store may check them.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "engine/store/store.h"
#include "engine/wire/stored.h"

namespace skald::conformance {

inline constexpr Instant kNoon = from_unix_ms(1'700'000'000'000);

inline Instant at(std::int64_t ms) { return kNoon + Millis{ms}; }

/// A failure of that step. The number is its cause: always the same step and definition with it.
inline FailureClass failure_of(std::string step, std::uint64_t cause,
                               OutcomeKind outcome = OutcomeKind::rejected) {
  return {.step = std::move(step),
          .participant = cause % 2 == 0 ? "inventory" : "promotion",
          .operation = Operation::action,
          .outcome = outcome,
          .code = "failed_precondition",
          .message = "reason " + std::string(1, static_cast<char>('a' + cause % 26)),
          .cause = {.value = cause}};
}

/// One saga's side of the contract: each call gives the transition that takes it there.
class Tale {
 public:
  explicit Tale(SagaId id) : id_(id) {}

  Transition start(Instant when, SagaSummary with = {}) {
    with.started_at = when;
    if (with.definition.empty()) with.definition = "create_order";
    with.version = 1;
    Transition t = step(when);
    t.after = with;
    if (!with.idempotency_key.empty()) {
      t.new_key = KeyRow{.key = with.idempotency_key, .saga = id_, .body_hash = body_hash()};
    }
    summary_ = std::move(with);
    return t;
  }
  /// Events, and no row that changes.
  Transition step(Instant when, std::uint32_t events = 1) {
    std::vector<Event> body;
    for (std::uint32_t i = 0; i < events; ++i) {
      body.push_back(
          {.at = when, .body = event::StepSkipped{.step = static_cast<std::uint16_t>(i)}});
    }
    Transition t{.id = id_, .first_seq = seq_ + 1, .count = events};
    wire::encode_events(body, t.record);
    t.timer_before = t.timer_after = timer_;
    seq_ += events;
    return t;
  }
  /// One more event, in a record that takes the place of the latest ones as well.
  Transition fold(std::vector<std::uint64_t> latest, Instant when) {
    Transition t = step(when);
    t.first_seq = latest.front();
    t.count = static_cast<std::uint32_t>(seq_ + 1 - t.first_seq);
    t.folded = std::move(latest);
    return t;
  }
  Transition become(SagaStatus status, Instant when) {
    SagaSummary next = summary_;
    next.status = status;
    next.waiting = false;
    next.ended_at = is_terminal(status) ? when : Instant{};
    next.failure.reset();
    next.since = {};
    return change(std::move(next), std::nullopt, when);
  }
  /// Into a status because of this, or still in it but because of this.
  Transition fail(SagaStatus status, FailureClass failure, Instant when) {
    SagaSummary next = summary_;
    next.since = status == summary_.status && summary_.failure ? summary_.since : when;
    next.status = status;
    next.waiting = false;
    next.ended_at = is_terminal(status) ? when : Instant{};
    next.failure = std::move(failure);
    return change(std::move(next), std::nullopt, when);
  }
  Transition wait(std::optional<Instant> due, Instant when) {
    SagaSummary next = summary_;
    next.waiting = true;
    return change(std::move(next), due, when);
  }
  Transition wake(Instant when) { return become(SagaStatus::running, when); }

  [[nodiscard]] const SagaId& id() const { return id_; }
  [[nodiscard]] const SagaSummary& summary() const { return summary_; }
  [[nodiscard]] std::uint64_t seq() const { return seq_; }
  [[nodiscard]] std::optional<Instant> timer() const { return timer_; }
  [[nodiscard]] std::uint64_t body_hash() const { return id_.serial * 31; }

 private:
  Transition change(SagaSummary next, std::optional<Instant> timer, Instant when) {
    Transition t = step(when);
    t.before = std::exchange(summary_, next);
    t.after = std::move(next);
    t.timer_after = timer_ = timer;
    return t;
  }

  SagaId id_;
  std::uint64_t seq_ = 0;
  SagaSummary summary_;
  std::optional<Instant> timer_;
};

/// Owns one shard of a store.
class ShardWriter {
 public:
  ShardWriter(Store& store, std::uint32_t shard) : store_(store), shard_(shard) {
    const auto opened = store.open_shard(shard);
    EXPECT_TRUE(opened.has_value()) << opened.error().message;
    if (opened) meta_ = *opened;
  }

  /// The next batch; written() says that it was.
  ShardBatch batch(std::vector<Transition> transitions,
                   std::vector<std::string> keys_removed = {}) {
    return {.shard = shard_,
            .epoch = meta_.epoch,
            .number = meta_.number + 1,
            .clock_high = kNoon,
            .transitions = std::move(transitions),
            .keys_removed = std::move(keys_removed)};
  }
  void written() { ++meta_.number; }

  Result<void> remove(std::vector<EndedSaga> sagas) {
    ShardBatch one = batch({});
    one.sagas_removed = std::move(sagas);
    auto done = store_.commit({&one, 1});
    if (done) written();
    return done;
  }

  Result<void> try_commit(std::vector<Transition> transitions,
                          std::vector<std::string> keys_removed = {}) {
    const ShardBatch one = batch(std::move(transitions), std::move(keys_removed));
    auto done = store_.commit({&one, 1});
    if (done) written();
    return done;
  }
  template <class... Transitions>
  void commit(Transitions... transitions) {
    std::vector<Transition> all;
    (all.push_back(std::move(transitions)), ...);
    const auto done = try_commit(std::move(all));
    ASSERT_TRUE(done.has_value()) << done.error().message;
  }

  [[nodiscard]] const ShardMeta& meta() const { return meta_; }

 private:
  Store& store_;
  std::uint32_t shard_;
  ShardMeta meta_;
};

inline SagaId id(std::uint64_t placement, std::uint64_t serial = 1) {
  return {.placement = placement, .serial = serial};
}

inline std::vector<SagaId> ids_of(const ListPage& page) {
  std::vector<SagaId> ids;
  for (const ListedSaga& saga : page.sagas) ids.push_back(saga.id);
  return ids;
}

/// Every page of the query, one after another.
inline std::vector<ListedSaga> all_pages(Store& store, ListQuery query) {
  std::vector<ListedSaga> all;
  while (true) {
    const auto page = store.list(query);
    EXPECT_TRUE(page.has_value()) << page.error().message;
    if (!page) return all;
    EXPECT_LE(page->sagas.size(), query.limit);
    all.insert(all.end(), page->sagas.begin(), page->sagas.end());
    if (page->next_page_token.empty()) return all;
    query.page_token = page->next_page_token;
  }
}

inline filter::Filter filtered(std::string_view text) {
  auto filter = filter::parse(text);
  EXPECT_TRUE(filter.has_value()) << filter.error().message;
  return *filter;
}

/// The sum over all pages.
inline std::uint64_t count_all(Store& store, CountQuery query) {
  std::uint64_t count = 0;
  while (true) {
    const auto page = store.count(query);
    EXPECT_TRUE(page.has_value()) << page.error().message;
    if (!page) return count;
    count += page->count;
    if (page->next_page_token.empty()) return count;
    query.page_token = page->next_page_token;
  }
}

inline std::uint64_t count_of(Store& store, SagaStatus status) {
  const auto counts = store.count_by_status();
  EXPECT_TRUE(counts.has_value());
  for (const auto& [one, count] : *counts) {
    if (one == status) return count;
  }
  return 0;
}

}  // namespace skald::conformance
