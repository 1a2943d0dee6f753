#include "tools/skaldctl/graph.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <vector>

#include "tools/skaldctl/table.h"
#include "tools/skaldctl/words.h"

namespace skald::ctl {
namespace {

/// "call, pivot" and what else a person wants to know of a step.
std::vector<std::string> traits(const v1::StepView& view) {
  std::vector<std::string> all{v1::StepKind::Value_Name(view.step().kind())};
  if (view.step().class_() != v1::CallClass::unspecified) {
    all.push_back(v1::CallClass::Value_Name(view.step().class_()));
  }
  if (view.for_each()) all.push_back(fmt::format("for each, {} at once", view.parallel()));
  if (view.conditional()) all.push_back("conditional");
  return all;
}

/// Mermaid's node: the shape says the kind, a double frame the pivot.
std::string node(const v1::StepView& view) {
  const v1::Step& step = view.step();
  const std::string label =
      fmt::format("\"{}<br/>{}\"", step.name(), fmt::join(traits(view), ", "));
  if (step.class_() == v1::CallClass::pivot) return fmt::format("{}{{{{{}}}}}", step.name(), label);
  switch (step.kind()) {
    case v1::StepKind::query:
    case v1::StepKind::compute:
      return fmt::format("{}([{}])", step.name(), label);
    case v1::StepKind::wait:
      return fmt::format("{}[/{}/]", step.name(), label);
    default:  // tidy: allow(default) call, and protobuf's sentinels
      return fmt::format("{}[{}]", step.name(), label);
  }
}

std::string class_word(const v1::Step& step) {
  if (step.class_() == v1::CallClass::unspecified) return "";
  return v1::CallClass::Value_Name(step.class_());
}

std::string participant_words(const v1::Step& step) {
  if (step.kind() != v1::StepKind::wait) return step.action().participant();
  if (step.wait().signal().empty()) return "timer";
  return fmt::format("signal {}", step.wait().signal());
}

/// The method's name; its whole path where there is room.
std::string undo_words(const v1::Step& step, bool whole) {
  if (!step.no_undo().empty()) return fmt::format("none: {}", step.no_undo());
  const std::string& path = step.compensation().path();
  return whole ? path : path.substr(path.rfind('/') + 1);
}

}  // namespace

std::string mermaid(const v1::DefinitionView& definition) {
  std::string out = fmt::format("%% {} version {}\nflowchart TD\n", definition.summary().name(),
                                definition.summary().version());
  for (const v1::StepView& view : definition.steps()) out += fmt::format("  {}\n", node(view));
  for (const v1::StepView& view : definition.steps()) {
    for (const std::string& need : view.needs()) {
      out += fmt::format("  {} --> {}\n", need, view.step().name());
    }
  }
  for (const v1::StepView& view : definition.steps()) {
    const v1::Step& step = view.step();
    if (!step.has_compensation()) continue;
    out += fmt::format("  {0} -. undo .-> {0}_undo([\"{1}\"])\n", step.name(),
                       step.compensation().path());
  }
  return out;
}

namespace {

using LegStage = v1::Saga::LegStage;
using StepStage = v1::Saga::StepStage;

bool needs_a_person(const v1::Saga::Leg& leg) {
  const auto stopped = [](const v1::Saga::Operation& operation) {
    return operation.phase() == v1::Saga::Phase::stopped;
  };
  return stopped(leg.action()) || stopped(leg.compensation()) || stopped(leg.probe());
}

/// "2 undone, 1 refused": where its legs are; of a step without legs, where it is itself.
std::string whereabouts(const v1::Saga::Step& step) {
  if (step.legs().empty()) return StepStage::Value_Name(step.stage());
  std::map<std::string, int> legs;
  for (const v1::Saga::Leg& leg : step.legs()) ++legs[LegStage::Value_Name(leg.stage())];
  if (step.legs_total() == 1) return legs.begin()->first;
  std::vector<std::string> parts;
  for (const auto& [stage, count] : legs) parts.push_back(fmt::format("{} {}", count, stage));
  if (step.legs_total() > static_cast<std::uint32_t>(step.legs_size())) parts.emplace_back("...");
  return fmt::format("{}", fmt::join(parts, ", "));
}

/// The class of a step: what a person should look at first wins.
std::string_view colour_of(const v1::Saga::Step& step) {
  const auto any = [&step](auto is) { return std::ranges::any_of(step.legs(), is); };
  const auto in = [](LegStage::Value stage) {
    return [stage](const v1::Saga::Leg& leg) { return leg.stage() == stage; };
  };
  if (!step.stuck_reason().empty() || any(needs_a_person)) return "stuck";
  if (any(in(LegStage::refused)) || step.stage() == StepStage::failed) return "refused";
  if (any(in(LegStage::undoing)) || any(in(LegStage::undone))) return "undone";
  if (step.stage() == StepStage::running) return "running";
  return step.stage() == StepStage::done ? "done" : "pending";
}

constexpr std::string_view kColours =
    "  classDef done fill:#d3f9d8,stroke:#2b8a3e\n"
    "  classDef running fill:#d0ebff,stroke:#1864ab\n"
    "  classDef undone fill:#fff3bf,stroke:#e67700\n"
    "  classDef refused fill:#ffe3e3,stroke:#c92a2a\n"
    "  classDef stuck fill:#ffa8a8,stroke:#c92a2a,stroke-width:3px\n"
    "  classDef pending fill:#f1f3f5,stroke:#868e96\n";

}  // namespace

std::string mermaid(const v1::Saga& saga) {
  std::string out = fmt::format("%% saga {}, {} version {}\nflowchart TD\n", saga.saga_id(),
                                saga.definition(), saga.version());
  for (const v1::Saga::Step& step : saga.steps()) {
    const bool pivot = step.class_() == v1::CallClass::pivot;
    const std::string label = fmt::format("\"{}<br/>{}\"", step.name(), whereabouts(step));
    out += fmt::format(fmt::runtime(pivot ? "  {}{{{{{}}}}}:::{}\n" : "  {}[{}]:::{}\n"),
                       step.name(), label, colour_of(step));
  }
  for (const v1::Saga::Step& step : saga.steps()) {
    for (const std::string& need : step.after()) {
      out += fmt::format("  {} --> {}\n", need, step.name());
    }
  }
  out += kColours;
  return out;
}

std::string definition_table(const Terminal& terminal, const v1::DefinitionView& definition,
                             bool wide) {
  std::vector<Column> columns{{.title = "STEP"},
                              {.title = "KIND"},
                              {.title = "CLASS"},
                              {.title = "AFTER", .shrinks = true},
                              {.title = "PARTICIPANT", .shrinks = true},
                              {.title = "UNDO", .shrinks = true}};
  if (wide) {
    for (const char* title : {"PATH", "KEYS", "TIMEOUT", "RETRY FOR"}) {
      columns.push_back({.title = title});
    }
  }
  std::vector<std::vector<Cell>> rows;
  for (const v1::StepView& view : definition.steps()) {
    const v1::Step& step = view.step();
    rows.push_back({{step.name() + (view.for_each() ? "[]" : "") + (view.conditional() ? "?" : "")},
                    {v1::StepKind::Value_Name(step.kind())},
                    {class_word(step)},
                    {fmt::format("{}", fmt::join(view.needs(), ", "))},
                    {participant_words(step)},
                    {undo_words(step, wide)}});
    if (!wide) continue;
    const v1::Operation& action = step.action();
    const bool has = step.has_action();
    rows.back().push_back({action.path()});
    rows.back().push_back({has ? v1::KeysMode::Value_Name(action.keys()) : ""});
    rows.back().push_back({has ? short_duration(action.timeout_ms()) : ""});
    rows.back().push_back(
        {has ? short_duration(static_cast<std::int64_t>(action.retry().total_max_ms())) : ""});
  }
  return table(terminal, columns, rows, wide ? 0 : terminal.width) +
         terminal.toned(Tone::dim, "[] one leg per item   ? only when its condition says yes\n");
}

}  // namespace skald::ctl
