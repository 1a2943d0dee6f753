// Events and index rows to bytes. Field numbers are those of proto/stored/v1/stored.proto.
#include <cstdint>
#include <variant>

#include "engine/wire/stored.h"
#include "engine/wire/stored_writer.h"

namespace skald::wire {
namespace {

// The commonest value of each enum is 0 on disk; the others are their numbers in engine/core.
std::uint64_t stored(Operation operation) {
  return operation == Operation::action ? 0 : static_cast<std::uint64_t>(operation);
}
std::uint64_t stored(OutcomeKind kind) {
  return kind == OutcomeKind::succeeded ? 0 : static_cast<std::uint64_t>(kind);
}
std::uint64_t stored(LegStage stage) {
  return stage == LegStage::done ? 0 : static_cast<std::uint64_t>(stage);
}
std::uint64_t stored(SagaStatus status) {
  return status == SagaStatus::running ? 0 : static_cast<std::uint64_t>(status);
}
std::uint64_t stored(Phase phase) {
  constexpr std::uint64_t kIdle = 5;  // Stored. engine/core has 0 for it.
  if (phase == Phase::settled) return 0;
  return phase == Phase::idle ? kIdle : static_cast<std::uint64_t>(phase);
}

// One overload per kind of event. `at` is the event's own time: instants are stored as distances
// from it.
class EventWriter {
 public:
  EventWriter(StoredWriter& out, Instant at) : out_(out), at_(at) {}

  void operator()(const event::Started& e) const {
    out_.bytes(1, e.definition);
    out_.number(2, e.version);
    out_.number(3, e.steps);
    out_.bytes(4, e.source);
    out_.bytes(5, e.idempotency_key);
    out_.bytes(6, e.business_key);
    out_.fixed64(7, e.body_hash);
    out_.bytes(8, e.input);
    distance(9, e.deadline, kNever);
    if (e.replay) out_.message(10, [&] { replay(*e.replay); });
  }
  void operator()(const event::StepKept& e) const { out_.number(1, e.step); }
  void operator()(const event::StepSkipped& e) const { out_.number(1, e.step); }
  void operator()(const event::StepStarted& e) const {
    out_.number(1, e.step);
    for (const event::StepStarted::Leg& leg : e.legs) {
      out_.message(2, [&] {
        out_.bytes(1, leg.key);
        out_.bytes(2, leg.request);
      });
    }
  }
  void operator()(const event::Computed& e) const {
    out_.number(1, e.step);
    out_.bytes(2, e.output);
  }
  void operator()(const event::StepFailed& e) const {
    out_.number(1, e.step);
    out_.bytes(2, e.code);
    out_.bytes(3, e.message);
    out_.number(4, e.stuck ? 1 : 0);
  }
  void operator()(const event::StepRetried& e) const { out_.number(1, e.step); }
  void operator()(const event::WaitBegan& e) const {
    out_.number(1, e.step);
    distance(2, e.due_at, kNever);
  }
  void operator()(const event::WaitEnded& e) const {
    out_.number(1, e.step);
    out_.bytes(2, e.signal_id);
    out_.number(3, e.rejected ? 1 : 0);
  }
  void operator()(const event::Intended& e) const {
    leg(e.leg, e.operation);
    out_.signed_number(4, less_1(e.generation));
    out_.signed_number(5, less_1(e.attempt));
    out_.bytes(6, e.request);
  }
  void operator()(const event::Answered& e) const {
    leg(e.leg, e.operation);
    out_.signed_number(4, less_1(e.attempt));
    out_.message_unless_empty(5, [&] { outcome(e.outcome); });
    out_.bytes(6, e.response);
    out_.number(7, stored(e.phase));
    out_.number(8, stored(e.stage));
    out_.number(9, e.maybe ? 1 : 0);
    out_.number(10, e.overdue ? 1 : 0);
    distance(11, e.retry_at, Instant{});
  }
  void operator()(const event::OperationMoved& e) const {
    leg(e.leg, e.operation);
    out_.number(4, stored(e.phase));
    out_.number(5, stored(e.stage));
    out_.signed_number(6, less_1(e.generation));
    out_.number(7, e.maybe ? 1 : 0);
    out_.number(8, e.overdue ? 1 : 0);
    distance(9, e.retry_at, Instant{});
    out_.bytes(10, e.code);
    out_.bytes(11, e.message);
  }
  void operator()(const event::PivotPassed&) const {}
  void operator()(const event::UndoBegan& e) const { failure(e.failure); }
  void operator()(const event::UndoDeferred& e) const { failure(e.failure); }
  void operator()(const event::SignalReceived& e) const {
    out_.bytes(1, e.signal.id);
    out_.bytes(2, e.signal.name);
    out_.bytes(3, e.signal.payload);
  }
  void operator()(const event::CancelAsked& e) const { actor(e.actor); }
  void operator()(const event::RetryAsked& e) const {
    actor(e.actor);
    out_.bytes(2, e.leg);
  }
  void operator()(const event::DeadlineMissed&) const {}
  void operator()(const event::DefinitionMissing& e) const { out_.number(1, e.missing ? 0 : 1); }
  void operator()(const event::Completed& e) const {
    out_.bytes(1, e.output);
    out_.number(2, e.has_output ? 1 : 0);
  }
  void operator()(const event::Compensated&) const {}
  void operator()(const event::Paused& e) const { actor(e.actor); }
  void operator()(const event::Resumed& e) const { actor(e.actor); }
  void operator()(const event::LegSkipped& e) const { act_on(e.actor, e.leg); }
  void operator()(const event::Resolved& e) const {
    act_on(e.actor, e.leg);
    out_.number(4, stored(e.operation));
    out_.number(5, e.happened ? 1 : 0);
    if (e.response) out_.set_bytes(6, *e.response);
    out_.number(7, stored(e.phase));
    out_.number(8, stored(e.stage));
    distance(9, e.retry_at, Instant{});
  }
  void operator()(const event::Amended& e) const {
    act_on(e.actor, e.leg);
    out_.number(4, stored(e.operation));
    out_.signed_number(5, less_1(e.generation));
    if (e.request) out_.set_bytes(6, *e.request);
    if (!e.endpoint) return;
    out_.message(7, [&] {
      out_.bytes(1, e.endpoint->participant);
      out_.bytes(2, e.endpoint->path);
    });
  }
  void operator()(const event::CompensationMarked& e) const { act_on(e.actor, e.leg); }
  void operator()(const event::Abandoned& e) const { actor(e.actor); }
  void operator()(const event::Folded& e) const {
    out_.number(1, e.events);
    distance(2, e.first_at, Instant{});
    for (const auto& repeated : e.operations) {
      out_.message(3, [&] { operation(repeated); });
    }
    distance(4, e.status_since, Instant{});
    out_.number(5, e.been_stuck ? 1 : 0);
  }

