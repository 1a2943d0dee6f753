// Plan: definitions made by hand for tests of core, with fixed payloads and short times. Nothing of
// the dsl, no protobuf.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "engine/core/definition.h"

namespace skald::test {

/// Times of every operation of a Plan: no jitter, so that instants can be written down.
inline constexpr Millis kInitial{100};
inline constexpr Millis kDelayMax{1'000};
inline constexpr Millis kTotal{10'000};
inline constexpr Millis kLifetime{3'600'000};

/// Steps are added one after the other; everything else changes the step added last. Calls keep
/// keys by barrier unless told otherwise. Requests: action `do STEP[KEY]`, compensation
/// `undo (REQUEST) RECEIPT`.
class Plan {
 public:
  explicit Plan(std::string name = "order");

  Plan& query(std::string_view name);
  Plan& compute(std::string_view name);
  Plan& call(std::string_view name);  // compensatable
  Plan& pivot(std::string_view name);
  Plan& retriable(std::string_view name);
  Plan& wait(std::string_view name, std::string_view signal = {}, Millis timeout = Millis{60'000});

  Plan& after(std::initializer_list<std::string> needs);
  Plan& when(bool answer);
  Plan& for_each(std::vector<std::string> keys, std::uint32_t parallel = 1'000);
  Plan& finish_all();
  Plan& keys(KeysMode mode);  // of action and compensation
  Plan& probe();
  Plan& no_undo();
  Plan& needs_receipt();
  Plan& attempts(std::uint32_t count);  // of action and compensation
  Plan& total(Millis time);             // likewise
  Plan& lifetime(Millis time);          // of the keys, likewise
  Plan& rejects_on_timeout();
  Plan& is_pivot();  // a wait
  Plan& deadline(Millis time);

  [[nodiscard]] StepDefinition& step() { return definition_.steps.back(); }
  [[nodiscard]] Definition& definition() { return definition_; }
  /// Pre: sound. A mistake ends the program, with its sentence.
  [[nodiscard]] DefinitionPtr seal() const;

 private:
  Plan& add(std::string_view name, StepKind kind, CallClass call_class);

  Definition definition_;
};

/// An operation with a Plan's times.
[[nodiscard]] OperationPlan operation_plan(std::string_view path, KeysMode keys);

}  // namespace skald::test
