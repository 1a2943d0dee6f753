// Verbs about sagas.
#include <fmt/format.h>

#include <fstream>
#include <iterator>

#include "engine/base/hash.h"
#include "engine/wire/json.h"
#include "skald/v1/service.pb.h"
#include "tools/skaldctl/graph.h"
#include "tools/skaldctl/saga_text.h"
#include "tools/skaldctl/timeline.h"
#include "tools/skaldctl/verbs.h"
#include "tools/skaldctl/words.h"

namespace skald::ctl {
namespace {

template <class Message>
Result<void> read_json_argument(const Terminal& terminal, std::string_view flag,
                                const std::string& argument, Message& to) {
  const auto text = read_text(terminal, argument);
  if (!text) return std::unexpected(text.error());
  auto parsed = wire::message_from_json(*text, to);
  if (parsed) return {};
  return fail(Errc::invalid_argument, "{}: {}", flag, parsed.error().message);
}

Result<v1::WaitMode::Value> wait_mode(const std::string& word) {
  v1::WaitMode::Value mode = v1::WaitMode::unspecified;
  if (word.empty() || v1::WaitMode::Value_Parse(word, &mode)) return mode;
  return fail(Errc::invalid_argument, "\"{}\" is none of accepted, decided, done", word);
}

}  // namespace

Result<std::string> read_text(const Terminal& terminal, const std::string& argument) {
  if (argument == "-") return terminal.read_all();
  if (!argument.starts_with('@')) return argument;
  std::ifstream file(argument.substr(1));
  if (!file) return fail(Errc::invalid_argument, "{} cannot be read", argument.substr(1));
  return std::string(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
}

void print_answer(const Session& session, const v1::SagaAnswer& answer) {
  if (is_for_programs(session.format)) {
    session.terminal.out(print_message(session.format, answer));
  } else if (session.format == Format::name) {
    session.terminal.out(answer.saga_id() + "\n");
  } else {
    session.terminal.out(answer_text(session.terminal, answer));
  }
}

Exit Session::fail(const Error& error) const {
  say_error(terminal, format, error, hint_of(error.code));
  return exit_of(error.code);
}

Exit Session::call(std::string_view procedure, const google::protobuf::Message& request,
                   google::protobuf::Message& response, Millis longer) {
  const auto called = api.call(procedure, request, response, kCallTimeout + longer);
  return called ? Exit::ok : fail(called.error());
}

Exit submit(Session& session, const SubmitArguments& arguments) {
  v1::SubmitRequest request;
  request.set_definition(arguments.definition);
  request.set_version(arguments.version);
  request.set_idempotency_key(arguments.key);
  request.set_business_key(arguments.business_key);
  request.set_timeout_ms(static_cast<std::uint32_t>(session.timeout.count()));
  const auto mode = wait_mode(arguments.wait);
  if (!mode) return session.fail(mode.error());
  request.set_wait(*mode);
  if (!arguments.inline_file.empty()) {
    const bool from_input = arguments.inline_file == "-" || arguments.inline_file.starts_with('@');
    auto read = read_json_argument(session.terminal, "--inline",
                                   from_input ? arguments.inline_file : "@" + arguments.inline_file,
                                   *request.mutable_inline_definition());
    if (!read) return session.fail(read.error());
  }
  if (!arguments.input.empty()) {
    auto read =
        read_json_argument(session.terminal, "--input", arguments.input, *request.mutable_input());
    if (!read) return session.fail(read.error());
  }
  v1::SagaAnswer answer;
  const Exit called =
      session.call("/skald.v1.SagaService/Submit", request, answer, session.timeout);
  if (called != Exit::ok) return called;
  print_answer(session, answer);
  return *mode == v1::WaitMode::unspecified ? Exit::ok : exit_of(answer, *mode);
}

Exit wait(Session& session, const SagaName& saga, const std::string& until) {
  auto request = named<v1::WaitRequest>(saga);
  const auto mode = wait_mode(until);
  if (!mode) return session.fail(mode.error());
  request.set_until(*mode);
  request.set_timeout_ms(static_cast<std::uint32_t>(session.timeout.count()));
  v1::SagaAnswer answer;
  const Exit called = session.call("/skald.v1.SagaService/Wait", request, answer, session.timeout);
  if (called != Exit::ok) return called;
  print_answer(session, answer);
  return exit_of(answer, *mode);
}

Exit show(Session& session, const SagaName& name, bool payloads) {
  auto request = named<v1::GetRequest>(name);
  request.set_attempts(true);
  request.set_payloads(payloads);
  v1::Saga saga;
  const Exit called = session.call("/skald.v1.SagaService/Get", request, saga);
  if (called != Exit::ok) return called;
  if (is_for_programs(session.format)) {
    session.terminal.out(print_message(session.format, saga));
  } else if (session.format == Format::name) {
    session.terminal.out(saga.saga_id() + "\n");
  } else {
    session.terminal.out(saga_text(session.terminal, saga, session.format == Format::wide));
  }
  return Exit::ok;
}

namespace {

/// What there is to say of a saga: `part` of it for programs that do not read, `text` for people.
template <class Part, class Text>
Exit tell(Session& session, const v1::GetRequest& request, Part part, Text text) {
  v1::Saga saga;
  const Exit called = session.call("/skald.v1.SagaService/Get", request, saga);
  if (called != Exit::ok) return called;
  if (is_for_programs(session.format)) {
    session.terminal.out(print_message(session.format, part(saga)));
  } else {
    session.terminal.out(session.format == Format::name ? saga.saga_id() + "\n" : text(saga));
  }
  return Exit::ok;
}

/// A picture of a saga; the saga itself for programs.
template <class Draw>
Exit draw(Session& session, const SagaName& name, Draw drawn) {
  auto request = named<v1::GetRequest>(name);
  request.set_attempts(true);
  return tell(session, request, [](const v1::Saga& saga) -> auto& { return saga; }, drawn);
}

}  // namespace

Exit timeline(Session& session, const SagaName& name) {
  return draw(session, name,
              [&session](const v1::Saga& saga) { return draw_timeline(session.terminal, saga); });
}

Exit graph(Session& session, const SagaName& name) {
  return draw(session, name, [](const v1::Saga& saga) { return mermaid(saga); });
}

Exit explain(Session& session, const SagaName& name) {
  return tell(
      session, named<v1::GetRequest>(name),
      [](const v1::Saga& saga) -> auto& { return saga.explanation(); },
      [&session](const v1::Saga& saga) { return explanation_text(session.terminal, saga); });
}

Exit history(Session& session, const SagaName& saga, bool payloads) {
  auto request = named<v1::HistoryRequest>(saga);
  request.set_payloads(payloads);
  v1::HistoryResponse told;
  const Exit called = session.call("/skald.v1.SagaService/History", request, told);
  if (called != Exit::ok) return called;
  if (session.format == Format::jsonl) {
    for (const v1::HistoryEvent& event : told.events()) {
      session.terminal.out(print_message(Format::jsonl, event));
    }
  } else if (is_for_programs(session.format)) {
    session.terminal.out(print_message(session.format, told));
  } else if (session.format == Format::name) {
    session.terminal.out(told.saga_id() + "\n");
  } else {
    session.terminal.out(history_text(session.terminal, told));
  }
  return Exit::ok;
}

Exit signal(Session& session, const SagaName& saga, const SignalArguments& arguments) {
  auto request = named<v1::SignalRequest>(saga);
  request.set_name(arguments.name);
  if (!arguments.payload.empty()) {
    auto read = read_json_argument(session.terminal, "--payload", arguments.payload,
                                   *request.mutable_payload());
    if (!read) return session.fail(read.error());
  }
  std::string id = arguments.id;
  if (id.empty()) {
    const std::uint64_t hash =
        hash64(request.payload().SerializeAsString(), hash64(arguments.name));
    id = fmt::format("skaldctl-{:016x}", hash);
  }
  request.set_signal_id(id);
  v1::SignalResponse response;
  const Exit called = session.call("/skald.v1.SagaService/Signal", request, response);
  if (called != Exit::ok) return called;
  if (is_for_programs(session.format)) {
    session.terminal.out(print_message(session.format, response));
  } else if (session.format == Format::name) {
    session.terminal.out(id + "\n");
  } else {
    session.terminal.out(fmt::format("signal {} ({}) {}\n", arguments.name, id,
                                     response.duplicate() ? "was known already" : "received"));
  }
  return Exit::ok;
}

}  // namespace skald::ctl