 private:
  static std::int64_t less_1(std::uint32_t number) { return static_cast<std::int32_t>(number - 1); }
  void leg(LegRef ref, Operation operation) const {
    out_.number(1, ref.step);
    out_.number(2, ref.leg);
    out_.number(3, stored(operation));
  }
  void operation(const event::Folded::Repeated& repeated) const {
    const OperationState& op = repeated.after;
    leg(repeated.leg, repeated.operation);
    out_.number(4, stored(op.phase));
    out_.signed_number(5, less_1(op.generation));
    out_.number(6, op.attempts);
    out_.number(7, op.spent_attempts);
    out_.number(8, op.repeats);
    out_.number(9, op.maybe ? 1 : 0);
    out_.number(10, op.overdue ? 1 : 0);
    distance(11, op.first_at, Instant{});
    out_.signed_number(12, op.held.count());
    distance(13, op.last_at, Instant{});
    distance(14, op.retry_at, Instant{});
    out_.message_unless_empty(15, [&] { outcome(op.last); });
    out_.number(16, repeated.first_attempt);
    constexpr std::uint32_t kFirstOutcome = 17;
    for (std::uint32_t kind = 0; kind < kOutcomeKinds; ++kind) {
      out_.number(kFirstOutcome + kind, repeated.outcomes[kind]);
    }
  }
  void act_on(const Actor& by, LegRef ref) const {
    actor(by);
    out_.number(2, ref.step);
    out_.number(3, ref.leg);
  }
  void replay(const Replay& r) const {
    actor(r.actor);
    out_.bytes(2, r.of.text());
    out_.bytes(3, r.from);
    for (const KeptStep& kept : r.kept) {
      out_.message(4, [&] {
        out_.number(1, kept.step);
        for (const KeptStep::Leg& leg : kept.legs) {
          out_.message(2, [&] {
            out_.bytes(1, leg.key);
            out_.bytes(2, leg.request);
            out_.bytes(3, leg.response);
          });
        }
        if (kept.output) out_.set_bytes(3, *kept.output);
      });
    }
  }
  void distance(std::uint32_t field, Instant instant, Instant left_out) const {
    if (instant == left_out) return;
    out_.set_signed_number(field, wrapping_less(to_unix_ms(instant), to_unix_ms(at_)));
  }
  void outcome(const Outcome& o) const {
    out_.number(1, stored(o.kind));
    out_.bytes(2, o.code);
    out_.bytes(3, o.message);
    if (o.retry_after) out_.set_signed_number(4, o.retry_after->count());
    out_.number(5, o.configuration_alert ? 1 : 0);
  }
  void failure(const Failure& f) const {
    out_.message_unless_empty(1, [&] {
      out_.bytes(1, f.leg);
      out_.number(2, stored(f.outcome));
      out_.bytes(3, f.code);
      out_.bytes(4, f.message);
    });
  }
  void actor(const Actor& a) const {
    out_.message_unless_empty(1, [&] {
      out_.bytes(1, a.name);
      out_.bytes(2, a.reason);
    });
  }

