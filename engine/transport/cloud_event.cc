#include "engine/transport/cloud_event.h"

#include <fmt/format.h>

#include "engine/wire/json.h"
#include "skald/v1/alert.pb.h"

namespace skald {
namespace {

std::string quoted(std::string_view text) {
  std::string out;
  wire::append_json_string(out, text);
  return out;
}

/// What an operator types to see all that this is about. Empty: nothing but the saga itself.
std::string filter_of(const Alert& alert) {
  const auto of_cause = [&](std::string_view status) {
    return alert.cause == CauseId{}
               ? fmt::format("status = {} and definition = {}", status, quoted(alert.definition))
               : fmt::format("status = {} and cause = {}", status, alert.cause.text());
  };
  switch (alert.kind) {
    case AlertKind::stuck:
      return of_cause("stuck");
    case AlertKind::compensated:
      return of_cause("compensated");
    case AlertKind::abandoned:
      return of_cause("abandoned");
    case AlertKind::configuration:
    case AlertKind::deadline_missed:
    case AlertKind::late_success:
    case AlertKind::retries:
    case AlertKind::completed_after_stuck:
      return fmt::format("id = {}", alert.saga.text());
    case AlertKind::batch_finished:
    case AlertKind::test:
      return "";
  }
  return "";
}

void fill(const Alert& alert, v1::AlertData& data) {
  data.set_text(alert.text);
  if (!alert.subject.empty()) return;
  data.set_saga_id(alert.saga.text());
  data.set_definition(alert.definition);
  data.set_version(alert.version);
  data.set_business_key(alert.business_key);
  data.set_step(alert.leg.substr(0, alert.leg.find('[')));
  data.set_leg(alert.leg);
  data.set_participant(alert.participant);
  if (!alert.leg.empty()) data.set_operation(std::string(name(alert.operation)));
  data.set_code(alert.code);
  if (alert.cause != CauseId{}) data.set_cause(alert.cause.text());
  data.set_filter(filter_of(alert));
  data.set_command(fmt::format("skaldctl explain {}", alert.saga.text()));
}

}  // namespace

std::string event_id(const Alert& alert) {
  return fmt::format("{}-{}-{}", alert.about(), alert.seq, name(alert.kind));
}

std::string event_type(AlertKind kind) {
  if (kind == AlertKind::test) return "dev.skald.test";
  if (kind == AlertKind::batch_finished) return "dev.skald.batch.finished";
  return fmt::format("dev.skald.saga.{}", name(kind));
}

Result<std::string> cloud_event(const Alert& alert, const std::string& source) {
  v1::AlertEvent event;
  event.set_specversion("1.0");
  event.set_id(event_id(alert));
  event.set_source(source);
  event.set_type(event_type(alert.kind));
  event.set_subject(alert.about());
  const std::int64_t ms = to_unix_ms(alert.at);
  event.mutable_time()->set_seconds(ms / 1'000);
  event.mutable_time()->set_nanos(static_cast<std::int32_t>(ms % 1'000) * 1'000'000);
  event.set_datacontenttype("application/json");
  fill(alert, *event.mutable_data());
  return wire::message_to_json(event);
}

}  // namespace skald
