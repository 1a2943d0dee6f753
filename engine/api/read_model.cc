#include "engine/api/read_model.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <utility>

#include "engine/api/explain.h"
#include "engine/api/payload.h"
#include "engine/api/words.h"

namespace skald::api {
namespace {

/// The wire's enums are numbered as ours; a number that drifts apart does not compile.
template <auto ours, auto wire>
constexpr bool kSame = static_cast<int>(ours) == static_cast<int>(wire);

static_assert(kSame<SagaStatus::running, v1::SagaStatus::running>);
static_assert(kSame<SagaStatus::compensating, v1::SagaStatus::compensating>);
static_assert(kSame<SagaStatus::paused, v1::SagaStatus::paused>);
static_assert(kSame<SagaStatus::stuck, v1::SagaStatus::stuck>);
static_assert(kSame<SagaStatus::completed, v1::SagaStatus::completed>);
static_assert(kSame<SagaStatus::compensated, v1::SagaStatus::compensated>);
static_assert(kSame<SagaStatus::abandoned, v1::SagaStatus::abandoned>);
static_assert(kSame<OutcomeKind::succeeded, v1::OutcomeKind::succeeded>);
static_assert(kSame<OutcomeKind::rejected, v1::OutcomeKind::rejected>);
static_assert(kSame<OutcomeKind::not_executed, v1::OutcomeKind::not_executed>);
static_assert(kSame<OutcomeKind::unknown, v1::OutcomeKind::unknown>);
static_assert(kSame<OutcomeKind::pending, v1::OutcomeKind::pending>);
static_assert(kSame<StepKind::query, v1::StepKind::query>);
static_assert(kSame<StepKind::compute, v1::StepKind::compute>);
static_assert(kSame<StepKind::call, v1::StepKind::call>);
static_assert(kSame<StepKind::wait, v1::StepKind::wait>);
static_assert(kSame<CallClass::none, v1::CallClass::unspecified>);
static_assert(kSame<CallClass::compensatable, v1::CallClass::compensatable>);
static_assert(kSame<CallClass::pivot, v1::CallClass::pivot>);
static_assert(kSame<CallClass::retriable, v1::CallClass::retriable>);
static_assert(kSame<StepStage::pending, v1::Saga::StepStage::pending>);
static_assert(kSame<StepStage::running, v1::Saga::StepStage::running>);
static_assert(kSame<StepStage::done, v1::Saga::StepStage::done>);
static_assert(kSame<StepStage::skipped, v1::Saga::StepStage::skipped>);
static_assert(kSame<StepStage::failed, v1::Saga::StepStage::failed>);
static_assert(kSame<LegStage::ready, v1::Saga::LegStage::ready>);
static_assert(kSame<LegStage::acting, v1::Saga::LegStage::acting>);
static_assert(kSame<LegStage::done, v1::Saga::LegStage::done>);
static_assert(kSame<LegStage::refused, v1::Saga::LegStage::refused>);
static_assert(kSame<LegStage::undoing, v1::Saga::LegStage::undoing>);
static_assert(kSame<LegStage::undone, v1::Saga::LegStage::undone>);
static_assert(kSame<LegStage::dropped, v1::Saga::LegStage::dropped>);
static_assert(kSame<LegStage::skipped, v1::Saga::LegStage::skipped>);
static_assert(kSame<Phase::idle, v1::Saga::Phase::idle>);
static_assert(kSame<Phase::in_flight, v1::Saga::Phase::in_flight>);
static_assert(kSame<Phase::backing_off, v1::Saga::Phase::backing_off>);
static_assert(kSame<Phase::stopped, v1::Saga::Phase::stopped>);
static_assert(kSame<Phase::settled, v1::Saga::Phase::settled>);

/// The wire's enum of the same number.
template <class Wire, class Ours>
constexpr Wire wire_enum(Ours ours) {
  return static_cast<Wire>(ours);
}

v1::SagaStatus::Value wire_status(SagaStatus status) {
  return wire_enum<v1::SagaStatus::Value>(status);
}
v1::OutcomeKind::Value wire_outcome(OutcomeKind kind) {
  return wire_enum<v1::OutcomeKind::Value>(kind);
}

/// Sets the Value that `mutable_value` makes, if the bytes have a JSON form.
template <class Message>
void fill_payload(const Bytes& bytes, const BytesPrinter& print, Message& to,
                  google::protobuf::Value* (Message::*mutable_value)()) {
  google::protobuf::Value value;
  if (read_json(print ? print(bytes) : bytes, value)) {
    *(to.*mutable_value)() = std::move(value);
  }
}

void fill_failure(const Failure& failure, v1::Failure& to) {
  to.set_leg(failure.leg);
  to.set_outcome(wire_outcome(failure.outcome));
  to.set_code(failure.code);
  to.set_message(failure.message);
}

void fill_outcome(const Outcome& outcome, v1::Saga::Outcome& to) {
  to.set_kind(wire_outcome(outcome.kind));
  to.set_code(outcome.code);
  to.set_message(outcome.message);
  to.set_configuration_alert(outcome.configuration_alert);
}

/// When a step and the attempts of its operations began and ended, gathered from the events.
class Times {
 public:
  explicit Times(const std::vector<Event>& events) {
    for (const Event& event : events) {
      at_ = event.at;
      std::visit([this](const auto& body) { take(body); }, event.body);
    }
  }

