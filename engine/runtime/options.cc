#include "engine/runtime/options.h"

#include <fmt/format.h>

namespace skald {
namespace {

constexpr Millis kRetentionMax{100LL * 365 * 24 * 3'600'000};

template <class T>
void in_range(std::vector<std::string>& wrong, std::string_view name, T value, T low, T high) {
  if (value < low || value > high) {
    wrong.push_back(fmt::format("{}={} is out of range {}..{}", name, value, low, high));
  }
}

void in_range(std::vector<std::string>& wrong, std::string_view of, const Retention& retention) {
  const auto check = [&](std::string_view status, const std::optional<Millis>& kept) {
    if (!kept) return;
    in_range<std::int64_t>(wrong, fmt::format("retention{}.{}_ms", of, status), kept->count(), 0,
                           kRetentionMax.count());
  };
  check("completed", retention.completed);
  check("compensated", retention.compensated);
  check("abandoned", retention.abandoned);
}

}  // namespace

std::vector<std::string> EngineOptions::validate() const {
  std::vector<std::string> wrong;
  in_range<std::uint32_t>(wrong, "threads", threads, 0, 256);
  in_range<std::uint32_t>(wrong, "active_sagas_max", active_sagas_max, 1, 100'000'000);
  in_range<std::uint32_t>(wrong, "inbox_max", inbox_max, 16, 10'000'000);
  in_range<std::uint32_t>(wrong, "waiters_max", waiters_max, 1, 10'000'000);
  in_range<std::uint32_t>(wrong, "commit_batch_records_max", commit_batch_records_max, 1, 65'536);
  in_range<std::uint32_t>(wrong, "commit_batch_bytes_max", commit_batch_bytes_max, 4'096,
                          64U << 20);
  in_range<std::uint32_t>(wrong, "response_bytes_max", response_bytes_max, 1'024, 64U << 20);
  in_range<std::uint32_t>(wrong, "input_bytes_max", input_bytes_max, 64, 64U << 20);
  in_range<std::int64_t>(wrong, "key_retention_ms", key_retention.count(), 0,
                         10LL * 365 * 24 * 3'600'000);
  in_range(wrong, "", retention);
  for (const auto& [definition, own] : retention_by_definition) {
    in_range(wrong, "." + definition, own);
  }
  in_range<std::int64_t>(wrong, "scan_every_ms", scan_every.count(), 0, 366LL * 24 * 3'600'000);
  in_range<std::uint64_t>(wrong, "scan_bytes_per_second", scan_bytes_per_second, 64U << 10,
                          16ULL << 30);
  in_range<std::int64_t>(wrong, "timer_window_ms", timer_window.count(), 1'000, 24LL * 3'600'000);
  in_range<std::uint32_t>(wrong, "participant_default.in_flight_max",
                          participant_default.in_flight_max, 1, 100'000);
  in_range<std::uint32_t>(wrong, "breaker.failures_to_open", breaker.failures_to_open, 0, 100'000);
  in_range<std::int64_t>(wrong, "breaker.open_for_ms", breaker.open_for.count(), 1, 3'600'000);
  in_range<std::int64_t>(wrong, "breaker.open_for_max_ms", breaker.open_for_max.count(),
                         breaker.open_for.count(), 24LL * 3'600'000);
  in_range<std::size_t>(wrong, "alerts.targets", alerts.targets.size(), 0, kAlertTargetsMax);
  in_range<std::uint32_t>(wrong, "alerts.retries_over", alerts.retries_over, 1, 1'000'000);
  in_range<std::uint32_t>(wrong, "alerts.outbox_max", alerts.outbox_max, 1, 10'000'000);
  in_range<std::int64_t>(wrong, "alerts.give_up_after_ms", alerts.give_up_after.count(), 60'000,
                         30LL * 24 * 3'600'000);
  for (const auto& [name, participant] : participants) {
    in_range<std::uint32_t>(wrong, fmt::format("participants.{}.in_flight_max", name),
                            participant.in_flight_max, 1, 100'000);
  }
  return wrong;
}

}  // namespace skald
