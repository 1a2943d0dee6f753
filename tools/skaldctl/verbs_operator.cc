// Acts of operators: one path for all of them. What cannot be taken back is judged by the server
// and shown, then asked for, then done as long as the saga is still what was shown.
#include <fmt/format.h>

#include "skald/v1/operator.pb.h"
#include "tools/skaldctl/saga_text.h"
#include "tools/skaldctl/table.h"
#include "tools/skaldctl/verbs.h"
#include "tools/skaldctl/words.h"

namespace skald::ctl {
namespace {

Exit nobody_to_ask(const Session& session) {
  say_error(session.terminal, session.format,
            {Errc::failed_precondition, "nobody is there to be asked"},
            "give --yes to go on without being asked, or --dry-run to see what it would do");
  return Exit::declined;
}

bool somebody_to_ask(const Session& session) {
  return session.terminal.input_is_tty && !is_for_programs(session.format);
}

template <class Request>
void fill_common(const Session& session, const ActArguments& arguments, Request& request) {
  request.set_leg(arguments.leg);
  request.set_actor(session.actor);
  request.set_reason(arguments.reason);
  request.set_expected_seq(arguments.seq);
}

Result<void> fill_payload(const Session& session, const std::string& argument,
                          v1::Payload& payload) {
  auto text = read_text(session.terminal, argument);
  if (!text) return std::unexpected(text.error());
  payload.set_text(std::move(*text));  // as it is: JSON numbers of any size survive
  return {};
}

Result<void> fill(const Session& session, const ActArguments& arguments,
                  v1::ResolveRequest& request) {
  if (arguments.happened == arguments.did_not_happen) {
    return skald::fail(Errc::invalid_argument, "say --happened or --did-not-happen");
  }
  request.set_answer(arguments.happened ? v1::ResolveRequest::Answer::happened
                                        : v1::ResolveRequest::Answer::did_not_happen);
  request.set_hold(arguments.hold);
  if (arguments.response.empty()) return {};
  return fill_payload(session, arguments.response, *request.mutable_response());
}

Result<void> fill(const Session& session, const ActArguments& arguments,
                  v1::AmendRequest& request) {
  request.set_url(arguments.url);
  request.set_participant(arguments.participant);
  request.set_path(arguments.path);
  if (arguments.request.empty()) return {};
  return fill_payload(session, arguments.request, *request.mutable_request());
}

Result<void> fill(const Session&, const ActArguments&, v1::ActRequest&) { return {}; }

/// What it is about, what it would do, and of an amendment the difference.
std::string preview_text(const Terminal& terminal, std::string_view verb,
                         const v1::ActResponse& preview) {
  std::string out = answer_text(terminal, preview.saga());
  out += wrapped(fmt::format("{}: {}", verb, preview.effect()), terminal.width, 2) + "\n";
  for (const std::string& line : preview.diff()) {
    const Tone tone = line.starts_with('-')   ? Tone::bad
                      : line.starts_with('+') ? Tone::good
                                              : Tone::plain;
    out += "  " + terminal.toned(tone, line) + "\n";
  }
  return out;
}

template <class Request>
Exit ask(Session& session, const ActVerb& verb, const SagaName& saga,
         const ActArguments& arguments) {
  auto request = named<Request>(saga);
  fill_common(session, arguments, request);
  if (auto filled = fill(session, arguments, request); !filled) return session.fail(filled.error());
  const bool asks = !verb.question.empty() && !session.yes && !arguments.dry_run;
  if (asks || arguments.dry_run) {
    v1::ActResponse preview;
    request.set_dry_run(true);
    const Exit called = session.call(verb.procedure, request, preview);
    if (called != Exit::ok) return called;
    const bool for_programs = is_for_programs(session.format);
    const std::string text = for_programs ? print_message(session.format, preview)
                                          : preview_text(session.terminal, verb.name, preview);
    if (arguments.dry_run) return session.terminal.out(text), Exit::ok;
    if (!somebody_to_ask(session)) return nobody_to_ask(session);  // it could be done
    session.terminal.err(text);
    const Exit confirmed = confirm(session, verb.question);
    if (confirmed != Exit::ok) return confirmed;
    request.set_dry_run(false);
    request.set_saga_id(preview.saga().saga_id());  // the one that was shown
    // A cancel is as right a moment later; everything else is about what was shown.
    if (verb.about_leg) request.set_expected_seq(preview.seq());
  }
  v1::ActResponse done;
  const Exit called = session.call(verb.procedure, request, done);
  if (called == Exit::ok) print_answer(session, done.saga());
  return called;
}

}  // namespace

Exit confirm(const Session& session, std::string_view question) {
  if (!somebody_to_ask(session)) return nobody_to_ask(session);
  session.terminal.err(fmt::format("{} [y/N] ", question));
  const auto line = session.terminal.read_line();
  if (line == "y" || line == "Y" || line == "yes") return Exit::ok;
  session.terminal.err("nothing was done\n");
  return Exit::declined;
}

const std::vector<ActVerb>& act_verbs() {
  static const std::vector<ActVerb> kVerbs = {
      {.name = "retry",
       .procedure = "/skald.v1.OperatorService/Retry",
       .help = "try what is stuck or backing off again now"},
      {.name = "pause",
       .procedure = "/skald.v1.OperatorService/Pause",
       .help = "begin nothing new until resume; what is in flight is answered and recorded"},
      {.name = "resume",
       .procedure = "/skald.v1.OperatorService/Resume",
       .help = "go on; the time it was paused does not count"},
      {.name = "cancel",
       .procedure = "/skald.v1.OperatorService/Cancel",
       .help = "turn it back and undo what was done",
       .question = "Cancel it and undo what was done?"},
      {.name = "skip",
       .procedure = "/skald.v1.OperatorService/Skip",
       .help = "go on without a leg that was not done, or a step that is stuck",
       .question = "Go on without it?",
       .about_leg = true,
       .needs_reason = true},
      {.name = "resolve",
       .procedure = "/skald.v1.OperatorService/Resolve",
       .help = "say of a leg in doubt whether it happened",
       .question = "Record this as the truth?",
       .about_leg = true,
       .needs_reason = true},
      {.name = "amend",
       .procedure = "/skald.v1.OperatorService/Amend",
       .help = "change the request or the endpoint of a pending leg",
       .question = "Send it like this?",
       .about_leg = true,
       .needs_reason = true},
      {.name = "mark-done",
       .procedure = "/skald.v1.OperatorService/MarkCompensated",
       .help = "a leg's compensation was done by hand",
       .question = "Count it as undone?",
       .about_leg = true,
       .needs_reason = true},
      {.name = "abandon",
       .procedure = "/skald.v1.OperatorService/Abandon",
       .help = "close it as it is; what was done stays",
       .question = "Close it for good?",
       .needs_reason = true},
  };
  return kVerbs;
}

Exit act(Session& session, const ActVerb& verb, const SagaName& saga,
         const ActArguments& arguments) {
  if (verb.name == "resolve") return ask<v1::ResolveRequest>(session, verb, saga, arguments);
  if (verb.name == "amend") return ask<v1::AmendRequest>(session, verb, saga, arguments);
  return ask<v1::ActRequest>(session, verb, saga, arguments);
}

}  // namespace skald::ctl
