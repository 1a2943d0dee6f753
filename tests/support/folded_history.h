// FoldedHistory: a saga's events as its shard would have stored them, in records of any size, with
// its runs of repeats folded at any moment. What it folds to must be what the events fold to.
#pragma once

#include <string>
#include <vector>

#include "engine/core/event.h"
#include "engine/core/folding.h"
#include "tests/support/core_world.h"

namespace skald::test {

class FoldedHistory {
 public:
  FoldedHistory(const std::vector<Event>& history, Dice& dice);

  [[nodiscard]] std::size_t records() const { return records_.size(); }
  [[nodiscard]] std::size_t folds() const { return folds_; }
  [[nodiscard]] SagaState state(const SagaId& id) const;
  /// Empty: at every moment what was read back was what had been written.
  [[nodiscard]] const std::string& wrong() const { return wrong_; }

 private:
  struct Record {
    std::uint64_t first_seq = 0;
    std::vector<Event> events;
  };

  void add(Record record, bool repeats, const SagaState& state, bool fold_early);
  [[nodiscard]] RunOfRepeats read_back(SagaState& state) const;

  std::vector<Record> records_;
  RunOfRepeats run_;
  std::size_t folds_ = 0;
  std::string wrong_;
};

}  // namespace skald::test
