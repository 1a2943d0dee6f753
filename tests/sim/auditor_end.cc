// What must be true when the faults have stopped and all has come to rest.
#include <fmt/format.h>

#include <algorithm>

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
    if (step.kind != StepKind::call) continue;
    const auto legs = static_cast<int>(saga.state.steps[s].legs.size());
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
    if (book.done > 1 && status == SagaStatus::completed) wrong("I1 done twice: " + leg);
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
      const bool same = saga != nullptr && saga->state.status == row.summary.status &&
                        row.summary.failure == failure_class(saga->definition.get(), saga->state);
      if (!same) wrong("I13 the list disagrees with the history of " + row.id.text());
    }
    listed += page->sagas.size();
    query.page_token = page->next_page_token;
  } while (!query.page_token.empty());
  if (listed != sagas_.size()) wrong("I13 sagas are missing in the list");
}

}  // namespace skald::sim
