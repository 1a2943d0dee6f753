// What people change: a leg of which somebody said how it ended, a saga done again, a saga whose
// time is over.
#include <fmt/format.h>

#include <algorithm>

#include "engine/core/order.h"
#include "engine/core/owed.h"
#include "engine/core/replay.h"
#include "tests/sim/auditor.h"

namespace skald::sim {
namespace {

/// Of Word::attempts.
std::size_t index_of(Operation operation) { return operation == Operation::action ? 0 : 1; }

}  // namespace

bool has_word(const KnownSaga& saga, std::uint16_t step) {
  return std::ranges::any_of(saga.words, [&](const auto& of) {
    return step_of(of.first) == saga.definition->steps[step].name;
  });
}

bool has_broken_word(const KnownSaga& saga, std::uint16_t step) {
  return std::ranges::any_of(saga.words, [&](const auto& of) {
    return of.second.broken && step_of(of.first) == saga.definition->steps[step].name;
  });
}

/// The engine takes a person's word. Where it is true, everything is demanded of the leg as before;
/// where it is not, what the engine does is what it was told.
void Auditor::note_word(KnownSaga& saga, const Event& event) {
  const auto speak = [&](LegRef ref, std::string_view name, bool untrue) {
    const LegState& leg = saga.state.steps[ref.step].legs[ref.leg];
    Word& word = saga.words[std::string(name)];
    for (const auto operation : {Operation::action, Operation::compensation}) {
      const OperationState* op = find_operation(leg, operation);
      word.attempts[index_of(operation)] = op == nullptr ? 0 : op->attempts;
    }
    word.broken |= untrue;
  };
  if (const auto* resolved = std::get_if<event::Resolved>(&event.body)) {
    const std::string leg = leg_name(*saga.definition, saga.state, resolved->leg);
    const bool stands = saga.legs[leg].net() > 0;
    const bool says_stands = resolved->happened == (resolved->operation == Operation::action);
    speak(resolved->leg, leg, says_stands != stands);
  } else if (const auto* marked = std::get_if<event::CompensationMarked>(&event.body)) {
    const std::string leg = leg_name(*saga.definition, saga.state, marked->leg);
    LegBook& book = saga.legs[leg];
    if (undo_by_hand_(saga.state.id, leg)) {
      book.undone += 1;
      saga.net[marked->leg.step] -= 1;
    }
    book.undo_seen = true;
    speak(marked->leg, leg, book.net() != 0);
  }
}

/// An effect of a leg of which a person had spoken: what was under way when he did makes his word
/// untrue. Whether the leg is beyond what can be demanded.
bool Auditor::took_after_word(KnownSaga& saga, const Request& request) {
  const auto found = saga.words.find(request.leg);
  if (found == saga.words.end()) return false;
  Word& word = found->second;
  word.broken |= request.attempt <= word.attempts[index_of(request.operation)];
  return word.broken;
}

void Auditor::outrageous(const Request& request, const std::string& what) {
  const KnownSaga* saga = find(request.saga);
  if (saga == nullptr || !saga->words.contains(request.leg)) wrong(what);
}

/// A saga may be done again when nothing of it is applied and nothing of it moves any more.
void Auditor::check_replay(const KnownSaga& saga) {
  const Replay& replay = *saga.state.replay;
  const KnownSaga* old = find(replay.of);
  if (old == nullptr) return wrong("replay of a saga that is not durable: " + replay.of.text());
  if (!old->state.terminal || old->state.status == SagaStatus::completed) {
    wrong("replay of " + replay.of.text() + " although it has not failed");
  }
  for (const auto& [leg, book] : old->legs) {
    const auto step = old->definition->step_index(step_of(leg));
    const bool stays = step && !old->definition->steps[*step].no_undo_reason.empty();
    if (book.net() == 0 || stays || has_broken_word(*old, *step)) continue;
    wrong(fmt::format("replay of {} although {} is applied", replay.of.text(), leg));
  }
}

void Auditor::saga_removed(const EndedSaga& removed, Instant now, Millis retention) {
  const auto found = sagas_.find(removed.id);
  if (found == sagas_.end()) return wrong("I8 a saga is removed that is not durable");
  KnownSaga& saga = found->second;
  const std::string& key = saga.state.idempotency_key;
  const KeyRow* row = key.empty() ? nullptr : this->key(key);
  if (!saga.state.terminal || now - saga.state.updated_at < retention) {
    return wrong("I8 a saga is removed before its time: " + removed.id.text());
  }
  // The store leaves it where it is while its key is there.
  if (saga.removed || (row != nullptr && row->saga == removed.id)) return;
  saga.removed = true;
  removed_ += 1;
}

}  // namespace skald::sim
