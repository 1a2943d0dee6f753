// owed: everything a saga owes the world, read off its state: what recovery must do, and the oracle
// for the effects that decide() reports one by one.
#pragma once

#include <vector>

#include "engine/core/decide.h"

namespace skald {

struct Owed {
  std::vector<Send> in_flight;  // sent or being sent; a reply must come, or Recover
  std::vector<Want> wants;      // may be sent as soon as there is room
  Instant wake_at = kNever;     // the next retry, timer or deadline after `now`
};

[[nodiscard]] Owed owed(const Definition& definition, const SagaState& state, Instant now);

/// The earliest retry, timer or deadline strictly after `after`; kNever when there is none. What is
/// due earlier has been wanted or fired already.
[[nodiscard]] Instant next_wake(const SagaState& state, Instant after);

/// True when nothing is in flight, backing off or wanted, or it is paused and nothing is in flight:
/// only a timer, a signal or a person can move it, so it may leave memory.
[[nodiscard]] bool is_waiting(const Definition& definition, const SagaState& state, Instant now);

/// "deduct_stock[7]" or "use_coupon".
[[nodiscard]] std::string leg_name(const Definition& definition, const SagaState& state,
                                   LegRef leg);

/// An item key as it appears in names and keys: percent-encoded outside [A-Za-z0-9._~-].
[[nodiscard]] std::string encoded_leg_key(std::string_view key);

/// Where the operation is sent: its definition's method, unless an operator amended it.
/// Pre: the step has this operation.
[[nodiscard]] Endpoint endpoint_of(const Definition& definition, const SagaState& state, LegRef leg,
                                   Operation operation);
/// nullptr: nobody amended it.
[[nodiscard]] const Endpoint* amended_endpoint(const SagaState& state, LegRef leg,
                                               Operation operation);

/// The last outcome of the leg's action as a failure.
[[nodiscard]] Failure failure_of(const Definition& definition, const SagaState& state, LegRef leg);

/// Every refused leg, by name, with its last outcome (at most kRefusalsKeptMax).
[[nodiscard]] std::vector<Failure> refusals(const Definition& definition, const SagaState& state);

/// `{saga_id}/{leg}/{operation}` with the item percent-encoded, plus `/gN` from generation 2 on
/// (rule 2).
[[nodiscard]] std::string operation_key(const Definition& definition, const SagaState& state,
                                        LegRef leg, Operation operation);

}  // namespace skald
