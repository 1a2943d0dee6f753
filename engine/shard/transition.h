// Transition: the one atomic change that the store takes for one saga. Written by the shard, read
// by every store.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/base/ids.h"
#include "engine/core/failure_class.h"
#include "engine/core/state.h"

namespace skald {

/// The part of a saga that is indexed and listed. Kept in the same write as the state change.
struct SagaSummary {
  std::string definition;
  std::uint32_t version = 0;
  SagaStatus status = SagaStatus::running;
  bool waiting = false;  // held by a timer or signal; not loaded at start
  std::string business_key;
  std::string idempotency_key;
  Instant started_at{};
  Instant ended_at{};  // when terminal
  /// What it is stuck on, or why it turned back; none while it goes forward and when completed.
  std::optional<FailureClass> failure;
  Instant since{};  // with `failure`: when it came into this status; otherwise 0

  bool operator==(const SagaSummary&) const = default;
};

/// Idempotency key -> saga, with the fingerprint of the body it was first used with.
struct KeyRow {
  std::string key;
  SagaId saga;
  std::uint64_t body_hash = 0;
  bool operator==(const KeyRow&) const = default;
};

struct Transition {
  SagaId id;
  std::uint64_t first_seq = 0;  // sequence number of the first event in `record`, from 1
  std::uint32_t count = 0;      // events in `record`
  Bytes record;                 // encoded events (wire/stored.h)
  /// The first sequence numbers of the saga's latest records, when this one stands for them too:
  /// they go in the same write. Ascending, without a gap; `first_seq` is then the first of them.
  std::vector<std::uint64_t> folded;

  /// Index rows change only when these differ; both absent: no change. `before` absent: a new saga.
  /// Of `before`, status and start name the row in the store; its failure is not relied upon, since
  /// an earlier build may have written the row.
  std::optional<SagaSummary> before;
  std::optional<SagaSummary> after;

  /// The durable timer row; equal: no change. Only waiting sagas have one.
  std::optional<Instant> timer_before;
  std::optional<Instant> timer_after;

  std::optional<KeyRow> new_key;
};

/// What the engine remembers beside its sagas, by name: "hold/inventory". Stored.
struct Note {
  std::string name;
  std::optional<Bytes> value;  // absent: the note goes
  bool operator==(const Note&) const = default;
};
inline constexpr std::size_t kNoteNameMax = 512;  // bytes
/// A saga that has ended, as far as its removal needs it.
struct EndedSaga {
  SagaId id;
  Instant started_at{};         // with the id, its place in the list
  std::string idempotency_key;  // it was started with; empty: none
  bool operator==(const EndedSaga&) const = default;
};

/// Transitions of one shard, committed together. `epoch` and `number` fence several owners of a
/// shard.
struct ShardBatch {
  std::uint32_t shard = 0;
  std::uint64_t epoch = 0;
  std::uint64_t number = 0;  // previous number + 1
  Instant clock_high{};      // engine time's high-water mark (rule 8)
  std::vector<Transition> transitions;
  std::vector<std::string> keys_removed;  // idempotency keys whose retention is over
  std::vector<Note> notes;
  /// Sagas whose own retention is over: their records and all their rows go. One that has not
  /// ended, or whose idempotency key is still there, stays as it is.
  std::vector<EndedSaga> sagas_removed;
};

}  // namespace skald
