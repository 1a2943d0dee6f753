// StepBuilder: what can be said of one step. Which methods exist depends on the step's kind and on
// what has been said before, so that most nonsense does not compile; validate() tells the rest.
#pragma once

#include <ranges>
#include <string>
#include <vector>

#include "engine/dsl/saga_builder.h"

namespace skald::dsl {

/// kKind: of the step.           Declared: the output its name was declared with, or AnyOutput.
/// Item: of for_each, or NoItem. Req, Resp: of its action, once given.
template <StepKind kKind, class In, class Declared, class Item, class Req, class Resp>
class StepBuilder : public SagaBuilder<In> {
  static constexpr bool kSends = kKind == StepKind::query || kKind == StepKind::call;
  static constexpr bool kHasAction = !std::is_void_v<Req>;
  static constexpr bool kFans = !std::same_as<Item, NoItem>;

 public:
  using SagaBuilder<In>::SagaBuilder;
  StepBuilder(std::unique_ptr<Draft> draft, Fan<In, Item> fan)
      : SagaBuilder<In>(std::move(draft)), fan_(std::move(fan)) {}

  /// Runs only where fn(context) -> bool says so; asked once.
  template <class Fn>
    requires Builds<Fn, bool, const Context<In>&>
  [[nodiscard]] StepBuilder when(Fn fn) && {
    step().when = [fn = std::move(fn)](const Facts& facts) -> Result<bool> {
      const Context<In> context(facts);
      return run(context, fn, context);
    };
    return same();
  }
  /// Instead of the step written before it; {} is after nothing.
  [[nodiscard]] StepBuilder after(std::vector<std::string> steps) && {
    step().after = std::move(steps);
    return same();
  }
  /// The point of no return.
  [[nodiscard]] StepBuilder pivot() &&
      requires(kKind == StepKind::call || kKind == StepKind::wait) {
        step().call_class = CallClass::pivot;
        return same();
      }
      /// After the pivot: tried until it succeeds.
      [[nodiscard]] StepBuilder retriable() &&
      requires(kKind == StepKind::call) {
        step().call_class = CallClass::retriable;
        return same();
      }
      /// Has no way back because doing it is harmless; says why.
      [[nodiscard]] StepBuilder no_undo(std::string reason) &&
      requires(kKind == StepKind::call) {
        step().call_class = CallClass::compensatable;
        step().no_undo_reason = std::move(reason);
        return same();
      }

      /// One leg for each item: items(context) -> a range, key(item) -> text or an integer, its
      /// name.
      template <class Items, class Key>
        requires(kSends && !kFans && !kHasAction)
      [[nodiscard]] auto for_each(Items items, Key key) && {
    using Range = Built<Items, const Context<In>&>;
    using Each = std::ranges::range_value_t<const Range>;
    Fan<In, Each> fan;
    fan.items = [items =
                     std::move(items)](const Context<In>& context) -> Result<std::vector<Each>> {
      const auto range = run(context, items, context);
      if (!range) return std::unexpected(range.error());
      return std::vector<Each>(range->begin(), range->end());
    };
    fan.key = [key = std::move(key)](const Each& item) { return key_text(std::invoke(key, item)); };
    step().for_each = true;
    return StepBuilder<kKind, In, Declared, Each>(this->take_draft(), std::move(fan));
  }
  /// Legs in flight at once.
  [[nodiscard]] StepBuilder parallel(std::uint32_t legs) &&
    requires kFans
  {
    step().parallel = legs;
    return same();
  }
  /// stop: a refused leg ends the step. finish_all: the others are still tried, so that every
  /// refusal is reported.
  [[nodiscard]] StepBuilder on_reject(OnReject on_reject) &&
    requires kFans
  {
    step().on_reject = on_reject;
    return same();
  }

  /// What is sent: fn(context) -> Request, or fn(context, item) -> Request under for_each.
  template <class Request, class Response, class Fn>
    requires(kSends && !kHasAction && OutputFits<Declared, Response> &&
             ((kFans && Builds<Fn, Request, const Context<In>&, const Item&>) ||
              (!kFans && Builds<Fn, Request, const Context<In>&>)))
  [[nodiscard]] auto action(const MethodOf<Request, Response>& method, Fn fn) && {
    step().action.method = method.method();
    step().print_request = printer<Request>(method.protocol);
    step().print_response = printer<Response>(method.protocol);
    step().read_request = message_reader<Request>(method.protocol);
    step().read_response = message_reader<Response>(method.protocol);
    if constexpr (kFans) {
      step().legs = fanned_legs<In, Item, Request>(method.protocol, std::move(fan_), std::move(fn));
    } else {
      step().legs = single_leg<In, Request>(method.protocol, std::move(fn));
    }
    return StepBuilder<kKind, In, Declared, Item, Request, Response>(this->take_draft(), {});
  }

  /// The way back, built from the action's request and maybe its response (the receipt):
  ///   fn(context, request)                   does not look at the receipt
  ///   fn(context, request, const Resp*)      null where the action only may have happened
  ///   fn(context, request, const Resp&)      cannot work without it
  template <class Undo, class UndoResp, class Fn>
    requires(kKind == StepKind::call && kHasAction &&
             (UndoOfRequest<Fn, Undo, In, Req, Resp> ||
              UndoOfMaybeReceipt<Fn, Undo, In, Req, Resp> ||
              UndoOfReceipt<Fn, Undo, In, Req, Resp>))
  [[nodiscard]] StepBuilder compensation(const MethodOf<Undo, UndoResp>& method, Fn fn) && {
    constexpr bool kNeedsReceipt =
        !UndoOfRequest<Fn, Undo, In, Req, Resp> && !UndoOfMaybeReceipt<Fn, Undo, In, Req, Resp>;
    step().call_class = CallClass::compensatable;
    step().compensation = OperationPlan{.method = method.method()};
    step().undo_needs_receipt = kNeedsReceipt;
    step().undo = undo_builder<In, Req, Resp, Undo>(forms(method.protocol), std::move(fn));
    step().read_undo_request = message_reader<Undo>(method.protocol);
    step().print_undo_request = printer<Undo>(method.protocol);
    return same();
  }
  /// The way back takes the action's own request.
  template <class UndoResp>
    requires(kKind == StepKind::call && kHasAction)
  [[nodiscard]] StepBuilder compensation(const MethodOf<Req, UndoResp>& method) && {
    return std::move(*this).compensation(
        method, [](const Context<In>&, const Req& request) { return request; });
  }

