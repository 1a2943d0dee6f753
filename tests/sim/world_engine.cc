// The life of the engine: its shards, its one disk, its clock, and its deaths. The simulator's half
// of the Ready contract.
#include <fmt/format.h>

#include <algorithm>

#include "engine/runtime/participants.h"
#include "engine/runtime/saga_reader.h"
#include "engine/wire/definition.h"
#include "engine/wire/stored.h"
#include "tests/sim/world.h"

namespace skald::sim {
namespace {

constexpr Millis kSlewedEvery{1'000};
constexpr Millis kSweptEvery{20'000};
constexpr Millis kDrainTakes{2'000};
constexpr std::size_t kKeysPerSweep = 50;
constexpr std::size_t kSagasPerSweep = 20;
constexpr Millis kTimerWindow{600'000};

enum Chance : std::uint64_t { of_life = 100, of_crash };

PlacementRange range_of(std::uint64_t index, std::uint64_t count) {
  const std::uint64_t size = ~0ULL / count;
  return {.first = index * size, .last = index + 1 == count ? ~0ULL : (index + 1) * size - 1};
}

/// Mostly as shipped; else one that opens after few failures.
BreakerPolicy random_breaker(Random& random) {
  BreakerPolicy policy;
  if (random.chance(0.3))
    policy.failures_to_open = static_cast<std::uint32_t>(random.between(2, 8));
  return policy;
}

std::uint64_t word_of(const ShardBatch& batch) {
  std::uint64_t word = batch.shard;
  for (const Note& note : batch.notes) word = hash64(note.name, word);
  for (const EndedSaga& saga : batch.sagas_removed) word = mix64(saga.id.serial ^ word);
  for (const Transition& row : batch.transitions) word = hash64(row.record, word);
  for (const std::string& key : batch.keys_removed) word = hash64(key, word);
  return word;
}

}  // namespace

std::size_t World::shard_index(std::uint64_t placement) const {
  for (const Seat& seat : seats_) {
    if (placement <= seat.range.last) return seat.index;
  }
  return 0;
}

void World::start_engine() {
  life_ += 1;
  failed_ = false;
  draining_ = false;
  Random random = Random::of({scenario_.seed, Chance::of_life, life_});
  std::vector<DefinitionPtr> present;
  for (const DefinitionPtr& definition : known_definitions_) {
    const bool missing = definitions_missing_ && random.chance(0.4);
    if (!missing) present.push_back(definition);
  }
  definitions_missing_ = false;
  registered_ = std::make_unique<DefinitionTable>(present, wire::definition_of_source);
  seats_.resize(shards_);
  Instant high_water{};
  for (std::size_t i = 0; i < shards_; ++i) {
    Seat& seat = seats_[i];
    seat.index = static_cast<std::uint32_t>(i);
    seat.range = range_of(i, shards_);
    const auto meta = store_.open_shard(seat.index);
    SKALD_CHECK(meta.has_value(), "{}", meta.error().message);
    auditor_->opened(seat.index, *meta);
    seat.meta = *meta;
    high_water = std::max(high_water, meta->clock_high);
  }
  engine_clock_ = std::make_unique<EngineClock>(clock_, high_water, Logger());
  const auto limit = static_cast<std::uint32_t>(random.between(1, 12));
  HoldBook holds;
  SKALD_CHECK(holds.load(store_).has_value(), "");
  const std::size_t sagas_max = random.chance(0.1) ? 10 : 100'000;
  const BreakerPolicy breaker = random_breaker(random);
  std::set<Place> held;
  for (const ParticipantHold& hold : holds.all()) held.emplace(hold.participant, hold.path);
  gate_auditor_->begins(limit, breaker, held);
  for (Seat& seat : seats_) {
    seat.shard = std::make_unique<Shard>(
        ShardOptions{.placement_first = seat.range.first,
                     .placement_last = seat.range.last,
                     .id_seed = random.next(),
                     .sagas_max = healed_ ? 100'000 : sagas_max,
                     .timer_window = kTimerWindow},
        *registered_,
        Gates({.limit_of = [limit](std::string_view) { return limit; }, .breaker = breaker}),
        [](std::span<const Event> events, Bytes& out) { wire::encode_events(events, out); });
    const auto active = store_.active(seat.range, std::nullopt, 100'000);
    SKALD_CHECK(active.has_value(), "");
    for (const Place& place : held) {
      step(seat, input::Hold{.participant = place.first, .path = place.second});
    }
    step(seat, input::Tick{});
    step(seat, input::Recover{.sagas = *active});
  }
  story_.tell(now(), life_, [&] {
    return fmt::format("the engine starts: {} shards, {} of {} definitions, limit {}", shards_,
                       present.size(), known_definitions_.size(), limit);
  });
  if (mix_.of(Fault::wall_jump) > 0) in(kSlewedEvery, [this] { slew(); });
  in(kSweptEvery, [this] { sweep_keys(); });
  if (saga_retention_) in(kSweptEvery, [this] { sweep_sagas(); });
  pump();
}

void World::stop_engine(Millis down) {
  seats_.clear();
  committing_.reset();
  out_.clear();
  touched_.clear();
  tickets_.clear();
  write_fails_next_ = false;
  life_ += 1;
  in(down, [this] { start_engine(); }, false);
}

void World::crash(std::uint64_t salt) {
  Random random = Random::of({scenario_.seed, Chance::of_crash, salt});
  story_.tell(now(), salt, [] { return std::string("the engine dies"); });
  const Millis down{random.below(3'000)};
  if (committing_) {
    // What was on its way to the disk reached it, or did not, or will: by an owner that is no more.
    const std::uint64_t fate = random.below(3);
    if (fate == 0) store_commit(*committing_);
    if (fate == 1 && random.chance(mix_.of(Fault::stale_owner))) {
      figures_.faults[index_of(Fault::stale_owner)] += 1;
      auto late = std::make_shared<Commit>(std::move(*committing_));
      in(
          down + Millis{1 + random.below(3)},
          [this, late] { auditor_->stale_commit(store_.commit(late->batches).has_value()); },
          false);
    }
  }
  stop_engine(down);
}

void World::drain() {
  story_.tell(now(), 1, [] { return std::string("the engine is told to stop"); });
  draining_ = true;
  for (Seat& seat : seats_) {
    step(seat, input::Admission{.closed = Error{Errc::unavailable, "draining"}, .draining = true});
  }
  in(kDrainTakes, [this] {
    while (committing_ && !failed_) end_commit();
    stop_engine(Millis{500});
  });
}

void World::jump_wall(std::uint64_t salt) {
  Random random = Random::of({scenario_.seed, salt});
  const auto far =
      static_cast<std::int64_t>(random.chance(0.5) ? random.below(5'000) : random.below(3'600'000));
  const Millis by{random.chance(0.5) ? far : -far};
  clock_.jump(by);
  story_.tell(now(), salt, [&] { return fmt::format("the wall clock jumps {} ms", by.count()); });
}

void World::slew() {
  engine_clock_->slew();
  in(kSlewedEvery, [this] { slew(); });
}

void World::sweep_keys() {
  for (Seat& seat : seats_) {
    auto rows = store_.expired_keys(seat.range, engine_now() - key_retention_, kKeysPerSweep);
    if (rows && !rows->empty()) step(seat, input::ExpireKeys{.rows = std::move(*rows)});
  }
  in(kSweptEvery, [this] { sweep_keys(); });
}

void World::sweep_sagas() {
  std::vector<RetentionRule> rules;
  for (const auto status :
       {SagaStatus::completed, SagaStatus::compensated, SagaStatus::abandoned}) {
    rules.push_back(
        {.definition = {}, .status = status, .ended_before = engine_now() - *saga_retention_});
  }
  auto sagas = store_.removable(rules, kSagasPerSweep);
  SKALD_CHECK(sagas.has_value(), "");
  std::map<std::size_t, std::vector<EndedSaga>> of_seat;
  for (EndedSaga& saga : *sagas) of_seat[shard_index(saga.id.placement)].push_back(std::move(saga));
  for (auto& [seat, together] : of_seat) {
    figures_.faults[index_of(Fault::removal)] += 1;
    step(seats_[seat], input::RemoveSagas{.sagas = std::move(together)});
  }
  in(kSweptEvery, [this] { sweep_sagas(); });
}

void World::step(Seat& seat, Input input) {
  figures_.steps += 1;
  seat.moved = true;
  seat.shard->step(engine_now(), std::move(input));
}

void World::pump() {
  // By index: an answer may bring the next input, and a fault the end of this life.
  for (std::size_t i = 0; i < seats_.size(); ++i) {
    if (std::exchange(seats_[i].moved, false)) honour(seats_[i], seats_[i].shard->ready());
  }
  // After writing has ended, memory stands still and answers are not taken any more.
  if (!seats_.empty() && !failed_) audit_touched();
}

void World::audit_touched() {
  for (const SagaId& id : std::exchange(touched_, {})) {
    const SagaState* state = seat_of(id).shard->find(id);
    if (state == nullptr) continue;
    std::size_t held = 0;
    for (const Held& h : seat_of(id).held) {
      for (const Invocation& call : h.calls) held += call.saga_id == id ? 1 : 0;
    }
    const auto out = out_.find(id);
    auditor_->resident(*state, held + (out == out_.end() ? 0 : out->second), engine_now());
  }
}

void World::honour(Seat& seat, Ready ready) {
  for (const Transition& row : ready.transitions) touched_.insert(row.id);
  if (ready.has_writes()) {
    if (failed_) return wrong("rule13 a write after writing has ended");
    seat.pushes.emplace_back(ready.number,
                             ShardBatch{.shard = seat.index,
                                        .epoch = seat.meta.epoch,
                                        .clock_high = engine_now(),
                                        .transitions = std::move(ready.transitions),
                                        .keys_removed = std::move(ready.keys_removed),
                                        .notes = std::move(ready.notes),
                                        .sagas_removed = std::move(ready.sagas_removed)});
  }
  for (const Invocation& call : ready.calls) gate_auditor_->leaves(seat.index, call, engine_now());
  for (const Invocation& query : ready.queries) {
    gate_auditor_->leaves(seat.index, query, engine_now());
  }
  if (failed_ && !ready.calls.empty()) wrong("rule13 a call after writing has ended");
  if (!ready.calls.empty() || !ready.answers.empty()) {
    seat.held.push_back({.number = failed_ ? 0 : ready.number,
                         .calls = std::move(ready.calls),
                         .answers = std::move(ready.answers)});
  }
  for (Load& wanted : ready.loads) load(seat, std::move(wanted));
  seat.wake_at = ready.wake_at;
  for (Invocation& query : ready.queries) send(std::move(query), true);
  begin_commit();
  release(seat);
}

void World::begin_commit() {
  if (committing_ || failed_) return;
  Commit commit;
  for (Seat& seat : seats_) {
    std::uint64_t takes = seat.pushes.empty() ? 0 : disk_.between(1, seat.pushes.size());
    if (takes == 0) continue;
    for (; takes > 0; --takes) {
      commit.numbers.emplace_back(seat.index, seat.pushes.front().first);
      ShardBatch& batch = commit.batches.emplace_back(std::move(seat.pushes.front().second));
      batch.number = ++seat.meta.number;
      seat.pushes.pop_front();
    }
  }
  if (commit.batches.empty()) return;
  committing_ = std::move(commit);
  const bool slow = strikes(disk_, Fault::slow_commit);
  if (slow) figures_.faults[index_of(Fault::slow_commit)] += 1;
  in(Millis{slow ? disk_.between(10, 2'000) : disk_.below(3)}, [this] { end_commit(); });
}

bool World::store_commit(const Commit& commit) {
  const auto committed = store_.commit(commit.batches);
  if (!committed) {
    wrong("I12 the owner's commit was refused: " + committed.error().message);
    return false;
  }
  figures_.commits += 1;
  std::uint64_t word = 0;
  for (const ShardBatch& batch : commit.batches) word = mix64(word ^ word_of(batch));
  story_.tell(now(), word, [&] {
    std::size_t sagas = 0;
    for (const ShardBatch& batch : commit.batches) sagas += batch.transitions.size();
    return fmt::format("durable: {} batches, {} transitions", commit.batches.size(), sagas);
  });
  auditor_->committed(commit.batches, engine_now(),
                      {.keys = key_retention_, .sagas = saga_retention_.value_or(Millis::max())});
  if (engine_now() - counted_at_ >= Millis{1'000}) {
    counted_at_ = engine_now();
    auditor_->counted(store_);
  }
  return true;
}

void World::end_commit() {
  Commit commit = std::move(*committing_);
  committing_.reset();
  if (std::exchange(write_fails_next_, false)) {
    figures_.faults[index_of(Fault::failed_write)] += 1;
    if (disk_.chance(0.5)) store_commit(commit);  // nobody knows what is on disk
    return writing_failed();
  }
  if (!store_commit(commit)) return;
  for (const auto& [seat, number] : commit.numbers) {
    seats_[seat].durable = number;
    seats_[seat].moved = true;
    seats_[seat].shard->advance(number);
  }
  begin_commit();
  for (std::size_t i = 0; i < seats_.size(); ++i) release(seats_[i]);
}

void World::writing_failed() {
  story_.tell(now(), 2, [] { return std::string("a write fails: writing has ended"); });
  failed_ = true;
  const Error told{Errc::unavailable, "writing has ended"};
  for (Seat& seat : seats_) {
    seat.held.clear();
    seat.pushes.clear();
    seat.shard->fail(engine_now(), told);
    seat.moved = true;
  }
  in(Millis{disk_.below(2'000)}, [this] { stop_engine(Millis{100}); });
}

void World::release(Seat& seat) {
  while (!seat.held.empty() && seat.held.front().number <= seat.durable) {
    Held held = std::move(seat.held.front());
    seat.held.pop_front();
    for (Invocation& call : held.calls) send(std::move(call), false);
    for (ShardAnswer& answer : held.answers) take_answer(std::move(answer));
  }
}

void World::load(Seat& seat, Load wanted) {
  // Read now or later, answered later: the shard must cope with both.
  const Millis before{disk_.below(3)};
  const Millis after{disk_.below(3)};
  in(before, [this, index = seat.index, wanted = std::move(wanted), after] {
    Seat& own = seats_[index];
    Input loaded = input::Tick{};
    if (const auto* key = std::get_if<load::Key>(&wanted)) {
      loaded = input::KeyLoaded{.key = key->key, .row = store_.find_key(key->key)};
    } else if (const auto* saga = std::get_if<load::Saga>(&wanted)) {
      input::SagaLoaded read = load_saga(store_, saga->id);
      auditor_->loaded(read.id, read.state);
      loaded = std::move(read);
    } else {
      const auto until = std::get<load::Timers>(wanted).until;
      const auto rows = store_.timers(own.range, until, std::nullopt, 1'000'000);
      SKALD_CHECK(rows.has_value(), "");
      input::TimersLoaded timers;
      for (const TimerRow& row : *rows) timers.timers.push_back({.due = row.due, .saga = row.id});
      loaded = std::move(timers);
    }
    in(after, [this, index, loaded = std::move(loaded)]() mutable {
      step(seats_[index], std::move(loaded));
    });
  });
}

}  // namespace skald::sim
