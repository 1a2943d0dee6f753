#include "engine/runtime/upkeep.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "engine/runtime/placement.h"

namespace skald {
namespace {

constexpr std::size_t kSagasPerSweep = 1'024;  // looked up at once; a sweep begins each second
constexpr std::size_t kSagasPerRemoval = 64;   // so that removing never holds up a commit for long

}  // namespace

Upkeep::Upkeep(Parts parts)
    : parts_(std::move(parts)),
      scan_plan_(parts_.options.scan_every, parts_.options.scan_bytes_per_second) {
  keep("", parts_.options.retention);
  for (const auto& [definition, own] : parts_.options.retention_by_definition) {
    keep(definition, own);
  }
  const auto goes = [](const Kept& rule) { return rule.time != Millis{0}; };
  if (std::ranges::none_of(kept_, goes)) kept_.clear();
}

void Upkeep::keep(const std::string& definition, const Retention& retention) {
  const auto add = [&](SagaStatus status, const std::optional<Millis>& time) {
    if (time) kept_.push_back({.definition = definition, .status = status, .time = *time});
  };
  add(SagaStatus::completed, retention.completed);
  add(SagaStatus::compensated, retention.compensated);
  add(SagaStatus::abandoned, retention.abandoned);
}

void Upkeep::sweep(Instant now) {
  if (kept_.empty() || sweeping_.exchange(true)) return;
  parts_.blocking.run([this, now] {
    remove_what_may_go(now);
    sweeping_ = false;
  });
}

void Upkeep::remove_what_may_go(Instant now) {
  std::vector<RetentionRule> rules;
  for (const Kept& kept : kept_) {
    rules.push_back({.definition = kept.definition, .status = kept.status, .ended_before = {}});
    if (kept.time != Millis{0}) rules.back().ended_before = now - kept.time;
  }
  auto sagas = parts_.store.removable(rules, kSagasPerSweep);
  if (!sagas) return;  // the store has told why
  std::map<std::uint32_t, std::vector<EndedSaga>> of_shard;
  for (EndedSaga& saga : *sagas) {
    const std::uint32_t shard = shard_of(saga.id.placement, parts_.shards);
    auto& together = of_shard[shard];
    together.push_back(std::move(saga));
    if (together.size() == kSagasPerRemoval) parts_.remove(shard, std::exchange(together, {}));
  }
  for (auto& [shard, rest] : of_shard) {
    if (!rest.empty()) parts_.remove(shard, std::move(rest));
  }
}

void Upkeep::scan(Instant now) {
  if (scanning_.exchange(true)) return;
  if (!scan_plan_.is_due(now)) {
    scanning_ = false;
    return;
  }
  parts_.blocking.run([this, now] {
    scan_next_file(now);
    scanning_ = false;
  });
}

void Upkeep::scan_next_file(Instant now) {
  const auto file = parts_.store.scan_after(scan_plan_.after());
  if (!file) {
    parts_.log.error("a file of the store is damaged: {}", file.error().message);
    return scan_plan_.give_up();  // writing has ended; the next start judges anew
  }
  if (*file) return scan_plan_.read(**file, now);
  const ScanPlan::Round round = scan_plan_.end_round(now);
  if (round.files == 0) return;
  parts_.log.info("every file has its checksums files={} bytes={} seconds={}", round.files,
                  round.bytes, (now - round.began).count() / 1'000);
}

template <class Work>
Result<CheckReport> Upkeep::alone(Work work) {
  if (checking_.exchange(true)) {
    return fail(Errc::aborted, "another check or backup of this store runs; wait for it");
  }
  const CheckOptions options{
      .definition_of =
          [this](const SagaState& state) {
            return parts_.definitions.of_saga(state.definition, state.version, state.source);
          },
      .stopped = [this] { return stopping_.load(); },
      .progress =
          [this](std::uint64_t sagas) { parts_.log.info("checking the store sagas={}", sagas); }};
  Result<CheckReport> report = work(options);
  checking_ = false;
  return report;
}

Result<CheckReport> Upkeep::check() {
  return alone([this](const CheckOptions& options) { return parts_.store.check(options); });
}

Result<CheckReport> Upkeep::back_up(const std::string& directory) {
  return alone(
      [&](const CheckOptions& options) { return parts_.store.back_up(directory, options); });
}

}  // namespace skald
