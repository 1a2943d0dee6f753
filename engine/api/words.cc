#include "engine/api/words.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

namespace skald::api {

std::string duration_words(Millis duration) {
  const std::int64_t ms = std::max<std::int64_t>(duration.count(), 0);
  const std::int64_t seconds = ms / 1'000;
  if (ms < 1'000) return fmt::format("{} ms", ms);
  if (seconds < 10) {
    const std::int64_t tenths = ms % 1'000 / 100;
    return tenths == 0 ? fmt::format("{} s", seconds) : fmt::format("{}.{} s", seconds, tenths);
  }
  if (seconds < 60) return fmt::format("{} s", seconds);
  const auto pair = [](std::int64_t big, std::string_view big_unit, std::int64_t small,
                       std::string_view small_unit) {
    if (small == 0) return fmt::format("{} {}", big, big_unit);
    return fmt::format("{} {} {} {}", big, big_unit, small, small_unit);
  };
  if (seconds < 3'600) return pair(seconds / 60, "min", seconds % 60, "s");
  if (seconds < 86'400) return pair(seconds / 3'600, "h", seconds % 3'600 / 60, "min");
  return pair(seconds / 86'400, "d", seconds % 86'400 / 3'600, "h");
}

std::string instant_words(Instant at) {
  const std::int64_t ms = to_unix_ms(at);
  return fmt::format("{:%Y-%m-%d %H:%M:%S}.{:03} UTC",
                     fmt::gmtime(static_cast<std::time_t>(ms / 1'000)), ms % 1'000);
}

std::string step_words(const Definition* definition, std::uint16_t step) {
  if (definition != nullptr && step < definition->steps.size()) return definition->steps[step].name;
  return fmt::format("step {}", step + 1);
}

std::string leg_words(const Definition* definition, const SagaState& state, LegRef leg) {
  std::string words = step_words(definition, leg.step);
  if (leg.step < state.steps.size() && leg.leg < state.steps[leg.step].legs.size()) {
    const std::string& key = state.steps[leg.step].legs[leg.leg].key;
    if (!key.empty()) words += fmt::format("[{}]", key);
  }
  return words;
}

namespace {

/// " (code: message)", or as much of it as there is.
std::string reason_words(const std::string& code, const std::string& message) {
  if (code.empty() && message.empty()) return "";
  if (code.empty() || message.empty()) return fmt::format(" ({}{})", code, message);
  return fmt::format(" ({}: {})", code, message);
}

}  // namespace

std::string outcome_words(const Outcome& outcome) {
  std::string kind(name(outcome.kind));
  if (outcome.kind == OutcomeKind::not_executed) kind = "not executed";
  return kind + reason_words(outcome.code, outcome.message);
}

std::string failure_words(const Failure& failure) {
  if (failure.leg.empty() && failure.code == "canceled") {
    return "it was canceled" + reason_words("", failure.message);
  }
  if (failure.leg.empty()) {
    return failure.message.empty() ? failure.code
                                   : fmt::format("{} ({})", failure.message, failure.code);
  }
  const std::string reason = reason_words(failure.code, failure.message);
  switch (failure.outcome) {
    case OutcomeKind::succeeded:
      return fmt::format("{} succeeded{}", failure.leg, reason);
    case OutcomeKind::rejected:
      return fmt::format("{} was rejected{}", failure.leg, reason);
    case OutcomeKind::not_executed:
      return fmt::format("{} was not executed{}", failure.leg, reason);
    case OutcomeKind::unknown:
      return fmt::format("{} ended unknown{}", failure.leg, reason);
    case OutcomeKind::pending:
      return fmt::format("{} stayed pending{}", failure.leg, reason);
  }
  return failure.leg + reason;
}

std::string counted(std::size_t count, std::string_view noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

}  // namespace skald::api
