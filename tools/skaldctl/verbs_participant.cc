// Verbs about participants: how they are, and holding them.
#include <fmt/format.h>

#include <vector>

#include "skald/v1/participant.pb.h"
#include "tools/skaldctl/table.h"
#include "tools/skaldctl/verbs.h"
#include "tools/skaldctl/words.h"

namespace skald::ctl {
namespace {

std::string place(const std::string& participant, const std::string& path) {
  return path.empty() ? participant : participant + " " + path;
}

/// "held by alice: stock is recounted", "open, tries in 2 s", "closed".
Cell health(const v1::ParticipantMethod& method) {
  if (method.has_hold()) {
    return {fmt::format("held by {}: {}",
                        method.hold().actor().empty() ? "somebody" : method.hold().actor(),
                        method.hold().reason()),
            Tone::warn};
  }
  switch (method.breaker()) {
    case v1::BreakerState::open:
      return {"breaker open", Tone::bad};
    case v1::BreakerState::trying:
      return {"breaker trying", Tone::warn};
    default:
      break;
  }
  if (method.answers() == 0) return {"not called yet", Tone::dim};
  return method.recent_failures() > 0.5 ? Cell{"failing", Tone::bad} : Cell{"well", Tone::good};
}

std::string methods_table(const Session& session, const v1::ListParticipantsResponse& list) {
  std::vector<std::vector<Cell>> rows;
  for (const v1::ParticipantMethod& method : list.methods()) {
    const bool called = method.answers() != 0;
    rows.push_back({{method.participant()},
                    {method.path().substr(method.path().rfind('/') + 1)},
                    {fmt::format("{}", method.in_flight())},
                    {fmt::format("{}", method.queued())},
                    {called ? fmt::format("{:.1f} ms", method.recent_latency_ms()) : "-"},
                    {called ? fmt::format("{:.0f} %", method.recent_failures() * 100) : "-"},
                    health(method)});
  }
  if (rows.empty()) return "no participant has been called since skaldd started\n";
  return table(session.terminal,
               {{.title = "PARTICIPANT", .shrinks = true},
                {.title = "METHOD", .shrinks = true},
                {.title = "OUT"},
                {.title = "QUEUED"},
                {.title = "LATENCY"},
                {.title = "FAILING"},
                {.title = "HEALTH", .shrinks = true}},
               rows, session.format == Format::wide ? 0 : session.terminal.width);
}

Exit tell(Session& session, const v1::ParticipantHold& hold, const std::string& sentence) {
  if (is_for_programs(session.format)) {
    session.terminal.out(print_message(session.format, hold));
  } else if (session.format == Format::name) {
    session.terminal.out(place(hold.participant(), hold.path()) + "\n");
  } else {
    session.terminal.out(sentence + "\n");
  }
  return Exit::ok;
}

}  // namespace

Exit participants(Session& session, const std::string& participant) {
  v1::ListParticipantsRequest request;
  request.set_participant(participant);
  v1::ListParticipantsResponse list;
  const Exit called = session.call("/skald.v1.ParticipantService/List", request, list);
  if (called != Exit::ok) return called;
  print_list(
      session, list, list.methods(),
      [](const auto& one) { return place(one.participant(), one.path()); },
      [&](bool) { return methods_table(session, list); });
  return Exit::ok;
}

Exit hold(Session& session, const HoldArguments& arguments) {
  v1::HoldRequest request;
  request.set_participant(arguments.participant);
  request.set_path(arguments.path);
  request.set_reason(arguments.reason);
  request.set_actor(session.actor);
  v1::ParticipantHold held;
  const Exit called = session.call("/skald.v1.ParticipantService/Hold", request, held);
  if (called != Exit::ok) return called;
  return tell(session, held,
              fmt::format("{} is held: nothing is sent to it until `skaldctl release {}`",
                          place(held.participant(), held.path()), arguments.participant));
}

Exit release(Session& session, const HoldArguments& arguments) {
  v1::ReleaseRequest request;
  request.set_participant(arguments.participant);
  request.set_path(arguments.path);
  request.set_actor(session.actor);
  v1::ParticipantHold ended;
  const Exit called = session.call("/skald.v1.ParticipantService/Release", request, ended);
  if (called != Exit::ok) return called;
  return tell(session, ended,
              fmt::format("{} is released: what waited for it is sent",
                          place(ended.participant(), ended.path())));
}

}  // namespace skald::ctl
