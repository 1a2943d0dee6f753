// The clocks of a simulated machine: a steady one that is the world's own time, and a wall clock
// that jumps.
#pragma once

#include "engine/base/clock.h"

namespace skald::sim {

class SimClock final : public Clock {
 public:
  static constexpr std::int64_t kBornUnixMs = 1'700'000'000'000;

  [[nodiscard]] Instant wall() const override {
    return from_unix_ms(kBornUnixMs) + passed_ + jumped_;
  }
  [[nodiscard]] std::chrono::nanoseconds steady() const override { return passed_; }

  [[nodiscard]] Millis passed() const { return passed_; }
  void pass_to(Millis passed) { passed_ = std::max(passed_, passed); }
  void jump(Millis by) { jumped_ += by; }

 private:
  Millis passed_{0};  // since the world began
  Millis jumped_{0};
};

}  // namespace skald::sim
