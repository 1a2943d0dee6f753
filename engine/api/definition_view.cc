#include "engine/api/definition_view.h"

#include <string>

namespace skald::api {
namespace {

template <auto ours, auto wire>
constexpr bool kSame = static_cast<int>(ours) == static_cast<int>(wire);

static_assert(kSame<Protocol::connect_proto, v1::Protocol::connect_proto>);
static_assert(kSame<Protocol::connect_json, v1::Protocol::connect_json>);
static_assert(kSame<Protocol::http_json, v1::Protocol::http_json>);
static_assert(kSame<KeysMode::none, v1::KeysMode::none>);
static_assert(kSame<KeysMode::dedup, v1::KeysMode::dedup>);
static_assert(kSame<KeysMode::barrier, v1::KeysMode::barrier>);
static_assert(kSame<OnTimeout::proceed, v1::OnTimeout::proceed>);
static_assert(kSame<OnTimeout::reject, v1::OnTimeout::reject>);

void fill_retry(const RetryPolicy& policy, v1::RetryPolicy& to) {
  to.set_initial_ms(static_cast<std::uint32_t>(policy.initial.count()));
  to.set_factor(policy.factor);
  to.set_delay_max_ms(static_cast<std::uint32_t>(policy.delay_max.count()));
  to.set_jitter(policy.jitter);
  to.set_attempts_max(policy.attempts_max);
  to.set_total_max_ms(static_cast<std::uint64_t>(policy.total_max.count()));
}

/// Header values are left out: they may hold secrets.
void fill_operation(const OperationPlan& plan, v1::Operation& to) {
  to.set_participant(plan.method.participant);
  to.set_path(plan.method.path);
  to.set_protocol(static_cast<v1::Protocol::Value>(plan.method.protocol));
  to.set_keys(static_cast<v1::KeysMode::Value>(plan.method.keys));
  to.set_keys_lifetime_ms(static_cast<std::uint64_t>(plan.method.keys_lifetime.count()));
  to.set_timeout_ms(static_cast<std::uint32_t>(plan.attempt_timeout.count()));
  fill_retry(plan.retry, *to.mutable_retry());
}

void fill_step(const StepDefinition& step, v1::Step& to) {
  to.set_name(step.name);
  to.set_kind(static_cast<v1::StepKind::Value>(step.kind));
  to.set_class_(static_cast<v1::CallClass::Value>(step.call_class));
  if (step.after) {
    for (const std::string& name : *step.after) to.mutable_after()->add_steps(name);
  }
  if (step.kind == StepKind::query || step.kind == StepKind::call) {
    fill_operation(step.action, *to.mutable_action());
  }
  if (step.compensation) fill_operation(*step.compensation, *to.mutable_compensation());
  if (step.probe) fill_operation(*step.probe, *to.mutable_probe());
  to.set_no_undo(step.no_undo_reason);
  if (step.kind == StepKind::wait) {
    to.mutable_wait()->set_signal(step.wait.signal);
    to.mutable_wait()->set_timeout_ms(static_cast<std::uint64_t>(step.wait.timeout.count()));
    to.mutable_wait()->set_on_timeout(static_cast<v1::OnTimeout::Value>(step.wait.on_timeout));
  }
}

}  // namespace

void fill_definition_summary(const Definition& definition, bool newest, v1::DefinitionSummary& to) {
  to.set_name(definition.name);
  to.set_version(definition.version);
  to.set_newest(newest);
  to.set_steps(static_cast<std::uint32_t>(definition.steps.size()));
  to.set_deadline_ms(static_cast<std::uint64_t>(definition.deadline.count()));
  to.set_input_type(definition.input_type);
  to.set_output_type(definition.output_type);
}

void fill_definition_view(const Definition& definition, bool newest, v1::DefinitionView& to) {
  fill_definition_summary(definition, newest, *to.mutable_summary());
  for (std::size_t i = 0; i < definition.steps.size(); ++i) {
    const StepDefinition& step = definition.steps[i];
    v1::StepView& view = *to.add_steps();
    fill_step(step, *view.mutable_step());
    if (i < definition.order.needs.size()) {
      for (const std::uint16_t need : definition.order.needs[i]) {
        view.add_needs(definition.steps[need].name);
      }
    }
    view.set_conditional(static_cast<bool>(step.when));
    view.set_for_each(step.for_each);
    view.set_undo_needs_receipt(step.undo_needs_receipt);
    if (!step.for_each) continue;
    view.set_parallel(step.parallel);
    view.set_on_reject(step.on_reject == OnReject::stop ? "stop" : "finish_all");
  }
}

}  // namespace skald::api
