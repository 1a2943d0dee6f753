#include "tests/support/core_world.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "engine/base/hash.h"
#include "engine/core/evolve.h"
#include "engine/core/invariants.h"
#include "engine/core/legal_acts.h"
#include "engine/core/order.h"
#include "tests/support/given.h"

namespace skald::test {
namespace {

const Actor kAda{.name = "ada", .reason = "looked at it"};
constexpr int kHealingRoundsMax = 2'000;

/// Only where keys outlive any delay: a participant that forgot them cannot tell a late request.
bool may_be_late(const StepDefinition& step, Operation operation) {
  const Method& method = plan_of(step, operation).method;
  return operation != Operation::probe && method.keys != KeysMode::none &&
         method.keys_lifetime >= kLifetime;
}

std::string words(const Definition& definition, const SagaState& state, const Send& send) {
  return fmt::format("{} {} #{}", name(send.operation), leg_name(definition, state, send.leg),
                     send.attempt);
}

}  // namespace

std::uint64_t Dice::next() {
  state_ += 0x9E3779B97F4A7C15ULL;
  return mix64(state_);
}

CoreWorld::CoreWorld(DefinitionPtr definition, std::uint64_t seed, bool tells)
    : definition_(std::move(definition)), dice_(seed), now_(kStart), tells_(tells) {}

template <class... Args>
void CoreWorld::tell(fmt::format_string<Args...> text, Args&&... args) {
  if (tells_) story_.push_back(fmt::format(text, std::forward<Args>(args)...));
}

void CoreWorld::expect(bool holds, std::string sentence) {
  if (!holds) wrong_.push_back(std::move(sentence));
}

std::string CoreWorld::story() const {
  return fmt::format("{}\nwrong: {}\n", fmt::join(story_, "\n"), fmt::join(wrong_, "; "));
}

void CoreWorld::run(command::Body body) {
  const SagaState before = state_;
  Decision decision;
  const auto done = decide(*definition_, state_, {.at = now_, .body = std::move(body)}, decision);
  commands_ += 1;
  if (tells_) {
    for (const Event& event : decision.events) story_.push_back("           " + kind_of(event));
    tell("{:>8} {} {}", (now_ - kStart).count(), name(state_.status),
         done ? "" : done.error().message);
  }
  if (!done && decision.events.empty()) {
    expect(state_ == before, "a refused command changed the state");
  }
  take(decision, before);
  check(decision, before);
}

void CoreWorld::take(Decision& decision, const SagaState& before) {
  expect(!before.terminal || decision.events.empty(), "an event after the end");
  for (Event& event : decision.events) history_.push_back(std::move(event));
  // The submission is acknowledged, so its start is written.
  if (decision.durable || durable_ == 0) durable_ = history_.size();
  for (const Want& want : decision.wants) {
    if (std::ranges::find(queue_, want) == queue_.end()) queue_.push_back(want);
  }
  for (const Send& send : decision.sends) {
    const StepDefinition& step = definition_->steps[send.leg.step];
    expect(step.kind == StepKind::query || decision.durable, "sent before its intent was durable");
    const bool again = std::ranges::any_of(flights_, [&](const Flight& flight) {
      return flight.send.leg == send.leg && flight.send.operation == send.operation &&
             step.kind != StepKind::query;
    });
    expect(!again, "two attempts of one operation in flight: " + words(*definition_, state_, send));
    flights_.push_back({.send = send,
                        .key = operation_key(*definition_, state_, send.leg, send.operation),
                        .keys = plan_of(step, send.operation).method.keys,
                        .may_be_late = may_be_late(step, send.operation)});
  }
  if (wake_at_ > now_) wake_at_ = next_wake(state_, now_);
}

void CoreWorld::check(const Decision& decision, const SagaState& before) {
  SagaState folded;
  folded.id = state_.id;
  // Folding everything each time is quadratic: a stride of the commands is enough, and the end.
  if (commands_ % 8 == 0 || state_.terminal) {
    for (const Event& event : history_) evolve(folded, event);
    expect(folded == state_, "the events do not fold to the state that decide() left");
  }
  for (const std::string& sentence : violated(*definition_, state_)) wrong_.push_back(sentence);
  const Owed owes = owed(*definition_, state_, now_);
  for (const Send& send : owes.in_flight) {
    const bool known =
        std::ranges::any_of(flights_, [&](const Flight& flight) { return flight.send == send; });
    expect(known, "in flight, but never sent: " + words(*definition_, state_, send));
  }
  if (wake_at_ > now_) {
    for (const Want& want : owes.wants) {
      expect(std::ranges::any_of(queue_, [&](const Want& q) { return q.leg == want.leg; }),
             "a want was lost: " + leg_name(*definition_, state_, want.leg));
    }
  }
  bool forward = before.decided && !before.undoing;
  for (const Event& event : decision.events) {
    if (std::holds_alternative<event::PivotPassed>(event.body)) forward = true;
    expect(!forward || !std::holds_alternative<event::UndoBegan>(event.body),
           "the way back began behind the pivot");
    if (const auto* intended = std::get_if<event::Intended>(&event.body)) {
      expect(intended->operation != Operation::compensation ||
                 before.steps[intended->leg.step].legs[intended->leg.leg].action.phase !=
                     Phase::in_flight,
             "a compensation began while its action was in flight");
    }
  }
  check_books();
}

/// What really happened, as nobody but the participants knows it.
void CoreWorld::check_books() {
  for (const auto& [ref, books] : books_) {
    const StepDefinition& step = definition_->steps[ref.step];
    const int standing = books.actions - books.compensations;
    const std::string leg = leg_name(*definition_, state_, ref);
    expect(standing >= 0, leg + ": undone, but never done");
    expect(standing <= 1, leg + ": done twice");
    if (!state_.terminal || state_.abandoned_by) continue;
    if (state_.undoing) {
      const bool harmless = step.call_class == CallClass::compensatable && !step.compensation;
      expect(standing == 0 || harmless, leg + ": compensated, but it still stands");
    } else {
      const bool skipped = state_.steps[ref.step].legs[ref.leg].stage == LegStage::skipped;
      expect(standing == (skipped ? 0 : 1),
             fmt::format("{}: completed, but it stands {} times", leg, standing));
    }
  }
}

Outcome CoreWorld::carry_out(const Send& send, KeysMode keys) {
  Books& books = books_[send.leg];
  if (send.operation == Operation::probe) {
    return books.actions > books.compensations ? succeeded() : rejected("not_found");
  }
  if (send.operation == Operation::action) {
    if (keys == KeysMode::barrier && books.tombstone) return rejected("too_late");
    books.actions += 1;
    return succeeded();
  }
  if (keys == KeysMode::barrier && books.actions == books.compensations) {
    books.tombstone = true;  // an undo of nothing
    return succeeded();
  }
  books.compensations += 1;
  return succeeded();
}

Outcome CoreWorld::deliver(const Flight& flight, bool refuse) {
  const bool query = definition_->steps[flight.send.leg.step].kind == StepKind::query;
  if (query) return refuse ? rejected() : succeeded();
  const bool keeps = flight.keys != KeysMode::none && flight.send.operation != Operation::probe;
  const auto stored = answers_.find(flight.key);
  if (keeps && stored != answers_.end()) return stored->second;
  const Outcome outcome = refuse ? rejected() : carry_out(flight.send, flight.keys);
  if (keeps) answers_[flight.key] = outcome;
  return outcome;
}

void CoreWorld::start() {
  tell("start");
  run(command::Start{.id = kSaga});
}

void CoreWorld::dispatch(std::size_t index) {
  const Want want = queue_[index];
  queue_.erase(queue_.begin() + static_cast<std::ptrdiff_t>(index));
  tell("dispatch {} {}", name(want.operation), leg_name(*definition_, state_, want.leg));
  run(command::Dispatch{.leg = want.leg, .operation = want.operation});
}

void CoreWorld::answer(std::size_t index, Fate fate) {
  const Flight flight = flights_[index];
  flights_.erase(flights_.begin() + static_cast<std::ptrdiff_t>(index));
  const bool keeps = flight.keys != KeysMode::none && flight.send.operation != Operation::probe;
  Outcome outcome = unknown();
  switch (fate) {
    case Fate::answered:
      outcome = deliver(flight, false);
      break;
    case Fate::refused:
      outcome = deliver(flight, true);
      break;
    case Fate::not_delivered:
      outcome = not_executed();
      break;
    case Fate::answer_lost:
      (void)deliver(flight, false);
      break;
    case Fate::late:
      if (flight.may_be_late) late_.push_back(flight);
      break;
    case Fate::accepted:
      if (keeps && !answers_.contains(flight.key)) outcome = pending();
      break;
    case Fate::request_lost:
      break;
  }
  if (tells_) tell("{} {}", name(outcome.kind), words(*definition_, state_, flight.send));
  run(command::Reply{.leg = flight.send.leg,
                     .operation = flight.send.operation,
                     .attempt = flight.send.attempt,
                     .outcome = outcome,
                     .response = "receipt"});
}

void CoreWorld::crash() {
  // What was on its way arrives, or not, or later.
  for (const Flight& flight : flights_) {
    if (dice_.one_in(2)) {
      (void)deliver(flight, dice_.one_in(8));
    } else if (flight.may_be_late && dice_.one_in(2)) {
      late_.push_back(flight);
    }
  }
  flights_.clear();
  queue_.clear();
  history_.resize(durable_);
  const SagaId id = state_.id;
  state_ = {};
  state_.id = id;
  for (const Event& event : history_) evolve(state_, event);
  wake_at_ = now_;  // the Wake that follows Recover
  tell("crash, recover");
  run(command::Recover{});
  expect(state_.in_flight == 0, "recovery left an attempt in flight");
  wake_at_ = kNever;
  tell("wake");
  run(command::Wake{});
}

void CoreWorld::cancel() {
  tell("cancel");
  run(command::Cancel{.actor = {.name = "ada", .reason = "changed her mind"}});
}

void CoreWorld::signal(const std::string& id, const std::string& signal_name) {
  tell("signal {}", signal_name);
  run(command::TakeSignal{.signal = {.id = id, .name = signal_name, .payload = "payload"}});
}

void CoreWorld::retry() {
  tell("retry");
  run(command::Retry{.actor = {.name = "ada", .reason = "fixed"}});
}

void CoreWorld::pause_or_resume() {
  tell("{}", state_.paused ? "resume" : "pause");
  if (state_.paused) return run(command::Resume{.actor = kAda});
  run(command::Pause{.actor = kAda});
}

/// Some legal act on some leg. Where it says what happened, it says the truth.
void CoreWorld::act_on_a_leg() {
  std::vector<ActVerdict> acts = legal_acts(*definition_, state_, now_);
  std::erase_if(acts, [](const ActVerdict& verdict) {
    return !verdict.is_legal() || !verdict.leg || verdict.act == ActKind::retry;
  });
  if (acts.empty()) return;
  const ActVerdict chosen = acts[dice_.below(static_cast<std::uint32_t>(acts.size()))];
  const LegRef ref = *chosen.leg;
  // Nobody knows the truth while a request is still on its way.
  if (std::ranges::any_of(late_, [&](const Flight& f) { return f.send.leg == ref; })) return;
  std::string leg = leg_name(*definition_, state_, ref);
  tell("{} {}", name(chosen.act), leg);
  if (chosen.act == ActKind::skip) return run(command::Skip{.actor = kAda, .leg = leg});
  if (chosen.act == ActKind::amend) {
    return run(command::Amend{
        .actor = kAda, .leg = leg, .request = fmt::format("{}", dice_.next()), .endpoint = {}});
  }
  Books& books = books_[ref];
  if (chosen.act == ActKind::mark_done) {
    if (books.actions > books.compensations) books.compensations += 1;
    books.tombstone = true;
    return run(command::MarkDone{.actor = kAda, .leg = leg});
  }
  const LegState& state = state_.steps[ref.step].legs[ref.leg];
  const bool stands = books.actions > books.compensations;
  const bool is_undo = operation_in_question(state) == Operation::compensation;
  run(command::Resolve{.actor = kAda,
                       .leg = leg,
                       .happened = is_undo ? !stands : stands,
                       .hold = dice_.one_in(4),
                       .response = "receipt"});
}

void CoreWorld::abandon() {
  tell("abandon");
  run(command::Abandon{.actor = kAda});
}

void CoreWorld::pass(Millis time) {
  now_ += time;
  while (!late_.empty() && dice_.one_in(2)) {
    const Flight request = late_.back();
    late_.pop_back();
    (void)deliver(request, false);
  }
  if (wake_at_ > now_) return;
  wake_at_ = kNever;
  tell("wake");
  run(command::Wake{});
}

void CoreWorld::pass_to_wake() {
  if (wake_at_ != kNever) pass(std::max(Millis{0}, wake_at_ - now_));
}

/// Nothing the engine could do: a leg in doubt at a participant without keys or probe.
bool CoreWorld::is_asked_for_a_person() const {
  return state_.status == SagaStatus::stuck && queue_.empty() && flights_.empty() &&
         std::ranges::any_of(state_.steps, [](const StepState& step) {
           return std::ranges::any_of(step.legs, [](const LegState& leg) {
             const auto doubted = [](const OperationState& op) {
               return op.phase == Phase::stopped && op.maybe;
             };
             return doubted(leg.action) || (leg.undo && doubted(*leg.undo));
           });
         });
}

bool CoreWorld::steps_towards_end() {
  if (!queue_.empty()) return dispatch(0), true;
  if (!flights_.empty()) return answer(0, Fate::answered), true;
  if (state_.paused) return pause_or_resume(), true;
  // A wait gets its signal, not its timeout.
  for (std::uint16_t s = 0; s < state_.steps.size() && !state_.undoing; ++s) {
    const std::string& awaited = definition_->steps[s].wait.signal;
    if (awaited.empty() || state_.steps[s].stage != StepStage::running) continue;
    return signal(fmt::format("healing-{}", signals_++), awaited), true;
  }
  if (wake_at_ != kNever) return pass_to_wake(), true;
  if (state_.status == SagaStatus::stuck) return retry(), true;
  return false;
}

bool CoreWorld::heals() {
  for (int round = 0; round < kHealingRoundsMax && wrong_.empty(); ++round) {
    if (state_.terminal) break;
    // A person may retry all but what is in doubt; then it is up to them to find out.
    if (is_asked_for_a_person() && wake_at_ == kNever) {
      const std::uint64_t before = state_.seq;
      retry();
      if (state_.seq == before) return true;
      continue;
    }
    if (!steps_towards_end()) break;
  }
  while (!flights_.empty()) answer(0, Fate::answered);  // stale ones change nothing
  while (!late_.empty()) pass(Millis{1});
  check_books();
  return state_.terminal;
}

}  // namespace skald::test
