// Events: what happened to a saga, as durable facts; the only thing evolve() accepts. Stored
// through wire/stored.h: a new field means stored.proto, stored.cc, evolve.cc and a golden file.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "engine/core/state.h"

namespace skald {

namespace event {

struct Started {
  std::string definition;
  std::uint32_t version = 0;
  std::uint16_t steps = 0;
  Bytes source;
  std::string idempotency_key;
  std::string business_key;
  std::uint64_t body_hash = 0;
  Bytes input;
  Instant deadline = kNever;
  std::optional<Replay> replay;
  bool operator==(const Started&) const = default;
};
/// `when` said no.
struct StepSkipped {
  std::uint16_t step = 0;
  bool operator==(const StepSkipped&) const = default;
};
/// The legs of a query or call, with their requests.
struct StepStarted {
  struct Leg {
    std::string key;
    Bytes request;
    bool operator==(const Leg&) const = default;
  };
  std::uint16_t step = 0;
  std::vector<Leg> legs;
  bool operator==(const StepStarted&) const = default;
};
/// A query or compute is not run: what Started::replay kept of it stands.
struct StepKept {
  std::uint16_t step = 0;
  bool operator==(const StepKept&) const = default;
};
struct Computed {
  std::uint16_t step = 0;
  Bytes output;
  bool operator==(const Computed&) const = default;
};
/// A builder, predicate or compute failed; before the pivot it turns the saga back, after it, it
/// sticks.
struct StepFailed {
  std::uint16_t step = 0;  // the number of steps: the output builder
  std::string code;
  std::string message;
  bool stuck = false;
  bool operator==(const StepFailed&) const = default;
};
/// A stuck step is tried again (an operator's retry).
struct StepRetried {
  std::uint16_t step = 0;
  bool operator==(const StepRetried&) const = default;
};
struct WaitBegan {
  std::uint16_t step = 0;
  Instant due_at = kNever;
  bool operator==(const WaitBegan&) const = default;
};
struct WaitEnded {
  std::uint16_t step = 0;
  std::string signal_id;  // empty: the timer fired
  bool rejected = false;  // timed out where that is a refusal
  bool operator==(const WaitEnded&) const = default;
};
/// The intent to send: durable before the request leaves (queries excepted, rule 1).
struct Intended {
  LegRef leg;
  Operation operation = Operation::action;
  std::uint32_t generation = 1;
  std::uint32_t attempt = 1;
  Bytes request;  // compensations and probes, first attempt; an action's is in StepStarted
  bool operator==(const Intended&) const = default;
};
/// An attempt was answered, and what follows: the phase it leads to, and when to try again.
struct Answered {
  LegRef leg;
  Operation operation = Operation::action;
  std::uint32_t attempt = 1;
  Outcome outcome;
  Bytes response;  // succeeded actions, queries and probes
  Phase phase = Phase::settled;
  LegStage stage = LegStage::acting;  // of the leg, afterwards
  bool maybe = false;                 // of the operation, afterwards
  bool overdue = false;               // likewise
  Instant retry_at{};                 // when phase is backing_off
  bool operator==(const Answered&) const = default;
};
/// An operation changes phase without an answer: stopped for a person, or let go again.
struct OperationMoved {
  LegRef leg;
  Operation operation = Operation::action;
  Phase phase = Phase::stopped;
  LegStage stage = LegStage::acting;
  std::uint32_t generation = 1;
  bool maybe = false;
  bool overdue = false;
  Instant retry_at{};
  std::string code;  // why
  std::string message;
  bool operator==(const OperationMoved&) const = default;
};
/// The point of no return is behind us.
struct PivotPassed {
  bool operator==(const PivotPassed&) const = default;
};
/// The way back begins: nothing new is started, what was done is undone.
struct UndoBegan {
  Failure failure;
  bool operator==(const UndoBegan&) const = default;
};
/// Turning back was asked for while the pivot is in flight.
struct UndoDeferred {
  Failure failure;
  bool operator==(const UndoDeferred&) const = default;
};
struct SignalReceived {
  Signal signal;
  bool operator==(const SignalReceived&) const = default;
};
/// A cancel was asked for; what it led to is the next event.
struct CancelAsked {
  Actor actor;
  bool operator==(const CancelAsked&) const = default;
};
struct RetryAsked {
  Actor actor;
  std::string leg;  // empty: all
  bool operator==(const RetryAsked&) const = default;
};
/// The saga's deadline passed where it can only alert (rule 8).
struct DeadlineMissed {
  bool operator==(const DeadlineMissed&) const = default;
};
/// The definition's version is not registered here (any more), or it is back.
struct DefinitionMissing {
  bool missing = true;
  bool operator==(const DefinitionMissing&) const = default;
};
struct Completed {
  Bytes output;
  bool has_output = false;
  bool operator==(const Completed&) const = default;
};
struct Compensated {
  bool operator==(const Compensated&) const = default;
};
/// Nothing new is begun until it is resumed.
struct Paused {
  Actor actor;
  bool operator==(const Paused&) const = default;
};
/// The time since it was paused does not count for its deadline, timers and retries.
struct Resumed {
  Actor actor;
  bool operator==(const Resumed&) const = default;
};
/// A leg, or a stuck step without legs, shall not be done.
struct LegSkipped {
  Actor actor;
  LegRef leg;
  bool operator==(const LegSkipped&) const = default;
};
/// A person said whether an operation in doubt happened, and what follows, as in Answered.
struct Resolved {
  Actor actor;
  LegRef leg;
  Operation operation = Operation::action;
  bool happened = false;
  std::optional<Bytes> response;  // of an action that happened, where it is known
  Phase phase = Phase::settled;
  LegStage stage = LegStage::done;  // of the leg, afterwards
  Instant retry_at{};               // when phase is backing_off
  bool operator==(const Resolved&) const = default;
};
/// The request or the endpoint of a pending operation was changed; it is tried at once.
struct Amended {
  Actor actor;
  LegRef leg;
  Operation operation = Operation::action;
  std::uint32_t generation = 1;
  std::optional<Bytes> request;
  std::optional<Endpoint> endpoint;
  bool operator==(const Amended&) const = default;
};
/// A person has undone the leg by hand.
struct CompensationMarked {
  Actor actor;
  LegRef leg;
  bool operator==(const CompensationMarked&) const = default;
};
/// Closed by a person as it is.
struct Abandoned {
  Actor actor;
  bool operator==(const Abandoned&) const = default;
};
/// Stands for a run of repeated attempts that led nowhere new (folding.h); its event's time is that
/// of the last of them.
struct Folded {
  struct Repeated {
    LegRef leg;
    Operation operation = Operation::action;
    OperationState after;             // as the run left it
    std::uint32_t first_attempt = 0;  // of those folded, to `after.attempts`; 0: none was sent
    std::array<std::uint32_t, kOutcomeKinds> outcomes{};  // how many answers, by kind, from 1
    bool operator==(const Repeated&) const = default;
  };
  std::uint64_t events = 0;          // in the run; not 0
  Instant first_at{};                // when the first of them happened
  Instant status_since{};            // the saga's status may have changed among them
  std::vector<Repeated> operations;  // every one that the run touched, in order
  bool been_stuck = false;           // the saga, then or earlier; it may have passed since
  bool operator==(const Folded&) const = default;
};

using Body =
    std::variant<Started, StepSkipped, StepStarted, Computed, StepFailed, StepRetried, WaitBegan,
                 WaitEnded, Intended, Answered, OperationMoved, PivotPassed, UndoBegan,
                 UndoDeferred, SignalReceived, CancelAsked, RetryAsked, DeadlineMissed,
                 DefinitionMissing, Completed, Compensated, Paused, Resumed, LegSkipped, Resolved,
                 Amended, CompensationMarked, Abandoned, StepKept, Folded>;
}  // namespace event

struct Event {
  Instant at{};
  event::Body body;
  bool operator==(const Event&) const = default;
};

/// How many events of its saga it stands for.
[[nodiscard]] inline std::uint64_t events_in(const Event& event) {
  const auto* folded = std::get_if<event::Folded>(&event.body);
  return folded == nullptr ? 1 : folded->events;
}

}  // namespace skald
