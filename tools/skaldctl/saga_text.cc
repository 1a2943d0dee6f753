#include "tools/skaldctl/saga_text.h"

#include <fmt/format.h>
#include <google/protobuf/util/json_util.h>

#include <map>
#include <vector>

#include "engine/wire/json.h"
#include "tools/skaldctl/table.h"
#include "tools/skaldctl/timeline.h"
#include "tools/skaldctl/words.h"

namespace skald::ctl {
namespace {

constexpr std::size_t kLabelWidth = 9;

/// "label   text", wrapped beside the label.
std::string labelled(const Terminal& terminal, std::string_view label, std::string_view text) {
  return terminal.toned(Tone::dim, padded(label, kLabelWidth)) +
         wrapped(text, terminal.width, kLabelWidth) + "\n";
}

/// The parts beside each other, and below each other where the width ends.
std::string title(const Terminal& terminal, std::initializer_list<Cell> parts) {
  constexpr std::string_view kGap = "  ";
  std::string out;
  std::size_t column = 0;
  for (const Cell& part : parts) {
    if (part.text.empty()) continue;
    const std::size_t width = display_width(part.text);
    if (column > 0 && column + kGap.size() + width > terminal.width) {
      out += '\n';
      column = 0;
      out += kGap;
    } else if (column > 0) {
      out += kGap;
    }
    column += width + kGap.size();
    out += terminal.toned(part.tone, part.text);
  }
  return out + "\n";
}

/// "by ann: maintenance, 3m20s ago"
std::string act_line(const v1::Saga::Act& act, std::int64_t now_ms) {
  const std::string who = act.actor().empty() ? "someone" : act.actor();
  const std::string why = act.reason().empty() ? "" : ": " + act.reason();
  return fmt::format("by {}{}, {} ago", who, why, short_duration(now_ms - unix_ms(act.at())));
}

std::string head(const Terminal& terminal, const v1::Saga& saga) {
  const std::int64_t began = unix_ms(saga.started_at());
  const bool ended = saga.has_ended_at();
  const std::int64_t until = unix_ms(ended ? saga.ended_at() : saga.now());
  std::string out =
      title(terminal, {{saga.saga_id(), Tone::strong},
                       {fmt::format("{} v{}{}", saga.definition(), saga.version(),
                                    saga.inline_definition() ? " (inline)" : "")},
                       {std::string(status_word(saga.status())), status_tone(saga.status())}});
  if (!saga.business_key().empty()) out += labelled(terminal, "business", saga.business_key());
  if (!saga.idempotency_key().empty()) out += labelled(terminal, "key", saga.idempotency_key());
  out += labelled(terminal, "started",
                  fmt::format("{}, {} {}", utc_time(began), ended ? "took" : "for",
                              short_duration(until - began)));
  if (saga.has_deadline() && !ended) {
    out += labelled(terminal, "deadline",
                    fmt::format("{}{}", utc_time(unix_ms(saga.deadline())),
                                saga.deadline_missed() ? ", missed" : ""));
  }
  const std::int64_t now = unix_ms(saga.now());
  if (saga.has_paused()) out += labelled(terminal, "paused", act_line(saga.paused(), now));
  if (saga.has_abandoned()) {
    out += labelled(terminal, "closed", act_line(saga.abandoned(), now));
  }
  if (saga.has_replay()) {
    out += labelled(terminal, "replays",
                    fmt::format("{} {}", saga.replay_of(), act_line(saga.replay(), now)));
  }
  for (const std::string& replay : saga.replays()) out += labelled(terminal, "replay", replay);
  return out;
}

std::string attempts_of(const Terminal& terminal, const v1::Saga& saga, const v1::Saga::Leg& leg,
                        std::string_view operation, const v1::Saga::Operation& from) {
  std::string out;
  if (from.attempts() == 0) return out;
  out += fmt::format("{} {}  {} {}\n", leg.name(), operation, from.participant(), from.path());
  out += terminal.toned(Tone::dim, fmt::format("  key {}\n", from.key()));
  const std::int64_t began = unix_ms(saga.started_at());
  for (const v1::Saga::Attempt& attempt : from.tries()) {
    if (attempt.folded() > 0) out += fmt::format("  ... {} attempts left out\n", attempt.folded());
    const bool timed = attempt.has_sent_at();  // the last of a stored fold knows its answer's only
    const std::int64_t sent = unix_ms(timed ? attempt.sent_at() : attempt.answered_at());
    std::string result = "no answer yet";
    if (attempt.has_answered_at()) {
      const auto& outcome = attempt.outcome();
      result = outcome_word(outcome.kind());
      if (!outcome.code().empty()) result += fmt::format(" {}", outcome.code());
      if (!outcome.message().empty()) result += fmt::format(": {}", outcome.message());
      if (timed) {
        result += fmt::format(" after {}", short_duration(unix_ms(attempt.answered_at()) - sent));
      }
    }
    out += fmt::format("  {:>3}  +{:<8} {}\n", attempt.number(), short_duration(sent - began),
                       wrapped(result, terminal.width, 16));
  }
  return out;
}

std::string every_attempt(const Terminal& terminal, const v1::Saga& saga) {
  std::string out;
  for (const v1::Saga::Step& step : saga.steps()) {
    for (const v1::Saga::Leg& leg : step.legs()) {
      out += attempts_of(terminal, saga, leg, "action", leg.action());
      out += attempts_of(terminal, saga, leg, "compensation", leg.compensation());
      out += attempts_of(terminal, saga, leg, "probe", leg.probe());
    }
  }
  return out;
}

/// "skaldctl retry 0kq... --leg deduct_stock[7]"
std::string command_line(const v1::Saga& saga, const v1::Explanation::Command& command) {
  std::string line = fmt::format("skaldctl {} {}", command.verb(), saga.saga_id());
  const bool is_signal = command.verb() == "signal";
  if (!command.leg().empty()) {
    line += fmt::format(" {} '{}'", is_signal ? "--name" : "--leg", command.leg());
  }
  if (!command.choice().empty()) line += " --" + command.choice();
  if (command.verb() == "amend") line += " --request @FILE";
  if (command.requires_reason()) line += " --reason WHY";
  return line;
}

/// One line of JSON with its keys sorted, and spaces where a line may be broken.
std::string sorted_json(const google::protobuf::Value& value) {
  std::string out;
  switch (value.kind_case()) {
    case google::protobuf::Value::kStructValue: {
      const auto& fields = value.struct_value().fields();
      const std::map<std::string, google::protobuf::Value> sorted(fields.begin(), fields.end());
      for (const auto& [key, item] : sorted) {
        out += out.empty() ? "{" : ", ";
        wire::append_json_string(out, key);
        out += ": " + sorted_json(item);
      }
      return out.empty() ? "{}" : out + "}";
    }
    case google::protobuf::Value::kListValue:
      for (const auto& item : value.list_value().values()) {
        out += (out.empty() ? "[" : ", ") + sorted_json(item);
      }
      return out.empty() ? "[]" : out + "]";
    default:  // tidy: allow(default) everything without parts
      return google::protobuf::util::MessageToJsonString(value, &out).ok() ? out : "";
  }
}

}  // namespace

std::string explanation_text(const Terminal& terminal, const v1::Saga& saga) {
  const v1::Explanation& explanation = saga.explanation();
  std::string out = labelled(terminal, "why", explanation.why());
  out += labelled(terminal, "next", explanation.next());
  if (explanation.has_next_at()) {
    out += labelled(terminal, "at", utc_time(unix_ms(explanation.next_at())));
  }
  for (const std::string& line : explanation.needs_person()) {
    out += terminal.toned(Tone::bad, padded("person", kLabelWidth)) +
           wrapped(line, terminal.width, kLabelWidth) + "\n";
  }
  for (const v1::Explanation::Command& command : explanation.commands()) {
    out += labelled(terminal, "you can", command_line(saga, command));
    out += std::string(kLabelWidth, ' ') +
           terminal.toned(Tone::dim, wrapped(command.effect(), terminal.width, kLabelWidth)) + "\n";
  }
  return out;
}

std::string saga_text(const Terminal& terminal, const v1::Saga& saga, bool wide) {
  std::string out = head(terminal, saga) + "\n";
  if (!saga.steps().empty()) out += draw_timeline(terminal, saga) + "\n";
  out += explanation_text(terminal, saga);
  for (const v1::Failure& refusal : saga.refusals()) {
    out += labelled(terminal, "refused", failure_line(refusal));
  }
  if (saga.has_output()) out += labelled(terminal, "output", sorted_json(saga.output()));
  if (wide) {
    if (saga.has_input()) out += labelled(terminal, "input", sorted_json(saga.input()));
    out += "\n" + every_attempt(terminal, saga);
  }
  return out;
}

std::string answer_text(const Terminal& terminal, const v1::SagaAnswer& answer) {
  std::string_view note = answer.timed_out() ? "(not there yet; it goes on)" : "";
  if (answer.status() == v1::SagaStatus::stuck) note = "(a person is needed: skaldctl explain)";
  std::string out =
      title(terminal, {{answer.saga_id()},
                       {fmt::format("{} v{}", answer.definition(), answer.version())},
                       {std::string(status_word(answer.status())), status_tone(answer.status())},
                       {std::string(note)}});
  if (answer.has_failure()) out += labelled(terminal, "because", failure_line(answer.failure()));
  for (const v1::Failure& refusal : answer.refusals()) {
    const bool said = answer.has_failure() && refusal.leg() == answer.failure().leg();
    if (!said) out += labelled(terminal, "refused", failure_line(refusal));
  }
  if (answer.has_output()) out += labelled(terminal, "output", sorted_json(answer.output()));
  if (answer.has_output_proto()) {
    out += labelled(terminal, "output", fmt::format("{} bytes", answer.output_proto().size()));
  }
  return out;
}

std::string list_text(const Terminal& terminal, const v1::ListResponse& list, std::int64_t now_ms,
                      bool wide) {
  std::vector<Column> columns{{.title = "SAGA"},
                              {.title = "STATUS"},
                              {.title = "DEFINITION", .shrinks = true},
                              {.title = "BUSINESS", .shrinks = true},
                              {.title = "AGE"},
                              {.title = "TOOK"}};
  if (wide) {
    for (const char* title : {"STARTED", "KEY", "WHY"}) columns.push_back({.title = title});
  }
  std::vector<std::vector<Cell>> rows;
  for (const v1::SagaSummary& saga : list.sagas()) {
    const std::int64_t began = unix_ms(saga.started_at());
    const std::string took =
        saga.has_ended_at() ? short_duration(unix_ms(saga.ended_at()) - began) : "";
    const bool waits = saga.waiting() && saga.status() == v1::SagaStatus::running;
    const std::string status = waits ? "waiting" : status_word(saga.status());
    rows.push_back({{saga.saga_id()},
                    {status, status_tone(saga.status())},
                    {fmt::format("{} v{}", saga.definition(), saga.version())},
                    {saga.business_key()},
                    {short_duration(now_ms - began)},
                    {took}});
    if (!wide) continue;
    rows.back().push_back({utc_time(began)});
    rows.back().push_back({saga.idempotency_key()});
    rows.back().push_back({saga.has_failure() ? failure_line(saga.failure()) : ""});
  }
  if (rows.empty()) return "no sagas\n";
  return table(terminal, columns, rows, wide ? 0 : terminal.width);
}

std::string history_text(const Terminal& terminal, const v1::HistoryResponse& history) {
  constexpr std::size_t kTextColumn = 17;
  std::string out;
  std::int64_t began = 0;
  for (const v1::HistoryEvent& event : history.events()) {
    const std::int64_t at = unix_ms(event.at());
    if (began == 0) {
      began = at;
      out += terminal.toned(Tone::dim, fmt::format("{}  {}\n", history.saga_id(), utc_time(at)));
    }
    const std::string when = fmt::format("{:>4}  +{:<9}", event.seq(), short_duration(at - began));
    out += terminal.toned(Tone::dim, when) + " " +
           wrapped(event.text(), terminal.width, kTextColumn) + "\n";
    if (event.before() == event.after()) continue;
    out += std::string(kTextColumn, ' ') +
           terminal.toned(Tone::dim, wrapped(fmt::format("{} -> {}", event.before(), event.after()),
                                             terminal.width, kTextColumn)) +
           "\n";
  }
  return out;
}

}  // namespace skald::ctl
