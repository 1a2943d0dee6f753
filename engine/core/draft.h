// Draft: a decision in the making. Each event is folded into the state as it is emitted, so that
// rules always look at the present.
#pragma once

#include <utility>

#include "engine/core/decide.h"
#include "engine/core/evolve.h"
#include "engine/core/folding.h"

namespace skald {

class Draft {
 public:
  Draft(const Definition& definition, SagaState& state, Instant now, Decision& decision)
      : definition_(definition), state_(state), now_(now), decision_(decision) {}

  /// Names a saga that has no event yet.
  void begin(const SagaId& id) { state_.id = id; }

  /// Emits a fact that must be durable before anything that follows from it.
  void emit(event::Body body) {
    decision_.durable = true;
    emit_with_next_write(std::move(body));
  }
  /// Emits a fact that may wait for the saga's next write, which the shard makes at the latest when
  /// nothing is in flight any more or somebody is answered: queries, computes and what leads to
  /// them, successes that a participant would tell again.
  void emit_with_next_write(event::Body body) {
    decision_.events.push_back(Event{.at = now_, .body = std::move(body)});
    decision_.repeats = decision_.repeats && is_repeat(state_, decision_.events.back());
    evolve(state_, decision_.events.back());
  }
  void want(LegRef leg, Operation operation) {
    decision_.wants.push_back({.leg = leg, .operation = operation});
  }
  void send(LegRef leg, Operation operation, std::uint32_t attempt) {
    decision_.sends.push_back({.leg = leg, .operation = operation, .attempt = attempt});
  }
  [[nodiscard]] std::vector<Want>& wants() { return decision_.wants; }

  [[nodiscard]] const Definition& definition() const { return definition_; }
  [[nodiscard]] const SagaState& state() const { return state_; }
  [[nodiscard]] Instant now() const { return now_; }

  [[nodiscard]] const StepDefinition& step_definition(LegRef ref) const {
    return definition_.steps[ref.step];
  }
  [[nodiscard]] const StepState& step(std::uint16_t index) const { return state_.steps[index]; }
  [[nodiscard]] const LegState& leg(LegRef ref) const {
    return state_.steps[ref.step].legs[ref.leg];
  }

 private:
  const Definition& definition_;
  SagaState& state_;
  Instant now_;
  Decision& decision_;
};

}  // namespace skald
