// ParticipantService: participants, their health, and holds on them.
#include <array>

#include "engine/api/read_model.h"
#include "engine/api/request_checks.h"
#include "engine/api/saga_service.h"

namespace skald::api {
namespace {

void fill_hold(const ParticipantHold& hold, v1::ParticipantHold& to) {
  to.set_participant(hold.participant);
  to.set_path(hold.path);
  to.set_actor(hold.actor.name);
  to.set_reason(hold.actor.reason);
  fill_time(hold.at, *to.mutable_at());
}

void fill_method(const ParticipantFigures& figures, v1::ParticipantMethod& to) {
  const Gates::Load& load = figures.load;
  to.set_participant(load.participant);
  to.set_path(load.path);
  to.set_in_flight(load.in_flight);
  to.set_in_flight_max(load.limit);
  to.set_queued(load.queued);
  to.set_breaker(static_cast<v1::BreakerState::Value>(load.breaker));
  if (load.tries_at != kNever) fill_time(load.tries_at, *to.mutable_tries_at());
  to.set_answers(load.answers);
  to.set_failures(load.sick);
  to.set_recent_failures(load.recent_sick);
  to.set_recent_latency_ms(load.recent_took_ms);
  if (figures.hold) fill_hold(*figures.hold, *to.mutable_hold());
}

Result<void> check_place(const std::string& participant, const std::string& path) {
  const std::array<TextRule, 2> rules{{
      {.field = "participant", .text = participant, .size_max = kHoldNameMax, .required = true},
      {.field = "path", .text = path, .size_max = kHoldNameMax},
  }};
  if (auto checked = check_texts(rules); !checked) return checked;
  if (path.empty() || path.front() == '/') return {};
  return fail(Errc::invalid_argument, "path: \"{}\" does not begin with /", path);
}

Answer<ParticipantHold> told(Reply<v1::ParticipantHold> reply) {
  return [reply = std::move(reply)](Result<ParticipantHold> hold) mutable {
    if (!hold) return reply(std::unexpected(std::move(hold.error())));
    v1::ParticipantHold to;
    fill_hold(*hold, to);
    reply(std::move(to));
  };
}

}  // namespace

void SagaService::list_participants(v1::ListParticipantsRequest request, const CallContext&,
                                    Reply<v1::ListParticipantsResponse> reply) {
  v1::ListParticipantsResponse to;
  for (const ParticipantFigures& figures : engine_.participants()) {
    const bool wanted =
        request.participant().empty() || figures.load.participant == request.participant();
    if (wanted) fill_method(figures, *to.add_methods());
  }
  reply(std::move(to));
}

void SagaService::hold(v1::HoldRequest request, const CallContext&,
                       Reply<v1::ParticipantHold> reply) {
  if (auto checked = check_place(request.participant(), request.path()); !checked) {
    return reply(std::unexpected(checked.error()));
  }
  if (request.reason().empty()) {
    return reply(fail(Errc::invalid_argument, "reason: is required; sagas will wait for it"));
  }
  auto actor = read_actor(request);
  if (!actor) return reply(std::unexpected(actor.error()));
  engine_.hold({.participant = std::move(*request.mutable_participant()),
                .path = std::move(*request.mutable_path()),
                .actor = std::move(*actor)},
               told(std::move(reply)));
}

void SagaService::release(v1::ReleaseRequest request, const CallContext&,
                          Reply<v1::ParticipantHold> reply) {
  if (auto checked = check_place(request.participant(), request.path()); !checked) {
    return reply(std::unexpected(checked.error()));
  }
  engine_.release(std::move(*request.mutable_participant()), std::move(*request.mutable_path()),
                  told(std::move(reply)));
}

}  // namespace skald::api
