#include "engine/batch/batch.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace skald::batch {
namespace {

constexpr std::string_view kMark = "batch ";

constexpr std::array<std::string_view, kOutcomes> kOutcomeNames{
    "pending", "following", "completed", "compensated", "abandoned",
    "stuck",   "paused",    "refused",   "skipped",     "lost"};

}  // namespace

std::string_view name(Act act) {
  switch (act) {
    case Act::retry:
      return "retry";
    case Act::cancel:
      return "cancel";
    case Act::resolve:
      return "resolve";
    case Act::replay:
      return "replay";
  }
  return "?";
}

bool requires_reason(Act act) { return act == Act::resolve || act == Act::replay; }

std::string_view name(Stage stage) {
  switch (stage) {
    case Stage::running:
      return "running";
    case Stage::paused:
      return "paused";
    case Stage::cancelling:
      return "cancelling";
    case Stage::cancelled:
      return "cancelled";
    case Stage::finished:
      return "finished";
  }
  return "?";
}

std::string_view name(Outcome outcome) { return kOutcomeNames[std::to_underlying(outcome)]; }

std::optional<Outcome> outcome_named(std::string_view text) {
  const auto found = std::ranges::find(kOutcomeNames, text);
  if (found == kOutcomeNames.end()) return std::nullopt;
  return static_cast<Outcome>(found - kOutcomeNames.begin());
}

Counts count(const std::vector<Entry>& entries) {
  Counts counts{};
  for (const Entry& entry : entries) counts[std::to_underlying(entry.outcome)] += 1;
  return counts;
}

Counts told_counts(const Batch& batch) {
  Counts counts = batch.counts;
  if (batch.stage != Stage::cancelled) return counts;
  counts[std::to_underlying(Outcome::skipped)] +=
      std::exchange(counts[std::to_underlying(Outcome::pending)], 0);
  return counts;
}

std::string in_words(const Counts& counts) {
  std::string words;
  for (std::size_t i = 0; i < kOutcomes; ++i) {
    if (counts[i] == 0) continue;
    words += fmt::format("{}{} {}", words.empty() ? "" : ", ", counts[i], kOutcomeNames[i]);
  }
  return words;
}

Actor marked_actor(Number number, const Actor& actor) {
  Actor marked{.name = actor.name, .reason = fmt::format("{}{}", kMark, number)};
  if (!actor.reason.empty()) marked.reason += ": " + actor.reason;
  return marked;
}

bool is_marked(const Actor& actor, Number number) {
  const std::string mark = marked_actor(number, {}).reason;
  return actor.reason == mark || actor.reason.starts_with(mark + ": ");
}

bool looks_marked(std::string_view reason) {
  if (!reason.starts_with(kMark)) return false;
  reason.remove_prefix(kMark.size());
  const std::size_t digits = std::min(reason.find_first_not_of("0123456789"), reason.size());
  return digits > 0 && (digits == reason.size() || reason[digits] == ':');
}

std::string shortened(std::string text) {
  if (text.size() <= kWhyMax) return text;
  std::size_t end = kWhyMax;
  const auto continues = [&](std::size_t at) {
    return (static_cast<unsigned char>(text[at]) & 0xC0U) == 0x80U;
  };
  while (end > 0 && continues(end)) end -= 1;
  text.resize(end);
  return text;
}

}  // namespace skald::batch
