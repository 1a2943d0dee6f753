// Replay: a failed saga is done again as a saga of its own. Says when that is safe, and what of the
// old saga may be kept. How the new one uses what was kept is in rules_forward.cc.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/base/result.h"
#include "engine/core/definition.h"
#include "engine/core/state.h"

namespace skald {

/// Nothing of the old saga is applied, in doubt or being undone, and it will never move again.
/// `definition` is null when it is not registered: then only a saga that is undone can be judged.
/// Errors: failed_precondition: why not, and what to do first. Pure.
[[nodiscard]] Result<void> replayable(const Definition* definition, const SagaState& state);

/// What `old` had found out in the queries and computes before `from`, as steps of `next`. A step
/// that was skipped is judged again. Empty `from`: nothing is kept.
/// Errors: invalid_argument (no such step), failed_precondition (a step without a stored result).
[[nodiscard]] Result<std::vector<KeptStep>> kept_before(const Definition& definition,
                                                        const SagaState& old,
                                                        const Definition& next,
                                                        std::string_view from);

/// What is kept for this step and not used yet; nullptr: nothing.
[[nodiscard]] const KeptStep* find_kept(const SagaState& state, std::uint16_t step);

/// The idempotency key of replay `number`, from 1, of a saga. It makes a replay happen once.
/// Stored. Never change.
[[nodiscard]] std::string replay_key(const SagaId& of, std::uint32_t number);

/// Notes that stand for the replays of a saga begin with it; behind it comes the replay's number.
/// With that a note is named as the replay's key, and stays when the key has expired.
/// Stored. Never change.
[[nodiscard]] std::string replay_note_prefix(const SagaId& of);

inline constexpr std::uint32_t kReplaysMax = 1'000;  // of one saga

}  // namespace skald
