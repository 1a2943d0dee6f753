// How a saga begins, and how it goes on after a restart.
#include <algorithm>

#include "engine/core/order.h"
#include "engine/core/rules.h"

namespace skald::rules {

void start(Draft& draft, const command::Start& command) {
  const Definition& definition = draft.definition();
  draft.begin(command.id);
  // Written with what follows; before its submission is answered in any case (shard).
  draft.emit_with_next_write(event::Started{
      .definition = definition.name,
      .version = definition.version,
      .steps = static_cast<std::uint16_t>(definition.steps.size()),
      .source = definition.source,
      .idempotency_key = command.idempotency_key,
      .business_key = command.business_key,
      .body_hash = command.body_hash,
      .input = command.input,
      .deadline = definition.deadline > Millis{0} ? add_saturated(draft.now(), definition.deadline)
                                                  : kNever,
      .replay = command.replay,
  });
  advance(draft);
}

void recover(Draft& draft) {
  const SagaState& state = draft.state();
  for (std::uint16_t s = 0; s < state.steps.size(); ++s) {
    for (std::uint32_t l = 0; l < state.steps[s].legs.size(); ++l) {
      const LegRef ref{.step = s, .leg = l};
      lost(draft, ref, Operation::action);
      lost(draft, ref, Operation::compensation);
      lost(draft, ref, Operation::probe);
    }
  }
  // Steps whose start was not durable yet (queries, computes) are simply started again.
  if (!state.undoing) advance(draft);
  draft.wants() = all_wants(draft.definition(), state, draft.now());
}

}  // namespace skald::rules
