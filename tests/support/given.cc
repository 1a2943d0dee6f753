#include "tests/support/given.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <utility>

#include "engine/base/check.h"
#include "engine/core/evolve.h"
#include "engine/core/invariants.h"

namespace skald::test {
namespace {

/// A claim that fails where the test made it.
template <class T, class Matcher>
void claim(const T& actual, const Matcher& matcher, std::string_view what, Where where) {
  ::testing::StringMatchResultListener listener;
  if (::testing::ExplainMatchResult(matcher, actual, &listener)) return;
  ADD_FAILURE_AT(where.file_name(), static_cast<int>(where.line()))
      << what << " is " << ::testing::PrintToString(actual) << ", expected "
      << ::testing::DescribeMatcher<const T&>(::testing::MatcherCast<const T&>(matcher)) << " "
      << listener.str();
}

void claim(std::string_view actual, std::string_view expected, std::string_view what, Where where) {
  claim<std::string>(std::string(actual), ::testing::Eq(std::string(expected)), what, where);
}

std::string_view phase_name(Phase phase) {
  constexpr std::array<std::string_view, 5> kNames = {"idle", "in_flight", "backing_off", "stopped",
                                                      "settled"};
  return kNames[static_cast<std::size_t>(phase)];
}

const Actor kAda{.name = "ada", .reason = "looked at it"};

}  // namespace

Outcome outcome(OutcomeKind kind) {
  return {.kind = kind,
          .code = kind == OutcomeKind::succeeded ? "" : std::string(name(kind)),
          .message = "as the test says"};
}
Outcome succeeded() { return outcome(OutcomeKind::succeeded); }
Outcome not_executed() { return outcome(OutcomeKind::not_executed); }
Outcome unknown() { return outcome(OutcomeKind::unknown); }
Outcome pending() { return outcome(OutcomeKind::pending); }
Outcome rejected(std::string code) {
  Outcome refusal = outcome(OutcomeKind::rejected);
  refusal.code = std::move(code);
  return refusal;
}

std::string kind_of(const Event& event) {
  constexpr std::array<std::string_view, std::variant_size_v<event::Body>> kNames = {
      "Started",
      "StepSkipped",
      "StepStarted",
      "Computed",
      "StepFailed",
      "StepRetried",
      "WaitBegan",
      "WaitEnded",
      "Intended",
      "Answered",
      "OperationMoved",
      "PivotPassed",
      "UndoBegan",
      "UndoDeferred",
      "SignalReceived",
      "CancelAsked",
      "RetryAsked",
      "DeadlineMissed",
      "DefinitionMissing",
      "Completed",
      "Compensated",
      "Paused",
      "Resumed",
      "LegSkipped",
      "Resolved",
      "Amended",
      "CompensationMarked",
      "Abandoned",
      "StepKept",
      "Folded"};
  return std::string(kNames[event.body.index()]);
}

Given::Given(DefinitionPtr definition) : definition_(std::move(definition)) {}

void Given::command(command::Body body, Decision& decision) {
  const std::size_t before = decision.events.size();
  result_ = decide(*definition_, state_, {.at = now_, .body = std::move(body)}, decision);
  for (std::size_t i = before; i < decision.events.size(); ++i) {
    history_.push_back(decision.events[i]);
  }
  if (decision.durable) durable_ = history_.size();
  for (const Want& want : decision.wants) {
    if (std::ranges::find(queue_, want) == queue_.end()) queue_.push_back(want);
  }
  decision.wants.clear();
}

void Given::run(command::Body body) {
  decision_ = {};
  const bool starting = durable_ == 0;
  command(std::move(body), decision_);
  const Result<void> answered = result_;
  if (room_) send_queued();
  if (starting) durable_ = history_.size();  // the submission is acknowledged, so it is written
  result_ = answered;
  check();
}

void Given::send_queued() {
  while (!queue_.empty()) {
    const Want want = queue_.front();
    queue_.erase(queue_.begin());
    command(command::Dispatch{.leg = want.leg, .operation = want.operation}, decision_);
  }
}

void Given::check() {
  if (wake_at_ > now_) wake_at_ = next_wake(state_, now_);
  SagaState folded;
  folded.id = state_.id;
  for (const Event& event : history_) {
    EXPECT_TRUE(fits(folded, event)) << kind_of(event) << " could not be read back";
    evolve(folded, event);
  }
  EXPECT_EQ(folded, state_) << "the events do not fold to the state that decide() left";
  EXPECT_THAT(violated(*definition_, state_), ::testing::IsEmpty());
  if (wake_at_ <= now_) return;  // a Wake is still to come
  for (const Want& want : owed(*definition_, state_, now_).wants) {
    EXPECT_TRUE(std::ranges::find(queue_, want) != queue_.end())
        << text(want.leg, want.operation) << " is wanted, but no command has told";
  }
}

Given& Given::when(const Act& act) {
  act(*this);
  return *this;
}

Given& Given::start() {
  run(command::Start{.id = kSaga,
                     .idempotency_key = "key",
                     .business_key = "business",
                     .body_hash = 7,
                     .input = "input"});
  return *this;
}

Given& Given::reply(std::string_view operation, Outcome outcome, Where where) {
  const OperationState& op = this->operation(operation);
  claim(phase_name(op.phase), "in_flight", operation, where);
  return late_reply(operation, op.attempts, std::move(outcome));
}

Given& Given::late_reply(std::string_view operation, std::uint32_t attempt, Outcome outcome) {
  const Want want = parse(operation);
  run(command::Reply{.leg = want.leg,
                     .operation = want.operation,
                     .attempt = attempt,
                     .outcome = std::move(outcome),
                     .response = "receipt"});
  return *this;
}

Given& Given::silently(Millis time) {
  now_ += time;
  return *this;
}

Given& Given::wake() {
  wake_at_ = kNever;
  run(command::Wake{});
  return *this;
}

Given& Given::later(Millis time) {
  const Instant until = now_ + time;
  decision_ = {};
  while (wake_at_ <= until) {
    now_ = std::max(now_, wake_at_);
    wake();
  }
  now_ = until;
  check();
  return *this;
}

Given& Given::restart() {
  history_.resize(durable_);
  queue_.clear();
  const SagaId id = state_.id;
  state_ = {};
  state_.id = id;
  for (const Event& event : history_) evolve(state_, event);
  wake_at_ = now_;
  run(command::Recover{});
  const Decision recovered = std::exchange(decision_, {});
  wake_at_ = kNever;
  run(command::Wake{});
  decision_.events.insert(decision_.events.begin(), recovered.events.begin(),
                          recovered.events.end());
  decision_.sends.insert(decision_.sends.begin(), recovered.sends.begin(), recovered.sends.end());
  decision_.durable = decision_.durable || recovered.durable;
  return *this;
}

Given& Given::cancel() {
  run(command::Cancel{.actor = {.name = "ada", .reason = "changed her mind"}});
  return *this;
}

Given& Given::signal(std::string id, std::string name, std::string payload) {
  run(command::TakeSignal{
      .signal = {.id = std::move(id), .name = std::move(name), .payload = std::move(payload)}});
  return *this;
}

Given& Given::retry(std::string leg) {
  run(command::Retry{.actor = {.name = "ada", .reason = "fixed"}, .leg = std::move(leg)});
  return *this;
}

Given& Given::asks(command::Act act) {
  run(std::move(act));
  return *this;
}
Given& Given::pause() { return asks(command::Pause{.actor = kAda}); }
Given& Given::resume() { return asks(command::Resume{.actor = kAda}); }
Given& Given::skip(std::string leg) {
  return asks(command::Skip{.actor = kAda, .leg = std::move(leg)});
}
Given& Given::happened(std::string leg, std::optional<Bytes> response) {
  return asks(command::Resolve{
      .actor = kAda, .leg = std::move(leg), .happened = true, .response = std::move(response)});
}
Given& Given::did_not_happen(std::string leg) {
  return asks(command::Resolve{.actor = kAda, .leg = std::move(leg), .response = {}});
}
Given& Given::did_not_happen_and_holds(std::string leg) {
  return asks(command::Resolve{.actor = kAda, .leg = std::move(leg), .hold = true, .response = {}});
}
Given& Given::amend(std::string leg, std::string request) {
  return asks(command::Amend{
      .actor = kAda, .leg = std::move(leg), .request = std::move(request), .endpoint = {}});
}
Given& Given::moves(std::string leg, Endpoint endpoint) {
  return asks(command::Amend{
      .actor = kAda, .leg = std::move(leg), .request = {}, .endpoint = std::move(endpoint)});
}
Given& Given::mark_done(std::string leg) {
  return asks(command::MarkDone{.actor = kAda, .leg = std::move(leg)});
}
Given& Given::abandon() { return asks(command::Abandon{.actor = kAda}); }

Given& Given::no_room() {
  room_ = false;
  return *this;
}

Given& Given::room() {
  room_ = true;
  decision_ = {};
  send_queued();
  check();
  return *this;
}

Given& Given::dispatch(std::string_view operation) {
  const Want want = parse(operation);
  std::erase(queue_, want);
  run(command::Dispatch{.leg = want.leg, .operation = want.operation});
  return *this;
}

Given& Given::status(SagaStatus expected, Where where) {
  claim(name(state_.status), name(expected), "status", where);
  return *this;
}

Given& Given::stage(std::string_view leg_text, LegStage expected, Where where) {
  claim(name(leg(leg_text).stage), name(expected), leg_text, where);
  return *this;
}

Given& Given::phase(std::string_view operation_text, Phase expected, Where where) {
  claim(phase_name(operation(operation_text).phase), phase_name(expected), operation_text, where);
  return *this;
}

Given& Given::step(std::string_view step_name, StepStage expected, Where where) {
  const auto index = definition_->step_index(step_name);
  SKALD_CHECK(index.has_value(), "step={}", step_name);
  claim(name(state_.steps[*index].stage), name(expected), step_name, where);
  return *this;
}

Given& Given::failed(std::string_view leg_text, std::string_view code, Where where) {
  const Failure failure = state_.failure.value_or(Failure{.leg = "nothing", .code = "nothing"});
  claim(failure.leg, leg_text, "the failed leg", where);
  claim(failure.code, code, "the failure's code", where);
  return *this;
}

Given& Given::decided(bool expected, Where where) {
  claim(state_.decided ? "decided" : "undecided", expected ? "decided" : "undecided", "the saga",
        where);
  return *this;
}

Given& Given::in_flight(const Words& expected, Where where) {
  Words actual;
  for (const Send& send : owed(*definition_, state_, now_).in_flight) {
    actual.push_back(text(send.leg, send.operation));
  }
  claim(actual, ::testing::ElementsAreArray(expected), "in flight", where);
  return *this;
}

Given& Given::wants(const Words& expected, Where where) {
  Words actual;
  for (const Want& want : owed(*definition_, state_, now_).wants) {
    actual.push_back(text(want.leg, want.operation));
  }
  claim(actual, ::testing::ElementsAreArray(expected), "wanted", where);
  return *this;
}

Given& Given::wakes_in(Millis expected, Where where) {
  const Instant at = owed(*definition_, state_, now_).wake_at;
  claim((at - now_).count(), ::testing::Eq(expected.count()), "the next wake, in ms,", where);
  return *this;
}

Given& Given::never_wakes(Where where) {
  claim(owed(*definition_, state_, now_).wake_at == kNever, ::testing::IsTrue(), "never to wake",
        where);
  return *this;
}

Given& Given::then(const Words& events, Where where) {
  Words actual;
  for (const Event& event : decision_.events) actual.push_back(kind_of(event));
  claim(actual, ::testing::ElementsAreArray(events), "the last command's events", where);
  return *this;
}

Given& Given::sent(const Words& operations, Where where) {
  Words actual;
  for (const Send& send : decision_.sends) actual.push_back(text(send.leg, send.operation));
  claim(actual, ::testing::ElementsAreArray(operations), "sent", where);
  return *this;
}

Given& Given::accepted(Where where) {
  claim(result_ ? std::string{} : result_.error().message, ::testing::Eq(""), "the refusal", where);
  return *this;
}

Given& Given::refused(Errc code, std::string_view saying, Where where) {
  claim(result_ ? "accepted" : name(result_.error().code), name(code), "the last command", where);
  if (!result_) {
    claim(result_.error().message, ::testing::HasSubstr(std::string(saying)), "the refusal", where);
  }
  return *this;
}

Given& Given::durable(bool expected, Where where) {
  claim(decision_.durable ? "durable" : "with the next write",
        expected ? "durable" : "with the next write", "the last command", where);
  return *this;
}

std::string Given::text(LegRef leg_ref, Operation operation) const {
  constexpr std::array<std::string_view, 4> kVerbs = {"?", "do ", "undo ", "probe "};
  return std::string(kVerbs[static_cast<std::size_t>(operation)]) +
         leg_name(*definition_, state_, leg_ref);
}

Want Given::parse(std::string_view operation) const {
  for (std::uint16_t s = 0; s < state_.steps.size(); ++s) {
    for (std::uint32_t l = 0; l < state_.steps[s].legs.size(); ++l) {
      for (const auto kind : {Operation::action, Operation::compensation, Operation::probe}) {
        const Want want{.leg = {.step = s, .leg = l}, .operation = kind};
        if (text(want.leg, kind) == operation) return want;
      }
    }
  }
  SKALD_CHECK(false, "there is no operation \"{}\"", operation);
  return {};
}

const LegState& Given::leg(std::string_view leg_text) const {
  const Want want = parse("do " + std::string(leg_text));
  return state_.steps[want.leg.step].legs[want.leg.leg];
}

const OperationState& Given::operation(std::string_view operation_text) const {
  static const OperationState kIdle;
  const Want want = parse(operation_text);
  const LegState& found = state_.steps[want.leg.step].legs[want.leg.leg];
  if (want.operation == Operation::compensation) return found.undo ? *found.undo : kIdle;
  if (want.operation == Operation::probe) return found.probe ? *found.probe : kIdle;
  return found.action;
}

Given::Act start() {
  return [](Given& g) { g.start(); };
}
Given::Act replied(std::string operation, Outcome outcome) {
  return [operation = std::move(operation), outcome = std::move(outcome)](Given& g) {
    g.reply(operation, outcome);
  };
}
Given::Act later(Millis time) {
  return [time](Given& g) { g.later(time); };
}
Given::Act restarted() {
  return [](Given& g) { g.restart(); };
}
Given::Act canceled() {
  return [](Given& g) { g.cancel(); };
}
Given::Act signaled(std::string id, std::string name) {
  return [id = std::move(id), name = std::move(name)](Given& g) { g.signal(id, name); };
}
Given::Act retried(std::string leg) {
  return [leg = std::move(leg)](Given& g) { g.retry(leg); };
}

}  // namespace skald::test
