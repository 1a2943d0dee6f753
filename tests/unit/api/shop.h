// A small shop definition and sagas of it in every state that the API's tests look at.
#pragma once

#include <string>
#include <utility>

#include "engine/core/decide.h"
#include "engine/core/evolve.h"
#include "engine/core/owed.h"
#include "engine/runtime/engine.h"

namespace skald::api {

inline constexpr std::int64_t kShopOpens = 1'800'000'000'000;  // unix ms

inline OperationPlan plan(std::string participant, std::string path,
                          KeysMode keys = KeysMode::barrier) {
  OperationPlan made;
  made.method.participant = std::move(participant);
  made.method.path = std::move(path);
  made.method.keys = keys;
  return made;
}

inline StepDefinition call(std::string name, CallClass call_class, OperationPlan action) {
  StepDefinition step;
  step.name = std::move(name);
  step.kind = StepKind::call;
  step.call_class = call_class;
  step.action = std::move(action);
  step.legs = [](const Facts&) -> Result<std::vector<LegPlan>> {
    return std::vector<LegPlan>{{.key = "", .request = "{}"}};
  };
  return step;
}

/// deduct_stock (one leg per SKU 7, 8; compensatable) -> use_coupon (pivot) -> clear_cart
/// (retriable).
inline Definition shop(std::uint32_t version = 1, KeysMode keys = KeysMode::barrier) {
  Definition made;
  made.name = "shop";
  made.version = version;
  StepDefinition deduct =
      call("deduct_stock", CallClass::compensatable, plan("inventory", "/Inventory/Deduct", keys));
  deduct.for_each = true;
  deduct.parallel = 2;
  deduct.legs = [](const Facts&) -> Result<std::vector<LegPlan>> {
    return std::vector<LegPlan>{{.key = "7", .request = R"({"sku":7})"},
                                {.key = "8", .request = R"({"sku":8})"}};
  };
  deduct.compensation = plan("inventory", "/Inventory/Rollback", keys);
  deduct.undo = [](const Facts&, const Bytes& request, const Bytes*) -> Result<Bytes> {
    return request;
  };
  deduct.probe = plan("inventory", "/Inventory/Probe", keys);
  made.steps.push_back(std::move(deduct));
  made.steps.push_back(call("use_coupon", CallClass::pivot, plan("promotion", "/Promotion/Use")));
  made.steps.push_back(call("clear_cart", CallClass::retriable, plan("cart", "/Cart/Clear")));
  return made;
}

/// Drives one saga by commands; the clock is moved by hand.
class ShopSaga {
 public:
  explicit ShopSaga(DefinitionPtr definition) : definition_(std::move(definition)) {
    command::Start start;
    start.id = state_.id = SagaId{.placement = 1, .serial = 2};
    start.idempotency_key = "order-1";
    start.business_key = "SN1";
    start.input = R"({"user":5})";
    ask(std::move(start));
  }

  /// Returns the refusal, or ok.
  Result<void> ask(command::Body body) {
    Decision decision;
    const Command command{.at = now_, .body = std::move(body)};
    Result<void> decided = decide(*definition_, state_, command, decision);
    for (Event& event : decision.events) events_.push_back(std::move(event));
    return decided;
  }
  void pass(Millis time) {
    now_ += time;
    ask(command::Wake{});
  }
  void send(LegRef leg, Operation operation = Operation::action) {
    ask(command::Dispatch{.leg = leg, .operation = operation});
  }
  void reply(LegRef leg, OutcomeKind kind, std::string code = "", std::string message = "",
             Operation operation = Operation::action) {
    const LegState& state = state_.steps[leg.step].legs[leg.leg];
    const OperationState& op = operation == Operation::action         ? state.action
                               : operation == Operation::compensation ? *state.undo
                                                                      : *state.probe;
    command::Reply made{.leg = leg, .operation = operation, .attempt = op.attempts};
    made.outcome.kind = kind;
    made.outcome.code = std::move(code);
    made.outcome.message = std::move(message);
    made.response = kind == OutcomeKind::succeeded ? R"({"ok":true})" : "";
    ask(std::move(made));
  }
  void succeed(LegRef leg, Operation operation = Operation::action) {
    send(leg, operation);
    now_ += Millis{40};
    reply(leg, OutcomeKind::succeeded, "", "", operation);
  }

  [[nodiscard]] SagaSnapshot snapshot() const {
    return {.state = state_,
            .definition = definition_,
            .owed = owed(*definition_, state_, now_),
            .now = now_};
  }
  [[nodiscard]] const SagaState& state() const { return state_; }
  [[nodiscard]] const std::vector<Event>& events() const { return events_; }
  [[nodiscard]] const DefinitionPtr& definition() const { return definition_; }

 private:
  DefinitionPtr definition_;
  SagaState state_;
  std::vector<Event> events_;
  Instant now_ = from_unix_ms(kShopOpens);
};

inline DefinitionPtr sealed(Definition definition) { return seal(std::move(definition)).value(); }

inline constexpr LegRef kDeduct7{0, 0};
inline constexpr LegRef kDeduct8{0, 1};
inline constexpr LegRef kCoupon{1, 0};
inline constexpr LegRef kCart{2, 0};

}  // namespace skald::api
