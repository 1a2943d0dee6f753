// How a world is made from its seed, its time, and its end.
#include "tests/sim/world.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/wire/definition.h"
#include "tests/sim/random_definition.h"

namespace skald::sim {
namespace {

constexpr std::size_t kDefinitions = 5;
constexpr std::size_t kInlineDefinitions = 2;
constexpr std::size_t kWrongsMax = 8;
constexpr std::size_t kSubmissionsMin = 40;
constexpr std::size_t kSubmissionsMax = 200;
constexpr std::uint64_t kSubmittedWithinMs = 20'000;
constexpr Millis kHealsWithin{3'600'000};  // backoffs, waits and deadlines included
constexpr Millis kRescuedEvery{30'000};
constexpr std::uint64_t kStepsMax = 400'000;  // of inputs; a world needs about 10'000
constexpr std::uint64_t kLookEvery = 64;      // happenings between looks whether all is at rest

/// Words that name what a chance belongs to.
enum Chance : std::uint64_t { nature = 1, disk, submission, disturbance, retention };

}  // namespace

void WorldFigures::add(const WorldFigures& o) {
  worlds += o.worlds;
  sagas += o.sagas;
  completed += o.completed;
  compensated += o.compensated;
  excused += o.excused;
  calls += o.calls;
  commits += o.commits;
  steps += o.steps;
  folds += o.folds;
  replays += o.replays;
  breakers_opened += o.breakers_opened;
  removed += o.removed;
  words += o.words;
  simulated_ms += o.simulated_ms;
  for (std::size_t i = 0; i < kFaults; ++i) faults[i] += o.faults[i];
}

World::World(const Scenario& scenario, bool story)
    : scenario_(scenario),
      story_(story),
      nature_(Random::of({scenario.seed, Chance::nature})),
      disk_(Random::of({scenario.seed, Chance::disk})),
      mix_(FaultMix::swarm(scenario.seed)),
      participants_(nature_.next()),
      mall_(nature_.next()) {
  for (std::size_t i = 0; i < kFaults; ++i) {
    if (scenario.without[i]) mix_.without(static_cast<Fault>(i));
  }
  keyless_ = nature_.chance(0.15);
  short_keys_ = nature_.chance(0.1);
  // The age of a key is told by engine time: where wall time goes back over a restart, that stands
  // still meanwhile. Beside a lifetime of days it is nothing, beside one of seconds it is much.
  if (short_keys_) mix_.without(Fault::wall_jump);
  shards_ = nature_.between(1, 3);
  constexpr std::array kMallShares{0.0, 0.0, 0.3, 0.9};
  mall_share_ = kMallShares[nature_.below(kMallShares.size())];
  // An order's number is its key for good: the mall keeps keys for as long as anybody may repeat.
  const bool short_retention = mall_share_ == 0 && nature_.chance(0.3);
  key_retention_ = short_retention ? Millis{8'000} : Millis{7LL * 24 * 3'600'000};
  Random retention = Random::of({scenario.seed, Chance::retention});
  if (strikes(retention, Fault::removal)) saga_retention_ = Millis{retention.below(20'000)};
  make_definitions();
  const auto complain = [this](std::string what) { wrong(std::move(what)); };
  auditor_ = std::make_unique<Auditor>(
      *all_definitions_, complain,
      [this](const SagaId& saga, const std::string& leg) { return undone_by_hand(saga, leg); });
  gate_auditor_ = std::make_unique<GateAuditor>(complain);
  mall_auditor_ = std::make_unique<MallAuditor>(mall_, *auditor_, complain);
  make_submissions();
  plan_disturbances();
}

World::~World() = default;

void World::make_definitions() {
  const DefinitionTaste taste{.keyless = keyless_, .short_keys = short_keys_};
  for (std::size_t i = 0; i < kDefinitions; ++i) {
    const std::uint32_t versions = nature_.chance(0.3) ? 2 : 1;
    for (std::uint32_t v = 1; v <= versions; ++v) {
      known_definitions_.push_back(random_definition(nature_, fmt::format("d{}", i), v, taste));
    }
  }
  for (std::size_t i = 0; i < kInlineDefinitions; ++i) {
    inline_definitions_.push_back(
        random_inline_definition(nature_, fmt::format("inline{}", i), taste));
  }
  for (const DefinitionPtr& shipped : mall_definitions()) known_definitions_.push_back(shipped);
  all_definitions_ =
      std::make_unique<DefinitionTable>(known_definitions_, wire::definition_of_source);
}

void World::make_submissions() {
  submissions_.resize(nature_.between(kSubmissionsMin, kSubmissionsMax));
  for (std::size_t i = 0; i < submissions_.size(); ++i) {
    Random random = Random::of({scenario_.seed, Chance::submission, i});
    Submission& made = submissions_[i];
    made.at = Millis{random.below(kSubmittedWithinMs)};
    made.business_key = fmt::format("b{}", i);
    made.input = "in";
    if (random.chance(0.85)) made.key = fmt::format("key{}", i);
    if (random.chance(mall_share_)) {
      const MallOrder order = mall_.plan_order(random, i);
      made.definition = order.definition;
      made.version = 1;
      made.business_key = order.business_key;
      made.input = order.input;
      made.key = order.key;
      made.at += order.later;
      made.after = order.after;
      made.in_mall = true;
    } else if (random.chance(0.15)) {
      made.inline_definition = inline_definitions_[random.below(kInlineDefinitions)];
    } else {
      made.definition = fmt::format("d{}", random.below(kDefinitions));
      made.version = random.chance(0.3) ? 1 : 0;
    }
  }
}

void World::plan_disturbances() {
  for (std::size_t f = 0; f < kFaults; ++f) {
    const auto fault = static_cast<Fault>(f);
    if (!is_disturbance(fault)) continue;
    Random random = Random::of({scenario_.seed, Chance::disturbance, f});
    const auto most = static_cast<std::uint64_t>(mix_.of(fault));
    for (std::uint64_t i = most == 0 ? 0 : random.between(1, most); i > 0; --i) {
      const auto when = random.below(static_cast<std::uint64_t>(kFaultyFor.count()));
      planned_.push_back({.at = Millis{when}, .fault = fault, .salt = random.next()});
    }
  }
}

void World::wrong(std::string what) {
  story_.tell(now(), hash64(what), [&] { return "WRONG " + what; });
  if (wrongs_.size() < kWrongsMax) wrongs_.push_back(std::move(what));
}

bool World::strikes(Random& random, Fault fault) { return random.chance(mix_.of(fault)); }

void World::in(Millis delay, std::move_only_function<void()> run, bool of_engine) {
  auto happening = std::make_unique<Happening>();
  happening->at = now() + delay;
  happening->order = ++order_;
  happening->life = of_engine ? life_ : 0;
  happening->run = std::move(run);
  future_.push(std::move(happening));
}

bool World::next_happening() {
  // Shards are woken by the engine's clock, which runs ahead of the world's while it is slewed.
  Seat* wakes = nullptr;
  for (Seat& seat : seats_) {
    if (seat.wake_at != kNever && (wakes == nullptr || seat.wake_at < wakes->wake_at))
      wakes = &seat;
  }
  const Millis next = future_.empty() ? Millis::max() : future_.top()->at;
  if (wakes != nullptr) {
    const Millis due = now() + std::max(Millis{0}, wakes->wake_at - engine_now());
    if (due <= next) {
      clock_.pass_to(due);
      wakes->wake_at = kNever;
      step(*wakes, input::Tick{});
      pump();
      return true;
    }
  }
  if (future_.empty()) return false;
  // priority_queue gives const access only; the element is about to go.
  auto happening = std::move(const_cast<std::unique_ptr<Happening>&>(future_.top()));
  future_.pop();
  clock_.pass_to(happening->at);
  if (happening->life == 0 || happening->life == life_) happening->run();
  pump();
  return true;
}

bool World::at_rest() {
  if (seats_.empty() || committing_ || failed_ || draining_ || definitions_missing_) return false;
  for (const Seat& seat : seats_) {
    if (!seat.pushes.empty()) return false;
  }
  for (const Submission& submission : submissions_) {
    if (submission.asked > 0 && !submission.key.empty() && !submission.acked) return false;
  }
  return std::ranges::all_of(auditor_->sagas(), [this](const auto& saga) {
    const SagaState& state = saga.second.state;
    if (state.terminal) return true;
    if (state.in_flight > 0 || state.backing_off > 0) return false;
    return !Auditor::excuse(state, *saga.second.definition, keyless_ || short_keys_).empty();
  });
}

void World::run_faulty() {
  start_engine();
  const auto kept = [](const auto& chosen, std::size_t i) {
    return !chosen || std::ranges::find(*chosen, i) != chosen->end();
  };
  for (std::size_t i = 0; i < submissions_.size(); ++i) {
    if (!kept(scenario_.sagas, i)) continue;
    in(submissions_[i].at, [this, i] { keep_submitting(i); }, false);
  }
  for (std::size_t i = 0; i < planned_.size(); ++i) {
    if (!kept(scenario_.disturbances, i)) continue;
    in(planned_[i].at, [this, i] { disturb(planned_[i]); }, false);
  }
  while (wrongs_.empty() && figures_.steps < kStepsMax && now() < kFaultyFor && next_happening()) {
  }
}

void World::heal() {
  story_.tell(now(), 0, [] { return std::string("the faults stop"); });
  healed_ = true;
  mix_.none();
  outages_.clear();
  write_fails_next_ = false;
  const bool incomplete = registered_ && registered_->all().size() != known_definitions_.size();
  definitions_missing_ = false;
  if (!seats_.empty() && (failed_ || incomplete)) stop_engine(Millis{100});
}

void World::run_healthy() {
  heal();
  in(kRescuedEvery, [this] { rescue_stuck(); }, false);
  for (std::uint64_t i = 1; wrongs_.empty() && figures_.steps < kStepsMax; ++i) {
    const bool over = now() >= kHealsWithin || !next_happening();
    if (over || (i % kLookEvery == 0 && at_rest())) break;
  }
}

Verdict World::run() {
  run_faulty();
  if (wrongs_.empty()) run_healthy();
  if (figures_.steps >= kStepsMax) wrong("I11 the world goes on and on: its inputs never end");
  if (wrongs_.empty()) audit_at_rest();
  figures_.worlds = 1;
  figures_.simulated_ms = static_cast<std::uint64_t>(now().count());
  figures_.sagas = auditor_->sagas().size();
  return {.wrongs = wrongs_, .story_hash = story_.hash()};
}

void World::audit_at_rest() {
  const bool keyless = keyless_ || short_keys_;
  auditor_->at_rest({.store = store_, .keyless = keyless, .every_saga = story_.told()});
  mall_auditor_->at_rest();
  figures_.folds = auditor_->folds();
  figures_.breakers_opened = gate_auditor_->breakers_opened();
  for (const auto& [id, saga] : auditor_->sagas()) {
    figures_.replays += saga.state.replay ? 1 : 0;
    figures_.removed += saga.removed ? 1 : 0;
    figures_.words += saga.words.size();
    figures_.completed += saga.state.status == SagaStatus::completed ? 1 : 0;
    figures_.compensated += saga.state.status == SagaStatus::compensated ? 1 : 0;
    const bool ended = saga.state.terminal && saga.state.status != SagaStatus::abandoned;
    figures_.excused += ended ? 0 : 1;
  }
}

}  // namespace skald::sim
