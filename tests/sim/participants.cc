#include "tests/sim/participants.h"

#include <fmt/format.h>

namespace skald::sim {
namespace {

Response succeeded(Bytes body) {
  return {.outcome = {.kind = OutcomeKind::succeeded, .code = "ok", .message = {}},
          .body = std::move(body)};
}

Response rejected(std::string code) {
  return {.outcome = {.kind = OutcomeKind::rejected, .code = std::move(code), .message = {}},
          .body = {}};
}

}  // namespace

Response Participants::execute(const Request& request) {
  if (request.is_query) {
    const bool refuse =
        static_cast<double>(hash64(request.leg + request.saga, seed_) % 1'000) < reject_ * 300;
    return refuse ? rejected("not_found") : succeeded("q:" + request.leg);
  }
  const auto [body, first] = bodies_.try_emplace(request.key, request.body);
  if (!first && body->second != request.body) {
    outrage_ = fmt::format("key {} was sent with two different requests", request.key);
  }
  const bool keeps = request.keys != KeysMode::none && request.operation != Operation::probe;
  if (keeps) {
    if (const auto known = answers_.find(request.key); known != answers_.end())
      return known->second;
  }
  Response response;
  switch (request.operation) {
    case Operation::action:
      response = act(request);
      break;
    case Operation::compensation:
      response = undo(request);
      break;
    case Operation::probe:
      return probe(request);
  }
  if (keeps) answers_[request.key] = response;
  return response;
}

Response Participants::act(const Request& request) {
  const std::string place = request.saga + "/" + request.leg;
  if (request.keys == KeysMode::barrier && tombstones_.contains(place))
    return rejected("undone_before");
  const bool refuse = static_cast<double>(hash64(request.key, seed_) % 1'000) < reject_ * 1'000;
  if (refuse) return rejected("failed_precondition");
  Effect& effect = effects_[place];
  effect.done += 1;
  effect.ever_done = true;
  if (effect.done - effect.undone > 1) {
    outrage_ = fmt::format("{} was done twice (keys {})", place, name(request.keys));
  }
  return succeeded("r:" + request.leg);
}

Response Participants::undo(const Request& request) {
  const std::string place = request.saga + "/" + request.leg;
  Effect& effect = effects_[place];
  if (effect.done == effect.undone) {
    if (request.keys != KeysMode::barrier) {
      outrage_ = fmt::format(
          "{} was undone without having been done, and its participant keeps no barrier", place);
    }
    tombstones_[place] = true;
    return succeeded("empty");
  }
  effect.undone += 1;
  if (request.keys == KeysMode::barrier) tombstones_[place] = true;
  return succeeded("u:" + request.leg);
}

Response Participants::probe(const Request& request) {
  const Effect& effect = effects_[request.saga + "/" + request.leg];
  return effect.done > effect.undone ? succeeded("r:" + request.leg) : rejected("not_found");
}

}  // namespace skald::sim
