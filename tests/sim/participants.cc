#include "tests/sim/participants.h"

#include <array>

namespace skald::sim {
namespace {

ParticipantAnswer refused(Errc code, std::string why) {
  return {.body = std::unexpected(Error{code, std::move(why)})};
}

}  // namespace

bool Participants::refuses(const Request& request, double refusals) const {
  return static_cast<double>(hash64(request.key, seed_) % 1'000) < refusals * 1'000;
}

Participants::Leg& Participants::leg_of(const SagaId& saga, const std::string& leg) {
  std::string place;
  saga.append_bytes(place);
  return legs_[place + leg];
}

bool Participants::undo_by_hand(const SagaId& saga, const std::string& leg) {
  Leg& of = leg_of(saga, leg);
  const bool done = of.done > of.undone;
  of.undone += done ? 1 : 0;
  of.closed = true;
  return done;
}

ParticipantAnswer Participants::execute(const Request& request, double refusals, Millis now) {
  if (request.is_query) {
    const bool refuse =
        Random::of({seed_, request.saga.serial, hash64(request.leg)}).chance(refusals * 0.3);
    if (refuse) return refused(Errc::not_found, "nothing there");
    return {.body = "q:" + request.leg};
  }
  Leg& leg = leg_of(request.saga, request.leg);
  if (request.operation == Operation::probe) {
    if (leg.done > leg.undone) return {.body = "r:" + request.leg};
    return refused(Errc::not_found, "never seen here");
  }
  const bool keeps = request.method->keys != KeysMode::none;
  const auto known = kept_.find(request.key);
  if (known != kept_.end()) {
    if (known->second.body != request.body) {
      outrage_ = "I9 key " + request.key + " was sent with two different requests";
    }
    const bool forgotten =
        now - known->second.first_seen >= request.method->keys_lifetime + kTravelMax;
    if (keeps && !forgotten) return {.body = known->second.answer};
    // Its key and its tombstone are gone; what it did is not.
    if (keeps) leg.closed = false;
  }
  ParticipantAnswer answer = request.operation == Operation::action ? act(request, leg, refusals)
                                                                    : undo(request, leg, refusals);
  kept_[request.key] = {.body = request.body, .answer = answer.body, .first_seen = now};
  return answer;
}

ParticipantAnswer Participants::act(const Request& request, Leg& leg, double refusals) const {
  if (request.method->keys == KeysMode::barrier && leg.closed) {
    return refused(Errc::failed_precondition, "undone before it ran");
  }
  if (refuses(request, refusals)) {
    constexpr std::array kCodes{Errc::failed_precondition, Errc::already_exists,
                                Errc::invalid_argument, Errc::out_of_range};
    return refused(kCodes[hash64(request.key) % kCodes.size()], "out of stock");
  }
  leg.done += 1;
  return {.body = "r:" + request.leg, .took_effect = true};
}

ParticipantAnswer Participants::undo(const Request& request, Leg& leg, double refusals) {
  const bool barrier = request.method->keys == KeysMode::barrier;
  if (leg.done == leg.undone) {
    if (!barrier) {
      outrage_ = "I1 " + request.key + ": undone without having been done, without a barrier";
    }
    leg.closed = true;
    return {.body = "nothing to undo"};
  }
  if (refuses(request, refusals * 0.2)) return refused(Errc::failed_precondition, "not any more");
  leg.undone += 1;
  leg.closed = leg.closed || barrier;
  return {.body = "u:" + request.leg, .took_effect = true};
}

}  // namespace skald::sim
