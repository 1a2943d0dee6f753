#include "participants/order_front/snowflake.h"

#include <fmt/format.h>

#include "engine/base/check.h"

namespace skald::mall::order_front {
namespace {

constexpr std::int32_t kSequenceMax = (1 << kSequenceBits) - 1;
constexpr std::int64_t kSmallest19Digits = 1'000'000'000'000'000'000;

}  // namespace

std::expected<OrderNumber, Millis> next_number(SnowflakeState last, std::int32_t worker,
                                               Instant now) {
  SKALD_CHECK(worker >= 0 && worker <= kWorkerMax, "worker={}", worker);
  const auto now_ms = to_unix_ms(now);
  if (now_ms < last.last_ms) return std::unexpected(Millis(last.last_ms - now_ms));
  SnowflakeState next{.last_ms = now_ms, .sequence = 0};
  if (now_ms == last.last_ms) {
    if (last.sequence == kSequenceMax) return std::unexpected(Millis(1));
    next.sequence = last.sequence + 1;
  }
  const std::int64_t id = ((now_ms - kSnowflakeEpochMs) << (kWorkerBits + kSequenceBits)) |
                          (std::int64_t{worker} << kSequenceBits) | next.sequence;
  SKALD_CHECK(id >= kSmallest19Digits, "now_ms={}", now_ms);
  return OrderNumber{fmt::format("SN{}", id), next};
}

}  // namespace skald::mall::order_front
