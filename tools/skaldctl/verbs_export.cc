// Sagas as JSON lines, and what they would do under another version of their definition.
#include <fmt/format.h>

#include <sstream>

#include "engine/wire/json.h"
#include "skald/v1/operator.pb.h"
#include "tools/skaldctl/redaction.h"
#include "tools/skaldctl/table.h"
#include "tools/skaldctl/verbs.h"
#include "tools/skaldctl/words.h"

namespace skald::ctl {
namespace {

constexpr std::string_view kFormat = "skald.saga.v1";

Exit export_one(Session& session, const std::string& id, bool redacts) {
  v1::ExportedSaga line;
  line.set_format(std::string(kFormat));
  v1::GetRequest get;
  get.set_saga_id(id);
  get.set_attempts(true);
  get.set_payloads(true);
  Exit called = session.call("/skald.v1.SagaService/Get", get, *line.mutable_saga());
  if (called != Exit::ok) return called;
  v1::HistoryRequest ask;
  ask.set_saga_id(id);
  v1::HistoryResponse history;
  called = session.call("/skald.v1.SagaService/History", ask, history);
  if (called != Exit::ok) return called;
  line.mutable_history()->Swap(history.mutable_events());
  if (redacts) redact(line);
  line.set_redacted(redacts);
  session.terminal.out(print_message(Format::jsonl, line));
  return Exit::ok;
}

void print(const Session& session, const v1::Saga& saga, const v1::SimulateResponse& result) {
  if (is_for_programs(session.format)) {
    session.terminal.out(print_message(session.format, result));
    return;
  }
  std::string out = fmt::format("{}  {} v{} -> v{}  ", saga.saga_id(), saga.definition(),
                                saga.version(), result.version());
  if (!result.has_divergence()) {
    out += session.terminal.toned(
        Tone::good,
        fmt::format("the same: {} requests, {}", result.requests(), status_word(result.status())));
    return session.terminal.out(out + "\n");
  }
  const auto& found = result.divergence();
  out += session.terminal.toned(Tone::bad,
                                fmt::format("diverges after {} requests", result.requests()));
  out += "\n  " +
         wrapped(fmt::format("{} {}", found.leg().empty() ? "it" : found.leg(), found.what()),
                 session.terminal.width, 2) +
         "\n";
  for (const std::string& line : found.diff()) out += "    " + line + "\n";
  session.terminal.out(out);
}

}  // namespace

Exit export_sagas(Session& session, const ExportArguments& arguments,
                  const ListArguments& selection) {
  for (const std::string& id : arguments.ids) {
    const Exit done = export_one(session, id, arguments.redact);
    if (done != Exit::ok) return done;
  }
  if (!arguments.ids.empty()) return Exit::ok;
  auto request = list_request(selection);
  if (!request) return session.fail(request.error());
  do {
    v1::ListResponse page;
    const Exit called = session.call("/skald.v1.SagaService/List", *request, page);
    if (called != Exit::ok) return called;
    for (const v1::SagaSummary& saga : page.sagas()) {
      const Exit done = export_one(session, saga.saga_id(), arguments.redact);
      if (done != Exit::ok) return done;
    }
    request->set_page_token(page.next_page_token());
  } while (!request->page_token().empty());
  return Exit::ok;
}

Exit simulate(Session& session, const ImportArguments& arguments) {
  const auto text =
      read_text(session.terminal, arguments.file == "-" ? arguments.file : "@" + arguments.file);
  if (!text) return session.fail(text.error());
  std::istringstream lines(*text);
  std::string line;
  bool all_same = true;
  for (std::size_t number = 1; std::getline(lines, line); ++number) {
    if (line.empty()) continue;
    v1::ExportedSaga exported;
    if (auto read = wire::message_from_json(line, exported); !read) {
      return session.fail(
          {Errc::invalid_argument, fmt::format("line {}: {}", number, read.error().message)});
    }
    if (exported.format() != kFormat || exported.redacted()) {
      return session.fail(
          {Errc::invalid_argument,
           fmt::format("line {}: {}", number,
                       exported.redacted() ? "is redacted, and its answers are not there; export "
                                             "it without --redact"
                                           : "is no export of a saga")});
    }
    v1::SimulateRequest request;
    *request.mutable_saga() = exported.saga();
    request.set_version(arguments.version);
    request.set_newest(arguments.newest);
    v1::SimulateResponse result;
    const Exit called = session.call("/skald.v1.OperatorService/Simulate", request, result);
    if (called != Exit::ok) return called;
    all_same = all_same && !result.has_divergence();
    print(session, exported.saga(), result);
  }
  return all_same ? Exit::ok : Exit::partly;
}

}  // namespace skald::ctl
