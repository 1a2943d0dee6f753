// Doing a failed saga again: asked for, shown on paper, or refused.
#include <fmt/format.h>

#include "engine/wire/json.h"
#include "skald/v1/operator.pb.h"
#include "tools/skaldctl/saga_text.h"
#include "tools/skaldctl/table.h"
#include "tools/skaldctl/verbs.h"

namespace skald::ctl {
namespace {

constexpr const char* kReplay = "/skald.v1.OperatorService/Replay";

Result<v1::ReplayRequest> request_of(const Session& session, const SagaName& saga,
                                     const ReplayArguments& arguments) {
  auto request = named<v1::ReplayRequest>(saga);
  request.set_actor(session.actor);
  request.set_reason(arguments.reason);
  request.set_from(arguments.from);
  request.set_new_business_key(arguments.business_key);
  request.set_version(arguments.version);
  request.set_newest(arguments.newest);
  request.set_dry_run(arguments.dry_run);
  if (arguments.input.empty()) return request;
  const auto text = read_text(session.terminal, arguments.input);
  if (!text) return std::unexpected(text.error());
  auto parsed = wire::message_from_json(*text, *request.mutable_input_patch());
  if (parsed) return request;
  return fail(Errc::invalid_argument, "--input: {}", parsed.error().message);
}

std::string json_line(const google::protobuf::Value& value) {
  return wire::message_to_json(value).value_or("");
}

std::string requests_text(const Terminal& terminal, const v1::ReplayResponse& paper) {
  const std::vector<Column> columns{
      {.title = ""}, {.title = "LEG"}, {.title = "TO"}, {.title = "REQUEST", .shrinks = true}};
  std::vector<std::vector<Cell>> rows;
  bool assumed = false;
  for (const auto& request : paper.requests()) {
    assumed = assumed || request.assumed();
    rows.push_back({{request.assumed() ? "?" : ""},
                    {request.leg(), request.effect() ? Tone::strong : Tone::plain},
                    {request.participant() + request.path()},
                    {request.has_request() ? json_line(request.request()) : "(bytes)"}});
  }
  std::string out = table(terminal, columns, rows, terminal.width);
  const std::uint32_t more =
      paper.requests_total() - static_cast<std::uint32_t>(paper.requests_size());
  if (more > 0) out += fmt::format("and {} more\n", more);
  if (assumed) {
    out += wrapped(
               "? comes after a call that the old saga never got an answer to: an empty one is "
               "assumed",
               terminal.width, 2) +
           "\n";
  }
  return out;
}

std::string paper_text(const Terminal& terminal, const v1::ReplayResponse& paper) {
  std::string out = answer_text(terminal, paper.saga());
  for (const std::string& replay : paper.replays()) {
    out += fmt::format("was replayed as saga {}\n", replay);
  }
  out += fmt::format("replay {} would run {} version {}{}\n", paper.number(), paper.definition(),
                     paper.version(),
                     paper.business_key().empty() ? "" : " as " + paper.business_key());
  for (const std::string& step : paper.kept())
    out += fmt::format("  keeps the result of {}\n", step);
  for (const std::string& line : paper.diff()) {
    const Tone tone = line.starts_with('-')   ? Tone::bad
                      : line.starts_with('+') ? Tone::good
                                              : Tone::plain;
    out += "  " + terminal.toned(tone, line) + "\n";
  }
  out += requests_text(terminal, paper);
  if (paper.has_failure()) {
    out += wrapped(fmt::format("and would turn back: {}: {}", paper.failure().leg(),
                               paper.failure().message()),
                   terminal.width, 2) +
           "\n";
  }
  return out;
}

/// A second replay is another one, by its number: repeating the same number does nothing twice.
Exit number_it(Session& session, v1::ReplayRequest& request) {
  v1::ReplayResponse paper;
  v1::ReplayRequest ask = request;
  ask.set_dry_run(true);
  const Exit called = session.call(kReplay, ask, paper);
  if (called != Exit::ok) return called;
  request.set_number(static_cast<std::uint32_t>(paper.replays_size()) + 1);
  if (request.dry_run() || session.yes || paper.replays().empty()) return Exit::ok;
  session.terminal.err(fmt::format("saga {} was replayed {} times, last as saga {}\n",
                                   paper.saga().saga_id(), paper.replays_size(),
                                   *paper.replays().rbegin()));
  return confirm(session, "Replay it again?");
}

}  // namespace

Exit replay(Session& session, const SagaName& saga, const ReplayArguments& arguments) {
  auto request = request_of(session, saga, arguments);
  if (!request) return session.fail(request.error());
  if (arguments.again) {
    const Exit numbered = number_it(session, *request);
    if (numbered != Exit::ok) return numbered;
  }
  v1::ReplayResponse response;
  const Exit called = session.call(kReplay, *request, response);
  if (called != Exit::ok) return called;
  if (is_for_programs(session.format)) {
    session.terminal.out(print_message(session.format, response));
    return Exit::ok;
  }
  if (response.dry_run()) {
    session.terminal.out(paper_text(session.terminal, response));
    return Exit::ok;
  }
  print_answer(session, response.saga());
  if (!response.saga().created()) {
    session.terminal.err("it was replayed already, as this saga; --again replays it once more\n");
  }
  return Exit::ok;
}

}  // namespace skald::ctl
