// The untyped part of building a definition; see the header.
#include "engine/dsl/draft.h"

namespace skald::dsl {

void Draft::begin(std::string name, StepKind kind) {
  StepDefinition step;
  step.name = std::move(name);
  step.kind = kind;
  definition.steps.push_back(std::move(step));
}

void Draft::mistake(std::string_view text) {
  mistakes.push_back("step " + step().name + ": " + std::string(text));
}

Result<DefinitionPtr> finish(Draft draft) {
  const std::string name = draft.definition.name;
  auto sealed = seal(std::move(draft.definition));
  if (draft.mistakes.empty()) return sealed;
  std::string text = sealed ? "definition " + name + " has mistakes" : sealed.error().message;
  for (const std::string& mistake : draft.mistakes) text += "; " + mistake;
  return std::unexpected(Error{Errc::invalid_argument, std::move(text)});
}

Result<void> distinct_keys(const std::vector<LegPlan>& legs) {
  std::unordered_set<std::string_view> seen;
  for (const LegPlan& leg : legs) {
    if (!seen.insert(leg.key).second) {
      return fail(Errc::invalid_argument,
                  "two items have the key {}: keys name legs, so they must differ", leg.key);
    }
  }
  return {};
}

}  // namespace skald::dsl
