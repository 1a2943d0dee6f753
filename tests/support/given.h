// given(plan).when(...).status(...).owes(...): claims about one saga, read like sentences. Folds
// the events again after every command and checks every invariant. No mocks: decide() itself
// answers; the participants are what the test replies.
#pragma once

#include <functional>
#include <source_location>
#include <string>
#include <string_view>
#include <vector>

#include "engine/core/decide.h"
#include "engine/core/owed.h"
#include "tests/support/plan.h"

namespace skald::test {

using Where = std::source_location;
using Words = std::vector<std::string>;

/// The instant at which every given saga starts.
inline constexpr Instant kStart{Millis{1'000'000}};
inline constexpr SagaId kSaga{.placement = 0x0123456789ABCDEF, .serial = 42};

/// What an attempt is answered.
[[nodiscard]] Outcome succeeded();
[[nodiscard]] Outcome rejected(std::string code = "failed_precondition");
[[nodiscard]] Outcome not_executed();
[[nodiscard]] Outcome unknown();
[[nodiscard]] Outcome pending();
[[nodiscard]] Outcome outcome(OutcomeKind kind);

/// One saga under test. Operations are named "do deduct[7]", "undo deduct[7]", "probe deduct[7]".
/// What is wanted is sent at once, unless there is no_room().
class Given {
 public:
  explicit Given(DefinitionPtr definition);
  explicit Given(const Plan& plan) : Given(plan.seal()) {}

  using Act = std::function<void(Given&)>;
  Given& when(const Act& act);
  Given& start();
  /// Answers the attempt of that operation which is in flight.
  Given& reply(std::string_view operation, Outcome outcome, Where where = Where::current());
  /// Answers any attempt of it, in flight or not.
  Given& late_reply(std::string_view operation, std::uint32_t attempt, Outcome outcome);
  Given& later(Millis time);     // time passes, and everything due on the way fires
  Given& silently(Millis time);  // time passes, and nobody is woken
  Given& wake();
  Given& restart();  // what was not durable is lost; Recover, then Wake
  Given& cancel();
  Given& signal(std::string id, std::string name, std::string payload = "payload");
  Given& retry(std::string leg = {});
  Given& asks(command::Act act);  // any act, as it is
  Given& pause();
  Given& resume();
  Given& skip(std::string leg);
  Given& happened(std::string leg, std::optional<Bytes> response = "by hand");
  Given& did_not_happen(std::string leg);
  Given& did_not_happen_and_holds(std::string leg);
  Given& amend(std::string leg, std::string request);
  Given& moves(std::string leg, Endpoint endpoint);  // amends it
  Given& mark_done(std::string leg);
  Given& abandon();
  Given& no_room();                             // wants stay queued
  Given& room();                                // and are sent
  Given& dispatch(std::string_view operation);  // wanted or not

  // Claims about the state.
  Given& status(SagaStatus expected, Where where = Where::current());
  Given& stage(std::string_view leg, LegStage expected, Where where = Where::current());
  Given& phase(std::string_view operation, Phase expected, Where where = Where::current());
  Given& step(std::string_view name, StepStage expected, Where where = Where::current());
  Given& failed(std::string_view leg, std::string_view code, Where where = Where::current());
  Given& decided(bool expected, Where where = Where::current());
  /// Everything in flight, in order of steps and legs.
  Given& in_flight(const Words& expected, Where where = Where::current());
  /// Everything that may be sent now.
  Given& wants(const Words& expected, Where where = Where::current());
  Given& wakes_in(Millis expected, Where where = Where::current());  // after now
  Given& never_wakes(Where where = Where::current());
  // Claims about the last command.
  Given& then(const Words& events, Where where = Where::current());
  Given& sent(const Words& operations, Where where = Where::current());
  Given& accepted(Where where = Where::current());
  Given& refused(Errc code, std::string_view saying = {}, Where where = Where::current());
  Given& durable(bool expected, Where where = Where::current());

  [[nodiscard]] const SagaState& state() const { return state_; }
  [[nodiscard]] const Definition& definition() const { return *definition_; }
  [[nodiscard]] const Decision& decision() const { return decision_; }
  [[nodiscard]] const std::vector<Event>& history() const { return history_; }
  [[nodiscard]] Instant now() const { return now_; }
  [[nodiscard]] const LegState& leg(std::string_view name) const;
  [[nodiscard]] const OperationState& operation(std::string_view name) const;

 private:
  void run(command::Body body);
  void command(command::Body body, Decision& decision);
  void send_queued();
  void check();
  [[nodiscard]] Want parse(std::string_view operation) const;
  [[nodiscard]] std::string text(LegRef leg, Operation operation) const;

  DefinitionPtr definition_;
  SagaState state_;
  std::vector<Event> history_;
  std::size_t durable_ = 0;  // events of `history_` that survive a restart
  Instant now_ = kStart;
  Instant wake_at_ = kNever;  // armed after a command; a due one stays until it is woken
  Decision decision_;         // of the last command and what was sent because of it
  Result<void> result_;
  bool room_ = true;
  std::vector<Want> queue_;
};

[[nodiscard]] inline Given given(const Plan& plan) { return Given(plan); }

/// The kinds of the events, as in event.h: "Started", "Intended", ...
[[nodiscard]] std::string kind_of(const Event& event);

// The same acts as values, for when().
[[nodiscard]] Given::Act start();
[[nodiscard]] Given::Act replied(std::string operation, Outcome outcome);
[[nodiscard]] Given::Act later(Millis time);
[[nodiscard]] Given::Act restarted();
[[nodiscard]] Given::Act canceled();
[[nodiscard]] Given::Act signaled(std::string id, std::string name);
[[nodiscard]] Given::Act retried(std::string leg = {});

}  // namespace skald::test
