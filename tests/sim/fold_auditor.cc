#include "tests/sim/fold_auditor.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "engine/core/order.h"

namespace skald::sim {

FoldBook::Told& FoldBook::told_of(Record& record, LegRef leg, Operation operation) {
  for (Told& told : record.told) {
    if (told.leg == leg && told.operation == operation) return told;
  }
  return record.told.emplace_back(Told{.leg = leg, .operation = operation});
}

FoldBook::Record FoldBook::read(std::uint64_t first_seq, std::span<const Event> events) {
  Record record{.first_seq = first_seq, .told = {}};
  for (const Event& event : events) {
    if (const auto* sent = std::get_if<event::Intended>(&event.body)) {
      Told& told = told_of(record, sent->leg, sent->operation);
      if (told.first_attempt == 0) told.first_attempt = sent->attempt;
      told.last_attempt = sent->attempt;
    } else if (const auto* answer = std::get_if<event::Answered>(&event.body)) {
      const auto kind = static_cast<std::size_t>(answer->outcome.kind) - 1;
      told_of(record, answer->leg, answer->operation).outcomes[kind] += 1;
    } else if (const auto* folded = std::get_if<event::Folded>(&event.body)) {
      for (const event::Folded::Repeated& repeated : folded->operations) {
        Told& told = told_of(record, repeated.leg, repeated.operation);
        told.first_attempt = repeated.first_attempt;
        told.last_attempt = repeated.first_attempt == 0 ? 0 : repeated.after.attempts;
        for (std::size_t k = 0; k < kOutcomeKinds; ++k) told.outcomes[k] += repeated.outcomes[k];
      }
    }
  }
  return record;
}

std::uint32_t FoldBook::told_to(LegRef leg, Operation operation) const {
  std::uint32_t to = 0;
  for (const Record& record : records_) {
    for (const Told& told : record.told) {
      const bool same = told.leg == leg && told.operation == operation;
      if (same && told.first_attempt <= to + 1) to = std::max(to, told.last_attempt);
    }
  }
  return to;
}

std::optional<std::string> FoldBook::take(const Transition& row, std::span<const Event> events,
                                          const SagaState& state) {
  Record record = read(row.first_seq, events);
  Record gone;
  for (std::size_t i = row.folded.size(); i > 0; --i) {
    if (records_.empty() || records_.back().first_seq != row.folded[i - 1]) {
      return "it folds what are not the latest records";
    }
    for (const Told& was : records_.back().told) {
      Told& sum = told_of(gone, was.leg, was.operation);
      std::ranges::transform(sum.outcomes, was.outcomes, sum.outcomes.begin(), std::plus<>{});
    }
    records_.pop_back();
  }
  std::optional<std::string> lost;
  for (const Told& was : gone.told) {
    const Told& now = told_of(record, was.leg, was.operation);
    for (std::size_t k = 0; k < kOutcomeKinds; ++k) {
      if (now.outcomes[k] < was.outcomes[k]) lost = "it tells of fewer answers";
    }
  }
  records_.push_back(std::move(record));
  if (row.folded.empty()) return lost;
  for (const Told& told : records_.back().told) {
    const auto& leg = state.steps[told.leg.step].legs[told.leg.leg];
    const OperationState* op = find_operation(leg, told.operation);
    const std::uint32_t known = told_to(told.leg, told.operation);
    if (op == nullptr || op->attempts != known) {
      lost = fmt::format("{} attempts of {} are told", known, op == nullptr ? 0 : op->attempts);
    }
  }
  return lost;
}

}  // namespace skald::sim
