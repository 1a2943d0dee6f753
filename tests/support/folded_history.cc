#include "tests/support/folded_history.h"

#include <utility>

#include "engine/core/evolve.h"

namespace skald::test {

FoldedHistory::FoldedHistory(const std::vector<Event>& history, Dice& dice) {
  SagaState state;
  Record open{.first_seq = 1, .events = {}};
  bool repeats = true;
  for (const Event& event : history) {
    repeats = repeats && is_repeat(state, event);
    evolve(state, event);
    open.events.push_back(event);
    if (dice.one_in(3) && &event != &history.back()) continue;
    add(std::exchange(open, {.first_seq = state.seq + 1, .events = {}}), repeats, state,
        dice.one_in(8));
    repeats = true;
    if (!dice.one_in(16) && &event != &history.back()) continue;
    SagaState read;
    if (read_back(read) != run_) wrong_ += "another run is read back; ";
    if (read != state) wrong_ += "another state is read back; ";
  }
}

void FoldedHistory::add(Record record, bool repeats, const SagaState& state, bool fold_early) {
  run_.take(record.first_seq, record.events, repeats);
  records_.push_back(std::move(record));
  if (!run_.is_long() && (!fold_early || run_.records().size() < 2)) return;
  records_.resize(records_.size() - run_.records().size());
  records_.push_back({.first_seq = run_.records().front(), .events = {run_.folded(state)}});
  run_.was_folded();
  folds_ += 1;
}

RunOfRepeats FoldedHistory::read_back(SagaState& state) const {
  RunOfRepeats run;
  for (const Record& record : records_) {
    bool repeats = true;
    for (const Event& event : record.events) {
      repeats = repeats && fits(state, event) && is_repeat(state, event);
      evolve(state, event);
    }
    run.take(record.first_seq, record.events, repeats);
  }
  return run;
}

SagaState FoldedHistory::state(const SagaId& id) const {
  SagaState state;
  state.id = id;
  (void)read_back(state);
  return state;
}

}  // namespace skald::test
