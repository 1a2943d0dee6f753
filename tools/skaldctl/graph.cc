#include "tools/skaldctl/graph.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

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