  using Tries = std::vector<v1::Saga::Attempt>;
  [[nodiscard]] const Tries* tries(LegRef leg, Operation operation) const {
    const auto found = tries_.find({leg, operation});
    return found == tries_.end() ? nullptr : &found->second;
  }
  struct Span {
    Instant began = kNever;
    Instant ended = kNever;
  };
  [[nodiscard]] Span step(std::uint16_t index) const {
    const auto found = steps_.find(index);
    return found == steps_.end() ? Span{} : found->second;
  }

 private:
  template <class Body>
  void take(const Body&) {}  // no attempt and no step begins or ends with it
  void take(const event::StepStarted& e) { steps_[e.step] = {at_, kNever}; }
  void take(const event::StepSkipped& e) { steps_[e.step] = {at_, at_}; }
  void take(const event::Computed& e) { steps_[e.step] = {at_, at_}; }
  void take(const event::StepKept& e) { steps_[e.step] = {at_, at_}; }
  void take(const event::WaitBegan& e) { steps_[e.step] = {at_, kNever}; }
  void take(const event::WaitEnded& e) { steps_[e.step].ended = at_; }
  void take(const event::Intended& e) {
    v1::Saga::Attempt& added = tries_[{e.leg, e.operation}].emplace_back();
    added.set_number(e.attempt);
    fill_time(at_, *added.mutable_sent_at());
  }
  void take(const event::Answered& e) {
    Tries& tries = tries_[{e.leg, e.operation}];
    auto found = std::ranges::find(tries, e.attempt, &v1::Saga::Attempt::number);
    if (found == tries.end()) {
      found = tries.insert(found, v1::Saga::Attempt{});
      found->set_number(e.attempt);
    }
    fill_time(at_, *found->mutable_answered_at());
    fill_outcome(e.outcome, *found->mutable_outcome());
    if (e.operation == Operation::action) steps_[e.leg.step].ended = at_;
  }
  /// Of those folded the last is shown, with the one time of it that is known.
  void take(const event::Folded& e) {
    for (const auto& repeated : e.operations) {
      if (repeated.first_attempt == 0) continue;
      Tries& tries = tries_[{repeated.leg, repeated.operation}];
      std::erase_if(tries, [&](const auto& t) { return t.number() >= repeated.first_attempt; });
      const OperationState& op = repeated.after;
      v1::Saga::Attempt& last = tries.emplace_back();
      last.set_number(op.attempts);
      last.set_folded(op.attempts - repeated.first_attempt);
      if (op.phase == Phase::in_flight) {
        fill_time(op.last_at, *last.mutable_sent_at());
      } else {
        fill_time(op.last_at, *last.mutable_answered_at());
        fill_outcome(op.last, *last.mutable_outcome());
      }
    }
  }

  Instant at_{};
  std::map<std::pair<LegRef, Operation>, Tries> tries_;
  std::map<std::uint16_t, Span> steps_;
};

class SagaFiller {
 public:
  SagaFiller(const SagaSnapshot& snapshot, const SagaView& view, v1::Saga& to)
      : state_(snapshot.state), definition_(snapshot.definition.get()), view_(view), to_(to) {
    if (view.events != nullptr) times_.emplace(*view.events);
  }

  void run() {
    fill_head();
    for (std::uint16_t i = 0; i < state_.steps.size(); ++i) fill_step(i, *to_.add_steps());
    for (const Signal& signal : state_.signals) {
      auto& added = *to_.add_signals();
      added.set_signal_id(signal.id);
      added.set_name(signal.name);
    }
  }

