#include "engine/store/retention.h"

#include <algorithm>

namespace skald {

RetentionRules::RetentionRules(std::span<const RetentionRule> rules) {
  for (const RetentionRule& rule : rules) {
    if (rule.definition.empty()) {
      by_status_[rule.status] = rule.ended_before;
    } else {
      by_definition_[{rule.status, definition_hash(rule.definition)}] = rule.ended_before;
    }
  }
}

std::optional<Instant> RetentionRules::ended_before(SagaStatus status,
                                                    std::uint64_t definition) const {
  const auto own = by_definition_.find({status, definition});
  if (own != by_definition_.end()) return own->second;
  const auto general = by_status_.find(status);
  return general == by_status_.end() ? std::nullopt : general->second;
}

bool RetentionRules::lets_go(SagaStatus status) const {
  const auto general = by_status_.find(status);
  if (general != by_status_.end() && general->second) return true;
  return std::ranges::any_of(by_definition_, [status](const auto& own) {
    return own.first.first == status && own.second.has_value();
  });
}

}  // namespace skald
