// Ready: what a shard wants done. The contract with whoever drives it (runtime, simulator):
//
//   1. Run `loads` in any order, whenever; step() their answers.
//   2. Send `queries` at once.
//   3. Persist `transitions`, `keys_removed`, `sagas_removed` and `notes` atomically, after those
//      of every earlier Ready. When that is durable call advance(number).
//   4. Only when everything up to `number` is durable: send `calls` and give `answers`, in order
//   over
//      successive Readies. `transitions` may be empty while `number` names earlier writes.
//   5. step(Tick) no later than `wake_at`.
//
// If persisting fails, call fail(): nothing that was not durable is sent or answered as done.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "engine/shard/alert.h"
#include "engine/shard/answer.h"
#include "engine/shard/invocation.h"
#include "engine/shard/transition.h"

namespace skald {

namespace load {
struct Key {
  std::string key;
};
struct Saga {
  SagaId id;
};
/// Every timer row with due <= until (and, after the first time, > from).
struct Timers {
  Instant from{};
  Instant until{};
};
}  // namespace load
using Load = std::variant<load::Key, load::Saga, load::Timers>;

struct Ready {
  std::uint64_t number = 0;
  std::vector<Load> loads;
  std::vector<Invocation> queries;
  std::vector<Transition> transitions;
  std::vector<std::string> keys_removed;
  std::vector<Note> notes;
  std::vector<EndedSaga> sagas_removed;
  std::vector<Invocation> calls;
  std::vector<ShardAnswer> answers;
  std::vector<Alert> alerts;  // told when everything up to `number` is durable
  Instant wake_at = kNever;

  [[nodiscard]] bool has_writes() const {
    return !transitions.empty() || !keys_removed.empty() || !sagas_removed.empty() ||
           !notes.empty();
  }
};

}  // namespace skald
