#include "engine/core/retry.h"

#include <algorithm>
#include <cmath>

#include "engine/base/hash.h"

namespace skald {
namespace {

/// In [0, 1), the same for the same arguments.
double fraction(const RetryRequest& request) {
  std::uint64_t h = mix64(request.saga.placement);
  h = mix64(h ^ request.saga.serial);
  h = mix64(h ^ (std::uint64_t{request.leg.step} << 32 | request.leg.leg));
  h = mix64(h ^ (static_cast<std::uint64_t>(request.operation) << 32 | request.attempt));
  return static_cast<double>(h >> 11) * 0x1.0p-53;
}

Millis with_jitter(double delay_ms, const RetryRequest& request) {
  const double jitter = request.policy.jitter;
  const double jittered = delay_ms * (1.0 - jitter + jitter * fraction(request));
  return Millis{static_cast<Millis::rep>(std::llround(jittered))};
}

}  // namespace

Millis retry_delay(const RetryRequest& request) {
  const auto cap = static_cast<double>(request.policy.delay_max.count());
  const auto initial = static_cast<double>(request.policy.initial.count());
  const auto exponent = static_cast<double>(std::max<std::uint32_t>(request.repeats, 1) - 1);
  return with_jitter(std::min(cap, initial * std::pow(request.policy.factor, exponent)), request);
}

Millis retry_delay_at_cap(const RetryRequest& request) {
  return with_jitter(static_cast<double>(request.policy.delay_max.count()), request);
}

}  // namespace skald
