// Running a definition on paper; see the header.
#include "engine/dsl/dry_run.h"

#include <ranges>

#include "engine/core/facts.h"
#include "engine/dsl/message_bytes.h"

namespace skald::dsl {
namespace {

std::string leg_text(const StepDefinition& step, const std::string& key) {
  return step.for_each ? step.name + "[" + key + "]" : step.name;
}

class Paper {
 public:
  Paper(const Definition& definition, const Sample& sample)
      : definition_(definition), sample_(sample), facts_(definition, run_.state) {
    run_.state.id = sample.saga_id;
    run_.state.definition = definition.name;
    run_.state.version = definition.version;
    run_.state.business_key = sample.business_key;
    run_.state.input = sample.input;
    run_.state.started_at = sample.started_at;
    run_.state.steps.resize(definition.steps.size());
  }

  DryRun go() {
    for (const std::uint16_t step : definition_.order.topological) {
      if (const auto went = forward(step); !went) {
        refuse(definition_.steps[step].name, went.error());
        break;
      }
    }
    for (const std::uint16_t step : definition_.order.topological | std::views::reverse) {
      back(step);
    }
    if (!run_.refusal && definition_.output) finish();
    return std::move(run_);
  }

 private:
  Result<void> forward(std::uint16_t index) {
    const StepDefinition& plan = definition_.steps[index];
    StepState& state = run_.state.steps[index];
    if (plan.when) {
      const auto wanted = plan.when(facts_);
      if (!wanted) return std::unexpected(wanted.error());
      if (!*wanted) {
        state.stage = StepStage::skipped;
        run_.skipped.push_back(plan.name);
        return {};
      }
    }
    switch (plan.kind) {
      case StepKind::compute: {
        auto computed = plan.compute(facts_);
        if (!computed) return std::unexpected(computed.error());
        state.output = std::move(*computed);
        state.has_output = true;
        run_.computed.push_back(plan.name);
        break;
      }
      case StepKind::wait:
        if (const auto until = wait(plan, state); !until) return until;
        break;
      case StepKind::query:
      case StepKind::call:
        if (const auto sent = send(plan, state); !sent) return sent;
        break;
    }
    state.stage = StepStage::done;
    return {};
  }

  Result<void> wait(const StepDefinition& plan, StepState& state) {
    state.due_at = add_saturated(sample_.started_at, plan.wait.timeout);
    if (plan.wait.until) {
      const auto due_at = plan.wait.until(facts_);
      if (!due_at) return std::unexpected(due_at.error());
      state.due_at = *due_at;
    }
    if (const Bytes* payload = answer_of(plan.name)) {
      state.output = *payload;
      state.has_output = true;
    }
    return {};
  }

  Result<void> send(const StepDefinition& plan, StepState& state) {
    auto legs = plan.legs(facts_);
    if (!legs) return std::unexpected(legs.error());
    for (LegPlan& leg : *legs) {
      const std::string text = leg_text(plan, leg.key);
      const Bytes* answer = answer_of(text);
      if (answer == nullptr) answer = answer_of(plan.name);
      run_.requests.push_back({.leg = text, .request = leg.request});
      state.legs.push_back({.key = std::move(leg.key),
                            .stage = LegStage::done,
                            .request = std::move(leg.request),
                            .response = answer == nullptr ? Bytes{} : *answer,
                            .has_response = true});
    }
    return {};
  }

  void back(std::uint16_t index) {
    const StepDefinition& plan = definition_.steps[index];
    for (const LegState& leg : run_.state.steps[index].legs) {
      const std::string text = leg_text(plan, leg.key);
      if (plan.undo) {
        ask(text, Operation::compensation, plan.undo, leg, &leg.response);
        if (!plan.undo_needs_receipt) ask(text, Operation::compensation, plan.undo, leg, nullptr);
      }
      if (plan.probe_request) ask(text, Operation::probe, plan.probe_request, leg, nullptr);
    }
  }

  void ask(const std::string& leg_name, Operation operation, const UndoBuilder& builder,
           const LegState& leg, const Bytes* receipt) {
    auto request = builder(facts_, leg.request, receipt);
    if (!request) return refuse(leg_name, request.error());
    run_.requests.push_back({.leg = leg_name,
                             .operation = operation,
                             .request = std::move(*request),
                             .without_receipt = receipt == nullptr});
  }

  void finish() {
    auto output = definition_.output(facts_);
    if (!output) return refuse("output", output.error());
    run_.output = std::move(*output);
    run_.has_output = true;
  }

  void refuse(const std::string& where, const Error& error) {
    if (run_.refusal) return;
    run_.refused_at = where;
    run_.refusal = error;
  }

  [[nodiscard]] const Bytes* answer_of(const std::string& leg) const {
    const auto found = sample_.answers.find(leg);
    return found == sample_.answers.end() ? nullptr : &found->second;
  }

  const Definition& definition_;
  const Sample& sample_;
  DryRun run_;
  Facts facts_;
};

}  // namespace

Sample& Sample::answer(const std::string& step, const google::protobuf::Message& message) {
  answers[step] = encode(message);
  return *this;
}

Sample sample(std::string name, const google::protobuf::Message& input) {
  return {.name = std::move(name), .input = encode(input), .business_key = {}, .answers = {}};
}

DryRun dry_run(const Definition& definition, const Sample& sample) {
  return Paper(definition, sample).go();
}

}  // namespace skald::dsl
