#include "engine/runtime/engine_stats.h"

namespace skald {

void RateWindow::add(Instant now, const EngineTotals& totals) {
  if (!samples_.empty() && now - samples_.back().at < kEvery) return;
  samples_.push_back({.at = now, .totals = totals});
  if (samples_.size() > kKept) samples_.pop_front();
}

RateWindow::Since RateWindow::since_oldest(Instant now, const EngineTotals& totals) const {
  if (samples_.empty()) return {.totals = totals};
  const EngineTotals& before = samples_.front().totals;
  return {.totals = {.submitted = totals.submitted - before.submitted,
                     .completed = totals.completed - before.completed,
                     .compensated = totals.compensated - before.compensated,
                     .became_stuck = totals.became_stuck - before.became_stuck,
                     .calls = totals.calls - before.calls,
                     .queries = totals.queries - before.queries,
                     .transitions = totals.transitions - before.transitions,
                     .commits = totals.commits - before.commits,
                     .commit_seconds = totals.commit_seconds.since(before.commit_seconds)},
          .window = now - samples_.front().at};
}

}  // namespace skald