  StoredWriter& out_;
  Instant at_;
};

// Stored: the numbers of Event.body in stored.proto. Never renumber.
template <class Kind>
constexpr std::uint32_t kField = 0;
template <>
constexpr std::uint32_t kField<event::Started> = 2;
template <>
constexpr std::uint32_t kField<event::StepSkipped> = 3;
template <>
constexpr std::uint32_t kField<event::StepStarted> = 4;
template <>
constexpr std::uint32_t kField<event::Computed> = 5;
template <>
constexpr std::uint32_t kField<event::StepFailed> = 6;
template <>
constexpr std::uint32_t kField<event::StepRetried> = 7;
template <>
constexpr std::uint32_t kField<event::WaitBegan> = 8;
template <>
constexpr std::uint32_t kField<event::WaitEnded> = 9;
template <>
constexpr std::uint32_t kField<event::Intended> = 10;
template <>
constexpr std::uint32_t kField<event::Answered> = 11;
template <>
constexpr std::uint32_t kField<event::OperationMoved> = 12;
template <>
constexpr std::uint32_t kField<event::PivotPassed> = 13;
template <>
constexpr std::uint32_t kField<event::UndoBegan> = 14;
template <>
constexpr std::uint32_t kField<event::UndoDeferred> = 15;
template <>
constexpr std::uint32_t kField<event::SignalReceived> = 16;
template <>
constexpr std::uint32_t kField<event::CancelAsked> = 17;
template <>
constexpr std::uint32_t kField<event::RetryAsked> = 18;
template <>
constexpr std::uint32_t kField<event::DeadlineMissed> = 19;
template <>
constexpr std::uint32_t kField<event::Completed> = 20;
template <>
constexpr std::uint32_t kField<event::Compensated> = 21;
template <>
constexpr std::uint32_t kField<event::DefinitionMissing> = 22;
template <>
constexpr std::uint32_t kField<event::Paused> = 23;
template <>
constexpr std::uint32_t kField<event::Resumed> = 24;
template <>
constexpr std::uint32_t kField<event::LegSkipped> = 25;
template <>
constexpr std::uint32_t kField<event::Resolved> = 26;
template <>
constexpr std::uint32_t kField<event::Amended> = 27;
template <>
constexpr std::uint32_t kField<event::CompensationMarked> = 28;
template <>
constexpr std::uint32_t kField<event::Abandoned> = 29;
template <>
constexpr std::uint32_t kField<event::StepKept> = 30;
template <>
constexpr std::uint32_t kField<event::Folded> = 31;

void write_failure(StoredWriter& out, std::uint32_t field, const FailureClass& failure) {
  out.message(field, [&] {
    out.bytes(1, failure.step);
    out.bytes(2, failure.participant);
    out.number(3, stored(failure.operation));
    out.number(4, stored(failure.outcome));
    out.bytes(5, failure.code);
    out.bytes(6, failure.message);
    out.fixed64(7, failure.cause.value);
  });
}

}  // namespace

void encode_events(std::span<const Event> events, std::string& out) {
  append_stored(out, [&](StoredWriter& writer) {
    std::int64_t before = events.empty() ? 0 : to_unix_ms(events.front().at);
    writer.signed_number(1, before);
    for (const Event& event : events) {
      const std::int64_t at = to_unix_ms(event.at);
      writer.message(2, [&] {
        writer.signed_number(1, wrapping_less(at, before));
        std::visit(
            [&]<class Kind>(const Kind& kind) {
              static_assert(kField<Kind> != 0, "a new kind of event needs its number above");
              writer.message(kField<Kind>, [&] { EventWriter(writer, event.at)(kind); });
            },
            event.body);
      });
      before = at;
    }
  });
}

void encode_summary(const SagaSummary& summary, std::string& out) {
  append_stored(out, [&](StoredWriter& writer) {
    const std::int64_t started = to_unix_ms(summary.started_at);
    writer.bytes(1, summary.definition);
    writer.number(2, summary.version);
    writer.number(3, stored(summary.status));
    writer.number(4, summary.waiting ? 1 : 0);
    writer.bytes(5, summary.business_key);
    writer.bytes(6, summary.idempotency_key);
    writer.signed_number(7, started);
    if (summary.ended_at != Instant{}) {
      writer.set_signed_number(8, wrapping_less(to_unix_ms(summary.ended_at), started));
    }
    if (summary.failure) {
      write_failure(writer, 9, *summary.failure);
      writer.signed_number(10, wrapping_less(to_unix_ms(summary.since), started));
    }
  });
}

void encode_cause(const StoredCause& cause, std::string& out) {
  append_stored(out, [&](StoredWriter& writer) {
    writer.bytes(1, cause.definition);
    if (cause.failure) write_failure(writer, 2, *cause.failure);
  });
}

void encode_hold(const ParticipantHold& hold, std::string& out) {
  append_stored(out, [&](StoredWriter& writer) {
    writer.bytes(1, hold.participant);
    writer.bytes(2, hold.path);
    writer.message(3, [&] {
      writer.bytes(1, hold.actor.name);
      writer.bytes(2, hold.actor.reason);
    });
    writer.signed_number(4, to_unix_ms(hold.at));
  });
}

}  // namespace skald::wire
