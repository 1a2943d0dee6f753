// Events and index rows from bytes, through the generated code. Nothing read is trusted: every
// number is checked before it becomes an enum or a narrower integer.
#include <cstdint>
#include <limits>
#include <utility>

#include "engine/wire/stored.h"
#include "engine/wire/stored_writer.h"
#include "stored/v1/stored.pb.h"

namespace skald::wire {
namespace {

namespace pb = ::stored::v1;

// Remembers the first thing that was wrong; what is read after it is not used.
struct Fault {
  std::string what;

  void note(std::string_view field, std::int64_t value) {
    if (what.empty()) what = fmt::format("{} {} is unknown or out of range", field, value);
  }
};

// As in stored_encode.cc: 0 is the commonest value.
Operation read_operation(int number, Fault& fault) {
  if (number == 0) return Operation::action;
  if (number < 0 || number > static_cast<int>(Operation::probe)) fault.note("operation", number);
  return static_cast<Operation>(number);
}
OutcomeKind read_outcome_kind(int number, Fault& fault) {
  if (number == 0) return OutcomeKind::succeeded;
  if (number < 0 || number > static_cast<int>(OutcomeKind::pending)) fault.note("outcome", number);
  return static_cast<OutcomeKind>(number);
}
LegStage read_stage(int number, Fault& fault) {
  if (number == 0) return LegStage::done;
  if (number < 0 || number > static_cast<int>(LegStage::skipped)) fault.note("leg stage", number);
  return static_cast<LegStage>(number);
}
SagaStatus read_status(int number, Fault& fault) {
  if (number == 0) return SagaStatus::running;
  if (number < 0 || number > static_cast<int>(SagaStatus::abandoned)) fault.note("status", number);
  return static_cast<SagaStatus>(number);
}
Phase read_phase(int number, Fault& fault) {
  if (number == pb::PHASE_DEFAULT) return Phase::settled;
  if (number == pb::PHASE_IDLE) return Phase::idle;
  if (number < 0 || number > static_cast<int>(Phase::settled)) fault.note("phase", number);
  return static_cast<Phase>(number);
}

// One overload per kind of event; takes the strings out of the message.
Actor actor(pb::Actor& m) {
  return {.name = std::move(*m.mutable_name()), .reason = std::move(*m.mutable_reason())};
}

class EventReader {
 public:
  EventReader(Instant at, Fault& fault) : at_(at), fault_(fault) {}

