// What must be true when the faults have stopped and all has come to rest.
#include <fmt/format.h>

#include <algorithm>

#include "engine/core/owed.h"
#include "engine/runtime/saga_reader.h"
#include "tests/sim/auditor.h"

namespace skald::sim {
namespace {

/// It may have happened, and only a person can find out (rule 4).
bool in_doubt(const OperationState& op) { return op.phase == Phase::stopped && op.maybe; }

bool any_in_doubt(const SagaState& state) {
  return std::ranges::any_of(state.steps, [](const StepState& step) {
    return std::ranges::any_of(step.legs, [](const LegState& leg) {
      return in_doubt(leg.action) || (leg.undo && in_doubt(*leg.undo)) ||
             (leg.probe && leg.probe->phase == Phase::stopped);
    });
  });
}

/// How often the action stands by the leg's history; nullopt: the history says that nobody knows.
std::optional<int> journaled_of(const LegState& leg) {
  const auto open = [](const OperationState& op) {
    return op.maybe || op.phase == Phase::in_flight;
  };
  switch (leg.stage) {
    case LegStage::ready:
    case LegStage::refused:
    case LegStage::undone:
    case LegStage::dropped:
    case LegStage::skipped:
      return 0;
    case LegStage::done:
      return 1;
    case LegStage::acting:
      return open(leg.action) ? std::nullopt : std::optional(0);
    case LegStage::undoing:
      break;
  }
  return open(leg.action) || (leg.undo && open(*leg.undo)) ? std::nullopt : std::optional(1);
}

}  // namespace

std::string Auditor::excuse(const SagaState& state, const Definition& definition, bool keyless) {
  if (!state.output_stuck.empty()) return "its output cannot be made";
  for (std::size_t s = 0; s < state.steps.size(); ++s) {
    if (state.steps[s].stuck_reason.empty()) continue;
    return "a builder fails: " + definition.steps[s].name;
  }
  if (keyless && any_in_doubt(state)) return "in doubt";
  return {};
}

void Auditor::check_effects(const SagaId& id, const KnownSaga& saga) {
  const SagaStatus status = saga.state.status;
  for (std::uint16_t s = 0; s < saga.state.steps.size(); ++s) {
    const StepDefinition& step = saga.definition->steps[s];
    if (step.kind != StepKind::call || has_broken_word(saga, s)) continue;
    const StepState& state = saga.state.steps[s];
    const auto legs = static_cast<int>(state.legs.size() - state.legs_skipped);
    const std::string place = fmt::format("{}/{}", id.text(), step.name);
    if (status == SagaStatus::completed && saga.net[s] != legs) {
      wrong(fmt::format("I1 completed, but {} of {} legs stand: {}", saga.net[s], legs, place));
    }
    const bool stays = step.call_class == CallClass::compensatable && !step.compensation;
    if (status == SagaStatus::compensated && saga.net[s] != 0 && !stays) {
      wrong(fmt::format("I1 compensated, but {} legs stand: {}", saga.net[s], place));
    }
  }
  for (const auto& [leg, book] : saga.legs) {
    const auto word = saga.words.find(leg);
    if (word != saga.words.end() && word->second.broken) continue;
    if (book.done > 1 && status == SagaStatus::completed) wrong("I1 done twice: " + leg);
  }
}

/// Oracle 9: what participants applied is what the history says.
void Auditor::check_journal(const KnownSaga& saga) {
  const SagaState& state = saga.state;
  for (std::uint16_t s = 0; s < state.steps.size(); ++s) {
    if (saga.definition->steps[s].kind != StepKind::call) continue;
    for (std::uint32_t l = 0; l < state.steps[s].legs.size(); ++l) {
      const LegState& leg = state.steps[s].legs[l];
      const std::string name = leg_name(*saga.definition, state, {.step = s, .leg = l});
      const auto word = saga.words.find(name);
      if (word != saga.words.end() && word->second.broken) continue;
      const auto book = saga.legs.find(name);
      const int applied = book == saga.legs.end() ? 0 : book->second.net();
      const auto journaled = journaled_of(leg);
      if (!journaled || *journaled == applied) continue;
      wrong(fmt::format("oracle9 {}/{} is applied {} times, its history says {} ({})",
                        state.id.text(), name, applied, *journaled, skald::name(leg.stage)));
    }
  }
}

void Auditor::check_saga_at_rest(const SagaId& id, const KnownSaga& saga, const Rest& rest) {
  const SagaState& state = saga.state;
  if (state.terminal != (saga.terminal_events == 1)) {
    wrong(fmt::format("I10 {} has {} last events", id.text(), saga.terminal_events));
  }
  if (!state.terminal && excuse(state, *saga.definition, rest.keyless).empty()) {
    wrong(fmt::format("I11 {} ({}) is {} for no reason a person could act on", id.text(),
                      state.definition, name(state.status)));
  }
  check_effects(id, saga);
  check_journal(saga);
  if (state.replay) check_replay(saga);
  const auto known = told_.find(id);
  if (known != told_.end() && known->second != state.status) {
    wrong("I10 a last status changed: " + id.text());
  }
  if (!rest.every_saga && mix64(id.serial) % 4 != 0) return;
  loaded(id, read_saga(rest.store, id));
}

void Auditor::at_rest(const Rest& rest) {
  counted(rest.store);
  // Nothing is left to be loaded or woken but what is left to a person.
  const auto active = rest.store.active({}, std::nullopt, sagas_.size() + 1);
  const auto timers = rest.store.timers({}, kNever, std::nullopt, sagas_.size() + 1);
  if (!active || !timers) return wrong("I13 the indexes cannot be read");
  for (const SagaId& id : *active) {
    if (!find(id) || find(id)->state.terminal) wrong("I13 a closed saga is indexed as active");
  }
  for (const TimerRow& row : *timers) {
    if (!find(row.id) || find(row.id)->state.terminal) wrong("I13 a closed saga has a timer");
  }
  for (const auto& [id, saga] : sagas_) check_saga_at_rest(id, saga, rest);
  // The list and the histories say the same.
  std::size_t listed = 0;
  ListQuery query{.limit = kListPageMax};
  do {
    const auto page = rest.store.list(query);
    if (!page) return wrong("I13 sagas cannot be listed");
    for (const ListedSaga& row : page->sagas) {
      const KnownSaga* saga = find(row.id);
      const bool same = saga != nullptr && !saga->removed &&
                        saga->state.status == row.summary.status &&
                        row.summary.failure == failure_class(saga->definition.get(), saga->state);
      if (!same) wrong("I13 the list disagrees with the history of " + row.id.text());
    }
    listed += page->sagas.size();
    query.page_token = page->next_page_token;
  } while (!query.page_token.empty());
  if (listed != sagas_.size() - removed_) wrong("I13 sagas are missing in the list");
}

}  // namespace skald::sim
