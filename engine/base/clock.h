// Where time comes from. Core and shard never read a clock; the runtime reads one of these.
#pragma once

#include <chrono>

#include "engine/base/time.h"

namespace skald {

/// Thread: both calls may come from any thread.
class Clock {
 public:
  virtual ~Clock() = default;
  /// Wall time; may jump.
  [[nodiscard]] virtual Instant wall() const = 0;
  /// Time since an arbitrary start; never goes back.
  [[nodiscard]] virtual std::chrono::nanoseconds steady() const = 0;
};

class SystemClock final : public Clock {
 public:
  [[nodiscard]] Instant wall() const override;
  [[nodiscard]] std::chrono::nanoseconds steady() const override;
};

}  // namespace skald
