// What is read through the store, off the I/O threads.
#include "engine/runtime/engine_metrics.h"
#include "engine/runtime/engine_on_threads.h"
#include "engine/runtime/saga_reader.h"

namespace skald {

void EngineOnThreads::get(SagaRef saga, Answer<SagaSnapshot> answer) {
  resolve(std::move(saga), [this, answer = std::move(answer)](Result<SagaId> id) mutable {
    if (!id) return answer(std::unexpected(id.error()));
    read<SagaSnapshot>(
        [this, id = *id]() -> Result<SagaSnapshot> {
          auto state = read_saga(parts_.store, id);
          if (!state) return std::unexpected(state.error());
          if (!*state) return fail(Errc::not_found, "there is no saga {}", id.text());
          SagaSnapshot snapshot{.state = std::move(**state), .definition = {}, .owed = {}};
          snapshot.now = clock_->now();
          auto replays = replays_of(parts_.store, snapshot.state);
          if (!replays) return std::unexpected(replays.error());
          snapshot.replays = std::move(*replays);
          snapshot.definition = definitions_.of_saga(snapshot.state.definition,
                                                     snapshot.state.version, snapshot.state.source);
          if (snapshot.definition) {
            snapshot.owed = owed(*snapshot.definition, snapshot.state, snapshot.now);
            snapshot.held_back =
                held_back(*snapshot.definition, snapshot.owed.wants, participants(), holds_);
          }
          return snapshot;
        },
        std::move(answer));
  });
}

void EngineOnThreads::history(SagaRef saga, Answer<SagaHistory> answer) {
  resolve(std::move(saga), [this, answer = std::move(answer)](Result<SagaId> id) mutable {
    if (!id) return answer(std::unexpected(id.error()));
    read<SagaHistory>(
        [this, id = *id]() -> Result<SagaHistory> {
          auto found = read_history(parts_.store, id);
          if (!found) return std::unexpected(found.error());
          if (!*found) return fail(Errc::not_found, "there is no saga {}", id.text());
          SagaHistory history{.state = std::move((*found)->state),
                              .definition = {},
                              .events = std::move((*found)->events)};
          history.definition = definitions_.of_saga(history.state.definition, history.state.version,
                                                    history.state.source);
          return history;
        },
        std::move(answer));
  });
}

void EngineOnThreads::list(ListQuery query, Answer<ListPage> answer) {
  query.now = clock_->now();
  read<ListPage>([this, query = std::move(query)] { return parts_.store.list(query); },
                 std::move(answer));
}

void EngineOnThreads::count(CountQuery query, Answer<CountPage> answer) {
  query.now = clock_->now();
  read<CountPage>([this, query = std::move(query)] { return parts_.store.count(query); },
                  std::move(answer));
}

void EngineOnThreads::groups(GroupQuery query, Answer<FailureGroups> answer) {
  query.now = clock_->now();
  read<FailureGroups>([this, query = std::move(query)] { return parts_.store.groups(query); },
                      std::move(answer));
}

void EngineOnThreads::notes(std::string prefix, Answer<std::vector<Note>> answer) {
  read<std::vector<Note>>([this, prefix = std::move(prefix)] { return parts_.store.notes(prefix); },
                          std::move(answer));
}

Result<void> EngineOnThreads::ready() const {
  if (failed_) return fail(Errc::unavailable, "writing has ended; restart to recover");
  if (draining_) return fail(Errc::unavailable, "draining");
  for (const auto& driver : drivers_) {
    if (!driver->recovered()) return fail(Errc::unavailable, "open sagas are being taken up again");
  }
  return {};
}

std::vector<ShardFigures> EngineOnThreads::shard_figures() const {
  std::vector<ShardFigures> shards;
  for (const auto& driver : drivers_) shards.push_back(driver->figures());
  return shards;
}

EngineTotals EngineOnThreads::totals(const ShardCounters& counters) const {
  const Committer::Figures commits = committer_->figures();
  return {.submitted = counters.submitted,
          .completed = counters.completed,
          .compensated = counters.compensated,
          .became_stuck = counters.became_stuck,
          .calls = counters.calls,
          .queries = counters.queries,
          .transitions = counters.transitions,
          .commits = commits.commits,
          .commit_seconds = commits.seconds};
}

EngineStats EngineOnThreads::stats() const {
  const ShardFigures sum = sum_figures(shard_figures());
  EngineStats stats{.now = clock_->now(), .started_at = started_at_};
  stats.totals = totals(sum.counters);
  {
    const std::lock_guard lock(rates_mutex_);
    auto [lately, window] = rates_.since_oldest(stats.now, stats.totals);
    stats.lately = lately;
    stats.window = window;
  }
  if (auto counts = parts_.store.count_by_definition()) stats.counts = std::move(*counts);
  const std::int64_t since = stuck_since_ms_.load(std::memory_order_relaxed);
  if (since != 0) stats.stuck_since = from_unix_ms(since);
  stats.in_memory = sum.resident;
  stats.waiters = sum.waiters;
  stats.inbox = sum.inbox;
  stats.commit_queue = committer_->figures().queued;
  return stats;
}

std::string EngineOnThreads::metrics() const {
  const std::vector<ShardFigures> shards = shard_figures();
  const auto counts = parts_.store.count_by_status();
  const auto definitions = parts_.store.count_by_definition();
  const std::int64_t stuck = stuck_since_ms_.load(std::memory_order_relaxed);
  const Instant now = clock_->now();
  return metrics_text(
      {.shards = shards,
       .committer = committer_->figures(),
       .counts = counts ? *counts : decltype(counts)::value_type{},
       .definitions = definitions ? *definitions : decltype(definitions)::value_type{},
       .webhooks = alert_targets(),
       .stuck_longest_s = stuck == 0 ? 0.0 : static_cast<double>(to_unix_ms(now) - stuck) / 1'000,
       .wall_jumps = clock_->wall_jumps(),
       .ready = ready().has_value()});
}

}  // namespace skald
