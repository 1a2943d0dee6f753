#include "engine/api/simulation.h"

#include <fmt/format.h>

#include <map>
#include <set>

#include "engine/api/payload.h"
#include "engine/api/payload_diff.h"
#include "engine/core/owed.h"
#include "engine/core/rehearsal.h"

namespace skald::api {
namespace {

using Saga = v1::Saga;

Result<Bytes> read_value(const google::protobuf::Value& value, const InputReader& read,
                         const std::string& field) {
  auto text = json_text(value, field);
  if (!text || !read) return text;
  auto bytes = read(InputForm::json, *text);
  if (bytes) return bytes;
  return fail(Errc::invalid_argument, "{}: {}", field, bytes.error().message);
}

struct Recorded {
  Script script;
  std::map<std::string, const Saga::Leg*, std::less<>> sent;
};

/// The one answer that settled the leg's action; nullopt: it has none.
std::optional<Outcome> outcome_of(const Saga::Leg& leg) {
  switch (leg.stage()) {
    case Saga::LegStage::done:
    case Saga::LegStage::undoing:
    case Saga::LegStage::undone:
      return Outcome{.kind = OutcomeKind::succeeded};
    case Saga::LegStage::refused:
      return Outcome{.kind = OutcomeKind::rejected,
                     .code = leg.action().last().code(),
                     .message = leg.action().last().message()};
    default:  // tidy: allow(default) protobuf adds sentinels to its enums
      return std::nullopt;
  }
}

Result<void> record_leg(const Saga::Leg& leg, const StepDefinition* plan, Recorded& to) {
  if (leg.stage() == Saga::LegStage::ready || leg.stage() == Saga::LegStage::dropped) return {};
  to.sent.emplace(leg.name(), &leg);
  auto outcome = outcome_of(leg);
  if (!outcome) return {};
  RehearsedAnswer answer{.outcome = std::move(*outcome), .response = {}};
  if (leg.has_response()) {
    auto response = read_value(leg.response(), plan ? plan->read_response : InputReader{},
                               fmt::format("response of {}", leg.name()));
    if (!response) return std::unexpected(response.error());
    answer.response = std::move(*response);
  }
  to.script.actions.emplace(leg.name(), std::move(answer));
  return {};
}

Result<Recorded> read_record(const Saga& saga, const Definition& definition) {
  const auto id = SagaId::parse(saga.saga_id());
  if (!id) return fail(Errc::invalid_argument, "saga.saga_id: \"{}\" is no id", saga.saga_id());
  Recorded record;
  record.script.at =
      from_unix_ms(saga.started_at().seconds() * 1'000 + saga.started_at().nanos() / 1'000'000);
  record.script.start.id = *id;
  record.script.start.business_key = saga.business_key();
  if (saga.has_input()) {
    auto input = read_value(saga.input(), definition.read_input, "saga.input");
    if (!input) return std::unexpected(input.error());
    record.script.start.input = std::move(*input);
  }
  for (const Saga::Step& step : saga.steps()) {
    if (step.legs_total() != static_cast<std::uint32_t>(step.legs_size())) {
      return fail(Errc::invalid_argument, "saga.steps: {} holds {} of its {} legs", step.name(),
                  step.legs_size(), step.legs_total());
    }
    const auto index = definition.step_index(step.name());
    const StepDefinition* plan = index ? &definition.steps[*index] : nullptr;
    if (step.kind() == v1::StepKind::wait && step.has_output()) {
      auto payload = json_text(step.output(), "output of " + step.name());
      if (!payload) return std::unexpected(payload.error());
      record.script.signals.emplace(step.name(), std::move(*payload));
    }
    for (const Saga::Leg& leg : step.legs()) {
      if (auto read = record_leg(leg, plan, record); !read) return std::unexpected(read.error());
    }
  }
  return record;
}

class Comparison {
 public:
  Comparison(const Saga& saga, const Definition& definition, const Recorded& record)
      : saga_(saga), definition_(definition), record_(record) {}

  v1::SimulateResponse run() {
    const Rehearsal paper = rehearse(definition_, record_.script);
    to_.set_definition(definition_.name);
    to_.set_version(definition_.version);
    to_.set_status(static_cast<v1::SagaStatus::Value>(paper.state.status));
    for (const RehearsedRequest& request : paper.requests) {
      if (request.operation == Operation::action && !same(paper.state, request)) return to_;
      to_.set_requests(to_.requests() + 1);
    }
    compare_rest(paper);
    return to_;
  }

 private:
  void diverge(const std::string& leg, std::string what) {
    to_.mutable_divergence()->set_leg(leg);
    to_.mutable_divergence()->set_what(std::move(what));
  }

  bool same(const SagaState& state, const RehearsedRequest& request) {
    const std::string leg = leg_name(definition_, state, request.leg);
    const auto recorded = record_.sent.find(leg);
    if (recorded == record_.sent.end()) {
      diverge(leg, "is sent now; the recorded saga never sent it");
      return false;
    }
    seen_.insert(leg);
    const StepDefinition& step = definition_.steps[request.leg.step];
    google::protobuf::Value value;
    const bool readable = read_json(
        step.print_request ? step.print_request(request.request) : request.request, value);
    if (!readable || !recorded->second->has_request()) return true;
    const auto now = json_text(value, "request");
    const auto then = json_text(recorded->second->request(), "request");
    if (!now || !then || *now == *then) return true;
    diverge(leg, "has another request");
    for (std::string& line : payload_diff(*then, *now)) {
      to_.mutable_divergence()->add_diff(std::move(line));
    }
    return false;
  }

  /// What was sent then and is not sent now, and how it ends.
  void compare_rest(const Rehearsal& paper) {
    for (const Saga::Step& step : saga_.steps()) {
      for (const Saga::Leg& leg : step.legs()) {
        if (paper.unanswered || !record_.sent.contains(leg.name()) || seen_.contains(leg.name())) {
          continue;
        }
        return diverge(leg.name(), "was sent by the recorded saga; it is not sent now");
      }
    }
    const bool ended = saga_.status() == v1::SagaStatus::completed ||
                       saga_.status() == v1::SagaStatus::compensated;
    if (!ended || saga_.status() == to_.status()) return;
    std::string what =
        fmt::format("ends {} now; the recorded saga was {}", name(paper.state.status),
                    v1::SagaStatus::Value_Name(saga_.status()));
    if (paper.state.failure) {
      what += fmt::format(" ({}: {})", paper.state.failure->leg, paper.state.failure->message);
    }
    diverge("", std::move(what));
  }

  const Saga& saga_;
  const Definition& definition_;
  const Recorded& record_;
  std::set<std::string, std::less<>> seen_;
  v1::SimulateResponse to_;
};

}  // namespace

Result<v1::SimulateResponse> simulate(const v1::Saga& saga, const Definition& definition) {
  auto record = read_record(saga, definition);
  if (!record) return std::unexpected(record.error());
  return Comparison(saga, definition, *record).run();
}

}  // namespace skald::api
