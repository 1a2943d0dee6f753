// The words of outcomes and statuses: one spelling for logs, API, CLI and docs. Those of a
// definition are in definition.cc.
#include "engine/core/act.h"
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

std::string_view name(LegStage stage) {
  switch (stage) {
    case LegStage::ready:
      return "ready";
    case LegStage::acting:
      return "acting";
    case LegStage::done:
      return "done";
    case LegStage::refused:
      return "refused";
    case LegStage::undoing:
      return "undoing";
    case LegStage::undone:
      return "undone";
    case LegStage::dropped:
      return "dropped";
    case LegStage::skipped:
      return "skipped";
  }
  return "ready";
}

std::string_view name(StepStage stage) {
  switch (stage) {
    case StepStage::pending:
      return "pending";
    case StepStage::running:
      return "running";
    case StepStage::done:
      return "done";
    case StepStage::skipped:
      return "skipped";
    case StepStage::failed:
      return "failed";
  }
  return "pending";
}

std::string_view name(ActKind act) {
  switch (act) {
    case ActKind::retry:
      return "retry";
    case ActKind::pause:
      return "pause";
    case ActKind::resume:
      return "resume";
    case ActKind::cancel:
      return "cancel";
    case ActKind::skip:
      return "skip";
    case ActKind::resolve:
      return "resolve";
    case ActKind::amend:
      return "amend";
    case ActKind::mark_done:
      return "mark-done";
    case ActKind::abandon:
      return "abandon";
  }
  return "retry";
}

}  // namespace skald
