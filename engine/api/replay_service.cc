#include "engine/api/replay_service.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "engine/api/merge_patch.h"
#include "engine/api/payload.h"
#include "engine/api/payload_diff.h"
#include "engine/api/request_checks.h"
#include "engine/api/simulation.h"
#include "engine/base/hash.h"
#include "engine/core/owed.h"
#include "engine/core/replay.h"

namespace skald::api {
namespace {

std::string printed(const BytesPrinter& print, const Bytes& bytes) {
  return print ? print(bytes) : bytes;
}

/// The old input as input of `next`, patched where a patch is given.
Result<Bytes> input_of(const SagaSnapshot& old, const Definition& next,
                       const v1::ReplayRequest& from) {
  const Definition& known = old.definition ? *old.definition : next;
  const bool same = &known == &next || known.input_type == next.input_type;
  if (!from.has_input_patch() && same) return old.state.input;
  google::protobuf::Value input;
  if (!read_json(printed(known.print_input, old.state.input), input)) {
    return fail(Errc::failed_precondition,
                "input_patch: the input of saga {} is not JSON and cannot be patched",
                old.state.id.text());
  }
  if (from.has_input_patch()) merge_patch(from.input_patch(), input);
  auto text = json_text(input, "input_patch");
  if (!text || !next.read_input) return text;
  auto bytes = next.read_input(InputForm::json, *text);
  if (bytes) return bytes;
  return fail(bytes.error().code, "input_patch: {}", bytes.error().message);
}

std::uint64_t replay_hash(const SubmitRequest& request) {
  constexpr std::uint64_t kReplaySeed = 3;  // Stored with keys. Never change.
  const std::uint64_t body = mix64(body_hash(request) ^ kReplaySeed);
  return hash64(request.business_key, hash64(request.replay->from, body));
}

Result<std::string> business_key_of(const SagaState& old, const v1::ReplayRequest& from,
                                    std::uint32_t number) {
  const std::string& asked = from.new_business_key();
  const std::array<TextRule, 1> rules{
      {{.field = "new_business_key", .text = asked, .size_max = kBusinessKeyMax}}};
  if (auto checked = check_texts(rules); !checked) return std::unexpected(checked.error());
  if (!asked.empty() || old.business_key.empty()) return asked;
  std::string made = fmt::format("{}-r{}", old.business_key, number);
  if (made.size() <= kBusinessKeyMax) return made;
  return fail(Errc::invalid_argument, "new_business_key: {} is too long; give another one", made);
}

Script script_of(const SagaSnapshot& old, const SubmitRequest& request) {
  Script script{.start = {.id = {.placement = hash64(request.idempotency_key), .serial = 0},
                          .idempotency_key = request.idempotency_key,
                          .business_key = request.business_key,
                          .body_hash = request.body_hash,
                          .input = request.input,
                          .replay = request.replay},
                .at = old.now,
                .actions = {},
                .signals = {},
                .assume_success = true};
  if (!old.definition) return script;
  const SagaState& state = old.state;
  for (std::uint16_t s = 0; s < state.steps.size(); ++s) {
    const StepState& step = state.steps[s];
    if (step.legs.empty() && step.has_output) {
      script.signals.emplace(old.definition->steps[s].name, step.output);
    }
    for (std::uint32_t l = 0; l < step.legs.size(); ++l) {
      if (!step.legs[l].has_response) continue;
      script.actions.emplace(leg_name(*old.definition, state, {.step = s, .leg = l}),
                             RehearsedAnswer{.outcome = {.kind = OutcomeKind::succeeded},
                                             .response = step.legs[l].response});
    }
  }
  return script;
}

void fill_request(const Definition& definition, const SagaState& state,
                  const RehearsedRequest& from, v1::ReplayResponse::Request& to) {
  const StepDefinition& step = definition.steps[from.leg.step];
  const Endpoint endpoint = endpoint_of(definition, state, from.leg, from.operation);
  to.set_leg(leg_name(definition, state, from.leg));
  to.set_operation(std::string(name(from.operation)));
  to.set_participant(endpoint.participant);
  to.set_path(endpoint.path);
  to.set_assumed(from.assumed);
  to.set_effect(step.kind == StepKind::call);
  const bool action = from.operation == Operation::action;
  google::protobuf::Value value;
  if (read_json(printed(action ? step.print_request : step.print_undo_request, from.request),
                value)) {
    *to.mutable_request() = std::move(value);
  }
}

}  // namespace

ReplayService::ReplayService(Engine& engine, ServiceOptions options)
    : engine_(engine), options_(std::move(options)) {}

Result<DefinitionPtr> ReplayService::choose(const std::string& name, std::uint32_t own,
                                            std::uint32_t version, bool newest) const {
  if (newest && version != 0) {
    return fail(Errc::invalid_argument, "version: give a version or newest, not both");
  }
  const std::uint32_t wanted = version != 0 ? version : own;
  if (DefinitionPtr found = engine_.find_definition(name, newest ? 0 : wanted)) return found;
  return fail(Errc::not_found,
              "version: definition {} version {} is not registered here; name another version",
              name, wanted);
}

Result<ReplayService::Plan> ReplayService::plan(SagaSnapshot old, const v1::ReplayRequest& from,
                                                Actor actor) const {
  const SagaState& state = old.state;
  if (auto may = replayable(old.definition.get(), state); !may) {
    return std::unexpected(may.error());
  }
  Plan plan{.number = std::max(from.number(), 1U), .dry_run = from.dry_run()};
  if (plan.number > kReplaysMax || plan.number > old.replays.size() + 1) {
    return fail(Errc::invalid_argument, "number: saga {} has {} replays; the next is {}",
                state.id.text(), old.replays.size(), old.replays.size() + 1);
  }
  SubmitRequest& request = plan.request;
  if (state.source.empty()) {
    auto chosen = choose(state.definition, state.version, from.version(), from.newest());
    if (!chosen) return std::unexpected(chosen.error());
    plan.definition = std::move(*chosen);
    request.definition = state.definition;
    request.version = plan.definition->version;
  } else if (from.version() != 0 || from.newest() || !old.definition) {
    return fail(Errc::invalid_argument,
                "version: saga {} came with its own definition, which is what it is replayed with",
                state.id.text());
  } else {
    plan.definition = request.inline_definition = old.definition;
  }
  auto input = input_of(old, *plan.definition, from);
  if (!input) return std::unexpected(input.error());
  request.input = std::move(*input);
  if (!from.from().empty() && !old.definition) {
    return fail(Errc::failed_precondition,
                "from: {} version {} is not registered here, so nobody can tell which results are "
                "whose; replay from the start",
                state.definition, state.version);
  }
  request.replay = Replay{.of = state.id, .actor = std::move(actor), .from = from.from()};
  if (!from.from().empty()) {
    auto kept = kept_before(*old.definition, state, *plan.definition, from.from());
    if (!kept) return std::unexpected(kept.error());
    for (const KeptStep& step : *kept) {
      plan.kept.push_back(plan.definition->steps[step.step].name);
    }
    request.replay->kept = std::move(*kept);
  }
  request.idempotency_key = replay_key(state.id, plan.number);
  auto business_key = business_key_of(state, from, plan.number);
  if (!business_key) return std::unexpected(business_key.error());
  request.business_key = std::move(*business_key);
  request.body_hash = replay_hash(request);
  plan.old = std::move(old);
  return plan;
}

void ReplayService::replay(v1::ReplayRequest from, const CallContext&,
                           Reply<v1::ReplayResponse> reply) {
  auto actor = read_actor(from);
  if (!actor) return reply(std::unexpected(actor.error()));
  if (actor->reason.empty() && !from.dry_run()) {
    return reply(fail(Errc::invalid_argument, "reason: a replay says why"));
  }
  replay_by(std::move(*actor), std::move(from), std::move(reply));
}

void ReplayService::replay_by(Actor actor, v1::ReplayRequest from,
                              Reply<v1::ReplayResponse> reply) {
  auto saga = saga_ref(from);
  if (!saga) return reply(std::unexpected(saga.error()));
  auto with_old = [this, from = std::move(from), actor = std::move(actor),
                   reply = std::move(reply)](Result<SagaSnapshot> old) mutable {
    if (!old) return reply(std::unexpected(std::move(old.error())));
    auto planned = plan(std::move(*old), from, std::move(actor));
    if (!planned) return reply(std::unexpected(std::move(planned.error())));
    go(std::move(*planned), std::move(reply));
  };
  engine_.get(std::move(*saga), std::move(with_old));
}

namespace {

v1::ReplayResponse told(const SagaSnapshot& old, std::uint32_t number,
                        std::vector<std::string> kept) {
  v1::ReplayResponse to;
  to.set_number(number);
  for (const SagaId& replay : old.replays) to.add_replays(replay.text());
  for (std::string& step : kept) to.add_kept(std::move(step));
  return to;
}

/// What would be sent, by running it on paper.
void rehearsed(const SagaSnapshot& old, const Definition& definition, const SubmitRequest& request,
               v1::ReplayResponse& to) {
  const SagaState& state = old.state;
  fill_answer({.id = state.id,
               .definition = state.definition,
               .version = state.version,
               .status = state.status,
               .decided = state.decided,
               .undoing = state.undoing,
               .failure = state.failure},
              OutputForm::bytes, nullptr, *to.mutable_saga());
  to.set_dry_run(true);
  to.set_business_key(request.business_key);
  to.set_definition(definition.name);
  to.set_version(definition.version);
  const Definition& known = old.definition ? *old.definition : definition;
  for (std::string& line : payload_diff(printed(known.print_input, state.input),
                                        printed(definition.print_input, request.input))) {
    to.add_diff(std::move(line));
  }
  const Rehearsal paper = rehearse(definition, script_of(old, request));
  to.set_requests_total(static_cast<std::uint32_t>(paper.requests.size()));
  for (const RehearsedRequest& one : paper.requests) {
    if (to.requests_size() == kReplayRequestsShownMax) break;
    fill_request(definition, paper.state, one, *to.add_requests());
  }
  if (!paper.state.failure) return;
  v1::SagaAnswer turned;
  fill_answer({.id = state.id, .failure = paper.state.failure}, OutputForm::bytes, nullptr, turned);
  *to.mutable_failure() = turned.failure();
}

}  // namespace

void ReplayService::go(Plan plan, Reply<v1::ReplayResponse> reply) {
  if (plan.dry_run) {
    v1::ReplayResponse to = told(plan.old, plan.number, std::move(plan.kept));
    rehearsed(plan.old, *plan.definition, plan.request, to);
    return reply(std::move(to));
  }
  if (plan.number <= plan.old.replays.size()) return join(std::move(plan), std::move(reply));
  if (plan.number == 1) return submit(std::move(plan), std::move(reply));
  const SagaId newest = plan.old.replays.back();
  auto with_newest = [this, plan = std::move(plan),
                      reply = std::move(reply)](Result<SagaSnapshot> last) mutable {
    if (!last) return reply(std::unexpected(std::move(last.error())));
    if (is_terminal(last->state.status)) return submit(std::move(plan), std::move(reply));
    reply(fail(Errc::failed_precondition,
               "saga {} is being replayed by saga {}, which is {}; wait for it",
               plan.old.state.id.text(), last->state.id.text(), name(last->state.status)));
  };
  engine_.get(ById{newest}, std::move(with_newest));
}

/// Asked for a replay that was there before: the same saga, or a conflict, as its key says. Without
/// the key nobody can tell, and nothing is begun.
void ReplayService::join(Plan plan, Reply<v1::ReplayResponse> reply) {
  ByIdempotencyKey key{plan.request.idempotency_key};
  auto with_key = [this, plan = std::move(plan),
                   reply = std::move(reply)](Result<SagaSnapshot> there) mutable {
    if (there) return submit(std::move(plan), std::move(reply));
    if (there.error().code != Errc::not_found) return reply(std::unexpected(there.error()));
    reply(fail(Errc::already_exists,
               "saga {} was replayed by saga {} already, so long ago that its key has expired; to "
               "do it once more give number {} (skaldctl replay --again)",
               plan.old.state.id.text(), plan.old.replays[plan.number - 1].text(),
               plan.old.replays.size() + 1));
  };
  engine_.get(std::move(key), std::move(with_key));
}

void ReplayService::submit(Plan plan, Reply<v1::ReplayResponse> reply) {
  v1::ReplayResponse to = told(plan.old, plan.number, std::move(plan.kept));
  to.set_definition(plan.definition->name);
  to.set_version(plan.definition->version);
  to.set_business_key(plan.request.business_key);
  auto answer = [to = std::move(to), reply = std::move(reply)](Result<SagaAnswer> from) mutable {
    if (!from) return reply(std::unexpected(std::move(from.error())));
    fill_answer(std::move(*from), OutputForm::bytes, nullptr, *to.mutable_saga());
    reply(std::move(to));
  };
  engine_.submit(std::move(plan.request), WaitMode::accepted, kWaitDefault, std::move(answer));
}

void ReplayService::simulate(v1::SimulateRequest request, const CallContext&,
                             Reply<v1::SimulateResponse> reply) {
  const v1::Saga& saga = request.saga();
  if (saga.inline_definition()) {
    return reply(fail(Errc::invalid_argument,
                      "saga: {} came with its own definition, which an export does not hold",
                      saga.saga_id()));
  }
  auto definition = choose(saga.definition(), saga.version(), request.version(), request.newest());
  if (!definition) return reply(std::unexpected(definition.error()));
  reply(api::simulate(saga, **definition));
}

}  // namespace skald::api
