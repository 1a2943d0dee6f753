// The network between the engine and the participants: what each attempt may meet.
#include <fmt/format.h>

#include "tests/sim/world.h"

namespace skald::sim {
namespace {

std::string attempt_name(const Invocation& call) {
  return fmt::format("{}/{}#{}", call.leg, name(call.operation), call.attempt);
}

Response unknown(std::string code) {
  return {.outcome = {.kind = OutcomeKind::unknown, .code = std::move(code), .message = {}},
          .body = {}};
}

}  // namespace

Request World::request_of(const Invocation& call) const {
  const StepDefinition& step = call.definition->steps[call.ref.step];
  return {.saga = call.saga_id.text(),
          .leg = call.leg,
          .operation = call.operation,
          .key = call.idempotency_key,
          .keys = call.method->keys,
          .is_query = step.kind == StepKind::query,
          .body = call.request};
}

Response World::execute(const Request& request) {
  Response response = participants_.execute(request);
  if (!participants_.outrage().empty()) wrong(participants_.outrage());
  if (response.outcome.kind == OutcomeKind::rejected) figures_.rejections += 1;
  return response;
}

void World::reply(const Invocation& call, Response response, Millis after) {
  input::Reply reply{.saga = call.saga_id,
                     .leg = call.ref,
                     .operation = call.operation,
                     .attempt = call.attempt,
                     .lane = call.lane,
                     .outcome = std::move(response.outcome),
                     .response = std::move(response.body)};
  in(after, [this, reply = std::move(reply), out = attempt_name(call)]() mutable {
    trace(fmt::format("{} {} -> {} {}", reply.saga.text(), out, name(reply.outcome.kind),
                      reply.outcome.code));
    out_[reply.saga].erase(out);
    const SagaId id = reply.saga;
    step(std::move(reply));
    touched_.insert(id);
  });
}

void World::send(Invocation call, bool query) {
  audit_send(call, query);
  figures_.calls += 1;
  trace(fmt::format("{} {} sent", call.saga_id.text(), attempt_name(call)));
  out_[call.saga_id].insert(attempt_name(call));
  const Request request = request_of(call);
  const bool keeps = call.method->keys != KeysMode::none;
  const Millis there{random_.below(20)};
  const Millis back{random_.below(20)};
  if (random_.chance(faults_.refused)) {
    figures_.refused += 1;
    std::optional<Millis> wait;
    if (random_.chance(0.3)) wait = Millis{random_.below(500)};
    return reply(call,
                 {.outcome = {.kind = OutcomeKind::not_executed,
                              .code = "refused",
                              .message = {},
                              .retry_after = wait},
                  .body = {}},
                 there);
  }
  if (random_.chance(faults_.request_lost)) {
    figures_.lost += 1;
    return reply(call, unknown("timeout"), call.timeout);
  }
  if (random_.chance(faults_.reply_lost)) {
    figures_.lost += 1;
    in(there, [this, request] { (void)execute(request); }, false);
    return reply(call, unknown("reset"), there + back);
  }
  // Landing after it was given up is a participant's burden that only keys can carry.
  if (keeps && random_.chance(faults_.late)) {
    figures_.late += 1;
    in(
        call.timeout + Millis{random_.below(3'000)}, [this, request] { (void)execute(request); },
        false);
    return reply(call, unknown("timeout"), call.timeout);
  }
  if (keeps && random_.chance(faults_.pending)) {
    figures_.pending += 1;
    in(there + Millis{random_.below(500)}, [this, request] { (void)execute(request); }, false);
    return reply(
        call, {.outcome = {.kind = OutcomeKind::pending, .code = "425", .message = {}}, .body = {}},
        there);
  }
  if (keeps && random_.chance(faults_.duplicate)) {
    figures_.duplicates += 1;
    in(there + Millis{random_.below(2'000)}, [this, request] { (void)execute(request); }, false);
  }
  // Executed when it arrives; the answer travels back, if the engine still lives.
  auto life = life_;
  in(
      there,
      [this, call = std::move(call), request, back, life]() mutable {
        Response response = execute(request);
        if (life == life_) reply(call, std::move(response), back);
      },
      false);
}

}  // namespace skald::sim
