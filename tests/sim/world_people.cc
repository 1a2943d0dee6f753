// People: acts on sagas and on their legs, holds, replays; and who helps when the faults have
// stopped.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "engine/core/legal_acts.h"
#include "engine/core/owed.h"
#include "engine/core/replay.h"
#include "engine/runtime/participants.h"
#include "engine/runtime/saga_reader.h"
#include "engine/wire/stored.h"
#include "tests/sim/world.h"

namespace skald::sim {
namespace {

constexpr Millis kRescuedEvery{30'000};
constexpr std::uint64_t kHeldMsMax = 20'000;

enum Chance : std::uint64_t { of_act = 301, of_hand, of_hold, of_replay };

Actor person() { return {.name = "op", .reason = "as the simulator has it"}; }

/// A saga as a person finds it, and what he thinks of one of its legs.
struct Found {
  const KnownSaga& saga;
  ActKind act;
  Instant now;

  [[nodiscard]] const SagaState& state() const { return saga.state; }
  [[nodiscard]] std::vector<LegRef> legs(bool legal) const {
    std::vector<LegRef> found;
    for (std::uint16_t s = 0; s < state().steps.size(); ++s) {
      const bool stuck = !state().steps[s].stuck_reason.empty();
      const std::size_t legs = stuck ? 1 : state().steps[s].legs.size();
      for (std::uint32_t l = 0; l < legs; ++l) {
        const LegRef ref{.step = s, .leg = l};
        if (!legal || judge_act(*saga.definition, state(), act, ref, now).is_legal()) {
          found.push_back(ref);
        }
      }
    }
    return found;
  }
  /// Mostly one of which the act is legal as far as he can see, if there is any.
  [[nodiscard]] std::optional<LegRef> leg(Random& random) const {
    std::vector<LegRef> from = legs(true);
    if (from.empty() || random.chance(0.1)) from = legs(false);
    if (from.empty()) return std::nullopt;
    return from[random.below(from.size())];
  }
  [[nodiscard]] std::string name_of(LegRef ref) const {
    if (ref.leg >= state().steps[ref.step].legs.size()) {
      return saga.definition->steps[ref.step].name;
    }
    return leg_name(*saga.definition, state(), ref);
  }
};

using Asks = std::optional<command::Act>;

template <class Command>
Asks whole(const Found&, Random&) {
  return Command{.actor = person()};
}

template <class Command>
Asks of_leg(const Found& found, Random& random) {
  const auto ref = found.leg(random);
  if (!ref) return std::nullopt;
  return Command{.actor = person(), .leg = found.name_of(*ref)};
}

/// Mostly he looks at the participant and says what is the case.
Asks resolve(const Found& found, Random& random) {
  const auto ref = found.leg(random);
  if (!ref) return std::nullopt;
  const std::string name = found.name_of(*ref);
  const auto book = found.saga.legs.find(name);
  const bool stands = book != found.saga.legs.end() && book->second.net() > 0;
  const bool has_leg = ref->leg < found.state().steps[ref->step].legs.size();
  const auto operation = has_leg
                             ? operation_in_question(found.state().steps[ref->step].legs[ref->leg])
                             : Operation::action;
  const bool truth = stands == (operation == Operation::action);
  const bool says = random.chance(0.8) ? truth : !truth;
  command::Resolve asks{.actor = person(),
                        .leg = name,
                        .happened = says,
                        .hold = random.chance(0.2),
                        .response = {},
                        .operation = {}};
  if (says && random.chance(0.9)) asks.response = "r:" + name;
  if (random.chance(0.5)) asks.operation = operation;
  return asks;
}

Asks amend(const Found& found, Random& random) {
  const auto ref = found.leg(random);
  if (!ref) return std::nullopt;
  command::Amend asks{.actor = person(),
                      .leg = found.name_of(*ref),
                      .request = {},
                      .endpoint = {},
                      .operation = {}};
  if (random.chance(0.7)) asks.request = fmt::format("amended {}", random.below(3));
  if (!asks.request || random.chance(0.3)) {
    asks.endpoint = Endpoint{.participant = fmt::format("p{}", random.below(3)), .path = "/moved"};
  }
  return asks;
}

/// What a person may ask of a saga. To add an act: a Fault for it (faults.h), and a line here.
struct Act {
  Fault fault;
  ActKind kind;
  Asks (*make)(const Found& found, Random& random);
};
constexpr std::array kActs{
    Act{Fault::pause, ActKind::pause, whole<command::Pause>},
    Act{Fault::resume, ActKind::resume, whole<command::Resume>},
    Act{Fault::abandon, ActKind::abandon, whole<command::Abandon>},
    Act{Fault::skip, ActKind::skip, of_leg<command::Skip>},
    Act{Fault::resolve, ActKind::resolve, resolve},
    Act{Fault::amend, ActKind::amend, amend},
    Act{Fault::mark_done, ActKind::mark_done, of_leg<command::MarkDone>},
};

const Act* act_of(Fault fault) {
  const auto found = std::ranges::find(kActs, fault, &Act::fault);
  return found == kActs.end() ? nullptr : &*found;
}

}  // namespace

bool World::undone_by_hand(const SagaId& saga, const std::string& leg) {
  Random random = Random::of({scenario_.seed, Chance::of_hand, saga.serial, hash64(leg)});
  return random.chance(0.7) && participants_.undo_by_hand(saga, leg);
}

/// Whom the act meets: the submission of that salt. An act that overrides what the engine knows
/// goes on to the next of which it is legal, and never meets the mall: an order to which it was
/// done would be neither made nor undone, and every oracle of the mall says so.
const World::Submission* World::victim_of(const Disturbance& what) const {
  const Act* act = act_of(what.fault);
  const bool overrides = act != nullptr && requires_reason(act->kind);
  const Submission* any = nullptr;
  for (std::size_t i = 0; i < submissions_.size(); ++i) {
    const Submission& victim = submissions_[(what.salt + i) % submissions_.size()];
    const KnownSaga* saga = victim.acked ? auditor_->find(*victim.acked) : nullptr;
    if (!overrides) return saga == nullptr ? nullptr : &victim;
    if (saga == nullptr || saga->state.terminal || victim.in_mall) continue;
    any = any == nullptr ? &victim : any;
    const Found found{.saga = *saga, .act = act->kind, .now = engine_now()};
    if (!requires_leg(act->kind) || !found.legs(true).empty()) return &victim;
  }
  return any;
}

std::optional<Input> World::input_of(const Disturbance& what, Ticket ticket,
                                     const KnownSaga& saga) const {
  Random random = Random::of({scenario_.seed, Chance::of_act, what.salt});
  const SagaId id = saga.state.id;
  if (what.fault == Fault::cancel) {
    return input::Cancel{.ticket = ticket, .saga = id, .actor = person()};
  }
  if (what.fault == Fault::retry) {
    // A leg of the saga by name, or all: mostly all.
    const bool all = saga.state.refused.empty() || random.chance(0.7);
    return input::Retry{.ticket = ticket,
                        .saga = id,
                        .actor = person(),
                        .leg = all ? "" : saga.state.failure.value_or(Failure{}).leg};
  }
  if (what.fault == Fault::signal) {
    const std::uint64_t n = random.below(20);
    return input::TakeSignal{
        .ticket = ticket,
        .saga = id,
        .signal = {.id = fmt::format("i{}", n), .name = fmt::format("s{}", n % 2), .payload = "p"}};
  }
  const Act* act = act_of(what.fault);
  if (act == nullptr) return std::nullopt;
  auto asks = act->make({.saga = saga, .act = act->kind, .now = engine_now()}, random);
  if (!asks) return std::nullopt;
  const bool looks = random.chance(0.3);
  return input::Act{.ticket = ticket,
                    .saga = id,
                    .act = std::move(*asks),
                    .expected_seq = looks ? saga.state.seq : 0};
}

void World::act(const Disturbance& what) {
  const Submission* victim = victim_of(what);
  if (victim == nullptr) return;
  const SagaId id = *victim->acked;
  const Ticket ticket = ask({.what = Asked::What::act, .saga = id});
  auto input = input_of(what, ticket, *auditor_->find(id));
  if (!input) return;
  figures_.faults[index_of(what.fault)] += 1;
  if (what.fault == Fault::cancel) tickets_[ticket].what = Asked::What::cancel;
  if (const auto* taken = std::get_if<input::TakeSignal>(&*input)) {
    tickets_[ticket].what = Asked::What::signal;
    tickets_[ticket].signal_id = taken->signal.id;
  }
  story_.tell(now(), what.salt,
              [&] { return fmt::format("a person: {} {}", name(what.fault), id.text()); });
  touched_.insert(id);
  step(seat_of(id), std::move(*input));
}

void World::ask_hold(const Place& place, bool held) {
  if (seats_.empty() || failed_) return;
  gate_auditor_->asked(place);
  Note note{.name = hold_note_name(place.first, place.second), .value = {}};
  if (held) {
    wire::encode_hold(
        {.participant = place.first, .path = place.second, .actor = person(), .at = engine_now()},
        note.value.emplace());
  }
  story_.tell(now(), hash64(note.name, held ? 1 : 0),
              [&] { return fmt::format("a person {} {}", held ? "holds" : "lets go", note.name); });
  const Ticket ticket = ask({.what = Asked::What::hold, .place = place, .held = held});
  step(seats_.front(), input::WriteNotes{.ticket = ticket, .notes = {std::move(note)}});
}

void World::hold_for_a_while(std::uint64_t salt) {
  Random random = Random::of({scenario_.seed, Chance::of_hold, salt});
  Place place{Mall::participant(salt), ""};
  if (random.chance(0.3)) {
    const auto& steps = known_definitions_[random.below(known_definitions_.size())]->steps;
    const StepDefinition& step = steps[random.below(steps.size())];
    const bool undo = step.compensation && random.chance(0.5);
    const Method& method = undo ? step.compensation->method : step.action.method;
    if (!method.participant.empty()) place = {method.participant, method.path};
  }
  figures_.faults[index_of(Fault::hold)] += 1;
  ask_hold(place, true);
  in(Millis{random.between(500, kHeldMsMax)}, [this, place] { ask_hold(place, false); }, false);
}

/// It is durable: every shard is told, as soon as may be.
void World::take_hold_answer(const Place& place, bool held) {
  gate_auditor_->promised(place, held);
  in(Millis{0}, [this, place, held] {
    for (Seat& seat : seats_) {
      step(seat, input::Hold{.participant = place.first, .path = place.second, .held = held});
    }
    gate_auditor_->in_force(place, held);
  });
}

/// As api/replay_service.cc does it.
void World::replay(std::uint64_t salt) {
  Random random = Random::of({scenario_.seed, Chance::of_replay, salt});
  const SagaState* old = nullptr;
  for (std::size_t i = 0; i < submissions_.size() && old == nullptr; ++i) {
    const Submission& of = submissions_[(salt + i) % submissions_.size()];
    const KnownSaga* saga = of.acked && !of.in_mall ? auditor_->find(*of.acked) : nullptr;
    if (saga == nullptr || saga->removed || !saga->state.terminal) continue;
    if (saga->state.status != SagaStatus::completed || random.chance(0.05)) old = &saga->state;
  }
  if (old == nullptr) return;
  std::uint32_t number = 1;
  for (const KeyRow* row = nullptr; (row = auditor_->key(replay_key(old->id, number))) != nullptr;
       ++number) {
    if (!auditor_->find(row->saga)->state.terminal) return;  // wait for it
  }
  const DefinitionPtr definition = registered_->of_saga(old->definition, old->version, old->source);
  if (!definition || !replayable(definition.get(), *old)) return;
  Submission again{.definition = old->definition,
                   .version = old->version,
                   .inline_definition = old->source.empty() ? nullptr : definition,
                   .key = replay_key(old->id, number),
                   .business_key = old->business_key,
                   .input = old->input,
                   .replay = Replay{.of = old->id, .actor = person(), .from = {}, .kept = {}}};
  const auto asked = std::ranges::find(submissions_, again.key, &Submission::key);
  if (asked != submissions_.end()) {  // he clicks again
    return submit(static_cast<std::size_t>(asked - submissions_.begin()));
  }
  const auto& from = definition->steps[random.below(definition->steps.size())].name;
  if (auto kept = kept_before(*definition, *old, *definition, from); kept && random.chance(0.6)) {
    again.replay->from = from;
    again.replay->kept = std::move(*kept);
  }
  figures_.faults[index_of(Fault::replay)] += 1;
  story_.tell(now(), salt, [&] { return "a person replays " + old->id.text(); });
  submissions_.push_back(std::move(again));
  keep_submitting(submissions_.size() - 1);
}

/// When the faults have stopped a person lets go what is held and tries what is stuck again, until
/// nothing is that can be.
void World::rescue_stuck() {
  in(kRescuedEvery, [this] { rescue_stuck(); }, false);
  if (seats_.empty()) return;
  for (const Place& place : std::set(gate_auditor_->held())) ask_hold(place, false);
  for (const auto& [id, saga] : auditor_->sagas()) {
    const bool paused = saga.state.status == SagaStatus::paused;
    if (!paused && saga.state.status != SagaStatus::stuck) continue;
    const Ticket ticket = ask({.what = Asked::What::act, .saga = id});
    if (paused) {
      step(seat_of(id),
           input::Act{.ticket = ticket, .saga = id, .act = command::Resume{.actor = person()}});
    } else {
      step(seat_of(id), input::Retry{.ticket = ticket, .saga = id, .actor = person(), .leg = {}});
    }
  }
}

}  // namespace skald::sim