 private:
  void fill_head() {
    to_.set_saga_id(state_.id.text());
    to_.set_definition(state_.definition);
    to_.set_version(state_.version);
    to_.set_inline_definition(!state_.source.empty());
    to_.set_definition_missing(definition_ == nullptr);
    to_.set_idempotency_key(state_.idempotency_key);
    to_.set_business_key(state_.business_key);
    to_.set_status(wire_status(state_.status));
    to_.set_decided(state_.decided);
    to_.set_undoing(state_.undoing);
    to_.set_deadline_missed(state_.deadline_missed);
    to_.set_seq(static_cast<std::uint32_t>(state_.seq));
    fill_time(state_.started_at, *to_.mutable_started_at());
    fill_time(state_.updated_at, *to_.mutable_updated_at());
    if (is_terminal(state_.status)) fill_time(state_.updated_at, *to_.mutable_ended_at());
    if (state_.deadline != kNever) fill_time(state_.deadline, *to_.mutable_deadline());
    static const BytesPrinter kAsItIs;
    fill_payload(state_.input, definition_ ? definition_->print_input : kAsItIs, to_,
                 &v1::Saga::mutable_input);
    if (state_.has_output) {
      fill_payload(state_.output, definition_ ? definition_->print_output : kAsItIs, to_,
                   &v1::Saga::mutable_output);
    }
    if (state_.failure) fill_failure(*state_.failure, *to_.mutable_failure());
    if (state_.turn_back) fill_failure(*state_.turn_back, *to_.mutable_turn_back());
    if (state_.paused_by) fill_act(*state_.paused_by, state_.paused_at, *to_.mutable_paused());
    if (state_.replay) {
      to_.set_replay_of(state_.replay->of.text());
      fill_act(state_.replay->actor, state_.started_at, *to_.mutable_replay());
    }
    if (state_.abandoned_by) {
      fill_act(*state_.abandoned_by, state_.updated_at, *to_.mutable_abandoned());
    }
  }

  static void fill_act(const Actor& actor, Instant at, v1::Saga::Act& to) {
    to.set_actor(actor.name);
    to.set_reason(actor.reason);
    fill_time(at, *to.mutable_at());
  }

  [[nodiscard]] const StepDefinition* plan(std::uint16_t step) const {
    if (definition_ == nullptr || step >= definition_->steps.size()) return nullptr;
    return &definition_->steps[step];
  }

  void fill_step(std::uint16_t index, v1::Saga::Step& to) {
    const StepState& step = state_.steps[index];
    to.set_name(step_words(definition_, index));
    to.set_stage(wire_enum<v1::Saga::StepStage::Value>(step.stage));
    to.set_stuck_reason(step.stuck_reason);
    to.set_legs_total(static_cast<std::uint32_t>(step.legs.size()));
    if (step.due_at != kNever) fill_time(step.due_at, *to.mutable_due_at());
    if (const StepDefinition* planned = plan(index)) fill_step_plan(index, *planned, to);
    if (view_.payloads && step.has_output) {
      const StepDefinition* planned = plan(index);
      fill_payload(step.output, planned ? planned->print_response : BytesPrinter{}, to,
                   &v1::Saga::Step::mutable_output);
    }
    if (times_) {
      const Times::Span span = times_->step(index);
      if (span.began != kNever) fill_time(span.began, *to.mutable_began_at());
      const bool ended = step.stage != StepStage::running && step.stage != StepStage::pending;
      if (ended && span.ended != kNever) fill_time(span.ended, *to.mutable_ended_at());
    }
    for (const std::uint32_t leg : shown_legs(step)) fill_leg({index, leg}, *to.add_legs());
    for (const LegState& leg : step.legs) {
      if (leg.stage == LegStage::refused && to_.refusals_size() < int{kRefusalsKeptMax}) {
        add_refusal(index, leg);
      }
    }
  }

  void fill_step_plan(std::uint16_t index, const StepDefinition& planned, v1::Saga::Step& to) {
    to.set_kind(wire_enum<v1::StepKind::Value>(planned.kind));
    to.set_class_(wire_enum<v1::CallClass::Value>(planned.call_class));
    to.set_for_each(planned.for_each);
    to.set_signal(planned.wait.signal);
    const auto& order = definition_->order;
    if (index < order.needs.size()) {
      for (const std::uint16_t need : order.needs[index])
        to.add_after(step_words(definition_, need));
    }
    to.set_passed(order.pivot == index && state_.decided && !state_.undoing);
  }

