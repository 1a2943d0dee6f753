#include "engine/core/replay.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/core/definition_graph.h"
#include "engine/core/owed.h"

namespace skald {
namespace {

template <class... Args>
std::unexpected<Error> no(const SagaState& state, fmt::format_string<Args...> text,
                          Args&&... args) {
  return fail(Errc::failed_precondition, "saga {} {}", state.id.text(),
              fmt::format(text, std::forward<Args>(args)...));
}

/// Why the leg stands in the way; empty: it does not.
std::string_view trouble_of(const StepDefinition& step, const LegState& leg) {
  if (step.kind == StepKind::query) return {};
  switch (leg.stage) {
    case LegStage::done:
      return step.no_undo_reason.empty() ? "is applied" : "";
    case LegStage::undoing:
      return "is being undone";
    case LegStage::acting:
      return leg.action.maybe ? "is in doubt" : "";
    case LegStage::ready:
    case LegStage::refused:
    case LegStage::undone:
    case LegStage::dropped:
    case LegStage::skipped:
      return {};
  }
  return {};
}

Result<KeptStep> keep(const StepDefinition& plan, const SagaState& old, std::uint16_t from) {
  const StepState& step = old.steps[from];
  if (step.stage != StepStage::done) {
    return fail(Errc::failed_precondition,
                "from: step {} has no stored result in saga {} (it is {}); choose an earlier step",
                plan.name, old.id.text(), name(step.stage));
  }
  KeptStep kept;
  if (plan.kind == StepKind::compute) {
    kept.output = step.output;
    return kept;
  }
  for (const LegState& leg : step.legs) {
    kept.legs.push_back({.key = leg.key, .request = leg.request, .response = leg.response});
  }
  return kept;
}

}  // namespace

Result<void> replayable(const Definition* definition, const SagaState& state) {
  if (state.status == SagaStatus::completed) {
    return no(state, "is completed: nothing of it has failed");
  }
  if (!is_terminal(state.status)) {
    const char* first = state.undoing ? "wait until it is undone" : "cancel it";
    return no(state,
              "is {} and can still move, so it would run beside its replay; {}, or abandon "
              "it where nothing was done",
              name(state.status), first);
  }
  if (definition == nullptr) {
    if (state.status == SagaStatus::compensated) return {};
    return no(state,
              "was abandoned, and its definition {} version {} is not registered here, so "
              "nobody can tell what of it is applied; deploy it and restart",
              state.definition, state.version);
  }
  for (std::uint16_t s = 0; s < state.steps.size(); ++s) {
    for (std::uint32_t l = 0; l < state.steps[s].legs.size(); ++l) {
      const auto trouble = trouble_of(definition->steps[s], state.steps[s].legs[l]);
      if (trouble.empty()) continue;
      return no(state, "cannot be replayed: {} {}; what it did would be done twice",
                leg_name(*definition, state, {.step = s, .leg = l}), trouble);
    }
  }
  return {};
}

Result<std::vector<KeptStep>> kept_before(const Definition& definition, const SagaState& old,
                                          const Definition& next, std::string_view from) {
  std::vector<KeptStep> kept;
  if (from.empty()) return kept;
  const auto first = next.step_index(from);
  if (!first) {
    return fail(Errc::invalid_argument, "from: {} version {} has no step \"{}\"", next.name,
                next.version, shown_name(from));
  }
  const std::vector<bool> before = reachable(next.order.needs, *first);
  for (std::uint16_t s = 0; s < next.steps.size(); ++s) {
    const StepDefinition& plan = next.steps[s];
    const bool keeps = plan.kind == StepKind::query || plan.kind == StepKind::compute;
    if (!before[s] || !keeps) continue;
    const auto was = definition.step_index(plan.name);
    if (!was || definition.steps[*was].kind != plan.kind) {
      return fail(Errc::failed_precondition,
                  "from: step {} has no stored result: version {} of saga {} has no such {}",
                  plan.name, old.version, old.id.text(), name(plan.kind));
    }
    if (old.steps[*was].stage == StepStage::skipped) continue;
    auto step = keep(plan, old, *was);
    if (!step) return std::unexpected(step.error());
    step->step = s;
    kept.push_back(std::move(*step));
  }
  return kept;
}

const KeptStep* find_kept(const SagaState& state, std::uint16_t step) {
  if (!state.replay) return nullptr;
  const auto& kept = state.replay->kept;
  const auto found = std::ranges::find(kept, step, &KeptStep::step);
  return found == kept.end() ? nullptr : &*found;
}

std::string replay_key(const SagaId& of, std::uint32_t number) {
  return fmt::format("{}{}", replay_note_prefix(of), number);
}

std::string replay_note_prefix(const SagaId& of) { return fmt::format("replay/{}/", of.text()); }

}  // namespace skald
