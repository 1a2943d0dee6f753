// How the steps of each definition do: answers by outcome, and how long they took. For metrics.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "engine/base/histogram.h"
#include "engine/base/time.h"
#include "engine/core/definition.h"
#include "engine/core/outcome.h"

namespace skald {

/// Operations of steps that are told apart. Beyond it all others are one, without names: inline
/// definitions may have any number of names.
inline constexpr std::size_t kStepsShownMax = 256;

struct StepFigures {
  std::string definition;
  std::string step;
  Operation operation = Operation::action;
  std::array<std::uint64_t, kOutcomeKinds + 1> outcomes{};  // by OutcomeKind, from 1
  Histogram seconds = Histogram::of_seconds();              // from sending to the answer
};

class StepBook {
 public:
  struct Place {
    std::string_view definition;
    std::string_view step;
    Operation operation = Operation::action;
  };
  void add(const Place& place, OutcomeKind outcome, Micros took);
  [[nodiscard]] const std::vector<StepFigures>& all() const { return figures_; }

 private:
  [[nodiscard]] std::size_t index_of(const Place& place);

  std::vector<StepFigures> figures_;
  std::unordered_map<std::string, std::size_t> index_;
  std::string key_;  // kept for its memory
};

}  // namespace skald