  /// Asks whether the action was done: fn(context, request) -> Probe. Its answer is the action's:
  /// the receipt of what is found done.
  template <class Probe, class Fn>
    requires(kKind == StepKind::call && kHasAction && UndoOfRequest<Fn, Probe, In, Req, Resp>)
  [[nodiscard]] StepBuilder probe(const MethodOf<Probe, Resp>& method, Fn fn) && {
    step().probe = OperationPlan{.method = method.method()};
    step().probe_request =
        undo_builder<In, Req, Resp, Probe>(forms(method.protocol), std::move(fn));
    return same();
  }

  /// Of one attempt of the action; of a wait, from its beginning.
  [[nodiscard]] StepBuilder timeout(Millis timeout) &&
      requires(kKind != StepKind::compute) {
        (kKind == StepKind::wait ? step().wait.timeout : step().action.attempt_timeout) = timeout;
        return same();
      } [[nodiscard]] StepBuilder retry(RetryPolicy policy) &&
        requires kSends
  {
    step().action.retry = policy;
    return same();
  }
  /// Pre: the compensation has been given.
  [[nodiscard]] StepBuilder undo_timeout(Millis timeout) &&
      requires(kKind == StepKind::call) {
        if (has_compensation("undo_timeout")) step().compensation->attempt_timeout = timeout;
        return same();
      } [[nodiscard]] StepBuilder undo_retry(RetryPolicy policy) &&
      requires(kKind == StepKind::call) {
        if (has_compensation("undo_retry")) step().compensation->retry = policy;
        return same();
      }
      /// A header sent with the action. Pre: the action has been given; likewise outcome().
      [[nodiscard]] StepBuilder header(std::string name, std::string value) &&
        requires kHasAction
  {
    step().action.method.headers.push_back({std::move(name), std::move(value)});
    return same();
  }
  /// Reads one code of the action's method differently: .outcome("503", OutcomeKind::not_executed).
  [[nodiscard]] StepBuilder outcome(std::string code, OutcomeKind kind) &&
    requires kHasAction
  {
    step().action.method.outcomes.push_back({std::move(code), kind});
    return same();
  }

  /// The same for the compensation's method. Pre: it has been given.
  [[nodiscard]] StepBuilder undo_outcome(std::string code, OutcomeKind kind) &&
      requires(kKind == StepKind::call) {
        if (has_compensation("undo_outcome")) {
          step().compensation->method.outcomes.push_back({std::move(code), kind});
        }
        return same();
      } [[nodiscard]] StepBuilder undo_header(std::string name, std::string value) &&
      requires(kKind == StepKind::call) {
        if (has_compensation("undo_header")) {
          step().compensation->method.headers.push_back({std::move(name), std::move(value)});
        }
        return same();
      }
      /// Of one attempt of the probe. Pre: it has been given; likewise probe_retry().
      [[nodiscard]] StepBuilder probe_timeout(Millis timeout) &&
      requires(kKind == StepKind::call) {
        if (has_probe("probe_timeout")) step().probe->attempt_timeout = timeout;
        return same();
      } [[nodiscard]] StepBuilder probe_retry(RetryPolicy policy) &&
      requires(kKind == StepKind::call) {
        if (has_probe("probe_retry")) step().probe->retry = policy;
        return same();
      }

      /// Name of the awaited signal; without one the wait is a timer.
      [[nodiscard]] StepBuilder signal(std::string name) &&
      requires(kKind == StepKind::wait) {
        step().wait.signal = std::move(name);
        return same();
      }
      /// When the timer fires: fn(context) -> Instant.
      template <class Fn>
        requires(kKind == StepKind::wait && Builds<Fn, Instant, const Context<In>&>)
      [[nodiscard]] StepBuilder until(Fn fn) && {
    step().wait.until = [fn = std::move(fn)](const Facts& facts) -> Result<Instant> {
      const Context<In> context(facts);
      return run(context, fn, context);
    };
    return same();
  }
 [[nodiscard]] StepBuilder on_timeout(OnTimeout on_timeout) &&
     requires(kKind == StepKind::wait) {
       step().wait.on_timeout = on_timeout;
       return same();
     }

     private : [[nodiscard]] StepDefinition& step() {
    return this->draft().step();
  }
  [[nodiscard]] StepBuilder same() { return StepBuilder(this->take_draft(), std::move(fan_)); }
  [[nodiscard]] UndoForms forms(Protocol undo) {
    return {.action = step().action.method.protocol, .undo = undo, .step = step().name};
  }
  [[nodiscard]] bool has_compensation(std::string_view what) {
    if (step().compensation) return true;
    this->draft().mistake(std::string(what) + " before a compensation was given");
    return false;
  }
  [[nodiscard]] bool has_probe(std::string_view what) {
    if (step().probe) return true;
    this->draft().mistake(std::string(what) + " before a probe was given");
    return false;
  }

  [[no_unique_address]] Fan<In, Item> fan_;
};

}  // namespace skald::dsl
