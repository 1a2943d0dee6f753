// Names of a definition's words, and sealing: from a sound definition to one whose order is worked
// out. What makes it sound is in validate.cc.
#include "engine/core/definition.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "engine/base/check.h"
#include "engine/core/definition_graph.h"

namespace skald {

std::string_view name(StepKind kind) {
  switch (kind) {
    case StepKind::query:
      return "query";
    case StepKind::compute:
      return "compute";
    case StepKind::call:
      return "call";
    case StepKind::wait:
      return "wait";
  }
  return "invalid";
}

std::string_view name(CallClass call_class) {
  switch (call_class) {
    case CallClass::none:
      return "none";
    case CallClass::compensatable:
      return "compensatable";
    case CallClass::pivot:
      return "pivot";
    case CallClass::retriable:
      return "retriable";
  }
  return "invalid";
}

std::string_view name(KeysMode mode) {
  switch (mode) {
    case KeysMode::none:
      return "none";
    case KeysMode::dedup:
      return "dedup";
    case KeysMode::barrier:
      return "barrier";
  }
  return "invalid";
}

std::string_view name(Operation operation) {
  switch (operation) {
    case Operation::action:
      return "action";
    case Operation::compensation:
      return "compensation";
    case Operation::probe:
      return "probe";
  }
  return "invalid";
}

std::optional<std::uint16_t> Definition::step_index(std::string_view step_name) const {
  const auto found = std::ranges::find(steps, step_name, &StepDefinition::name);
  if (found == steps.end()) return std::nullopt;
  return static_cast<std::uint16_t>(found - steps.begin());
}

Result<DefinitionPtr> seal(Definition definition) {
  std::vector<std::string> mistakes = validate(definition);
  if (!mistakes.empty()) {
    const std::size_t count = mistakes.size();
    std::string more;
    if (count > kMistakesToldMax) {
      mistakes.resize(kMistakesToldMax);
      more = fmt::format("; and {} more", count - kMistakesToldMax);
    }
    return fail(Errc::invalid_argument, "definition {} version {} has {} mistake{}: {}{}",
                shown_name(definition.name), definition.version, count, count == 1 ? "" : "s",
                fmt::join(mistakes, "; "), more);
  }
  DefinitionGraph graph = definition_graph(definition, &mistakes);
  SKALD_CHECK(mistakes.empty(), "definition={} version={}", definition.name, definition.version);
  Definition::Order& order = definition.order;
  order.topological = topological_order(graph);
  order.needs = std::move(graph.needs);
  order.needed_by = std::move(graph.needed_by);
  order.pivot.reset();
  for (std::size_t i = 0; i < definition.steps.size(); ++i) {
    if (definition.steps[i].call_class != CallClass::pivot) continue;
    order.pivot = static_cast<std::uint16_t>(i);
  }
  return std::make_shared<const Definition>(std::move(definition));
}

}  // namespace skald
