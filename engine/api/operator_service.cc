#include "engine/api/operator_service.h"

#include <fmt/format.h>

#include <utility>

#include "engine/api/payload_diff.h"
#include "engine/api/request_checks.h"
#include "engine/core/decide.h"
#include "engine/core/legal_acts.h"
#include "engine/core/order.h"
#include "engine/core/owed.h"
#include "engine/wire/definition.h"
#include "engine/wire/fixed_payload.h"

namespace skald::api {
namespace {

/// What a person gives for a message that a builder or a participant would have made.
struct PayloadRule {
  std::string_view field;
  const InputReader& read;  // empty: the bytes are taken in the form their protocol has
  Protocol protocol = Protocol::connect_proto;
  std::size_t size_max = 0;
};

Result<Bytes> read_payload(const v1::Payload& payload, const PayloadRule& rule) {
  auto bytes = [&]() -> Result<Bytes> {
    if (!rule.read) return wire::payload_bytes(payload, rule.protocol);
    if (payload.form_case() == v1::Payload::kRaw) return rule.read(InputForm::proto, payload.raw());
    auto text = wire::payload_bytes(payload, Protocol::connect_json);
    if (!text) return text;
    return rule.read(InputForm::json, *text);
  }();
  if (!bytes) return fail(bytes.error().code, "{}: {}", rule.field, bytes.error().message);
  if (bytes->size() > rule.size_max) {
    return fail(Errc::resource_exhausted, "{}: {} bytes, input_bytes_max is {}", rule.field,
                bytes->size(), rule.size_max);
  }
  return bytes;
}

Error no_definition(const SagaState& state) {
  return {Errc::failed_precondition,
          fmt::format("saga {} needs definition {} version {}, which is not registered here; "
                      "deploy it and restart, or abandon the saga",
                      state.id.text(), state.definition, state.version)};
}

/// The leg that an act names, with its plan.
struct NamedLeg {
  LegRef ref;
  const StepDefinition& plan;
  const LegState* state = nullptr;  // null: a step without legs
  Operation operation = Operation::action;
};

Result<NamedLeg> named_leg(const SagaSnapshot& snapshot, const std::string& leg) {
  if (leg.empty()) return fail(Errc::invalid_argument, "leg: is required");
  if (!snapshot.definition) return std::unexpected(no_definition(snapshot.state));
  const auto ref = find_leg(*snapshot.definition, snapshot.state, leg);
  if (!ref) return std::unexpected(ref.error());
  NamedLeg named{.ref = *ref, .plan = snapshot.definition->steps[ref->step]};
  const auto& legs = snapshot.state.steps[ref->step].legs;
  if (ref->leg < legs.size()) {
    named.state = &legs[ref->leg];
    named.operation = operation_in_question(*named.state);
  }
  return named;
}

Result<command::Act> resolve_of(const v1::ResolveRequest& from, Actor actor,
                                const SagaSnapshot* snapshot, std::size_t size_max) {
  command::Resolve asked{.actor = std::move(actor),
                         .leg = from.leg(),
                         .happened = from.answer() == v1::ResolveRequest::Answer::happened,
                         .hold = from.hold(),
                         .response = {},
                         .operation = {}};
  if (!from.has_response()) return asked;
  if (!asked.happened) {
    return fail(Errc::invalid_argument, "response: what did not happen has none");
  }
  const auto leg = named_leg(*snapshot, from.leg());
  if (!leg) return std::unexpected(leg.error());
  asked.operation = leg->operation;
  if (leg->operation == Operation::compensation) {
    return fail(Errc::invalid_argument, "response: of a compensation nothing is kept");
  }
  auto response = read_payload(from.response(), {.field = "response",
                                                 .read = leg->plan.read_response,
                                                 .protocol = leg->plan.action.method.protocol,
                                                 .size_max = size_max});
  if (!response) return std::unexpected(response.error());
  asked.response = std::move(*response);
  return asked;
}

Result<command::Act> amend_of(const v1::AmendRequest& from, Actor actor,
                              const SagaSnapshot* snapshot, const ServiceOptions& options) {
  command::Amend asked{
      .actor = std::move(actor), .leg = from.leg(), .request = {}, .endpoint = {}, .operation = {}};
  const auto leg = named_leg(*snapshot, from.leg());
  if (!leg) return std::unexpected(leg.error());
  asked.operation = leg->operation;
  const bool is_action = leg->operation == Operation::action;
  if (from.has_request()) {
    auto request = read_payload(
        from.request(), {.field = "request",
                         .read = is_action ? leg->plan.read_request : leg->plan.read_undo_request,
                         .protocol = plan_of(leg->plan, leg->operation).method.protocol,
                         .size_max = options.input_bytes_max});
    if (!request) return std::unexpected(request.error());
    asked.request = std::move(*request);
  }
  if (!from.url().empty() || !from.participant().empty() || !from.path().empty()) {
    auto endpoint = wire::read_endpoint(
        {.url = from.url(), .participant = from.participant(), .path = from.path()},
        options.allowed_address);
    if (!endpoint) return std::unexpected(endpoint.error());
    asked.endpoint = std::move(*endpoint);
  }
  if (!asked.request && !asked.endpoint) {
    return fail(Errc::invalid_argument, "request: give a request, a url, or both");
  }
  return asked;
}

/// What an amendment changes, before and after, line by line.
std::vector<std::string> diff_of(const SagaSnapshot& snapshot, const command::Amend& amend) {
  const auto leg = named_leg(snapshot, amend.leg);
  if (!leg || leg->state == nullptr) return {};
  std::vector<std::string> lines;
  if (amend.endpoint) {
    const Endpoint before =
        endpoint_of(*snapshot.definition, snapshot.state, leg->ref, leg->operation);
    if (before != *amend.endpoint) {
      lines.push_back("- " + before.participant + before.path);
      lines.push_back("+ " + amend.endpoint->participant + amend.endpoint->path);
    }
  }
  if (!amend.request) return lines;
  const bool is_action = leg->operation == Operation::action;
  const BytesPrinter& print = is_action ? leg->plan.print_request : leg->plan.print_undo_request;
  const Bytes& before = is_action ? leg->state->request : leg->state->undo_request;
  for (std::string& line : payload_diff(print ? print(before) : before,
                                        print ? print(*amend.request) : *amend.request)) {
    lines.push_back(std::move(line));
  }
  return lines;
}

/// Tries the act on a copy: the refusal, or what it would do.
Result<v1::ActResponse> shown(const SagaSnapshot& snapshot, const command::Act& act,
                              std::uint64_t expected_seq) {
  const SagaState& state = snapshot.state;
  static const Definition kUnknown;  // abandoning needs none
  const bool closes = std::holds_alternative<command::Abandon>(act);
  if (!snapshot.definition && !closes) return std::unexpected(no_definition(state));
  const Definition& definition = snapshot.definition ? *snapshot.definition : kUnknown;
  if (expected_seq != 0 && expected_seq != state.seq) {
    return std::unexpected(moved_on(state, expected_seq, state.seq));
  }
  SagaState copy = state;
  Decision decision;
  const auto decided = decide(definition, copy, {.at = snapshot.now, .body = act}, decision);
  if (!decided && decision.events.empty()) return std::unexpected(decided.error());
  std::optional<LegRef> leg;
  if (const auto named = leg_of(act); !named.empty()) {
    const auto found = find_leg(definition, state, named);
    if (found) leg = *found;
  }
  v1::ActResponse response;
  fill_answer({.id = state.id,
               .definition = state.definition,
               .version = state.version,
               .status = state.status,
               .decided = state.decided,
               .undoing = state.undoing,
               .failure = state.failure},
              OutputForm::bytes, snapshot.definition.get(), *response.mutable_saga());
  response.set_dry_run(true);
  response.set_seq(state.seq);
  response.set_effect(judge_act(definition, state, kind_of(act), leg, snapshot.now).effect);
  if (const auto* amend = std::get_if<command::Amend>(&act)) {
    for (std::string& line : diff_of(snapshot, *amend)) response.add_diff(std::move(line));
  }
  return response;
}

}  // namespace

OperatorService::OperatorService(Engine& engine, ServiceOptions options)
    : engine_(engine), options_(std::move(options)) {}

template <class Request>
Result<OperatorService::Asked> OperatorService::read(Request& request, const CallContext& context) {
  auto saga = saga_ref(request);
  if (!saga) return std::unexpected(saga.error());
  auto actor = read_actor(request);
  if (!actor) return std::unexpected(actor.error());
  return Asked{.saga = std::move(*saga),
               .actor = std::move(*actor),
               .expected_seq = request.expected_seq(),
               .dry_run = request.dry_run(),
               .needs_snapshot = request.dry_run(),
               .form = context.output_form};
}

void OperatorService::act(const Asked& asked, command::Act act, Reply<v1::ActResponse> reply) {
  auto answer = [&engine = engine_, form = asked.form,
                 reply = std::move(reply)](Result<SagaAnswer> from) mutable {
    if (!from) return reply(std::unexpected(std::move(from.error())));
    DefinitionPtr definition;
    if (from->has_output && form == OutputForm::value) {
      definition = engine.find_definition(from->definition, from->version);
    }
    Result<v1::ActResponse> to;
    fill_answer(std::move(*from), form, definition.get(), *to->mutable_saga());
    reply(std::move(to));
  };
  engine_.act(asked.saga, std::move(act), asked.expected_seq, std::move(answer));
}

void OperatorService::ask(Asked asked, MakeAct make, Reply<v1::ActResponse> reply) {
  if (!asked.needs_snapshot) {
    auto made = make(nullptr);
    if (!made) return reply(std::unexpected(made.error()));
    return act(asked, std::move(*made), std::move(reply));
  }
  const SagaRef saga = asked.saga;
  auto with_snapshot = [this, asked = std::move(asked), make = std::move(make),
                        reply = std::move(reply)](Result<SagaSnapshot> snapshot) mutable {
    if (!snapshot) return reply(std::unexpected(std::move(snapshot.error())));
    auto made = make(&*snapshot);
    if (!made) return reply(std::unexpected(made.error()));
    if (asked.dry_run) return reply(shown(*snapshot, *made, asked.expected_seq));
    asked.saga = ById{snapshot->state.id};  // the one that was looked at
    act(asked, std::move(*made), std::move(reply));
  };
  engine_.get(saga, std::move(with_snapshot));
}

template <class Command>
void OperatorService::ask_plainly(v1::ActRequest& request, const CallContext& context,
                                  Reply<v1::ActResponse> reply) {
  auto asked = read(request, context);
  if (!asked) return reply(std::unexpected(asked.error()));
  Command command{.actor = asked->actor};
  if constexpr (requires { command.leg; }) {
    command.leg = std::move(*request.mutable_leg());
  } else if (!request.leg().empty()) {
    return reply(fail(Errc::invalid_argument, "leg: this act is about the saga as a whole"));
  }
  auto make = [command = std::move(command)](const SagaSnapshot*) -> Result<command::Act> {
    return command;
  };
  ask(std::move(*asked), std::move(make), std::move(reply));
}

void OperatorService::retry(v1::ActRequest request, const CallContext& context,
                            Reply<v1::ActResponse> reply) {
  ask_plainly<command::Retry>(request, context, std::move(reply));
}
void OperatorService::pause(v1::ActRequest request, const CallContext& context,
                            Reply<v1::ActResponse> reply) {
  ask_plainly<command::Pause>(request, context, std::move(reply));
}
void OperatorService::resume(v1::ActRequest request, const CallContext& context,
                             Reply<v1::ActResponse> reply) {
  ask_plainly<command::Resume>(request, context, std::move(reply));
}
void OperatorService::cancel(v1::ActRequest request, const CallContext& context,
                             Reply<v1::ActResponse> reply) {
  ask_plainly<command::Cancel>(request, context, std::move(reply));
}
void OperatorService::skip(v1::ActRequest request, const CallContext& context,
                           Reply<v1::ActResponse> reply) {
  ask_plainly<command::Skip>(request, context, std::move(reply));
}
void OperatorService::mark_compensated(v1::ActRequest request, const CallContext& context,
                                       Reply<v1::ActResponse> reply) {
  ask_plainly<command::MarkDone>(request, context, std::move(reply));
}
void OperatorService::abandon(v1::ActRequest request, const CallContext& context,
                              Reply<v1::ActResponse> reply) {
  ask_plainly<command::Abandon>(request, context, std::move(reply));
}

void OperatorService::resolve(v1::ResolveRequest request, const CallContext& context,
                              Reply<v1::ActResponse> reply) {
  auto asked = read(request, context);
  if (!asked) return reply(std::unexpected(asked.error()));
  const bool answered = request.answer() == v1::ResolveRequest::Answer::happened ||
                        request.answer() == v1::ResolveRequest::Answer::did_not_happen;
  if (!answered) {
    return reply(fail(Errc::invalid_argument, "answer: say happened or did_not_happen"));
  }
  asked->needs_snapshot = asked->dry_run || request.has_response();
  auto make = [request = std::move(request), actor = asked->actor,
               size_max = options_.input_bytes_max](const SagaSnapshot* snapshot) {
    return resolve_of(request, actor, snapshot, size_max);
  };
  ask(std::move(*asked), std::move(make), std::move(reply));
}

void OperatorService::amend(v1::AmendRequest request, const CallContext& context,
                            Reply<v1::ActResponse> reply) {
  auto asked = read(request, context);
  if (!asked) return reply(std::unexpected(asked.error()));
  asked->needs_snapshot = true;
  auto make = [this, request = std::move(request),
               actor = asked->actor](const SagaSnapshot* snapshot) {
    return amend_of(request, actor, snapshot, options_);
  };
  ask(std::move(*asked), std::move(make), std::move(reply));
}

void OperatorService::legal_acts(v1::LegalActsRequest request, const CallContext&,
                                 Reply<v1::LegalActsResponse> reply) {
  auto saga = saga_ref(request);
  if (!saga) return reply(std::unexpected(saga.error()));
  auto answer = [leg = request.leg(),
                 reply = std::move(reply)](Result<SagaSnapshot> snapshot) mutable {
    if (!snapshot) return reply(std::unexpected(std::move(snapshot.error())));
    const SagaState& state = snapshot->state;
    if (!snapshot->definition) return reply(std::unexpected(no_definition(state)));
    const Definition& definition = *snapshot->definition;
    std::vector<ActVerdict> verdicts;
    if (leg.empty()) {
      verdicts = skald::legal_acts(definition, state, snapshot->now);
    } else {
      const auto found = find_leg(definition, state, leg);
      if (!found) return reply(std::unexpected(found.error()));
      verdicts = acts_on_leg(definition, state, *found, snapshot->now);
    }
    v1::LegalActsResponse to;
    to.set_saga_id(state.id.text());
    to.set_status(static_cast<v1::SagaStatus::Value>(state.status));
    to.set_seq(state.seq);
    for (ActVerdict& verdict : verdicts) {
      auto& added = *to.add_acts();
      added.set_act(std::string(name(verdict.act)));
      if (verdict.leg) added.set_leg(leg_name(definition, state, *verdict.leg));
      added.set_legal(verdict.is_legal());
      added.set_effect(std::move(verdict.effect));
      if (verdict.refusal) added.set_why_not(std::move(verdict.refusal->message));
      added.set_requires_reason(requires_reason(verdict.act));
    }
    reply(std::move(to));
  };
  engine_.get(std::move(*saga), std::move(answer));
}

}  // namespace skald::api
