// How long to wait before the next attempt. When to stop trying is in the rules.
#pragma once

#include "engine/base/ids.h"
#include "engine/core/definition.h"
#include "engine/core/state.h"

namespace skald {

struct RetryRequest {
  const RetryPolicy& policy;
  std::uint32_t repeats = 1;  // unsuccessful attempts in a row, this one included
  SagaId saga;
  LegRef leg;
  Operation operation = Operation::action;
  std::uint32_t attempt = 1;
};

/// A participant may ask for a longer pause than the policy's (Retry-After), up to this.
inline constexpr Millis kRetryAfterMax{3'600'000};

/// Delay before the next attempt.
/// Units:  milliseconds, 0 <= result <= policy.delay_max.
/// Pre:    repeats >= 1.
/// Errors: none; pure. Same arguments, same delay, so that a replay agrees with the past.
/// Source: exponential backoff with jitter (AWS Architecture Blog, "Exponential Backoff And
/// Jitter",
///         2015), its randomness replaced by a hash of (saga, leg, operation, attempt).
[[nodiscard]] Millis retry_delay(const RetryRequest& request);

/// delay_max, jittered likewise: the pace of operations whose time is spent.
[[nodiscard]] Millis retry_delay_at_cap(const RetryRequest& request);

}  // namespace skald
