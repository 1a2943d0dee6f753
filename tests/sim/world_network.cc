// The network between the engine and the participants: what each attempt may meet. What comes back
// is what the wire did; the real classifier says what it means.
#include <fmt/format.h>

#include "engine/transport/outcome.h"
#include "tests/sim/world.h"

namespace skald::sim {
namespace {

enum Chance : std::uint64_t { of_attempt = 200 };

std::uint64_t word_of(const Invocation& call) {
  const auto parts =
      (std::uint64_t{call.attempt} << 8) | static_cast<std::uint64_t>(call.operation);
  return hash64(call.leg, call.saga_id.placement ^ mix64(parts));
}

Request request_of(const Invocation& call) {
  return {.saga = call.saga_id,
          .leg = call.leg,
          .operation = call.operation,
          .attempt = call.attempt,
          .key = call.idempotency_key,
          .method = call.method,
          .is_query = call.definition->steps[call.ref.step].kind == StepKind::query,
          .body = call.request};
}

std::string attempt_text(const Invocation& call) {
  return fmt::format("{} {}/{}#{}", call.saga_id.text(), call.leg, name(call.operation),
                     call.attempt);
}

constexpr Millis kKeysLast{60'000};
constexpr Truth kNeverRan{};
constexpr Truth kMayHaveRun{.ran = true};

}  // namespace

ParticipantAnswer World::execute(const Request& request) {
  ParticipantAnswer answer = Mall::serves(*request.method)
                                 ? mall_.execute(request, clock_.wall())
                                 : participants_.execute(request, mix_.of(Fault::refusal), now());
  if (const auto outrage = participants_.take_outrage(); !outrage.empty()) {
    auditor_->outrageous(request, outrage);
  }
  if (!answer.body) figures_.faults[index_of(Fault::refusal)] += 1;
  auditor_->executed(request, answer.took_effect);
  if (Mall::serves(*request.method)) mall_auditor_->executed(request, answer);
  return answer;
}

void World::reply(Invocation call, WireAnswer answer, Millis after) {
  in(after, [this, call = std::move(call), answer = std::move(answer)]() mutable {
    const std::int64_t wall_s = to_unix_ms(clock_.wall()) / 1'000;
    Outcome outcome = classify(*call.method, answer.exchange, call.after_unknown, wall_s);
    auditor_->means(call, outcome, answer.truth);
    story_.tell(now(), word_of(call) ^ mix64(static_cast<std::uint64_t>(outcome.kind)), [&] {
      return fmt::format("{} -> {} {}", attempt_text(call), name(outcome.kind), outcome.code);
    });
    const auto out = out_.find(call.saga_id);
    if (out != out_.end() && --out->second == 0) out_.erase(out);
    const bool yes = outcome.kind == OutcomeKind::succeeded;
    touched_.insert(call.saga_id);
    Seat& seat = seat_of(call.saga_id);
    gate_auditor_->answered(seat.index, call, outcome, engine_now());
    step(seat, input::Reply{.saga = call.saga_id,
                            .leg = call.ref,
                            .operation = call.operation,
                            .attempt = call.attempt,
                            .lane = call.lane,
                            .outcome = std::move(outcome),
                            .response = yes ? std::move(answer.exchange.response.body) : Bytes{}});
  });
}

/// Lands whatever becomes of the engine. `keep` is the definition that owns the method.
void World::deliver_later(const Invocation& call, Millis delay) {
  in(
      delay,
      [this, request = request_of(call), keep = call.definition, amended = call.amended] {
        story_.tell(now(), hash64(request.key), [&] { return request.key + " lands unanswered"; });
        (void)execute(request);
      },
      false);
}

void World::answer_when_executed(Invocation call, Millis there, Millis back) {
  in(
      there,
      [this, call = std::move(call), back, life = life_]() mutable {
        const ParticipantAnswer answer = execute(request_of(call));
        if (life != life_) return;
        WireAnswer wire{.exchange = answer.body ? wire_yes(*call.method, *answer.body)
                                                : wire_no(*call.method, answer.body.error()),
                        .truth = {.ran = answer.body.has_value(),
                                  .said_yes = answer.body.has_value(),
                                  .said_no = !answer.body.has_value()}};
        reply(std::move(call), std::move(wire), back);
      },
      false);
}

/// Faults that keep the participant's own answer from coming back. nullopt: none strikes, and it is
/// asked and answers.
std::optional<World::Met> World::meet(const Invocation& call, Random& random, Millis there) {
  const Method& method = *call.method;
  const bool keeps = method.keys != KeysMode::none;
  const Millis back{random.below(20)};
  const auto strikes_now = [&](Fault fault) {
    const bool struck = strikes(random, fault);
    if (struck) figures_.faults[index_of(fault)] += 1;
    return struck;
  };
  const auto runs = [&] { deliver_later(call, there); };
  const auto perhaps_runs = [&] {
    if (random.chance(0.5)) runs();
  };
  const auto outage = outages_.find(method.participant);
  const bool out = outage != outages_.end() && now() < outage->second;
  if (strikes_now(Fault::not_connected) || out) {
    return Met{{wire_end(ExchangeEnd::not_connected), kNeverRan}, there};
  }
  if (strikes_now(Fault::busy)) {
    return Met{{wire_busy(method, random, to_unix_ms(clock_.wall()) / 1'000), kNeverRan}, there};
  }
  if (strikes_now(Fault::misconfigured)) {
    return Met{{wire_misconfigured(method, random), kNeverRan}, there};
  }
  if (strikes_now(Fault::lost_race)) return Met{{wire_lost_race(method), kNeverRan}, there};
  if (strikes_now(Fault::request_lost)) {
    return Met{{wire_end(ExchangeEnd::timed_out), kMayHaveRun}, call.timeout};
  }
  if (strikes_now(Fault::reply_lost)) {
    runs();
    return Met{{wire_end(ExchangeEnd::timed_out), kMayHaveRun}, call.timeout};
  }
  if (strikes_now(Fault::reset)) {
    perhaps_runs();
    return Met{{wire_end(ExchangeEnd::reset), kMayHaveRun}, there + back};
  }
  if (strikes_now(Fault::garbled)) {
    perhaps_runs();
    return Met{{wire_garbled(method, random), kMayHaveRun}, there + back};
  }
  if (strikes_now(Fault::server_error)) {
    if (declares_503(method) && random.chance(0.5))
      return Met{{wire_503(method), kNeverRan}, there};
    perhaps_runs();
    return Met{{wire_server_error(method, random), kMayHaveRun}, there + back};
  }
  // Landing after it was given up is a participant's burden that only keys can carry, as long as
  // the engine counts on them: once they have lived out, a probe settles it.
  const bool lasting = keeps && method.keys_lifetime >= kKeysLast;
  if (strikes_now(Fault::late) && lasting) {
    deliver_later(call, call.timeout + Millis{random.below(3'000)});
    return Met{{wire_end(ExchangeEnd::timed_out), kMayHaveRun}, call.timeout};
  }
  if (strikes_now(Fault::accepted) && lasting) {
    deliver_later(call, there + Millis{random.below(500)});
    return Met{{wire_accepted(method, random), {.ran = true, .accepted = true}}, there + back};
  }
  if (strikes_now(Fault::duplicate) && keeps) {
    deliver_later(call, there + Millis{random.below(2'000)});
  }
  return std::nullopt;
}

void World::send(Invocation call, bool query) {
  auditor_->leaves(call, query);
  figures_.calls += 1;
  story_.tell(now(), word_of(call), [&] { return attempt_text(call) + " sent"; });
  out_[call.saga_id] += 1;
  Random random = Random::of({scenario_.seed, Chance::of_attempt, word_of(call)});
  const Millis there{random.below(20)};
  if (auto met = meet(call, random, there)) {
    return reply(std::move(call), std::move(met->answer), met->after);
  }
  answer_when_executed(std::move(call), there, Millis{random.below(20)});
}

}  // namespace skald::sim
