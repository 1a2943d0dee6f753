// Instants and durations of the engine: milliseconds everywhere inside, a `_ms` suffix at the
// edges.
#pragma once

#include <chrono>
#include <cstdint>

namespace skald {

using Millis = std::chrono::milliseconds;
using Micros = std::chrono::microseconds;  // measured durations only

/// The engine's time line: the stored high-water mark advanced by a steady clock (rule 8).
/// Never read directly; an Instant arrives with the input that needs it.
struct EngineTime {
  using rep = std::int64_t;
  using period = std::milli;
  using duration = Millis;
  using time_point = std::chrono::time_point<EngineTime, Millis>;
  static constexpr bool is_steady = true;
};

/// Milliseconds since 1970-01-01 on the engine's time line.
using Instant = EngineTime::time_point;

inline constexpr Instant kNever = Instant::max();

[[nodiscard]] constexpr std::int64_t to_unix_ms(Instant t) { return t.time_since_epoch().count(); }
[[nodiscard]] constexpr Instant from_unix_ms(std::int64_t ms) { return Instant{Millis{ms}}; }

/// t + d, held at kNever, or at the other end of time, instead of overflowing.
[[nodiscard]] constexpr Instant add_saturated(Instant t, Millis d) {
  const Millis since = t.time_since_epoch();
  if (since > Millis{0} && d >= Millis::max() - since) return kNever;
  if (since < Millis{0} && d <= Millis::min() - since) return Instant::min();
  return t + d;
}

}  // namespace skald
