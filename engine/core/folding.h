// Folding: what is left of repeated attempts when nobody needs each of them any more (rule 12). A
// leg may be retried, and a pending pivot asked, for days; a saga's history must not grow by it.
// Which events are repeats is said here; which records are replaced, by the shard.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <span>
#include <utility>
#include <vector>

#include "engine/core/event.h"
#include "engine/core/state.h"

namespace skald {

/// Attempts of an operation that are never folded: its first ones.
inline constexpr std::uint32_t kAttemptsKeptFirst = 5;
/// Records of a run that are kept before they are folded, unless more operations repeat in it: so
/// a fold, which tells of every operation, costs no more than what it replaces.
inline constexpr std::size_t kRunRecordsMax = 16;
/// Of one Folded: beyond it a new run begins. A record's count has 32 bits.
inline constexpr std::uint64_t kFoldedEventsMax = 1ULL << 31;

/// Whether the event changes nothing but how an operation stands that was tried kAttemptsKeptFirst
/// times already: sent again, answered without an end, let go for its next attempt. Not the stage,
/// a request or a response of its leg; nothing that a person did.
/// Pre: fits(before, event).
[[nodiscard]] bool is_repeat(const SagaState& before, const Event& event);

/// The latest records of a saga, as far as they hold nothing but repeats.
class RunOfRepeats {
 public:
  /// A record was added to the saga. `repeats`: each of its events is one.
  void take(std::uint64_t first_seq, std::span<const Event> events, bool repeats);

  /// Long enough that one Folded should take its place.
  [[nodiscard]] bool is_long() const;
  /// The first sequence number of each of its records.
  [[nodiscard]] const std::vector<std::uint64_t>& records() const { return records_; }
  /// Its events as one. Pre: it has records, and `state` is what the last one led to.
  [[nodiscard]] Event folded(const SagaState& state) const;
  /// One record has taken the place of all of them.
  void was_folded() { records_.resize(1); }

  bool operator==(const RunOfRepeats&) const = default;

 private:
  struct Tally {
    std::uint32_t first_attempt = 0;
    std::array<std::uint32_t, kOutcomeKinds> outcomes{};
    bool operator==(const Tally&) const = default;
  };
  struct Count;

  std::vector<std::uint64_t> records_;
  std::uint64_t events_ = 0;
  Instant first_at_{};
  std::map<std::pair<LegRef, Operation>, Tally> tallies_;
};

}  // namespace skald
