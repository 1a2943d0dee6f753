// Time, disk and the life of the engine: the simulator's half of the Ready contract.
#include "tests/sim/world.h"

#include <fmt/format.h>

#include <cstdio>

#include "engine/runtime/saga_reader.h"
#include "engine/wire/stored.h"
#include "tests/sim/random_definition.h"

namespace skald::sim {
namespace {

constexpr std::size_t kDefinitions = 6;
constexpr std::size_t kWrongsMax = 8;
constexpr Millis kFaultyFor{60'000};
constexpr Millis kHealsWithin{4 * 3'600'000};  // backoffs, waits and deadlines included
constexpr std::uint64_t kStepsMax = 2'000'000;
constexpr std::uint64_t kLookEvery = 200;  // happenings between looks whether all is at rest

}  // namespace

Faults Faults::swarm(Random& random) {
  const auto maybe = [&](double probability, double most) {
    return random.chance(probability) ? most * static_cast<double>(random.below(1'000)) / 1'000
                                      : 0.0;
  };
  return {.reject = maybe(0.7, 0.4),
          .request_lost = maybe(0.6, 0.3),
          .reply_lost = maybe(0.6, 0.3),
          .refused = maybe(0.5, 0.3),
          .pending = maybe(0.4, 0.3),
          .late = maybe(0.4, 0.3),
          .duplicate = maybe(0.4, 0.3),
          .crash = maybe(0.6, 0.02),
          .cancel = maybe(0.4, 0.4),
          .retry = maybe(0.4, 0.05),
          .signal = maybe(0.7, 0.2),
          .slow_disk = maybe(0.4, 0.5),
          .keyless = random.chance(0.2)};
}

void WorldFigures::add(const WorldFigures& o) {
  sagas += o.sagas;
  completed += o.completed;
  compensated += o.compensated;
  stuck += o.stuck;
  calls += o.calls;
  crashes += o.crashes;
  lost += o.lost;
  refused += o.refused;
  pending += o.pending;
  late += o.late;
  duplicates += o.duplicates;
  cancels += o.cancels;
  retries += o.retries;
  signals += o.signals;
  rejections += o.rejections;
  simulated_ms += o.simulated_ms;
  steps += o.steps;
}

World::World(WorldOptions options)
    : options_(options),
      random_(options.seed),
      faults_(Faults::swarm(random_)),
      participants_(random_.next(), faults_.reject) {
  std::vector<DefinitionPtr> definitions;
  for (std::size_t i = 0; i < kDefinitions; ++i) {
    definitions.push_back(
        random_definition(random_, fmt::format("d{}", i), {.keyless = faults_.keyless}));
  }
  definitions_ = std::make_unique<DefinitionTable>(std::move(definitions), nullptr);
}

World::~World() = default;

void World::trace(const std::string& line) {
  if (options_.trace)
    std::printf("%8lld ms  %s\n", static_cast<long long>((now_ - born_).count()), line.c_str());
}

void World::wrong(std::string what) {
  trace("WRONG " + what);
  if (wrongs_.size() < kWrongsMax) wrongs_.push_back(std::move(what));
}

void World::in(Millis delay, std::move_only_function<void()> run, bool of_engine) {
  auto happening = std::make_unique<Happening>();
  happening->at = now_ + delay;
  happening->order = ++order_;
  happening->life = of_engine ? life_ : 0;
  happening->run = std::move(run);
  future_.push(std::move(happening));
}

bool World::next_happening() {
  const Instant next = future_.empty() ? kNever : future_.top()->at;
  if (wake_at_ <= next) {
    if (wake_at_ == kNever) return false;
    now_ = std::max(now_, wake_at_);
    wake_at_ = kNever;
    step(input::Tick{});
    pump();
    return true;
  }
  // priority_queue gives const access only; the element is about to go.
  auto happening = std::move(const_cast<std::unique_ptr<Happening>&>(future_.top()));
  future_.pop();
  now_ = std::max(now_, happening->at);
  if (happening->life == 0 || happening->life == life_) happening->run();
  pump();
  return true;
}

void World::start_engine() {
  life_ += 1;
  const auto meta = store_.open_shard(0);
  SKALD_CHECK(meta.has_value(), "{}", meta.error().message);
  meta_ = *meta;
  const auto limit = static_cast<std::uint32_t>(random_.between(1, 12));
  shard_ = std::make_unique<Shard>(
      ShardOptions{.id_seed = random_.next(), .timer_window = Millis{600'000}}, *definitions_,
      Gates({.limit_of = [limit](std::string_view) { return limit; }}),
      [](std::span<const Event> events, Bytes& out) { wire::encode_events(events, out); });
  const auto active = store_.active({}, std::nullopt, 100'000);
  SKALD_CHECK(active.has_value(), "");
  step(input::Tick{});
  step(input::Recover{.sagas = *active});
  pump();
}

void World::crash() {
  figures_.crashes += 1;
  trace("the engine dies");
  // What was on its way to the disk may have reached it, in order, acknowledged or not.
  while (!pushes_.empty() && random_.chance(0.5)) {
    commit_takes_ = 1;
    committing_ = true;
    end_commit();
  }
  shard_.reset();
  held_.clear();
  pushes_.clear();
  committing_ = false;
  durable_ = 0;
  wake_at_ = kNever;
  out_.clear();
  touched_.clear();
  life_ += 1;
  const Millis down{random_.below(3'000)};
  in(down, [this] { start_engine(); }, false);
}

void World::step(Input input) {
  figures_.steps += 1;
  shard_->step(now_, std::move(input));
}

void World::pump() {
  if (shard_) honour(shard_->ready());
}

void World::honour(Ready ready) {
  for (Invocation& query : ready.queries) send(std::move(query), true);
  for (const Transition& row : ready.transitions) touched_.insert(row.id);
  if (ready.has_writes()) {
    pushes_.push_back({.number = ready.number,
                       .batch = {.shard = 0,
                                 .epoch = meta_.epoch,
                                 .clock_high = now_,
                                 .transitions = std::move(ready.transitions),
                                 .keys_removed = std::move(ready.keys_removed)}});
  }
  if (!ready.calls.empty() || !ready.answers.empty()) {
    held_.push_back({.number = ready.number,
                     .calls = std::move(ready.calls),
                     .answers = std::move(ready.answers)});
  }
  for (Load& wanted : ready.loads) load(std::move(wanted));
  wake_at_ = ready.wake_at == kNever ? kNever : std::max(ready.wake_at, now_);
  begin_commit();
  release();
  for (const SagaId& id : std::exchange(touched_, {})) audit_resident(id);
}

void World::begin_commit() {
  if (committing_ || pushes_.empty()) return;
  committing_ = true;
  commit_takes_ = random_.between(1, pushes_.size());
  const bool slow = random_.chance(faults_.slow_disk);
  in(Millis{slow ? random_.between(10, 2'000) : random_.below(3)}, [this] { end_commit(); });
}

void World::end_commit() {
  std::vector<ShardBatch> batches;
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < commit_takes_ && !pushes_.empty(); ++i) {
    number = pushes_.front().number;
    ShardBatch& batch = batches.emplace_back(std::move(pushes_.front().batch));
    batch.number = ++meta_.number;
    pushes_.pop_front();
  }
  const auto committed = store_.commit(batches);
  if (!committed) return wrong("commit refused: " + committed.error().message);
  committing_ = false;
  durable_ = number;
  if (shard_) shard_->advance(number);
}

void World::release() {
  while (!held_.empty() && held_.front().number <= durable_) {
    Held held = std::move(held_.front());
    held_.pop_front();
    for (Invocation& call : held.calls) send(std::move(call), false);
    for (ShardAnswer& answer : held.answers) take_answer(std::move(answer));
  }
}

void World::load(Load wanted) {
  struct Run {
    World& world;
    Input operator()(const load::Key& key) const {
      return input::KeyLoaded{.key = key.key, .row = world.store_.find_key(key.key)};
    }
    Input operator()(const load::Saga& saga) const {
      return input::SagaLoaded{.id = saga.id, .state = read_saga(world.store_, saga.id)};
    }
    Input operator()(const load::Timers& window) const {
      input::TimersLoaded loaded;
      const auto rows = world.store_.timers({}, window.until, std::nullopt, 1'000'000);
      SKALD_CHECK(rows.has_value(), "");
      for (const TimerRow& row : *rows) loaded.timers.push_back({.due = row.due, .saga = row.id});
      return loaded;
    }
  };
  // Read now or later, answered later: the shard must cope with both.
  const Millis before{random_.below(3)};
  const Millis after{random_.below(3)};
  in(before, [this, wanted = std::move(wanted), after] {
    Input loaded = std::visit(Run{*this}, wanted);
    in(after, [this, loaded = std::move(loaded)]() mutable { step(std::move(loaded)); });
  });
}

bool World::at_rest() {
  if (!shard_ || !pushes_.empty() || committing_) return false;
  for (const Submission& submission : submissions_) {
    if (!submission.key.empty() && !submission.acked) return false;
  }
  const auto active = store_.active({}, std::nullopt, 1);
  const auto timers = store_.timers({}, kNever, std::nullopt, 1);
  return active && active->empty() && timers && timers->empty();
}

std::vector<std::string> World::run() {
  start_engine();
  for (std::size_t i = 0; i < options_.sagas; ++i) {
    submissions_.push_back(
        {.definition = definitions_->find(fmt::format("d{}", random_.below(kDefinitions)), 0),
         .key = random_.chance(0.8) ? fmt::format("key{}", i) : ""});
    in(Millis{random_.below(20'000)}, [this, i] { submit(i); }, false);
  }
  for (int i = 0; i < 600; ++i) {
    in(
        Millis{random_.below(static_cast<std::uint64_t>(kFaultyFor.count()))},
        [this] { disturb(); }, false);
  }
  while (wrongs_.empty() && figures_.steps < kStepsMax && now_ - born_ < kFaultyFor &&
         next_happening()) {
  }
  trace("faults stop");
  healed_ = true;
  const bool keyless = faults_.keyless;
  faults_ = Faults{.keyless = keyless};
  for (std::uint64_t i = 1; wrongs_.empty() && figures_.steps < kStepsMax; ++i) {
    const bool over = now_ - born_ >= kHealsWithin || !next_happening();
    if (over || (i % kLookEvery == 0 && at_rest())) break;
  }
  if (wrongs_.empty()) audit_end();
  figures_.simulated_ms = (now_ - born_).count();
  return wrongs_;
}

}  // namespace skald::sim