  event::Started read(pb::Started& m) {
    return {.definition = std::move(*m.mutable_definition()),
            .version = m.version(),
            .steps = index16("steps", m.steps()),
            .source = std::move(*m.mutable_source()),
            .idempotency_key = std::move(*m.mutable_idempotency_key()),
            .business_key = std::move(*m.mutable_business_key()),
            .body_hash = m.body_hash(),
            .input = std::move(*m.mutable_input()),
            .deadline = m.has_deadline_in_ms() ? after(m.deadline_in_ms()) : kNever,
            .replay = m.has_replay() ? std::optional(replay(*m.mutable_replay())) : std::nullopt};
  }
  event::StepKept read(pb::StepKept& m) { return {.step = step(m)}; }
  event::StepSkipped read(pb::StepSkipped& m) { return {.step = step(m)}; }
  event::StepStarted read(pb::StepStarted& m) {
    event::StepStarted e{.step = step(m)};
    e.legs.reserve(static_cast<std::size_t>(m.legs_size()));
    for (pb::StepStarted::Leg& leg : *m.mutable_legs()) {
      e.legs.push_back(
          {.key = std::move(*leg.mutable_key()), .request = std::move(*leg.mutable_request())});
    }
    return e;
  }
  event::Computed read(pb::Computed& m) {
    return {.step = step(m), .output = std::move(*m.mutable_output())};
  }
  event::StepFailed read(pb::StepFailed& m) {
    return {.step = step(m),
            .code = std::move(*m.mutable_code()),
            .message = std::move(*m.mutable_message()),
            .stuck = m.stuck()};
  }
  event::StepRetried read(pb::StepRetried& m) { return {.step = step(m)}; }
  event::WaitBegan read(pb::WaitBegan& m) {
    return {.step = step(m), .due_at = m.has_due_in_ms() ? after(m.due_in_ms()) : kNever};
  }
  event::WaitEnded read(pb::WaitEnded& m) {
    return {
        .step = step(m), .signal_id = std::move(*m.mutable_signal_id()), .rejected = m.rejected()};
  }
  event::Intended read(pb::Intended& m) {
    return {.leg = leg(m),
            .operation = read_operation(m.operation(), fault_),
            .generation = plus_1(m.generation_less_1()),
            .attempt = plus_1(m.attempt_less_1()),
            .request = std::move(*m.mutable_request())};
  }
  event::Answered read(pb::Answered& m) {
    return {.leg = leg(m),
            .operation = read_operation(m.operation(), fault_),
            .attempt = plus_1(m.attempt_less_1()),
            .outcome = outcome(*m.mutable_outcome()),
            .response = std::move(*m.mutable_response()),
            .phase = read_phase(m.phase(), fault_),
            .stage = read_stage(m.stage(), fault_),
            .maybe = m.maybe(),
            .overdue = m.overdue(),
            .retry_at = m.has_retry_in_ms() ? after(m.retry_in_ms()) : Instant{}};
  }
  event::OperationMoved read(pb::OperationMoved& m) {
    return {.leg = leg(m),
            .operation = read_operation(m.operation(), fault_),
            .phase = read_phase(m.phase(), fault_),
            .stage = read_stage(m.stage(), fault_),
            .generation = plus_1(m.generation_less_1()),
            .maybe = m.maybe(),
            .overdue = m.overdue(),
            .retry_at = m.has_retry_in_ms() ? after(m.retry_in_ms()) : Instant{},
            .code = std::move(*m.mutable_code()),
            .message = std::move(*m.mutable_message())};
  }
  event::PivotPassed read(pb::PivotPassed&) { return {}; }
  event::UndoBegan read(pb::UndoBegan& m) { return {.failure = failure(*m.mutable_failure())}; }
  event::UndoDeferred read(pb::UndoDeferred& m) {
    return {.failure = failure(*m.mutable_failure())};
  }
  event::SignalReceived read(pb::SignalReceived& m) {
    return {.signal = {.id = std::move(*m.mutable_id()),
                       .name = std::move(*m.mutable_name()),
                       .payload = std::move(*m.mutable_payload())}};
  }
  event::CancelAsked read(pb::CancelAsked& m) { return {.actor = actor(*m.mutable_actor())}; }
  event::RetryAsked read(pb::RetryAsked& m) {
    return {.actor = actor(*m.mutable_actor()), .leg = std::move(*m.mutable_leg())};
  }
  event::DeadlineMissed read(pb::DeadlineMissed&) { return {}; }
  event::DefinitionMissing read(pb::DefinitionMissing& m) { return {.missing = !m.back()}; }
  event::Completed read(pb::Completed& m) {
    return {.output = std::move(*m.mutable_output()), .has_output = m.has_output()};
  }
  event::Compensated read(pb::Compensated&) { return {}; }
  event::Paused read(pb::Paused& m) { return {.actor = actor(*m.mutable_actor())}; }
  event::Resumed read(pb::Resumed& m) { return {.actor = actor(*m.mutable_actor())}; }
  event::LegSkipped read(pb::LegSkipped& m) {
    return {.actor = actor(*m.mutable_actor()), .leg = leg(m)};
  }
  event::Resolved read(pb::Resolved& m) {
    event::Resolved e{.actor = actor(*m.mutable_actor()),
                      .leg = leg(m),
                      .operation = read_operation(m.operation(), fault_),
                      .happened = m.happened(),
                      .response = {},
                      .phase = read_phase(m.phase(), fault_),
                      .stage = read_stage(m.stage(), fault_),
                      .retry_at = m.has_retry_in_ms() ? after(m.retry_in_ms()) : Instant{}};
    if (m.has_response()) e.response = std::move(*m.mutable_response());
    return e;
  }
  event::Amended read(pb::Amended& m) {
    event::Amended e{.actor = actor(*m.mutable_actor()),
                     .leg = leg(m),
                     .operation = read_operation(m.operation(), fault_),
                     .generation = plus_1(m.generation_less_1()),
                     .request = {},
                     .endpoint = {}};
    if (m.has_request()) e.request = std::move(*m.mutable_request());
    if (m.has_endpoint()) {
      e.endpoint = {.participant = std::move(*m.mutable_endpoint()->mutable_participant()),
                    .path = std::move(*m.mutable_endpoint()->mutable_path())};
    }
    return e;
  }
  event::CompensationMarked read(pb::CompensationMarked& m) {
    return {.actor = actor(*m.mutable_actor()), .leg = leg(m)};
  }
  event::Abandoned read(pb::Abandoned& m) { return {.actor = actor(*m.mutable_actor())}; }
  event::Folded read(pb::Folded& m) {
    event::Folded e{
        .events = m.events(),
        .first_at = m.has_first_in_ms() ? after(m.first_in_ms()) : Instant{},
        .status_since = m.has_status_since_in_ms() ? after(m.status_since_in_ms()) : Instant{},
        .operations = {},
        .been_stuck = m.been_stuck()};
    e.operations.reserve(static_cast<std::size_t>(m.operations_size()));
    for (pb::Folded::Repeated& one : *m.mutable_operations()) {
      e.operations.push_back({.leg = leg(one),
                              .operation = read_operation(one.operation(), fault_),
                              .after = operation(one),
                              .first_attempt = one.first_attempt(),
                              .outcomes = {one.succeeded(), one.rejected(), one.not_executed(),
                                           one.unknown(), one.pending()}});
    }
    return e;
  }

