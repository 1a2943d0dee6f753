// EngineOptions: every number that bounds or tunes the engine, with meaning, unit, range and
// default.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/time.h"
#include "engine/shard/alert.h"
#include "engine/shard/breaker.h"

namespace skald {

struct ParticipantOptions {
  std::uint32_t in_flight_max = 256;  // attempts at once, all threads together; 1..100'000
};

/// How long an ended saga is kept after its end; 0: for ever. Absent: as for every definition.
/// A saga with an idempotency key stays as long as its key at least (key_retention).
struct Retention {
  std::optional<Millis> completed;
  std::optional<Millis> compensated;
  std::optional<Millis> abandoned;
  bool operator==(const Retention&) const = default;
};

/// Who is told of what, beyond the log.
struct AlertSettings {
  std::vector<AlertTarget> targets;    // at most kAlertTargetsMax; names of 1 to 32 of a-z0-9_-
  std::uint32_t retries_over = 10;     // failures in a row of one operation; 1..1'000'000
  std::uint32_t outbox_max = 100'000;  // alerts waiting, all targets; beyond it they are dropped
  Millis give_up_after{3LL * 24 * 3'600'000};  // since it happened; 1 minute to 30 days
};

struct EngineOptions {
  std::uint32_t threads = 0;  // 0: one per core but one; 1..256
  std::uint32_t active_sagas_max =
      100'000;                       // in memory, not waiting; beyond it submissions are refused
  std::uint32_t inbox_max = 65'536;  // commands queued per shard; beyond it submissions are refused
  std::uint32_t waiters_max = 200'000;  // callers waiting for an outcome
  std::uint32_t commit_batch_records_max = 1'024;
  std::uint32_t commit_batch_bytes_max = 1 << 20;
  std::uint32_t response_bytes_max = 4 << 20;  // a participant's answer kept in a saga
  std::uint32_t input_bytes_max = 1 << 20;
  std::uint64_t disk_reserve_bytes = 256ULL << 20;  // below it submissions are refused
  Millis key_retention{7LL * 24 * 3'600'000};  // of idempotency keys, after the saga's end (rule 9)
  Millis timer_window{60'000};                 // durable timers due within it are kept in memory
  BreakerPolicy breaker;                       // of each method of each participant, per thread
  Millis scan_every{24LL * 3'600'000};         // all data held against its checksums; 0: never
  std::uint64_t scan_bytes_per_second = 16ULL << 20;  // so fast at most
  Retention retention;                                // of every definition; absent: for ever
  std::map<std::string, Retention> retention_by_definition;
  AlertSettings alerts;
  ParticipantOptions participant_default;
  std::map<std::string, ParticipantOptions> participants;  // by participant name or origin

  /// Every option out of its range, named; empty when sound.
  [[nodiscard]] std::vector<std::string> validate() const;
};

}  // namespace skald
