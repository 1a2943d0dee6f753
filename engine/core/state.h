// SagaState: everything the engine knows about one saga, folded from its events by evolve().
// Changed by nothing else.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/ids.h"
#include "engine/base/time.h"
#include "engine/core/act.h"
#include "engine/core/definition.h"
#include "engine/core/outcome.h"

namespace skald {

/// Stored in index rows and sent. Never renumber.
enum class SagaStatus : std::uint8_t {
  running = 1,
  compensating = 2,
  paused = 3,
  stuck = 4,
  completed = 5,
  compensated = 6,
  abandoned = 7,
};
inline constexpr std::size_t kSagaStatusCount = 7;

[[nodiscard]] std::string_view name(SagaStatus status);
[[nodiscard]] constexpr bool is_terminal(SagaStatus status) {
  return status >= SagaStatus::completed;
}

/// Names one leg inside a saga. In text: `step` or `step[key]`.
struct LegRef {
  std::uint16_t step = 0;
  std::uint32_t leg = 0;
  auto operator<=>(const LegRef&) const = default;
};

/// Where an operation of a leg stands. Stored. Never renumber.
enum class Phase : std::uint8_t {
  idle = 0,         // never sent
  in_flight = 1,    // its intent is durable, no answer yet
  backing_off = 2,  // waits for retry_at
  stopped = 3,      // a person is needed: refused, or in doubt without a way to settle it
  settled = 4,      // definite: succeeded or nothing was done
};

/// One operation (action, compensation or probe) of one leg.
struct OperationState {
  Phase phase = Phase::idle;
  std::uint32_t generation = 1;  // part of the key (rule 2); only a definite refusal ends one
  std::uint32_t attempts = 0;    // sent so far, all generations: numbers the next attempt
  std::uint32_t spent_attempts =
      0;  // of this generation, those that may have run: count against the policy
  std::uint32_t repeats = 0;  // unsuccessful in a row: drives backoff
  bool maybe = false;         // sticky unknown (rule 3): it may have happened
  bool overdue = false;       // its time is spent; it alerts and goes on at the cap (rule 7)
  Instant first_at{};         // first attempt of this generation
  Millis held{0};             // spent paused since; its own time does not run meanwhile
  Instant last_at{};          // last answer, or last sending
  Instant retry_at{};         // when backing_off
  Outcome last{};             // of the last answered attempt

  bool operator==(const OperationState&) const = default;
};

/// What a leg has done to the world, as far as is known. Stored. Never renumber.
enum class LegStage : std::uint8_t {
  ready = 1,    // never sent
  acting = 2,   // its action is in flight, backing off, or in doubt
  done = 3,     // its action succeeded
  refused = 4,  // definite: nothing was done
  undoing = 5,  // its compensation was sent
  undone = 6,   // its compensation succeeded
  dropped = 7,  // never sent, and never will be
  skipped = 8,  // not done, and a person said that it shall not be
};

[[nodiscard]] std::string_view name(LegStage stage);

struct LegState {
  std::string key;
  LegStage stage = LegStage::ready;
  Bytes request;
  Bytes response;  // of the action, when done
  bool has_response = false;
  OperationState action;
  std::optional<OperationState> undo;
  std::optional<OperationState> probe;  // while or after settling an unknown outcome by probe
  Bytes undo_request;
  Bytes probe_request;
  bool by_hand = false;  // a person said how its newest operation ended

  bool operator==(const LegState&) const = default;
};

/// Stored. Never renumber.
enum class StepStage : std::uint8_t { pending = 1, running = 2, done = 3, skipped = 4, failed = 5 };

[[nodiscard]] std::string_view name(StepStage stage);

struct StepState {
  StepStage stage = StepStage::pending;
  std::vector<LegState> legs;
  std::uint32_t legs_settled = 0;  // of legs: those that left ready and acting
  std::uint32_t legs_refused = 0;
  std::uint32_t legs_skipped = 0;
  Bytes output;  // compute result or signal payload
  bool has_output = false;
  Instant due_at = kNever;   // wait
  std::string stuck_reason;  // a builder failed where there is no way back; empty: not stuck

