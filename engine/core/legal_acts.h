// Which act of a person is legal now, and why another is not: the one place that decides it. Asked
// by the rules before they act, and by whoever shows what may be asked.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/core/command.h"
#include "engine/core/definition.h"
#include "engine/core/state.h"

namespace skald {

/// One act on a saga, or on one of its legs.
struct ActVerdict {
  ActKind act = ActKind::retry;
  std::optional<LegRef> leg;     // absent: the saga as a whole
  std::optional<Error> refusal;  // absent: legal
  std::string effect;            // when legal: what it does, in a few words
  [[nodiscard]] bool is_legal() const { return !refusal.has_value(); }
};

/// Abandon is judged without the definition too (an empty one): it may never be back.
/// Pre: `leg` is there, as find_leg() gives it, where the act requires one. Pure.
[[nodiscard]] ActVerdict judge_act(const Definition& definition, const SagaState& state,
                                   ActKind act, std::optional<LegRef> leg, Instant now);

/// Every act on the saga as a whole, legal or not; then every act that is legal on one leg, in the
/// order of steps and legs, at most kLegActsMax of them.
[[nodiscard]] std::vector<ActVerdict> legal_acts(const Definition& definition,
                                                 const SagaState& state, Instant now);
/// Every act on one leg, legal or not.
[[nodiscard]] std::vector<ActVerdict> acts_on_leg(const Definition& definition,
                                                  const SagaState& state, LegRef leg, Instant now);
inline constexpr std::size_t kLegActsMax = 200;

/// The leg of that name: "deduct_stock[7]". A step without legs is named as its only leg: it may be
/// stuck. Errors: not_found.
[[nodiscard]] Result<LegRef> find_leg(const Definition& definition, const SagaState& state,
                                      std::string_view leg);

/// The refusal, with what is legal instead. Pre: not legal.
[[nodiscard]] Error refusal_of(const Definition& definition, const SagaState& state,
                               const ActVerdict& verdict, Instant now);

/// Whether retry lets this operation go: false, it is neither stopped nor waiting. Errors: it may
/// have happened, and nobody would notice a second time.
[[nodiscard]] Result<bool> may_retry(const Definition& definition, const SagaState& state,
                                     LegRef leg, Operation operation, Instant now);

/// Which operation of a leg resolve and amend are about: its compensation once it is being undone.
[[nodiscard]] Operation operation_in_question(const LegState& leg);

/// The saga has moved on from the version that an act names: what came since.
[[nodiscard]] Error moved_on(const SagaState& state, std::uint64_t expected_seq, std::uint64_t seq);

[[nodiscard]] ActKind kind_of(const command::Act& act);
[[nodiscard]] const Actor& actor_of(const command::Act& act);
/// Empty: none.
[[nodiscard]] std::string_view leg_of(const command::Act& act);

}  // namespace skald