  void add_refusal(std::uint16_t step, const LegState& leg) {
    v1::Failure& refusal = *to_.add_refusals();
    const std::string step_name = step_words(definition_, step);
    refusal.set_leg(leg.key.empty() ? step_name : fmt::format("{}[{}]", step_name, leg.key));
    refusal.set_outcome(wire_outcome(leg.action.last.kind));
    refusal.set_code(leg.action.last.code);
    refusal.set_message(leg.action.last.message);
  }

  /// In plan order; where there are too many, those that are neither done nor ready come first.
  static std::vector<std::uint32_t> shown_legs(const StepState& step) {
    std::vector<std::uint32_t> legs(step.legs.size());
    std::iota(legs.begin(), legs.end(), 0U);
    if (legs.size() <= std::size_t{kLegsShownMax}) return legs;
    const auto is_quiet = [&](std::uint32_t leg) {
      const LegStage stage = step.legs[leg].stage;
      return stage == LegStage::done || stage == LegStage::ready || stage == LegStage::undone;
    };
    std::ranges::sort(legs, {}, [&](std::uint32_t leg) { return std::pair(is_quiet(leg), leg); });
    legs.resize(kLegsShownMax);
    return legs;
  }

  void fill_leg(LegRef ref, v1::Saga::Leg& to) {
    const LegState& leg = state_.steps[ref.step].legs[ref.leg];
    const StepDefinition* planned = plan(ref.step);
    to.set_name(leg_words(definition_, state_, ref));
    to.set_key(leg.key);
    to.set_stage(wire_enum<v1::Saga::LegStage::Value>(leg.stage));
    fill_operation(ref, Operation::action, leg.action, planned ? &planned->action : nullptr,
                   *to.mutable_action());
    if (leg.undo) {
      const bool has = planned != nullptr && planned->compensation.has_value();
      fill_operation(ref, Operation::compensation, *leg.undo,
                     has ? &*planned->compensation : nullptr, *to.mutable_compensation());
    }
    if (leg.probe) {
      const bool has = planned != nullptr && planned->probe.has_value();
      fill_operation(ref, Operation::probe, *leg.probe, has ? &*planned->probe : nullptr,
                     *to.mutable_probe());
    }
    if (planned != nullptr) to.set_no_undo_reason(planned->no_undo_reason);
    to.set_by_hand(leg.by_hand);
    if (!view_.payloads) return;
    fill_payload(leg.request, planned ? planned->print_request : BytesPrinter{}, to,
                 &v1::Saga::Leg::mutable_request);
    if (leg.has_response) {
      fill_payload(leg.response, planned ? planned->print_response : BytesPrinter{}, to,
                   &v1::Saga::Leg::mutable_response);
    }
  }

  void fill_operation(LegRef ref, Operation operation, const OperationState& from,
                      const OperationPlan* planned, v1::Saga::Operation& to) {
    to.set_phase(wire_enum<v1::Saga::Phase::Value>(from.phase));
    if (planned != nullptr) {
      const Endpoint endpoint = endpoint_of(*definition_, state_, ref, operation);
      to.set_participant(endpoint.participant);
      to.set_path(endpoint.path);
      to.set_amended_endpoint(amended_endpoint(state_, ref, operation) != nullptr);
      to.set_key(operation_key(*definition_, state_, ref, operation));
    }
    to.set_attempts(from.attempts);
    to.set_may_have_happened(from.maybe);
    to.set_overdue(from.overdue);
    if (from.attempts == 0) return;
    fill_time(from.first_at, *to.mutable_first_at());
    fill_time(from.last_at, *to.mutable_last_at());
    if (from.phase == Phase::backing_off && from.retry_at != kNever)
      fill_time(from.retry_at, *to.mutable_retry_at());
    const bool answered = from.phase != Phase::in_flight || !from.last.code.empty();
    if (answered) fill_outcome(from.last, *to.mutable_last());
    if (!times_) return;
    if (const Times::Tries* tries = times_->tries(ref, operation)) fold(*tries, to);
  }

  /// The first few and the last ones; the first of the last says how many are left out before it.
  static void fold(const Times::Tries& tries, v1::Saga::Operation& to) {
    const std::size_t folded =
        tries.size() <= std::size_t{kTriesShownMax} ? 0 : tries.size() - kTriesShownMax;
    for (std::size_t i = 0; i < tries.size(); ++i) {
      if (folded != 0 && i == std::size_t{kTriesShownFirst}) i += folded;
      *to.add_tries() = tries[i];
      if (folded != 0 && i == kTriesShownFirst + folded) {
        const std::uint32_t before = tries[kTriesShownFirst - 1].number();
        to.mutable_tries(to.tries_size() - 1)->set_folded(tries[i].number() - before - 1);
      }
    }
  }

