// Breaker: whether a method of a participant is worth asking now. After failures in a row it opens:
// nothing is sent for a while, then one attempt tries. What is held back spends no attempt.
#pragma once

#include <cstdint>

#include "engine/base/time.h"
#include "engine/core/outcome.h"

namespace skald {

struct BreakerPolicy {
  std::uint32_t failures_to_open = 16;  // in a row; 0: never opens
  Millis open_for{250};                 // doubles each time the trying attempt fails
  Millis open_for_max{5'000};           // so long at most a participant waits that has healed
};

/// Sent by name.
enum class BreakerState : std::uint8_t { closed = 1, open = 2, trying = 3 };
[[nodiscard]] std::string_view name(BreakerState state);

/// Whether an answer says that the participant itself is unwell: unknown, or refused before it ran.
/// A lost race (`aborted`) is an answer of a healthy one, and so are rejections.
[[nodiscard]] bool is_sick(const Outcome& outcome);

class Breaker {
 public:
  explicit Breaker(BreakerPolicy policy) : policy_(policy) {}

  /// Whether an attempt may leave now; take() says that it does.
  [[nodiscard]] bool allows(Instant now) const;
  void take();
  /// The attempt that was taken is not sent after all.
  void give_back() { trying_ = false; }
  void answered(bool sick, Instant now);

  [[nodiscard]] BreakerState state() const;
  /// When an open one lets an attempt try; kNever unless open.
  [[nodiscard]] Instant tries_at() const { return open_ && !trying_ ? open_until_ : kNever; }

 private:
  BreakerPolicy policy_;
  std::uint32_t failures_ = 0;  // in a row
  std::uint32_t openings_ = 0;  // in a row
  bool open_ = false;
  bool trying_ = false;
  Instant open_until_{};
};

}  // namespace skald
