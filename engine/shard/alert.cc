#include "engine/shard/alert.h"

#include <fmt/format.h>

namespace skald {

std::string_view name(AlertKind kind) {
  switch (kind) {
    case AlertKind::stuck:
      return "stuck";
    case AlertKind::configuration:
      return "configuration";
    case AlertKind::deadline_missed:
      return "deadline_missed";
    case AlertKind::late_success:
      return "late_success";
    case AlertKind::retries:
      return "retries";
    case AlertKind::compensated:
      return "compensated";
    case AlertKind::completed_after_stuck:
      return "completed_after_stuck";
    case AlertKind::abandoned:
      return "abandoned";
    case AlertKind::batch_finished:
      return "batch_finished";
    case AlertKind::test:
      return "test";
  }
  return "";
}

bool needs_person(AlertKind kind) {
  switch (kind) {
    case AlertKind::stuck:
    case AlertKind::configuration:
    case AlertKind::deadline_missed:
    case AlertKind::late_success:
    case AlertKind::retries:
      return true;
    case AlertKind::compensated:
    case AlertKind::completed_after_stuck:
    case AlertKind::abandoned:
    case AlertKind::batch_finished:
    case AlertKind::test:
      return false;
  }
  return true;
}

std::string outbox_note_name(std::string_view target, const Alert& alert) {
  return fmt::format("{}{}/{}/{}/{}", kOutboxPrefix, target, alert.about(), alert.seq,
                     name(alert.kind));
}

}  // namespace skald
