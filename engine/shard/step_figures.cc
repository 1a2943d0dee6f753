#include "engine/shard/step_figures.h"

namespace skald {

void StepBook::add(const Place& place, OutcomeKind outcome, Micros took) {
  StepFigures& figures = figures_[index_of(place)];
  figures.outcomes[static_cast<std::size_t>(outcome)] += 1;
  figures.seconds.add(static_cast<double>(took.count()) / 1e6);
}

std::size_t StepBook::index_of(const Place& place) {
  key_.assign(place.definition).append(1, '\0').append(place.step);
  key_.push_back(static_cast<char>(place.operation));
  if (const auto known = index_.find(key_); known != index_.end()) return known->second;
  const bool beyond = figures_.size() >= kStepsShownMax;
  if (beyond && !place.definition.empty())
    return index_of({.definition = "", .step = "", .operation = Operation::action});
  index_.emplace(key_, figures_.size());
  StepFigures& made = figures_.emplace_back();
  made.definition = place.definition;
  made.step = place.step;
  made.operation = place.operation;
  return figures_.size() - 1;
}

}  // namespace skald