  bool operator==(const StepState&) const = default;
};

/// Why a saga went back, or cannot go on.
struct Failure {
  std::string leg;  // "deduct_stock[7]"; empty: the saga as a whole (cancel, deadline)
  OutcomeKind outcome = OutcomeKind::rejected;
  std::string code;
  std::string message;
  bool operator==(const Failure&) const = default;
};

struct Signal {
  std::string id;  // deduplicates
  std::string name;
  Bytes payload;
  bool operator==(const Signal&) const = default;
};

/// Where one operation is sent instead of where its definition says: an operator's amendment.
struct AmendedEndpoint {
  LegRef leg;
  Operation operation = Operation::action;
  Endpoint endpoint;
  bool operator==(const AmendedEndpoint&) const = default;
};

/// What a query or compute of an earlier saga had found out.
struct KeptStep {
  struct Leg {
    std::string key;
    Bytes request;
    Bytes response;
    bool operator==(const Leg&) const = default;
  };
  std::uint16_t step = 0;       // of the saga that keeps it
  std::vector<Leg> legs;        // a query's
  std::optional<Bytes> output;  // a compute's
  bool operator==(const KeptStep&) const = default;
};

/// A saga that does again what another one failed to do: see replay.h.
struct Replay {
  SagaId of;
  Actor actor;                 // who asked for it
  std::string from;            // the step from which it runs again; empty: the start
  std::vector<KeptStep> kept;  // not used yet
  bool operator==(const Replay&) const = default;
};

struct SagaState {
  SagaId id;
  std::string definition;
  std::uint32_t version = 0;
  Bytes source;  // inline definition
  std::string idempotency_key;
  std::string business_key;
  std::uint64_t body_hash = 0;
  Bytes input;
  Bytes output;
  bool has_output = false;
  std::optional<Replay> replay;

  SagaStatus status = SagaStatus::running;  // derived by evolve from the fields below
  Instant status_since{};                   // when it came into this status
  bool terminal = false;
  bool paused = false;
  bool decided = false;  // the pivot is passed, or the way back has begun
  bool undoing = false;  // the way back has begun
  bool deadline_missed = false;
  bool definition_missing = false;
  std::uint32_t in_flight = 0;    // operations in that phase
  std::uint32_t backing_off = 0;  // likewise
  std::uint32_t stuck = 0;   // stopped or overdue operations, stuck steps, a missing definition
  bool been_stuck = false;   // now, or earlier
  std::string output_stuck;  // the output builder failed: why

  Instant started_at{};
  Instant updated_at{};
  Instant deadline = kNever;
  std::uint64_t seq = 0;  // number of events folded

  std::optional<Failure> failure;    // why the way back began
  std::optional<Failure> turn_back;  // asked for while the pivot is in flight (rule 6)
  std::vector<LegRef> refused;       // every refused leg: see refusals() in owed.h
  std::optional<Actor> paused_by;
  Instant paused_at{};                     // while paused
  std::optional<Actor> abandoned_by;       // terminal
  std::optional<LastAct> last_act;         // of a person
  std::vector<AmendedEndpoint> endpoints;  // few; see endpoint_of() in owed.h
  std::vector<StepState> steps;
  std::vector<Signal> signals;          // received, not yet consumed
  std::vector<std::string> signal_ids;  // every id seen

  bool operator==(const SagaState&) const = default;
};

inline constexpr std::size_t kSignalsKeptMax = 128;  // unconsumed, per saga
inline constexpr std::size_t kSignalIdsMax = 4'096;  // per saga; beyond it signals are refused
inline constexpr std::size_t kRefusalsKeptMax = 256;

}  // namespace skald
