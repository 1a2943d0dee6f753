// Which ended sagas may go, as every store judges it. Finding their rows is the store's business.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include "engine/base/hash.h"
#include "engine/store/store.h"

namespace skald {

/// How a definition is named in the rows of ended sagas. Stored.
[[nodiscard]] inline std::uint64_t definition_hash(std::string_view definition) {
  return hash64(definition);
}

/// The rules of one sweep, looked up by status and definition.
class RetentionRules {
 public:
  explicit RetentionRules(std::span<const RetentionRule> rules);

  /// Sagas that ended before it may go; nullopt: none may.
  [[nodiscard]] std::optional<Instant> ended_before(SagaStatus status,
                                                    std::uint64_t definition) const;
  /// Whether a saga of this status may ever go.
  [[nodiscard]] bool lets_go(SagaStatus status) const;

 private:
  std::map<SagaStatus, std::optional<Instant>> by_status_;
  std::map<std::pair<SagaStatus, std::uint64_t>, std::optional<Instant>> by_definition_;
};

}  // namespace skald
