// Exact counts of sagas by definition and status, as one store keeps them: what is acknowledged,
// and what the commit being written would change.
#pragma once

#include <array>
#include <cstdint>
#include <mutex>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "engine/core/state.h"
#include "engine/store/store.h"

namespace skald {

/// Sagas by status; the first is SagaStatus 1.
using StatusCounts = std::array<std::uint64_t, kSagaStatusCount>;

/// Thread: enter() to drop() and restore() from one writer; the reads at the end from any thread.
class SagaCounts {
 public:
  using Number = std::uint16_t;  // of a definition, in the order in which they came
  /// Definitions beyond kDefinitionsCountedMax share it.
  static constexpr Number kOthers = 0xFFFF;

  /// At open.
  void restore_name(Number number, std::string name);
  void restore(Number number, SagaStatus status, std::uint64_t count);

  void enter(const std::string& definition, SagaStatus status);
  void leave(const std::string& definition, SagaStatus status);
  /// Of the commit being written: the counts of each definition that it touches.
  struct Change {
    Number number = 0;
    StatusCounts before{};
    StatusCounts after{};
  };
  [[nodiscard]] const std::vector<Change>& changes() const { return changes_; }
  [[nodiscard]] const std::vector<std::pair<Number, std::string>>& new_names() const {
    return new_names_;
  }
  /// The commit is durable; or it will never be.
  void keep();
  void drop();

  [[nodiscard]] std::vector<std::pair<SagaStatus, std::uint64_t>> by_status() const;
  [[nodiscard]] std::vector<DefinitionCount> by_definition() const;
  /// In the order of their numbers.
  [[nodiscard]] std::vector<std::string> names() const;

 private:
  StatusCounts& changing(const std::string& definition);
  Number number_of(const std::string& definition);

  std::unordered_map<std::string, Number> numbers_;
  std::vector<Change> changes_;
  std::vector<std::pair<Number, std::string>> new_names_;

  mutable std::mutex mutex_;  // guards all below
  std::vector<std::string> names_;
  std::vector<StatusCounts> counts_;  // by number
  StatusCounts others_{};
};

}  // namespace skald
