// SagaBuilder: the saga-level half of the fluent builder. Each of query, compute, call and wait
// begins a step and leads to a StepBuilder (step_builder.h); include define.h to use either.
#pragma once

#include <memory>

#include "engine/dsl/draft.h"

namespace skald::dsl {

template <StepKind kKind, class In, class Declared, class Item = NoItem, class Req = void,
          class Resp = void>
class StepBuilder;

/// Every method takes the builder's place (it is moved along the chain). Builders given to it must
/// be pure: what they may read comes in as the Context, and they return a message or a Result of
/// one.
template <ProtoMessage In>
class SagaBuilder {
 public:
  explicit SagaBuilder(std::unique_ptr<Draft> draft) : draft_(std::move(draft)) {}

  /// A call without effect: fn(context) -> Req.
  template <StepName Name, class Req, class Resp, class Fn>
    requires OutputFits<OutputNamed<Name>, Resp> && Builds<Fn, Req, const Context<In>&>
  [[nodiscard]] auto query(const Name& name, const MethodOf<Req, Resp>& method, Fn fn) && {
    return std::move(*this).query(name).action(method, std::move(fn));
  }
  template <StepName Name>
  [[nodiscard]] auto query(const Name& name) && {
    return begin<StepKind::query>(name);
  }

  /// A call with an effect: fn(context) -> Req. Say next what it means for the way back.
  template <StepName Name, class Req, class Resp, class Fn>
    requires OutputFits<OutputNamed<Name>, Resp> && Builds<Fn, Req, const Context<In>&>
  [[nodiscard]] auto call(const Name& name, const MethodOf<Req, Resp>& method, Fn fn) && {
    return std::move(*this).call(name).action(method, std::move(fn));
  }
  template <StepName Name>
  [[nodiscard]] auto call(const Name& name) && {
    return begin<StepKind::call>(name);
  }

  /// A pure function of input and outputs: fn(context) -> message. A failure is a refusal.
  template <StepName Name, class Fn>
    requires ProtoMessage<Built<Fn, const Context<In>&>> &&
             OutputFits<OutputNamed<Name>, Built<Fn, const Context<In>&>>
  [[nodiscard]] auto compute(const Name& name, Fn fn) && {
    using Out = Built<Fn, const Context<In>&>;
    draft_->begin(step_text(name), StepKind::compute);
    draft_->step().compute = computed(std::move(fn));
    draft_->step().print_response = printer<Out>(Protocol::connect_proto);
    return StepBuilder<StepKind::compute, In, OutputNamed<Name>>(std::move(draft_));
  }

  /// A durable timer or a signal; its output is the signal's payload.
  template <StepName Name>
  [[nodiscard]] auto wait(const Name& name) && {
    return begin<StepKind::wait>(name);
  }

  /// From submission to the pivot; afterwards it only alerts.
  [[nodiscard]] SagaBuilder deadline(Millis deadline) && {
    draft_->definition.deadline = deadline;
    return SagaBuilder(std::move(draft_));
  }

  /// Refuses an input at submission, before there is a saga: fn(input) -> Result<void>, the error
  /// (invalid_argument) naming the field.
  template <class Fn>
    requires std::same_as<std::invoke_result_t<const Fn&, const In&>, Result<void>>
  [[nodiscard]] SagaBuilder admit(Fn fn) && {
    draft_->definition.read_input = input_reader<In>(std::move(fn));
    return SagaBuilder(std::move(draft_));
  }

  /// What the completed saga answers: fn(context) -> message.
  template <class Fn>
    requires ProtoMessage<Built<Fn, const Context<In>&>>
  [[nodiscard]] SagaBuilder output(Fn fn) && {
    using Out = Built<Fn, const Context<In>&>;
    draft_->definition.output = computed(std::move(fn));
    draft_->definition.output_type = Out::descriptor()->full_name();
    draft_->definition.print_output = printer<Out>(Protocol::connect_proto);
    return SagaBuilder(std::move(draft_));
  }

  /// Errors: invalid_argument listing every mistake with its step.
  [[nodiscard]] Result<DefinitionPtr> build() && { return finish(std::move(*draft_)); }

 protected:
  [[nodiscard]] Draft& draft() { return *draft_; }
  [[nodiscard]] std::unique_ptr<Draft> take_draft() { return std::move(draft_); }

 private:
  template <StepKind kKind, class Name>
  [[nodiscard]] auto begin(const Name& name) {
    draft_->begin(step_text(name), kKind);
    return StepBuilder<kKind, In, OutputNamed<Name>>(std::move(draft_));
  }

  template <class Fn>
  static ComputeBuilder computed(Fn fn) {
    return [fn = std::move(fn)](const Facts& facts) -> Result<Bytes> {
      const Context<In> context(facts);
      const auto built = run(context, fn, context);
      if (!built) return std::unexpected(built.error());
      return encode(*built);
    };
  }

  std::unique_ptr<Draft> draft_;
};

}  // namespace skald::dsl
