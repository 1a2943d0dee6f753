// validate(): what a definition may look like, every mistake at once. The rules are those of design
// section 2; each function looks at one thing and appends what is wrong with it.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <unordered_set>

#include "engine/core/definition.h"
#include "engine/core/definition_graph.h"

namespace skald {
namespace {

using Mistakes = std::vector<std::string>;

/// Headers that the engine or HTTP itself sets; a definition that set them could forge a key or
/// split a message.
constexpr std::array<std::string_view, 19> kReservedHeaders = {"accept-encoding",
                                                               "connect-protocol-version",
                                                               "connect-timeout-ms",
                                                               "connection",
                                                               "content-encoding",
                                                               "content-length",
                                                               "content-type",
                                                               "expect",
                                                               "host",
                                                               "idempotency-key",
                                                               "keep-alive",
                                                               "proxy-authorization",
                                                               "proxy-authenticate",
                                                               "proxy-connection",
                                                               "te",
                                                               "traceparent",
                                                               "trailer",
                                                               "transfer-encoding",
                                                               "upgrade"};
constexpr std::string_view kReservedHeaderPrefix = "skald-";

constexpr bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr char to_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }
/// ASCII that stands for itself: no space, no control character, nothing above 126.
constexpr bool is_visible(char c) { return c > ' ' && c <= '~'; }
constexpr bool is_token_char(char c) {  // RFC 9110, 5.6.2
  return is_lower(to_lower(c)) || is_digit(c) ||
         std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

/// [a-z][a-z0-9_]*, at most kStepNameMax bytes.
bool is_name(std::string_view text) {
  return !text.empty() && text.size() <= kStepNameMax && is_lower(text.front()) &&
         std::ranges::all_of(text, [](char c) { return is_lower(c) || is_digit(c) || c == '_'; });
}

template <class... Args>
void add(Mistakes& out, const StepDefinition& step, fmt::format_string<Args...> text,
         Args&&... args) {
  out.push_back("step " + shown_name(step.name) + ": " +
                fmt::format(text, std::forward<Args>(args)...));
}

void check_retry(const StepDefinition& step, std::string_view operation, const RetryPolicy& retry,
                 Mistakes& out) {
  if (retry.initial < Millis{1} || retry.initial > kRetryTotalMax) {
    add(out, step, "{}: retry: initial must be 1..{} ms", operation, kRetryTotalMax.count());
  }
  // Written so that NaN is refused too.
  if (!(retry.factor >= 1.0 && retry.factor <= kRetryFactorMax)) {
    add(out, step, "{}: retry: factor must be 1..{}", operation, kRetryFactorMax);
  }
  if (retry.delay_max < retry.initial || retry.delay_max > kRetryTotalMax) {
    add(out, step, "{}: retry: delay_max must be from initial to {} ms", operation,
        kRetryTotalMax.count());
  }
  if (!(retry.jitter >= 0.0 && retry.jitter <= 1.0)) {
    add(out, step, "{}: retry: jitter must be 0..1", operation);
  }
  if (retry.total_max < Millis{1} || retry.total_max > kRetryTotalMax) {
    add(out, step, "{}: retry: total_max must be 1..{} ms", operation, kRetryTotalMax.count());
  }
}

void check_headers(const StepDefinition& step, std::string_view operation,
                   const std::vector<MethodHeader>& headers, Mistakes& out) {
  if (headers.size() > kMethodHeadersMax) {
    add(out, step, "{}: more than {} headers", operation, kMethodHeadersMax);
  }
  std::unordered_set<std::string> seen;
  for (const MethodHeader& header : headers) {
    std::string lower(header.name);
    std::ranges::transform(lower, lower.begin(), to_lower);
    if (lower.empty() || lower.size() > kStepNameMax ||
        !std::ranges::all_of(lower, is_token_char)) {
      add(out, step, "{}: header {}: not a header name", operation, shown_name(header.name));
    } else if (lower.starts_with(kReservedHeaderPrefix) ||
               std::ranges::find(kReservedHeaders, lower) != kReservedHeaders.end()) {
      add(out, step, "{}: header {}: set by the engine itself", operation, shown_name(header.name));
    }
    if (!seen.insert(lower).second) {
      add(out, step, "{}: header {}: given twice", operation, shown_name(header.name));
    }
    const auto fits = [](char c) { return is_visible(c) || c == ' ' || c == '\t'; };
    if (header.value.size() > kMethodHeaderValueMax || !std::ranges::all_of(header.value, fits)) {
      add(out, step, "{}: header {}: value must be at most {} bytes of printable ASCII", operation,
          shown_name(header.name), kMethodHeaderValueMax);
    }
  }
}

void check_outcomes(const StepDefinition& step, std::string_view operation,
                    const std::vector<OutcomeRule>& rules, Mistakes& out) {
  if (rules.size() > kOutcomeRulesMax) {
    add(out, step, "{}: more than {} outcome rules", operation, kOutcomeRulesMax);
  }
  std::unordered_set<std::string_view> seen;
  for (const OutcomeRule& rule : rules) {
    const bool status = rule.code.size() == 3 && rule.code.front() >= '1' &&
                        rule.code.front() <= '5' && std::ranges::all_of(rule.code, is_digit);
    if (!status && !is_error_name(rule.code)) {
      add(out, step, "{}: outcome {}: neither a Connect code nor an HTTP status", operation,
          shown_name(rule.code));
    }
    if (rule.kind < OutcomeKind::succeeded || rule.kind > OutcomeKind::pending) {
      add(out, step, "{}: outcome {}: does not say what it means", operation,
          shown_name(rule.code));
    }
    if (!seen.insert(rule.code).second) {
      add(out, step, "{}: outcome {}: given twice", operation, shown_name(rule.code));
    }
  }
}

void check_operation(const StepDefinition& step, std::string_view operation,
                     const OperationPlan& plan, Mistakes& out) {
  const Method& method = plan.method;
  const Endpoint endpoint{.participant = method.participant, .path = method.path};
  for (const std::string& wrong : mistakes_of(endpoint)) add(out, step, "{}: {}", operation, wrong);
  if (method.keys_lifetime < Millis{1} || method.keys_lifetime > kHorizonMax) {
    add(out, step, "{}: lifetime of keys must be 1..{} ms", operation, kHorizonMax.count());
  }
  if (plan.attempt_timeout < Millis{1} || plan.attempt_timeout > kAttemptTimeoutMax) {
    add(out, step, "{}: timeout must be 1..{} ms", operation, kAttemptTimeoutMax.count());
  }
  check_retry(step, operation, plan.retry, out);
  check_headers(step, operation, method.headers, out);
  check_outcomes(step, operation, method.outcomes, out);
}

void check_call_class(const StepDefinition& step, Mistakes& out) {
  const bool call = step.kind == StepKind::call;
  switch (step.call_class) {
    case CallClass::none:
      if (call) {
        add(out, step,
            "a call must have a compensation, say no_undo, or be the pivot or retriable");
      }
      break;
    case CallClass::pivot:
      if (!call && step.kind != StepKind::wait) {
        add(out, step, "a {} cannot be the pivot: only a call or a wait", name(step.kind));
      }
      if (step.for_each) {
        add(out, step, "the pivot has one leg: for_each is not possible here");
      }
      break;
    case CallClass::compensatable:
    case CallClass::retriable:
      if (!call) {
        add(out, step, "a {} cannot be {}: only a call can", name(step.kind),
            name(step.call_class));
      }
      break;
  }
}

void check_undo(const StepDefinition& step, Mistakes& out) {
  const bool compensation = step.compensation.has_value();
  const bool no_undo = !step.no_undo_reason.empty();
  if (compensation && no_undo) {
    add(out, step, "has a compensation and no_undo: one of them");
  }
  if (step.call_class == CallClass::compensatable) {
    if (!compensation && !no_undo)
      add(out, step, "compensatable, but no compensation and no no_undo");
  } else if (compensation || no_undo) {
    add(out, step, "has a way back, but is {}: only a compensatable call has one",
        step.call_class == CallClass::none ? "not a compensatable call" : name(step.call_class));
  }
  if (compensation) {
    check_operation(step, "compensation", *step.compensation, out);
    if (!step.undo) add(out, step, "compensation: no builder of its request");
    if (step.undo_needs_receipt && step.action.method.keys == KeysMode::none && !step.probe) {
      add(out, step,
          "compensation needs the action's response, but with keys none and no probe an unknown "
          "outcome can never be settled: declare keys or a probe, or build it from the request");
    }
  } else if (step.undo) {
    add(out, step, "builds a compensation, but names no method for it");
  }
}

void check_probe(const StepDefinition& step, Mistakes& out) {
  if (step.probe) {
    check_operation(step, "probe", *step.probe, out);
    if (step.kind != StepKind::call) add(out, step, "a {} needs no probe", name(step.kind));
  } else if (step.probe_request) {
    add(out, step, "builds a probe, but names no method for it");
  }
}

void check_wait(const StepDefinition& step, Mistakes& out) {
  const WaitPlan& wait = step.wait;
  if (!wait.signal.empty() && !is_name(wait.signal)) {
    add(out, step, "signal {}: must be [a-z][a-z0-9_]*, at most {} bytes", shown_name(wait.signal),
        kStepNameMax);
  }
  if (wait.until) return;
  if (wait.timeout <= Millis{0}) {
    if (wait.signal.empty()) {
      add(out, step, "waits for neither a signal nor a timer");
    } else {
      add(out, step, "waits for a signal without a timeout");
    }
  } else if (wait.timeout > kHorizonMax) {
    add(out, step, "timeout must be at most {} ms", kHorizonMax.count());
  }
}

void check_kind(const StepDefinition& step, Mistakes& out) {
  const bool sends = step.kind == StepKind::query || step.kind == StepKind::call;
  if (sends) {
    check_operation(step, "action", step.action, out);
    if (!step.legs) add(out, step, "no builder of its request");
    if (step.parallel < 1 || step.parallel > kParallelMax) {
      add(out, step, "parallel must be 1..{}", kParallelMax);
    }
  } else {
    if (step.legs) add(out, step, "a {} sends no request, but builds one", name(step.kind));
    if (step.for_each) add(out, step, "a {} cannot be for_each", name(step.kind));
  }
  switch (step.kind) {
    case StepKind::query:
    case StepKind::call:
      break;
    case StepKind::compute:
      if (!step.compute) add(out, step, "nothing to compute: no builder");
      break;
    case StepKind::wait:
      check_wait(step, out);
      break;
  }
  if (step.kind != StepKind::compute && step.compute) {
    add(out, step, "a {} computes nothing, but has a compute builder", name(step.kind));
  }
}

void check_step(const StepDefinition& step, Mistakes& out) {
  if (!is_name(step.name)) {
    add(out, step, "name must be [a-z][a-z0-9_]*, at most {} bytes", kStepNameMax);
  }
  if (step.kind < StepKind::query || step.kind > StepKind::wait) {
    add(out, step, "does not say what kind of step it is");
    return;
  }
  check_kind(step, out);
  check_call_class(step, out);
  check_undo(step, out);
  check_probe(step, out);
}

/// Every compensatable call before the pivot, every retriable call after it.
void check_pivot_order(const Definition& definition, const DefinitionGraph& graph, Mistakes& out) {
  std::vector<std::uint16_t> pivots;
  for (std::size_t i = 0; i < graph.needs.size(); ++i) {
    if (definition.steps[i].call_class == CallClass::pivot) {
      pivots.push_back(static_cast<std::uint16_t>(i));
    }
  }
  for (std::size_t i = 1; i < pivots.size(); ++i) {
    add(out, definition.steps[pivots[i]], "a second pivot: {} is the pivot already",
        shown_name(definition.steps[pivots.front()].name));
  }
  const bool one = pivots.size() == 1;
  const auto before = one ? reachable(graph.needs, pivots.front()) : std::vector<bool>{};
  const auto behind = one ? reachable(graph.needed_by, pivots.front()) : std::vector<bool>{};
  for (std::size_t i = 0; i < graph.needs.size(); ++i) {
    const StepDefinition& step = definition.steps[i];
    if (step.kind != StepKind::call) continue;
    if (step.call_class == CallClass::retriable && pivots.empty()) {
      add(out, step, "retriable, but there is no pivot for it to follow");
    } else if (step.call_class == CallClass::retriable && one && !behind[i]) {
      add(out, step, "retriable, but does not follow the pivot {}",
          shown_name(definition.steps[pivots.front()].name));
    } else if (step.call_class == CallClass::compensatable && one && !before[i]) {
      add(out, step, "compensatable, but does not precede the pivot {}",
          shown_name(definition.steps[pivots.front()].name));
    }
  }
}

void check_graph(const Definition& definition, Mistakes& out) {
  const DefinitionGraph graph = definition_graph(definition, &out);
  if (const auto cyclic = cyclic_steps(graph); !cyclic.empty()) {
    std::vector<std::string> names;
    for (const auto step : cyclic) names.push_back(shown_name(definition.steps[step].name));
    out.push_back(
        fmt::format("steps {}: they wait for each other in a cycle", fmt::join(names, ", ")));
  }
  check_pivot_order(definition, graph, out);
}

}  // namespace

std::vector<std::string> mistakes_of(const Endpoint& endpoint) {
  Mistakes out;
  if (endpoint.participant.empty()) {
    out.push_back("no participant");
  } else if (endpoint.participant.size() > kMethodPathMax ||
             !std::ranges::all_of(endpoint.participant, is_visible)) {
    out.push_back("participant is not a name or an origin");
  }
  const bool path_fits = endpoint.path.starts_with('/') && endpoint.path.size() <= kMethodPathMax &&
                         std::ranges::all_of(endpoint.path, is_visible) &&
                         endpoint.path.find('#') == std::string::npos;
  if (!path_fits) {
    out.push_back(fmt::format("path must begin with / and be at most {} bytes of visible ASCII",
                              kMethodPathMax));
  }
  return out;
}

std::vector<std::string> validate(const Definition& definition) {
  Mistakes out;
  if (!is_name(definition.name)) {
    out.push_back(fmt::format("name {}: must be [a-z][a-z0-9_]*, at most {} bytes",
                              shown_name(definition.name), kStepNameMax));
  }
  if (definition.version < 1) out.push_back("version must be at least 1");
  if (definition.deadline < Millis{0} || definition.deadline > kHorizonMax) {
    out.push_back(fmt::format("deadline must be 0 (none) or at most {} ms", kHorizonMax.count()));
  }
  if (definition.steps.empty()) out.push_back("no steps");
  if (definition.steps.size() > kStepsMax) {
    out.push_back(fmt::format("{} steps, at most {}", definition.steps.size(), kStepsMax));
  }
  std::unordered_set<std::string_view> names;
  for (const StepDefinition& step : definition.steps) {
    check_step(step, out);
    if (!names.insert(step.name).second) add(out, step, "another step has this name already");
  }
  check_graph(definition, out);
  return out;
}

}  // namespace skald
