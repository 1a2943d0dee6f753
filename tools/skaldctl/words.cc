#include "tools/skaldctl/words.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <ctime>

namespace skald::ctl {

std::int64_t unix_ms(const google::protobuf::Timestamp& time) {
  return time.seconds() * 1'000 + time.nanos() / 1'000'000;
}

std::string short_duration(std::int64_t ms) {
  ms = std::max<std::int64_t>(ms, 0);
  const std::int64_t s = ms / 1'000;
  if (ms < 1'000) return fmt::format("{}ms", ms);
  if (s < 10 && ms % 1'000 >= 100) return fmt::format("{}.{}s", s, ms % 1'000 / 100);
  if (s < 60) return fmt::format("{}s", s);
  if (s < 3'600) return fmt::format("{}m{:02}s", s / 60, s % 60);
  if (s < 86'400) return fmt::format("{}h{:02}m", s / 3'600, s % 3'600 / 60);
  return fmt::format("{}d{}h", s / 86'400, s % 86'400 / 3'600);
}

std::string utc_time(std::int64_t unix_ms) {
  return fmt::format("{:%Y-%m-%d %H:%M:%S}.{:03} UTC",
                     fmt::gmtime(static_cast<std::time_t>(unix_ms / 1'000)), unix_ms % 1'000);
}

Result<Millis> read_duration(std::string_view text) {
  constexpr std::int64_t kCountMax = 1'000'000;
  std::int64_t count = 0;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  const std::string_view unit(rest, static_cast<std::size_t>(text.data() + text.size() - rest));
  const bool fits = error == std::errc{} && count >= 0 && count <= kCountMax;
  if (fits && unit == "ms") return Millis{count};
  if (fits && (unit == "s" || unit.empty())) return Millis{count * 1'000};
  if (fits && unit == "m") return Millis{count * 60'000};
  if (fits && unit == "h") return Millis{count * 3'600'000};
  return fail(Errc::invalid_argument, "\"{}\" is not a duration: write 500ms, 10s, 5m or 1h", text);
}

std::string status_word(v1::SagaStatus::Value status) { return v1::SagaStatus::Value_Name(status); }

Tone status_tone(v1::SagaStatus::Value status) {
  switch (status) {
    case v1::SagaStatus::completed:
      return Tone::good;
    case v1::SagaStatus::running:
      return Tone::active;
    case v1::SagaStatus::compensating:
    case v1::SagaStatus::compensated:
    case v1::SagaStatus::paused:
      return Tone::warn;
    case v1::SagaStatus::stuck:
    case v1::SagaStatus::abandoned:
      return Tone::bad;
    default:  // tidy: allow(default) protobuf adds sentinels to its enums
      return Tone::plain;
  }
}

std::string outcome_word(v1::OutcomeKind::Value kind) {
  if (kind == v1::OutcomeKind::not_executed) return "not executed";
  return v1::OutcomeKind::Value_Name(kind);
}

std::string failure_line(const v1::FailureClass& failure) {
  v1::Failure plain;
  plain.set_leg(failure.step());
  if (failure.operation() != "action" && !failure.step().empty()) {
    plain.set_leg(failure.step() + " " + failure.operation());
  }
  plain.set_outcome(failure.outcome());
  plain.set_code(failure.code());
  plain.set_message(failure.message());
  return failure_line(plain);
}

std::string failure_line(const v1::Failure& failure) {
  std::string line = failure.leg();
  if (!line.empty()) line += " " + outcome_word(failure.outcome());
  if (failure.code().empty() && failure.message().empty()) return line;
  std::string reason = failure.code();
  if (!reason.empty() && !failure.message().empty()) reason += ": ";
  reason += failure.message();
  return line.empty() ? reason : fmt::format("{} ({})", line, reason);
}

}  // namespace skald::ctl
