#include "tests/support/plan.h"

#include "engine/base/check.h"

namespace skald::test {

OperationPlan operation_plan(std::string_view path, KeysMode keys) {
  OperationPlan plan;
  plan.method.participant = "shop";
  plan.method.path = path;
  plan.method.keys = keys;
  plan.method.keys_lifetime = kLifetime;
  plan.retry = {.initial = kInitial,
                .factor = 2.0,
                .delay_max = kDelayMax,
                .jitter = 0.0,
                .attempts_max = 0,
                .total_max = kTotal};
  return plan;
}

Plan::Plan(std::string name) { definition_.name = std::move(name); }

Plan& Plan::add(std::string_view name, StepKind kind, CallClass call_class) {
  StepDefinition& added = definition_.steps.emplace_back();
  added.name = name;
  added.kind = kind;
  added.call_class = call_class;
  const bool sends = kind == StepKind::query || kind == StepKind::call;
  if (!sends) return *this;
  added.action = operation_plan("/do", kind == StepKind::call ? KeysMode::barrier : KeysMode::none);
  added.legs = [text = "do " + std::string(name)](const Facts&) -> Result<std::vector<LegPlan>> {
    return std::vector<LegPlan>{{.key = {}, .request = text}};
  };
  return *this;
}

Plan& Plan::query(std::string_view name) { return add(name, StepKind::query, CallClass::none); }

Plan& Plan::compute(std::string_view name) {
  add(name, StepKind::compute, CallClass::none);
  step().compute = [](const Facts&) -> Result<Bytes> { return "computed"; };
  return *this;
}

Plan& Plan::call(std::string_view name) {
  add(name, StepKind::call, CallClass::compensatable);
  step().compensation = operation_plan("/undo", KeysMode::barrier);
  step().undo = [](const Facts&, const Bytes& request, const Bytes* receipt) -> Result<Bytes> {
    return "undo (" + request + ") " + (receipt != nullptr ? *receipt : "without receipt");
  };
  return *this;
}

Plan& Plan::pivot(std::string_view name) { return add(name, StepKind::call, CallClass::pivot); }

Plan& Plan::retriable(std::string_view name) {
  return add(name, StepKind::call, CallClass::retriable);
}

Plan& Plan::wait(std::string_view name, std::string_view signal, Millis timeout) {
  add(name, StepKind::wait, CallClass::none);
  step().wait.signal = signal;
  step().wait.timeout = timeout;
  return *this;
}

Plan& Plan::after(std::initializer_list<std::string> needs) {
  step().after = std::vector<std::string>(needs);
  return *this;
}

Plan& Plan::when(bool answer) {
  step().when = [answer](const Facts&) -> Result<bool> { return answer; };
  return *this;
}

Plan& Plan::for_each(std::vector<std::string> keys, std::uint32_t parallel) {
  step().for_each = true;
  step().parallel = parallel;
  step().legs = [keys = std::move(keys),
                 name = step().name](const Facts&) -> Result<std::vector<LegPlan>> {
    std::vector<LegPlan> legs;
    for (const std::string& key : keys) {
      legs.push_back({.key = key, .request = "do " + name + "[" + key + "]"});
    }
    return legs;
  };
  return *this;
}

Plan& Plan::finish_all() {
  step().on_reject = OnReject::finish_all;
  return *this;
}

Plan& Plan::keys(KeysMode mode) {
  step().action.method.keys = mode;
  if (step().compensation) step().compensation->method.keys = mode;
  return *this;
}

Plan& Plan::probe() {
  step().probe = operation_plan("/probe", KeysMode::none);
  return *this;
}

Plan& Plan::no_undo() {
  step().compensation.reset();
  step().undo = nullptr;
  step().no_undo_reason = "it is harmless";
  return *this;
}

Plan& Plan::needs_receipt() {
  step().undo_needs_receipt = true;
  return *this;
}

Plan& Plan::attempts(std::uint32_t count) {
  step().action.retry.attempts_max = count;
  if (step().compensation) step().compensation->retry.attempts_max = count;
  return *this;
}

Plan& Plan::total(Millis time) {
  step().action.retry.total_max = time;
  if (step().compensation) step().compensation->retry.total_max = time;
  return *this;
}

Plan& Plan::lifetime(Millis time) {
  step().action.method.keys_lifetime = time;
  if (step().compensation) step().compensation->method.keys_lifetime = time;
  return *this;
}

Plan& Plan::rejects_on_timeout() {
  step().wait.on_timeout = OnTimeout::reject;
  return *this;
}

Plan& Plan::is_pivot() {
  step().call_class = CallClass::pivot;
  return *this;
}

Plan& Plan::deadline(Millis time) {
  definition_.deadline = time;
  return *this;
}

DefinitionPtr Plan::seal() const {
  auto sealed = skald::seal(definition_);
  SKALD_CHECK(sealed.has_value(), "{}", sealed.error().message);
  return *sealed;
}

}  // namespace skald::test
