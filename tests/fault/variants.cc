#include "tests/fault/variants.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "engine/base/check.h"

namespace skald::fault {
namespace {

constexpr std::array kTroubles = {Trouble::refused,        Trouble::not_executed,
                                  Trouble::request_lost,   Trouble::reply_lost,
                                  Trouble::lost_then_down, Trouble::canceled};

std::optional<SagaStatus> end_of(Trouble trouble, CallClass call_class) {
  switch (trouble) {
    case Trouble::none:
    case Trouble::not_executed:
    case Trouble::request_lost:
    case Trouble::reply_lost:
      return SagaStatus::completed;
    case Trouble::refused:  // after the pivot a person sees to it, and it goes on
      return call_class == CallClass::retriable ? SagaStatus::completed : SagaStatus::compensated;
    case Trouble::lost_then_down:  // the pivot and what follows are asked until they answer
      return call_class == CallClass::retriable || call_class == CallClass::pivot
                 ? SagaStatus::completed
                 : SagaStatus::compensated;
    case Trouble::canceled:
      return std::nullopt;
  }
  return std::nullopt;
}

const StepDefinition& step_of(const DefinitionPtr& definition, const Place& place) {
  const std::string step = place.leg.substr(0, place.leg.find('['));
  const auto found = std::ranges::find(definition->steps, step, &StepDefinition::name);
  SKALD_CHECK(found != definition->steps.end(), "leg={}", place.leg);
  return *found;
}

std::vector<Place> operations_of(const DefinitionPtr& definition,
                                 const std::map<Place, Trouble>& troubles, Operation operation) {
  const Told told =
      CrashWorld({.definition = definition, .troubles = troubles, .deaths = {}}).run();
  SKALD_CHECK(told.findings.empty(), "{}", told.findings.front());
  std::vector<Place> found;
  for (const Place& place : told.sent) {
    if (place.operation == operation && std::ranges::find(found, place) == found.end())
      found.push_back(place);
  }
  return found;
}

}  // namespace

std::vector<Variant> variants_of(const DefinitionPtr& definition) {
  std::vector<Variant> variants;
  variants.push_back({.name = "nothing fails",
                      .definition = definition,
                      .troubles = {},
                      .ends = SagaStatus::completed});
  std::map<Place, Trouble> pivot_refused;
  for (const Place& place : operations_of(definition, {}, Operation::action)) {
    const CallClass call_class = step_of(definition, place).call_class;
    for (const Trouble trouble : kTroubles) {
      variants.push_back({.name = fmt::format("{} {}", place.leg, name(trouble)),
                          .definition = definition,
                          .troubles = {{place, trouble}},
                          .ends = end_of(trouble, call_class)});
    }
    if (call_class == CallClass::pivot) pivot_refused = {{place, Trouble::refused}};
  }
  SKALD_CHECK(!pivot_refused.empty(), "definition={} has no pivot", definition->name);
  for (const Place& place : operations_of(definition, pivot_refused, Operation::compensation)) {
    for (const Trouble trouble : kTroubles) {
      if (trouble == Trouble::canceled) continue;  // it is being undone
      auto troubles = pivot_refused;
      troubles.emplace(place, trouble);
      variants.push_back({.name = fmt::format("undo of {} {}", place.leg, name(trouble)),
                          .definition = definition,
                          .troubles = std::move(troubles),
                          .ends = SagaStatus::compensated});
    }
  }
  return variants;
}

}  // namespace skald::fault