  const SagaState& state_;
  const Definition* definition_;
  const SagaView& view_;
  v1::Saga& to_;
  std::optional<Times> times_;
};

void fill_explanation(Explanation from, v1::Explanation& to) {
  to.set_why(std::move(from.why));
  to.set_next(std::move(from.next));
  if (from.next_at != kNever) fill_time(from.next_at, *to.mutable_next_at());
  for (std::string& line : from.needs_person) to.add_needs_person(std::move(line));
  for (LegalCommand& command : from.commands) {
    auto& added = *to.add_commands();
    added.set_verb(std::move(command.verb));
    added.set_leg(std::move(command.subject));
    added.set_effect(std::move(command.effect));
    added.set_requires_reason(command.requires_reason);
    added.set_choice(std::move(command.choice));
  }
}

}  // namespace

void fill_time(Instant at, google::protobuf::Timestamp& to) {
  const std::int64_t ms = to_unix_ms(at);
  to.set_seconds(ms / 1'000);
  to.set_nanos(static_cast<std::int32_t>(ms % 1'000) * 1'000'000);
}

void fill_answer(SagaAnswer answer, OutputForm form, const Definition* definition,
                 v1::SagaAnswer& to) {
  to.set_saga_id(answer.id.text());
  to.set_definition(std::move(answer.definition));
  to.set_version(answer.version);
  to.set_status(wire_status(answer.status));
  to.set_created(answer.created);
  to.set_decided(answer.decided);
  to.set_undoing(answer.undoing);
  to.set_timed_out(answer.timed_out);
  if (answer.has_output && form == OutputForm::value) {
    fill_payload(answer.output, definition ? definition->print_output : BytesPrinter{}, to,
                 &v1::SagaAnswer::mutable_output);
  }
  if (answer.has_output && !to.has_output()) to.set_output_proto(std::move(answer.output));
  if (answer.failure) fill_failure(*answer.failure, *to.mutable_failure());
  for (const Failure& refusal : answer.refusals) fill_failure(refusal, *to.add_refusals());
}

namespace {

void fill_failure_class(const FailureClass& failure, v1::FailureClass& to) {
  to.set_cause(failure.cause.text());
  to.set_step(failure.step);
  to.set_participant(failure.participant);
  to.set_operation(std::string(name(failure.operation)));
  to.set_outcome(wire_outcome(failure.outcome));
  to.set_code(failure.code);
  to.set_message(failure.message);
}

}  // namespace

void fill_group(const FailureGroup& group, GroupBy by, v1::FailureGroup& to) {
  to.set_definition(group.definition);
  to.set_count(group.count);
  fill_time(group.oldest.started_at, *to.mutable_oldest_started_at());
  fill_time(group.newest.started_at, *to.mutable_newest_started_at());
  to.set_example_saga_id(group.newest.id.text());
  v1::FailureClass& failure = *to.mutable_failure();
  switch (by) {
    case GroupBy::cause:
      fill_failure_class(group.failure, failure);
      return;
    case GroupBy::step:
      failure.set_step(group.failure.step);
      return;
    case GroupBy::participant:
      failure.set_participant(group.failure.participant);
      return;
  }
}

void fill_summary(const ListedSaga& saga, v1::SagaSummary& to) {
  to.set_saga_id(saga.id.text());
  to.set_definition(saga.summary.definition);
  to.set_version(saga.summary.version);
  to.set_status(wire_status(saga.summary.status));
  to.set_waiting(saga.summary.waiting);
  to.set_business_key(saga.summary.business_key);
  to.set_idempotency_key(saga.summary.idempotency_key);
  fill_time(saga.summary.started_at, *to.mutable_started_at());
  if (is_terminal(saga.summary.status)) fill_time(saga.summary.ended_at, *to.mutable_ended_at());
  if (!saga.summary.failure) return;
  fill_failure_class(*saga.summary.failure, *to.mutable_failure());
  fill_time(saga.summary.since, *to.mutable_since());
}

void fill_saga(const SagaSnapshot& snapshot, const SagaView& view, v1::Saga& to) {
  SagaFiller(snapshot, view, to).run();
  fill_time(snapshot.now, *to.mutable_now());
  if (snapshot.owed.wake_at != kNever && !is_terminal(snapshot.state.status)) {
    fill_time(snapshot.owed.wake_at, *to.mutable_next_wake());
  }
  for (const SagaId& replay : snapshot.replays) to.add_replays(replay.text());
  fill_explanation(explain(snapshot), *to.mutable_explanation());
}

}  // namespace skald::api
