// What clients tell a saga: signals. What people ask of it is in rules_operator.cc.
#include <fmt/ranges.h>

#include <algorithm>

#include "engine/core/rules.h"

namespace skald::rules {
namespace {

std::unexpected<Error> refuse_terminal(const SagaState& state, std::string_view what) {
  return fail(Errc::failed_precondition, "saga {} is {} already; {} has no effect any more",
              state.id.text(), name(state.status), what);
}

/// By the definition, whichever step is running now: signals may come before their wait.
std::vector<std::string_view> awaited_signals(const Definition& definition) {
  std::vector<std::string_view> names;
  for (const StepDefinition& step : definition.steps) {
    const bool awaits = step.kind == StepKind::wait && !step.wait.signal.empty();
    if (awaits) names.push_back(step.wait.signal);
  }
  return names;
}

}  // namespace

Result<void> take_signal(Draft& draft, const command::TakeSignal& command) {
  const SagaState& state = draft.state();
  const Signal& signal = command.signal;
  if (std::ranges::find(state.signal_ids, signal.id) != state.signal_ids.end()) return {};
  if (state.terminal) return refuse_terminal(state, "a signal");
  if (const auto awaited = awaited_signals(draft.definition());
      std::ranges::find(awaited, signal.name) == awaited.end()) {
    return fail(Errc::failed_precondition, "saga {}: no step of {} awaits the signal \"{}\"; {}",
                state.id.text(), state.definition, signal.name,
                awaited.empty() ? std::string("it awaits none")
                                : fmt::format("it awaits {}", fmt::join(awaited, ", ")));
  }
  if (state.signals.size() >= kSignalsKeptMax || state.signal_ids.size() >= kSignalIdsMax) {
    return fail(Errc::resource_exhausted,
                "saga {} keeps {} unconsumed signals of {} seen (limits kSignalsKeptMax={}, "
                "kSignalIdsMax={})",
                state.id.text(), state.signals.size(), state.signal_ids.size(), kSignalsKeptMax,
                kSignalIdsMax);
  }
  draft.emit(event::SignalReceived{.signal = signal});
  if (state.undoing) return {};
  for (std::uint16_t s = 0; s < state.steps.size(); ++s) {
    const StepDefinition& step = draft.definition().steps[s];
    const bool awaits = step.kind == StepKind::wait && step.wait.signal == signal.name &&
                        draft.step(s).stage == StepStage::running;
    if (!awaits) continue;
    finish_wait(draft, s, signal.id);
    advance(draft);
    return {};
  }
  return {};
}

}  // namespace skald::rules
