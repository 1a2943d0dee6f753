// The barrier: the participant's half of a saga. What it promises, as long as its rows are kept:
//
//  * An action takes effect at most once. The same key again gets the stored answer, a refusal too.
//  * The same key with another request is refused (invalid_argument), and nothing is done.
//  * A compensation whose action never took effect here does nothing, answers success, and closes
//    the leg: an action of that leg that arrives later is refused (failed_precondition, "undone
//    before it ran") and does nothing. An operator's later generation of the action is no
//    exception.
//  * A compensation takes effect at most once, whatever its generation.
//  * Transient failures (aborted, unavailable, internal, ...) are answered and not recorded: the
//  same
//    key may be sent again and runs then.
//
// Its rule follows the operation of the request, never the method's name: a method that undoes in
// one saga may be an action in another. The row is written by the same transaction as the effect.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "engine/base/result.h"
#include "mall/barrier.pb.h"
#include "mall/stored.pb.h"
#include "participants/kit/saga_headers.h"
#include "participants/kit/txn.h"

namespace skald::kit {

/// What a participant does with the keys it is sent.
enum class KeysMode : std::uint8_t {
  none = 1,  // ignores them, as a service without the kit does
  dedup,     // stored answers only: nothing is known of undoing
  barrier,   // all of the above
};

enum class BarrierVerdict : std::uint8_t {
  executed = 1,     // the handler ran now
  replayed,         // the stored answer
  nothing_to_undo,  // a compensation of nothing; the leg is closed
  refused,          // the barrier itself said no; the handler did not run
};

[[nodiscard]] std::string_view name(BarrierVerdict verdict);

struct BarrierAnswer {
  /// The answer's protobuf bytes, or the refusal.
  Result<std::string> response;
  BarrierVerdict verdict = BarrierVerdict::executed;
};

struct BarrierCall {
  SagaCall saga;
  std::string procedure;
  std::uint64_t request_hash = 0;  // of procedure and request; see request_hash()
  KeysMode keys = KeysMode::barrier;
  std::string nothing_to_undo = {};  // the answer of a compensation that has nothing to undo
};

/// The operation itself. An error drops what it has written.
using Effect = std::function<Result<std::string>(Txn&)>;

/// Runs `effect`, or not, and records what happened, all within `txn`.
/// A probe never runs it: it answers what is stored of the leg's action, or not_found.
/// Errors (in the answer): the effect's own; invalid_argument, the key was used for another
/// request; failed_precondition, the leg is closed; internal, the leg's action took effect under
/// another key with another request (neither done nor refused: a person must look); not_found, a
/// probe of what never came; resource_exhausted, too many generations on one leg.
[[nodiscard]] BarrierAnswer pass_barrier(Txn& txn, const BarrierCall& call, const Effect& effect);

/// Whether a refusal is definite, so that it is stored and returned again.
[[nodiscard]] bool is_definite(Errc code);

/// Fingerprint of a request: codec-neutral, because it is taken over protobuf bytes.
[[nodiscard]] std::uint64_t request_hash(std::string_view procedure, std::string_view request);

inline constexpr std::string_view kLegPrefix = "b/";  // Stored: the barrier's rows.
inline constexpr int kKeysPerLegMax = 64;

/// The stored row as audits read it.
[[nodiscard]] ::mall::LegAudit leg_audit(const ::mall::stored::LegRow& row);

/// Erases legs that are not in effect and whose last key is older than `before`; looks at no more
/// than `rows_max` rows beyond `after`. Answers where to go on, or nothing at the end. A key is
/// forgotten with its leg.
[[nodiscard]] std::optional<std::string> forget_legs(Txn& txn, Instant before, std::string after,
                                                     std::size_t rows_max);

}  // namespace skald::kit
