#include "engine/runtime/alert_log.h"

namespace skald {

void AlertLog::tell(const Logger& log, const Alert& alert, Instant now) {
  if (alert.outbox_was_full && now - full_told_ >= kAlertEvery) {
    full_told_ = now;
    log.error(
        "the outbox is full and webhooks are not told of alerts; `skaldctl alerts` shows which");
  }
  if (!needs_person(alert.kind)) return;
  if (told_.size() >= kAlertPlacesMax) told_.clear();
  const auto [known, first] = told_.try_emplace({alert.kind, alert.definition, alert.participant});
  Told& told = known->second;
  if (!first && now - told.at < kAlertEvery) {
    told.kept_back += 1;
    return;
  }
  const std::uint64_t more = std::exchange(told.kept_back, 0);
  told.at = now;
  log.error(
      "alert kind={} saga_id={} definition={} leg={} participant={} code={} kept_back={}; "
      "`skaldctl explain` tells more",
      name(alert.kind), alert.saga.text(), alert.definition, alert.leg, alert.participant,
      alert.code, more);
}

}  // namespace skald
