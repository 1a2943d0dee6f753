// Folding from outside (rule 12): a record that stands for others tells of every attempt and every
// answer that they told of.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "engine/core/event.h"
#include "engine/shard/transition.h"

namespace skald::sim {

/// What the records of one saga tell of its attempts.
class FoldBook {
 public:
  /// The record that `row` writes holds `events`; `state` is what they lead to. What a fold lost;
  /// nullopt: nothing.
  std::optional<std::string> take(const Transition& row, std::span<const Event> events,
                                  const SagaState& state);

 private:
  struct Told {
    LegRef leg;
    Operation operation = Operation::action;
    std::uint32_t first_attempt = 0;  // of those sent, to `last_attempt`; 0: none
    std::uint32_t last_attempt = 0;
    std::array<std::uint32_t, kOutcomeKinds> outcomes{};
  };
  struct Record {
    std::uint64_t first_seq = 0;
    std::vector<Told> told;
  };
  static Told& told_of(Record& record, LegRef leg, Operation operation);
  static Record read(std::uint64_t first_seq, std::span<const Event> events);
  /// Up to which attempt of the operation every one is told.
  [[nodiscard]] std::uint32_t told_to(LegRef leg, Operation operation) const;

  std::vector<Record> records_;
};

}  // namespace skald::sim
