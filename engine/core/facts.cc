// What builders may read of a saga. Knows where each kind of step keeps its output; nothing else.
#include "engine/core/facts.h"

namespace skald {

const StepState* Facts::find(std::string_view step) const {
  const auto index = definition_.step_index(step);
  return index && *index < state_.steps.size() ? &state_.steps[*index] : nullptr;
}

const Bytes* Facts::output(std::string_view step) const {
  const StepState* state = find(step);
  if (state == nullptr || state->stage != StepStage::done) return nullptr;
  if (state->has_output) return &state->output;
  const StepDefinition& plan = definition_.steps[*definition_.step_index(step)];
  if (plan.for_each || state->legs.size() != 1) return nullptr;
  const LegState& leg = state->legs.front();
  return leg.has_response ? &leg.response : nullptr;
}

bool Facts::skipped(std::string_view step) const {
  const StepState* state = find(step);
  return state != nullptr && state->stage == StepStage::skipped;
}

const std::vector<LegState>& Facts::legs(std::string_view step) const {
  static const std::vector<LegState> kNoLegs;
  const StepState* state = find(step);
  return state == nullptr || state->stage == StepStage::skipped ? kNoLegs : state->legs;
}

}  // namespace skald
