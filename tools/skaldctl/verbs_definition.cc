// Verbs about definitions.
#include <fmt/format.h>

#include <vector>

#include "skald/v1/service.pb.h"
#include "tools/skaldctl/graph.h"
#include "tools/skaldctl/table.h"
#include "tools/skaldctl/verbs.h"
#include "tools/skaldctl/words.h"

namespace skald::ctl {
namespace {

Exit get_definition(Session& session, const std::string& name, std::uint32_t version,
                    v1::DefinitionView& view) {
  v1::GetDefinitionRequest request;
  request.set_name(name);
  request.set_version(version);
  return session.call("/skald.v1.DefinitionService/Get", request, view);
}

std::string list_table(const Session& session, const v1::ListDefinitionsResponse& list) {
  std::vector<std::vector<Cell>> rows;
  for (const v1::DefinitionSummary& definition : list.definitions()) {
    const auto deadline = static_cast<std::int64_t>(definition.deadline_ms());
    rows.push_back(
        {{definition.name(), definition.newest() ? Tone::plain : Tone::dim},
         {fmt::format("{}{}", definition.version(), definition.newest() ? " (newest)" : "")},
         {fmt::format("{}", definition.steps())},
         {deadline == 0 ? "none" : short_duration(deadline)},
         {definition.input_type()}});
  }
  if (rows.empty()) return "no definitions\n";
  return table(session.terminal,
               {{.title = "DEFINITION", .shrinks = true},
                {.title = "VERSION"},
                {.title = "STEPS"},
                {.title = "DEADLINE"},
                {.title = "INPUT", .shrinks = true}},
               rows, session.format == Format::wide ? 0 : session.terminal.width);
}

}  // namespace

Exit definitions_list(Session& session) {
  v1::ListDefinitionsResponse list;
  const Exit called =
      session.call("/skald.v1.DefinitionService/List", v1::ListDefinitionsRequest{}, list);
  if (called != Exit::ok) return called;
  print_list(
      session, list, list.definitions(), [](const auto& one) { return one.name(); },
      [&](bool) { return list_table(session, list); });
  return Exit::ok;
}

Exit definitions_show(Session& session, const std::string& name, std::uint32_t version) {
  v1::DefinitionView view;
  const Exit called = get_definition(session, name, version, view);
  if (called != Exit::ok) return called;
  if (is_for_programs(session.format)) {
    session.terminal.out(print_message(session.format, view));
    return Exit::ok;
  }
  const v1::DefinitionSummary& summary = view.summary();
  if (session.format == Format::name) {
    session.terminal.out(summary.name() + "\n");
    return Exit::ok;
  }
  session.terminal.out(fmt::format(
      "{} v{}{}\n", session.terminal.toned(Tone::strong, summary.name()), summary.version(),
      summary.input_type().empty()
          ? ""
          : fmt::format("  {} -> {}", summary.input_type(),
                        summary.output_type().empty() ? "nothing" : summary.output_type())));
  session.terminal.out("\n" +
                       definition_table(session.terminal, view, session.format == Format::wide));
  return Exit::ok;
}

Exit definitions_graph(Session& session, const std::string& name, std::uint32_t version) {
  v1::DefinitionView view;
  const Exit called = get_definition(session, name, version, view);
  if (called != Exit::ok) return called;
  if (is_for_programs(session.format)) {
    session.terminal.out(
        print_facts(session.format, {{"name", view.summary().name()}, {"mermaid", mermaid(view)}}));
  } else {
    session.terminal.out(session.format == Format::name ? view.summary().name() + "\n"
                                                        : mermaid(view));
  }
  return Exit::ok;
}

}  // namespace skald::ctl