 private:
  std::uint16_t index16(std::string_view field, std::uint32_t number) {
    if (number > std::numeric_limits<std::uint16_t>::max()) fault_.note(field, number);
    return static_cast<std::uint16_t>(number);
  }
  template <class Message>
  std::uint16_t step(const Message& m) {
    return index16("step", m.step());
  }
  template <class Message>
  LegRef leg(const Message& m) {
    return {.step = step(m), .leg = m.leg()};
  }
  OperationState operation(pb::Folded::Repeated& m) {
    return {.phase = read_phase(m.phase(), fault_),
            .generation = plus_1(m.generation_less_1()),
            .attempts = m.attempts(),
            .spent_attempts = m.spent_attempts(),
            .repeats = m.repeats(),
            .maybe = m.maybe(),
            .overdue = m.overdue(),
            .first_at = m.has_first_in_ms() ? after(m.first_in_ms()) : Instant{},
            .held = Millis{m.held_ms()},
            .last_at = m.has_last_in_ms() ? after(m.last_in_ms()) : Instant{},
            .retry_at = m.has_retry_in_ms() ? after(m.retry_in_ms()) : Instant{},
            .last = outcome(*m.mutable_last())};
  }
  static std::uint32_t plus_1(std::int32_t number) {
    return static_cast<std::uint32_t>(number) + 1;
  }
  Instant after(std::int64_t distance) const {
    return from_unix_ms(wrapping_add(to_unix_ms(at_), distance));
  }
  Replay replay(pb::Replay& m) {
    Replay r{.of = {},
             .actor = actor(*m.mutable_actor()),
             .from = std::move(*m.mutable_from()),
             .kept = {}};
    const auto of = SagaId::parse(m.of());
    if (of) r.of = *of;
    if (!of) fault_.note("id of the replayed saga, of this size:", std::ssize(m.of()));
    for (pb::Replay::Kept& from : *m.mutable_kept()) {
      KeptStep& kept = r.kept.emplace_back();
      kept.step = step(from);
      for (pb::Replay::Leg& leg : *from.mutable_legs()) {
        kept.legs.push_back({.key = std::move(*leg.mutable_key()),
                             .request = std::move(*leg.mutable_request()),
                             .response = std::move(*leg.mutable_response())});
      }
      if (from.has_output()) kept.output = std::move(*from.mutable_output());
    }
    return r;
  }
  Outcome outcome(pb::Outcome& m) {
    Outcome o{.kind = read_outcome_kind(m.kind(), fault_),
              .code = std::move(*m.mutable_code()),
              .message = std::move(*m.mutable_message()),
              .configuration_alert = m.configuration_alert()};
    if (m.has_retry_after_ms()) o.retry_after = Millis{m.retry_after_ms()};
    return o;
  }
  Failure failure(pb::Failure& m) {
    return {.leg = std::move(*m.mutable_leg()),
            .outcome = read_outcome_kind(m.outcome(), fault_),
            .code = std::move(*m.mutable_code()),
            .message = std::move(*m.mutable_message())};
  }
  Instant at_;
  Fault& fault_;
};

event::Body read_body(pb::Event& m, Instant at, Fault& fault) {
  EventReader reader(at, fault);
  switch (m.body_case()) {
    case pb::Event::kStarted:
      return reader.read(*m.mutable_started());
    case pb::Event::kStepSkipped:
      return reader.read(*m.mutable_step_skipped());
    case pb::Event::kStepStarted:
      return reader.read(*m.mutable_step_started());
    case pb::Event::kComputed:
      return reader.read(*m.mutable_computed());
    case pb::Event::kStepFailed:
      return reader.read(*m.mutable_step_failed());
    case pb::Event::kStepRetried:
      return reader.read(*m.mutable_step_retried());
    case pb::Event::kWaitBegan:
      return reader.read(*m.mutable_wait_began());
    case pb::Event::kWaitEnded:
      return reader.read(*m.mutable_wait_ended());
    case pb::Event::kIntended:
      return reader.read(*m.mutable_intended());
    case pb::Event::kAnswered:
      return reader.read(*m.mutable_answered());
    case pb::Event::kOperationMoved:
      return reader.read(*m.mutable_operation_moved());
    case pb::Event::kPivotPassed:
      return reader.read(*m.mutable_pivot_passed());
    case pb::Event::kUndoBegan:
      return reader.read(*m.mutable_undo_began());
    case pb::Event::kUndoDeferred:
      return reader.read(*m.mutable_undo_deferred());
    case pb::Event::kSignalReceived:
      return reader.read(*m.mutable_signal_received());
    case pb::Event::kCancelAsked:
      return reader.read(*m.mutable_cancel_asked());
    case pb::Event::kRetryAsked:
      return reader.read(*m.mutable_retry_asked());
    case pb::Event::kDeadlineMissed:
      return reader.read(*m.mutable_deadline_missed());
    case pb::Event::kCompleted:
      return reader.read(*m.mutable_completed());
    case pb::Event::kCompensated:
      return reader.read(*m.mutable_compensated());
    case pb::Event::kDefinitionMissing:
      return reader.read(*m.mutable_definition_missing());
    case pb::Event::kPaused:
      return reader.read(*m.mutable_paused());
    case pb::Event::kResumed:
      return reader.read(*m.mutable_resumed());
    case pb::Event::kLegSkipped:
      return reader.read(*m.mutable_leg_skipped());
    case pb::Event::kResolved:
      return reader.read(*m.mutable_resolved());
    case pb::Event::kAmended:
      return reader.read(*m.mutable_amended());
    case pb::Event::kCompensationMarked:
      return reader.read(*m.mutable_compensation_marked());
    case pb::Event::kStepKept:
      return reader.read(*m.mutable_step_kept());
    case pb::Event::kAbandoned:
      return reader.read(*m.mutable_abandoned());
    case pb::Event::kFolded:
      return reader.read(*m.mutable_folded());
    case pb::Event::BODY_NOT_SET:
      break;
  }
  if (fault.what.empty()) fault.what = "its kind is unknown: written by a newer version";
  return event::Compensated{};
}

// The message between version byte and checksum.
Result<std::string_view> open_frame(std::string_view bytes) {
  if (bytes.size() < kStoredVersionSize + kStoredCrcSize) {
    return fail(Errc::data_loss, "stored value of {} bytes is cut short", bytes.size());
  }
  const std::string_view covered = bytes.substr(0, bytes.size() - kStoredCrcSize);
  std::uint32_t want = 0;
  for (std::size_t i = 0; i < kStoredCrcSize; ++i) {
    want |= std::uint32_t{static_cast<unsigned char>(bytes[covered.size() + i])} << (8 * i);
  }
  const std::uint32_t found = crc32c(covered);
  if (found != want) {
    return fail(Errc::data_loss,
                "stored value of {} bytes is damaged: checksum {:08x}, bytes give {:08x}",
                bytes.size(), want, found);
  }
  const auto version = static_cast<std::uint8_t>(bytes.front());
  if (version != kStoredVersion) {
    return fail(Errc::data_loss, "stored value has format version {}, this build reads {}", version,
                kStoredVersion);
  }
  return covered.substr(kStoredVersionSize);
}

template <class Message>
Result<void> parse(std::string_view bytes, Message& message) {
  const auto body = open_frame(bytes);
  if (!body) return std::unexpected(body.error());
  const bool fits = body->size() <= static_cast<std::size_t>(std::numeric_limits<int>::max());
  if (!fits || !message.ParseFromArray(body->data(), static_cast<int>(body->size()))) {
    return fail(Errc::data_loss, "stored value of {} bytes has a good checksum but is no {}",
                bytes.size(), message.GetTypeName());
  }
  return {};
}

}  // namespace

Result<void> check_stored(std::string_view bytes) {
  const auto body = open_frame(bytes);
  if (!body) return std::unexpected(body.error());
  return {};
}

Result<std::vector<Event>> decode_events(std::string_view bytes) {
  pb::Record record;
  if (auto parsed = parse(bytes, record); !parsed) return std::unexpected(parsed.error());
  std::vector<Event> events;
  events.reserve(static_cast<std::size_t>(record.events_size()));
  std::int64_t at = record.at_ms();
  for (pb::Event& m : *record.mutable_events()) {
    at = wrapping_add(at, m.at_delta_ms());
    Fault fault;
    events.push_back({.at = from_unix_ms(at), .body = read_body(m, from_unix_ms(at), fault)});
    if (!fault.what.empty()) {
      return fail(Errc::data_loss, "stored record: event {} of {}: {}", events.size(),
                  record.events_size(), fault.what);
    }
  }
  return events;
}

namespace {

FailureClass read_failure(pb::FailureClass& m, Fault& fault) {
  return {.step = std::move(*m.mutable_step()),
          .participant = std::move(*m.mutable_participant()),
          .operation = read_operation(m.operation(), fault),
          .outcome = read_outcome_kind(m.outcome(), fault),
          .code = std::move(*m.mutable_code()),
          .message = std::move(*m.mutable_message()),
          .cause = {.value = m.cause()}};
}

}  // namespace

Result<SagaSummary> decode_summary(std::string_view bytes) {
  pb::Summary m;
  if (auto parsed = parse(bytes, m); !parsed) return std::unexpected(parsed.error());
  Fault fault;
  SagaSummary summary{.definition = std::move(*m.mutable_definition()),
                      .version = m.version(),
                      .status = read_status(m.status(), fault),
                      .waiting = m.waiting(),
                      .business_key = std::move(*m.mutable_business_key()),
                      .idempotency_key = std::move(*m.mutable_idempotency_key()),
                      .started_at = from_unix_ms(m.started_at_ms())};
  if (m.has_ran_for_ms()) {
    summary.ended_at = from_unix_ms(wrapping_add(m.started_at_ms(), m.ran_for_ms()));
  }
  if (m.has_failure()) {
    summary.failure = read_failure(*m.mutable_failure(), fault);
    summary.since = from_unix_ms(wrapping_add(m.started_at_ms(), m.since_start_ms()));
  }
  if (!fault.what.empty()) return fail(Errc::data_loss, "stored summary: {}", fault.what);
  return summary;
}

Result<ParticipantHold> decode_hold(std::string_view bytes) {
  pb::Hold m;
  if (auto parsed = parse(bytes, m); !parsed) return std::unexpected(parsed.error());
  return ParticipantHold{.participant = std::move(*m.mutable_participant()),
                         .path = std::move(*m.mutable_path()),
                         .actor = actor(*m.mutable_actor()),
                         .at = from_unix_ms(m.at_ms())};
}

Result<StoredCause> decode_cause(std::string_view bytes) {
  pb::Cause m;
  if (auto parsed = parse(bytes, m); !parsed) return std::unexpected(parsed.error());
  Fault fault;
  StoredCause cause{.definition = std::move(*m.mutable_definition()), .failure = {}};
  if (m.has_failure()) cause.failure = read_failure(*m.mutable_failure(), fault);
  if (!fault.what.empty()) return fail(Errc::data_loss, "stored cause: {}", fault.what);
  return cause;
}

}  // namespace skald::wire
