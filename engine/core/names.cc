// The words of outcomes and statuses: one spelling for logs, API, CLI and docs. Those of a
// definition are in definition.cc.
#include "engine/core/outcome.h"
#include "engine/core/state.h"

namespace skald {

std::string_view name(OutcomeKind kind) {
  switch (kind) {
    case OutcomeKind::succeeded:
      return "succeeded";
    case OutcomeKind::rejected:
      return "rejected";
    case OutcomeKind::not_executed:
      return "not_executed";
    case OutcomeKind::unknown:
      return "unknown";
    case OutcomeKind::pending:
      return "pending";
  }
  return "unknown";
}

std::string_view name(SagaStatus status) {
  switch (status) {
    case SagaStatus::running:
      return "running";
    case SagaStatus::compensating:
      return "compensating";
    case SagaStatus::paused:
      return "paused";
    case SagaStatus::stuck:
      return "stuck";
    case SagaStatus::completed:
      return "completed";
    case SagaStatus::compensated:
      return "compensated";
    case SagaStatus::abandoned:
      return "abandoned";
  }
  return "running";
}

}  // namespace skald
