// decide: from a command to the events that answer it. The one switch over commands; the rules are
// in rules_*.cc, their private declarations in rules.h.
#pragma once

#include <vector>

#include "engine/base/result.h"
#include "engine/core/command.h"
#include "engine/core/definition.h"
#include "engine/core/state.h"

namespace skald {

/// An operation that may be sent as soon as its participant has room (then: command::Dispatch).
struct Want {
  LegRef leg;
  Operation operation = Operation::action;
  bool operator==(const Want&) const = default;
};

/// An attempt whose intent these events hold: to be sent once they are durable (queries: at once).
struct Send {
  LegRef leg;
  Operation operation = Operation::action;
  std::uint32_t attempt = 1;
  bool operator==(const Send&) const = default;
};

/// What a command led to. Empty `events`: nothing changed (a stale reply, a timer not due).
struct Decision {
  std::vector<Event> events;
  std::vector<Want> wants;  // new ones; owed() lists all
  std::vector<Send> sends;  // new ones; owed() lists all
  bool durable = false;     // must be persisted now; otherwise with the saga's next write (queries)
  bool repeats = true;      // every event is a repeat (folding.h)

  /// Nothing decided yet; the buffers stay.
  void clear() {
    events.clear();
    wants.clear();
    sends.clear();
    durable = false;
    repeats = true;
  }
};

/// Decides, and folds the events into `state` as it goes. A refusal leaves `state` as it was.
/// Pre:    state.definition/version are those of `definition`, or state is empty and the command
/// Start. Errors: failed_precondition (illegal here, says why and what is legal), not_found (no
/// such leg),
///         resource_exhausted (a named bound), aborted ("undecided": the pivot is in flight; for
///         Cancel the request is recorded all the same, so this error comes with events in
///         `decision`).
/// Pure: same definition, state and command, same result. Thread: any; touches only its arguments.
[[nodiscard]] Result<void> decide(const Definition& definition, SagaState& state,
                                  const Command& command, Decision& decision);

}  // namespace skald
