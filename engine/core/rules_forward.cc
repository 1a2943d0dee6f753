// The way forward: which steps start, what a finished leg leads to, when the saga is decided and
// done.
#include <algorithm>
#include <unordered_set>

#include "engine/core/facts.h"
#include "engine/core/order.h"
#include "engine/core/owed.h"
#include "engine/core/replay.h"
#include "engine/core/rules.h"

namespace skald::rules {
namespace {

/// Without a pivot the saga is decided when its compensatable calls have succeeded; with none of
/// those, when it completes.
void decide_without_pivot(Draft& draft) {
  const Definition& definition = draft.definition();
  if (draft.state().decided || definition.order.pivot) return;
  bool any_compensatable = false;
  for (std::uint16_t i = 0; i < definition.steps.size(); ++i) {
    if (definition.steps[i].call_class != CallClass::compensatable) continue;
    const StepStage stage = draft.step(i).stage;
    if (stage != StepStage::done && stage != StepStage::skipped) return;
    any_compensatable = true;
  }
  if (any_compensatable) draft.emit(event::PivotPassed{});
}

void pass_pivot(Draft& draft) {
  const bool held = holds_back(draft.state());
  draft.emit(event::PivotPassed{});
  // What failed beside the pivot while it was in flight has no way back any more. Only queries,
  // computes and waits run beside it.
  for (std::uint16_t i = 0; i < draft.state().steps.size(); ++i) {
    const bool failing =
        draft.step(i).stage == StepStage::running && draft.step(i).legs_refused > 0;
    if (draft.step(i).stage != StepStage::failed && !failing) continue;
    for (std::uint32_t l = 0; l < draft.step(i).legs.size(); ++l) {
      let_query_go(draft, {.step = i, .leg = l});
    }
    draft.emit(event::StepFailed{.step = i,
                                 .code = "failed_beside_pivot",
                                 .message = "the step failed while the pivot was in flight",
                                 .stuck = true});
  }
  if (!held) return;
  for (const Want& want : all_wants(draft.definition(), draft.state(), draft.now())) {
    draft.want(want.leg, want.operation);
  }
}

Result<void> check_legs(const std::vector<LegPlan>& legs, const StepDefinition& step) {
  if (legs.size() > kLegsMax) {
    return fail(Errc::out_of_range, "step={} has {} items, more than kLegsMax={}", step.name,
                legs.size(), kLegsMax);
  }
  if (!step.for_each) {
    if (legs.size() == 1 && legs.front().key.empty()) return {};
    return fail(Errc::internal, "step={} is no for_each, but its builder made {} legs{}", step.name,
                legs.size(), legs.size() == 1 ? " with a key" : "");
  }
  std::unordered_set<std::string_view> seen;
  for (const LegPlan& leg : legs) {
    if (leg.key.empty() || step.name.size() + 2 + encoded_leg_key(leg.key).size() > kLegNameMax) {
      return fail(Errc::invalid_argument,
                  "step={} has an item key that is empty or makes its leg's name longer than "
                  "kLegNameMax={}",
                  step.name, kLegNameMax);
    }
    if (!seen.insert(leg.key).second) {
      return fail(Errc::invalid_argument, "step={} has the item key \"{}\" twice", step.name,
                  leg.key);
    }
  }
  return {};
}

void start_legs(Draft& draft, std::uint16_t index) {
  const StepDefinition& step = draft.definition().steps[index];
  auto legs = step.legs(Facts(draft.definition(), draft.state()));
  if (!legs) return step_failed(draft, index, legs.error());
  if (const auto sound = check_legs(*legs, step); !sound) {
    return step_failed(draft, index, sound.error());
  }
  event::StepStarted started{.step = index, .legs = {}};
  started.legs.reserve(legs->size());
  for (LegPlan& leg : *legs) started.legs.push_back({std::move(leg.key), std::move(leg.request)});
  draft.emit_with_next_write(std::move(started));
  const auto count = static_cast<std::uint32_t>(draft.step(index).legs.size());
  for (std::uint32_t l = 0; l < std::min(count, step.parallel); ++l) {
    draft.want({.step = index, .leg = l}, Operation::action);
  }
}

void start_wait(Draft& draft, std::uint16_t index) {
  const StepDefinition& step = draft.definition().steps[index];
  Instant due = add_saturated(draft.now(), step.wait.timeout);
  if (step.wait.until) {
    const auto until = step.wait.until(Facts(draft.definition(), draft.state()));
    if (!until) return step_failed(draft, index, until.error());
    due = *until;
  }
  if (due > add_saturated(draft.now(), kHorizonMax)) {
    return step_failed(
        draft, index,
        {Errc::out_of_range, fmt::format("step={} would wait longer than kHorizonMax={} ms",
                                         step.name, kHorizonMax.count())});
  }
  draft.emit(event::WaitBegan{.step = index, .due_at = due});
  const auto& kept = draft.state().signals;
  const auto early = step.wait.signal.empty()
                         ? kept.end()
                         : std::ranges::find(kept, step.wait.signal, &Signal::name);
  if (early != kept.end()) return finish_wait(draft, index, std::string(early->id));
  if (due <= draft.now()) finish_wait(draft, index, {});
}

void compute(Draft& draft, std::uint16_t index) {
  auto output = draft.definition().steps[index].compute(Facts(draft.definition(), draft.state()));
  if (!output) return step_failed(draft, index, output.error());
  draft.emit_with_next_write(event::Computed{.step = index, .output = std::move(*output)});
}

void start_step(Draft& draft, std::uint16_t index) {
  const StepDefinition& step = draft.definition().steps[index];
  if (step.when) {
    const auto applies = step.when(Facts(draft.definition(), draft.state()));
    if (!applies) return step_failed(draft, index, applies.error());
    if (!*applies) {
      draft.emit_with_next_write(event::StepSkipped{.step = index});
      if (draft.definition().order.pivot == index) pass_pivot(draft);
      return;
    }
  }
  if (find_kept(draft.state(), index) != nullptr) {
    return draft.emit_with_next_write(event::StepKept{.step = index});
  }
  switch (step.kind) {
    case StepKind::query:
    case StepKind::call:
      return start_legs(draft, index);
    case StepKind::compute:
      return compute(draft, index);
    case StepKind::wait:
      return start_wait(draft, index);
  }
}

/// A leg has left the window of its step: whatever came into it is wanted.
void want_next(Draft& draft, std::uint16_t index) {
  const StepDefinition& definition = draft.definition().steps[index];
  const StepState& step = draft.step(index);
  const auto count = static_cast<std::uint32_t>(step.legs.size());
  if (step.legs_skipped == 0) {
    const std::uint32_t next = definition.parallel + step.legs_settled - 1;
    if (next < count) draft.want({.step = index, .leg = next}, Operation::action);
    return;
  }
  for (std::uint32_t l = 0; l < count; ++l) {
    if (step.legs[l].stage != LegStage::ready) continue;
    if (!in_window(definition, step, l)) return;
    draft.want({.step = index, .leg = l}, Operation::action);
  }
}

void complete(Draft& draft) {
  const Definition& definition = draft.definition();
  if (!draft.state().output_stuck.empty()) return;
  event::Completed completed;
  if (definition.output) {
    auto output = definition.output(Facts(definition, draft.state()));
    if (!output) {
      const auto virtual_step = static_cast<std::uint16_t>(definition.steps.size());
      return step_failed(draft, virtual_step, output.error());
    }
    completed = {.output = std::move(*output), .has_output = true};
  }
  if (!draft.state().decided) draft.emit(event::PivotPassed{});
  draft.emit(std::move(completed));
}

}  // namespace

void advance(Draft& draft) {
  const SagaState& state = draft.state();
  const auto held = [&] {
    return state.undoing || state.terminal || state.paused || holds_back(state);
  };
  if (held()) return;
  // Before anything new is begun, so that its failure finds the saga decided.
  decide_without_pivot(draft);
  bool unfinished = false;
  for (const std::uint16_t index : draft.definition().order.topological) {
    if (draft.step(index).stage == StepStage::pending && draft.step(index).stuck_reason.empty() &&
        needs_met(draft.definition(), state, index)) {
      start_step(draft, index);
      if (held()) return;
      decide_without_pivot(draft);
    }
    const StepStage stage = draft.step(index).stage;
    unfinished = unfinished || (stage != StepStage::done && stage != StepStage::skipped);
  }
  if (!unfinished) complete(draft);
}

void leg_done(Draft& draft, LegRef ref) {
  if (draft.state().undoing) return undo_progress(draft);
  const StepState& step = draft.step(ref.step);
  if (step.stage == StepStage::running) {
    return want_next(draft, ref.step);
  }
  if (step.stage == StepStage::failed) return leg_refused(draft, ref);  // the last of finish_all
  if (draft.definition().order.pivot == ref.step) pass_pivot(draft);
  advance(draft);
}

void leg_refused(Draft& draft, LegRef ref) {
  if (draft.state().undoing) return undo_progress(draft);
  const StepDefinition& definition = draft.step_definition(ref);
  const StepState& step = draft.step(ref.step);
  if (definition.on_reject == OnReject::finish_all && step.stage == StepStage::running) {
    if (step.legs_skipped > 0) return want_next(draft, ref.step);
    // At its first refusal all that is in the window: another step's may have held it back.
    const auto count = static_cast<std::uint32_t>(step.legs.size());
    const std::uint32_t end = std::min(definition.parallel + step.legs_settled, count);
    for (std::uint32_t l = step.legs_refused == 1 ? 0 : end - 1; l < end; ++l) {
      if (step.legs[l].stage == LegStage::ready) {
        draft.want({.step = ref.step, .leg = l}, Operation::action);
      }
    }
    return;
  }
  // The failure told is the first refusal of this step.
  LegRef first = ref;
  for (const LegRef refused : draft.state().refused) {
    if (refused.step == ref.step) {
      first = refused;
      break;
    }
  }
  turn_back(draft, failure_of(draft.definition(), draft.state(), first));
}

void step_failed(Draft& draft, std::uint16_t step, const Error& error) {
  const bool stuck = draft.state().decided;
  draft.emit(event::StepFailed{.step = step,
                               .code = std::string(name(error.code)),
                               .message = error.message.substr(0, kOutcomeMessageMax),
                               .stuck = stuck});
  if (stuck) return;
  const auto& steps = draft.definition().steps;
  turn_back(draft, {.leg = step < steps.size() ? steps[step].name : "output",
                    .outcome = OutcomeKind::rejected,
                    .code = std::string(name(error.code)),
                    .message = error.message.substr(0, kOutcomeMessageMax)});
}

void finish_wait(Draft& draft, std::uint16_t step, const std::string& signal_id) {
  const StepDefinition& definition = draft.definition().steps[step];
  const bool rejected = signal_id.empty() && definition.wait.on_timeout == OnTimeout::reject;
  draft.emit(event::WaitEnded{.step = step, .signal_id = signal_id, .rejected = rejected});
  const bool pivot = draft.definition().order.pivot == step;
  if (rejected && draft.state().decided) {
    draft.emit(event::StepFailed{.step = step,
                                 .code = "timeout",
                                 .message = "the wait ended without its signal",
                                 .stuck = true});
    return;
  }
  if (rejected) {
    return turn_back(draft, {.leg = definition.name,
                             .outcome = OutcomeKind::rejected,
                             .code = "timeout",
                             .message = "the wait ended without its signal"});
  }
  if (pivot) pass_pivot(draft);
}

}  // namespace skald::rules
