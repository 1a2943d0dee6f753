// Order numbers: "SN" and a 19-digit snowflake id, which is milliseconds since kSnowflakeEpoch,
// then 10 bits of worker, then 12 bits of sequence. Pure: the time and the last number come with
// the call.
#pragma once

#include <cstdint>
#include <expected>
#include <string>

#include "engine/base/time.h"

namespace skald::mall::order_front {

/// 2010-11-04T01:42:54.657Z. Numbers have 19 digits from 2018 on and fit int64 until 2080.
inline constexpr std::int64_t kSnowflakeEpochMs = 1'288'834'974'657;
inline constexpr int kWorkerBits = 10;
inline constexpr int kSequenceBits = 12;
inline constexpr std::int32_t kWorkerMax = (1 << kWorkerBits) - 1;

/// The last number given. Stored with what the number was given to.
struct SnowflakeState {
  std::int64_t last_ms = 0;
  std::int32_t sequence = 0;
  bool operator==(const SnowflakeState&) const = default;
};

struct OrderNumber {
  std::string text;
  SnowflakeState state;  // the last number is now this one
};

/// The next number of this worker, larger than all before it.
/// Errors: how long to wait: the clock went back behind the last number, or the numbers of this
/// millisecond are spent. It never repeats a number and never borrows from the future.
/// Pre: 0 <= worker <= kWorkerMax, and no other process has this worker; now is after 2018.
[[nodiscard]] std::expected<OrderNumber, Millis> next_number(SnowflakeState last,
                                                             std::int32_t worker, Instant now);

}  // namespace skald::mall::order_front
