// What a filter says of a saga, or of many of which only some things are known.
#pragma once

#include "engine/filter/filter.h"
#include "engine/shard/transition.h"

namespace skald::filter {

/// `maybe`: what is known does not decide it.
enum class Verdict : std::uint8_t { no = 1, maybe, yes };

/// What is known of one saga, or alike of many. Borrows everything.
class Subject {
 public:
  /// All of one saga. `now`: for age and stuck_for.
  [[nodiscard]] static Subject saga(const SagaId& id, const SagaSummary& summary, Instant now);
  /// All sagas of this status; of this definition, when it is given.
  [[nodiscard]] static Subject group(SagaStatus status, const std::string* definition);
  /// All sagas of this status, definition and failure. `failure` null: none.
  [[nodiscard]] static Subject cause(SagaStatus status, const std::string* definition,
                                     const FailureClass* failure);

  [[nodiscard]] SagaStatus status() const { return status_; }
  [[nodiscard]] const std::string* definition() const { return definition_; }
  [[nodiscard]] bool knows_failure() const { return knows_failure_; }
  [[nodiscard]] const FailureClass* failure() const { return failure_; }
  [[nodiscard]] const SagaId* id() const { return id_; }
  [[nodiscard]] const SagaSummary* summary() const { return summary_; }
  [[nodiscard]] Instant now() const { return now_; }

 private:
  Subject() = default;

  SagaStatus status_ = SagaStatus::running;
  const std::string* definition_ = nullptr;  // null: not known
  bool knows_failure_ = false;
  const FailureClass* failure_ = nullptr;
  const SagaId* id_ = nullptr;            // null: not known
  const SagaSummary* summary_ = nullptr;  // null: nothing else is known
  Instant now_{};
};

/// A text that a saga has not is empty; any other value that it has not equals nothing, and is
/// neither less nor greater. Never `maybe` of a whole saga.
[[nodiscard]] Verdict evaluate(const Filter& filter, const Subject& subject);

/// What every saga that passes has, read off the terms that all must hold: where a store looks.
struct Narrowing {
  std::optional<SagaId> id;
  std::optional<std::string> business_key;
  Instant started_from = Instant::min();  // inclusive
  Instant started_until = kNever;         // inclusive
};
[[nodiscard]] Narrowing narrowing(const Filter& filter, Instant now);

}  // namespace skald::filter
