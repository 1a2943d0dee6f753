// Words for people, shared by explanations, histories and the read model: durations, legs,
// outcomes. Works without the definition too, since histories outlive it.
#pragma once

#include <string>
#include <string_view>

#include "engine/base/time.h"
#include "engine/core/definition.h"
#include "engine/core/outcome.h"
#include "engine/core/state.h"

namespace skald::api {

/// "850 ms", "2.5 s", "3 min 20 s", "2 h 5 min", "3 d 4 h".
[[nodiscard]] std::string duration_words(Millis duration);

/// "2026-11-22 12:45:03.120 UTC".
[[nodiscard]] std::string instant_words(Instant at);

/// The step's name, or "step 3" (counted from 1) without a definition that knows it.
[[nodiscard]] std::string step_words(const Definition* definition, std::uint16_t step);

/// "deduct_stock[7]" or "use_coupon".
[[nodiscard]] std::string leg_words(const Definition* definition, const SagaState& state,
                                    LegRef leg);

/// "rejected (failed_precondition: stock is 1, asked 2)".
[[nodiscard]] std::string outcome_words(const Outcome& outcome);

/// "use_coupon was rejected (coupon_used: ...)", or what ended the saga as a whole.
[[nodiscard]] std::string failure_words(const Failure& failure);

/// "1 leg", "3 legs".
[[nodiscard]] std::string counted(std::size_t count, std::string_view noun);

}  // namespace skald::api
