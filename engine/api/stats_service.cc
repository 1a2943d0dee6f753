#include "engine/api/stats_service.h"

#include <utility>

#include "engine/api/read_model.h"

namespace skald::api {
namespace {

void fill_rates(const EngineStats& from, v1::Stats& to) {
  const double seconds = static_cast<double>(from.window.count()) / 1'000;
  const auto rate = [seconds](std::uint64_t count) {
    return seconds == 0 ? 0 : static_cast<double>(count) / seconds;
  };
  const EngineTotals& lately = from.lately;
  v1::Stats::Rates& rates = *to.mutable_rates();
  rates.set_submitted(rate(lately.submitted));
  rates.set_completed(rate(lately.completed));
  rates.set_compensated(rate(lately.compensated));
  rates.set_became_stuck(rate(lately.became_stuck));
  rates.set_calls(rate(lately.calls));
  rates.set_queries(rate(lately.queries));
  rates.set_transitions(rate(lately.transitions));
  rates.set_commits(rate(lately.commits));
  to.set_window_ms(static_cast<std::uint64_t>(from.window.count()));
  to.set_commit_ms_median(lately.commit_seconds.quantile(0.5) * 1'000);
  to.set_commit_ms_p99(lately.commit_seconds.quantile(0.99) * 1'000);
  if (lately.commits != 0) {
    to.set_commit_transitions(static_cast<double>(lately.transitions) /
                              static_cast<double>(lately.commits));
  }
}

v1::Stats shown(const EngineStats& from, const Result<void>& ready) {
  v1::Stats to;
  fill_time(from.now, *to.mutable_now());
  fill_time(from.started_at, *to.mutable_started_at());
  if (!ready) to.set_not_ready(ready.error().message);
  for (const DefinitionCount& counted : from.counts) {
    v1::Stats::DefinitionCount& count = *to.add_counts();
    count.set_definition(counted.definition);
    count.set_status(static_cast<v1::SagaStatus::Value>(counted.status));
    count.set_sagas(counted.count);
  }
  fill_rates(from, to);
  if (from.stuck_since) fill_time(*from.stuck_since, *to.mutable_stuck_since());
  to.set_in_memory(from.in_memory);
  to.set_waiters(from.waiters);
  to.set_inbox_queue(from.inbox);
  to.set_commit_queue(from.commit_queue);
  return to;
}

}  // namespace

void StatsService::get(v1::GetStatsRequest, const CallContext& context, Reply<v1::Stats> reply) {
  v1::Stats stats = shown(engine_.stats(), engine_.ready());
  sagas_.list_participants({}, context, [&stats](Result<v1::ListParticipantsResponse> found) {
    if (found) *stats.mutable_participants() = std::move(*found->mutable_methods());
  });  // at once: participants are in memory
  auto add_causes = [stats = std::move(stats),
                     reply = std::move(reply)](Result<v1::StuckGroupsResponse> found) mutable {
    if (!found) return reply(std::unexpected(std::move(found.error())));
    for (auto& group : *found->mutable_groups()) {
      if (stats.stuck_causes_size() >= kCausesShown) break;
      *stats.add_stuck_causes() = std::move(group);
    }
    reply(std::move(stats));
  };
  sagas_.stuck_groups({}, context, std::move(add_causes));
}

}  // namespace skald::api
