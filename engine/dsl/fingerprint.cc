// Definitions as reviewable text; see the header.
#include "engine/dsl/fingerprint.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <iterator>

namespace skald::dsl {
namespace {

std::string_view name(Protocol protocol) {
  switch (protocol) {
    case Protocol::connect_proto:
      return "connect_proto";
    case Protocol::connect_json:
      return "connect_json";
    case Protocol::http_json:
      return "http_json";
  }
  return "invalid";
}

std::string_view name(OnReject on_reject) {
  switch (on_reject) {
    case OnReject::stop:
      return "stop";
    case OnReject::finish_all:
      return "finish_all";
  }
  return "invalid";
}

std::string hex(std::string_view bytes) {
  std::string out;
  for (const char c : bytes) {
    fmt::format_to(std::back_inserter(out), "{:02x}", static_cast<unsigned char>(c));
  }
  return out.empty() ? "(empty)" : out;
}

void add_operation(std::string_view operation, const OperationPlan& plan, std::string& out) {
  const Method& method = plan.method;
  fmt::format_to(std::back_inserter(out), "  {} {}{} {} keys={}{}\n", operation, method.participant,
                 method.path, name(method.protocol), skald::name(method.keys),
                 method.profile == Profile::dtm ? " profile=dtm" : "");
  for (const MethodHeader& header : method.headers) {
    fmt::format_to(std::back_inserter(out), "    header {}: {}\n", header.name, header.value);
  }
  for (const OutcomeRule& rule : method.outcomes) {
    fmt::format_to(std::back_inserter(out), "    outcome {} {}\n", rule.code,
                   skald::name(rule.kind));
  }
}

void add_step(const Definition& definition, std::size_t index, std::string& out) {
  const StepDefinition& step = definition.steps[index];
  std::vector<std::string> needs;
  for (const auto need : definition.order.needs[index]) {
    needs.push_back(definition.steps[need].name);
  }
  auto to = std::back_inserter(out);
  fmt::format_to(to, "step {} {}", step.name, skald::name(step.kind));
  if (step.call_class != CallClass::none) fmt::format_to(to, " {}", skald::name(step.call_class));
  fmt::format_to(to, " after=({})", fmt::join(needs, " "));
  if (step.when) fmt::format_to(to, " when");
  if (step.for_each) fmt::format_to(to, " for_each on_reject={}", name(step.on_reject));
  if (step.undo_needs_receipt) fmt::format_to(to, " undo_needs_receipt");
  if (!step.no_undo_reason.empty()) fmt::format_to(to, " no_undo");
  out += '\n';
  if (step.legs) add_operation("action", step.action, out);
  if (step.compensation) add_operation("compensation", *step.compensation, out);
  if (step.probe) add_operation("probe", *step.probe, out);
  if (step.kind == StepKind::wait) {
    fmt::format_to(to, "  signal {} on_timeout={}\n",
                   step.wait.signal.empty() ? "(none)" : step.wait.signal,
                   step.wait.on_timeout == OnTimeout::reject ? "reject" : "proceed");
  }
}

/// JSON beside the bytes, where the step knows how to print them.
std::string readable(const Definition& definition, const DryRequest& request) {
  const auto index = definition.step_index(request.leg.substr(0, request.leg.find('[')));
  if (request.operation != Operation::action || !index) return "";
  const BytesPrinter& printer = definition.steps[*index].print_request;
  return printer ? " " + printer(request.request) : "";
}

void add_sample(const Definition& definition, const Sample& sample, std::string& out) {
  const DryRun run = dry_run(definition, sample);
  auto to = std::back_inserter(out);
  fmt::format_to(to, "sample {}\n", sample.name);
  for (const std::string& step : run.skipped) fmt::format_to(to, "  skipped {}\n", step);
  for (const std::string& step : run.computed) {
    const auto index = definition.step_index(step);
    const BytesPrinter& printer = definition.steps[*index].print_response;
    const Bytes& bytes = run.state.steps[*index].output;
    fmt::format_to(to, "  computed {} {}{}\n", step, hex(bytes),
                   printer ? " " + printer(bytes) : "");
  }
  for (const DryRequest& request : run.requests) {
    fmt::format_to(to, "  {} {}{} {}{}\n", skald::name(request.operation), request.leg,
                   request.operation == Operation::compensation && request.without_receipt
                       ? " (no receipt)"
                       : "",
                   hex(request.request), readable(definition, request));
  }
  if (run.refusal) {
    fmt::format_to(to, "  refused at {}: {}\n", run.refused_at, skald::name(run.refusal->code));
  }
  if (run.has_output) {
    fmt::format_to(to, "  output {}{}\n", hex(run.output),
                   definition.print_output ? " " + definition.print_output(run.output) : "");
  }
}

}  // namespace

std::string fingerprint(const Definition& definition, std::span<const Sample> samples) {
  std::string out = fmt::format("definition {} version {}\ninput {}\noutput {}\n", definition.name,
                                definition.version, definition.input_type,
                                definition.output_type.empty() ? "(none)" : definition.output_type);
  for (std::size_t i = 0; i < definition.steps.size(); ++i) add_step(definition, i, out);
  for (const Sample& sample : samples) add_sample(definition, sample, out);
  return out;
}

}  // namespace skald::dsl
