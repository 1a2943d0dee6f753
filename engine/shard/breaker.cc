#include "engine/shard/breaker.h"

#include <algorithm>

namespace skald {

std::string_view name(BreakerState state) {
  switch (state) {
    case BreakerState::closed:
      return "closed";
    case BreakerState::open:
      return "open";
    case BreakerState::trying:
      return "trying";
  }
  return "";
}

bool is_sick(const Outcome& outcome) {
  switch (outcome.kind) {
    case OutcomeKind::succeeded:
    case OutcomeKind::rejected:
    case OutcomeKind::pending:
      return false;
    case OutcomeKind::not_executed:
      return outcome.code != "aborted";
    case OutcomeKind::unknown:
      return true;
  }
  return true;
}

bool Breaker::allows(Instant now) const { return !open_ || (!trying_ && now >= open_until_); }

void Breaker::take() { trying_ = open_; }

void Breaker::answered(bool sick, Instant now) {
  if (!sick) {
    failures_ = openings_ = 0;
    open_ = trying_ = false;
    return;
  }
  failures_ += 1;
  // Attempts that left before it opened say nothing new.
  const bool opens =
      open_ ? trying_ : policy_.failures_to_open != 0 && failures_ >= policy_.failures_to_open;
  if (!opens) return;
  constexpr std::uint32_t kDoublingsMax = 20;
  const auto factor = std::int64_t{1} << std::min(openings_, kDoublingsMax);
  open_ = true;
  trying_ = false;
  openings_ += 1;
  open_until_ = now + std::min(policy_.open_for_max, policy_.open_for * factor);
}

BreakerState Breaker::state() const {
  if (!open_) return BreakerState::closed;
  return trying_ ? BreakerState::trying : BreakerState::open;
}

}  // namespace skald
