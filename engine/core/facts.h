// Facts: the read-only view that builders get of a saga. Nothing else reaches them, so a builder is
// a pure function of what is durable.
#pragma once

#include <string_view>
#include <vector>

#include "engine/core/definition.h"
#include "engine/core/state.h"

namespace skald {

class Facts {
 public:
  Facts(const Definition& definition, const SagaState& state)
      : definition_(definition), state_(state) {}

  [[nodiscard]] const Definition& definition() const { return definition_; }
  [[nodiscard]] const SagaId& saga_id() const { return state_.id; }
  [[nodiscard]] std::string_view business_key() const { return state_.business_key; }
  [[nodiscard]] Instant started_at() const { return state_.started_at; }
  [[nodiscard]] const Bytes& input() const { return state_.input; }

  /// Output of a finished plain step: a query's or call's response, a compute's result, a wait's
  /// signal payload. nullptr when the step was skipped, has not finished, timed out, or does not
  /// exist.
  [[nodiscard]] const Bytes* output(std::string_view step) const;
  [[nodiscard]] bool skipped(std::string_view step) const;
  /// The legs of a for_each step in plan order; empty when skipped.
  [[nodiscard]] const std::vector<LegState>& legs(std::string_view step) const;

 private:
  /// nullptr when the definition or the state has no such step.
  [[nodiscard]] const StepState* find(std::string_view step) const;

  const Definition& definition_;
  const SagaState& state_;
};

}  // namespace skald
