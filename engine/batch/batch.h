// A batch: one act on many sagas, which a filter chose once. The values of it; how one proceeds is
// in progress.h, what is kept of it in batch_notes.h.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/ids.h"
#include "engine/base/result.h"
#include "engine/base/time.h"
#include "engine/core/act.h"

namespace skald::batch {

inline constexpr std::size_t kBatchSagasMax = 100'000;   // of one batch; beyond: narrow the filter
inline constexpr std::size_t kBatchesOpenMax = 8;        // not ended; beyond: wait for one
inline constexpr std::size_t kBatchesKept = 200;         // ended ones; beyond, the oldest goes
inline constexpr std::size_t kSagasKeptMax = 1'000'000;  // of ended batches together, likewise
inline constexpr std::uint32_t kRateDefault = 50;        // acts a second
inline constexpr std::uint32_t kRateMax = 10'000;
inline constexpr std::uint32_t kInFlightDefault = 100;  // acted on, and not at their end yet
inline constexpr std::uint32_t kInFlightMax = 2'000;
inline constexpr std::size_t kWhyMax = 200;  // bytes of a reason that is kept for one saga

using Number = std::uint64_t;  // from 1; never given again, since the sagas' histories name it

/// Stored. Never renumber.
enum class Act : std::uint8_t { retry = 1, cancel = 2, resolve = 3, replay = 4 };
inline constexpr Act kActs[] = {Act::retry, Act::cancel, Act::resolve, Act::replay};
[[nodiscard]] std::string_view name(Act act);
/// It overrides what Skald knows, or does something anew: it says why.
[[nodiscard]] bool requires_reason(Act act);

/// Stored. Never renumber.
enum class Stage : std::uint8_t {
  running = 1,
  paused = 2,      // acts on nothing more; what was acted on is followed to its end
  cancelling = 3,  // likewise, for good
  cancelled = 4,   // and has ended
  finished = 5,    // every saga has its outcome
};
[[nodiscard]] std::string_view name(Stage stage);
[[nodiscard]] constexpr bool has_ended(Stage stage) { return stage >= Stage::cancelled; }

/// What became of one saga. Stored. Never renumber.
enum class Outcome : std::uint8_t {
  pending = 0,      // its turn has not come
  following = 1,    // acted on, and under way
  completed = 2,    // the saga's own end, or where it stays until a person acts
  compensated = 3,  //
  abandoned = 4,    //
  stuck = 5,        //
  paused = 6,       // by a person, while it was followed
  refused = 7,      // the act is not legal for it: why
  skipped = 8,      // nothing was to be done, or it is not what was chosen any more: why
  lost = 9,         // acted on; its retention was over before anybody saw its end
};
inline constexpr std::size_t kOutcomes = 10;
[[nodiscard]] std::string_view name(Outcome outcome);
[[nodiscard]] std::optional<Outcome> outcome_named(std::string_view text);
[[nodiscard]] constexpr bool is_settled(Outcome outcome) { return outcome >= Outcome::completed; }

/// What is asked, once and for all.
struct Spec {
  Act act = Act::retry;
  std::string filter;                 // canonical text
  Actor actor;                        // who, and why
  std::string leg;                    // retry, resolve; empty: all, or the only one in doubt
  bool happened = false;              // resolve
  bool hold = false;                  // resolve
  std::uint32_t version = 0;          // replay: of the definition; 0: the saga's own
  bool newest = false;                // replay
  std::string from;                   // replay: a step
  bool again = false;                 // replay: although it was replayed before
  std::uint32_t rate = kRateDefault;  // acts a second
  std::uint32_t in_flight_max = kInFlightDefault;
  std::string key;  // of whoever asks: the same key is the same batch; empty: none
  bool operator==(const Spec&) const = default;
};

using Counts = std::array<std::uint64_t, kOutcomes>;  // by Outcome

struct Batch {
  Number number = 0;
  Spec spec;
  Stage stage = Stage::running;
  std::optional<Actor> changed_by;  // who paused, resumed or cancelled it last
  Instant began_at{};
  Instant ended_at{};  // when ended
  std::uint64_t sagas = 0;
  Counts counts{};
  bool operator==(const Batch&) const = default;
};

/// One saga of a batch.
struct Entry {
  SagaId saga;
  Outcome outcome = Outcome::pending;
  SagaId followed;  // whose end it is: the saga, or of a replay the new one; zero: none
  std::string why;  // refused, skipped; of others what the saga says
  bool operator==(const Entry&) const = default;
};

[[nodiscard]] Counts count(const std::vector<Entry>& entries);
/// Of a cancelled batch, those whose turn never came were skipped.
[[nodiscard]] Counts told_counts(const Batch& batch);

/// "4100 completed, 10 stuck": without zeros.
[[nodiscard]] std::string in_words(const Counts& counts);

/// What the histories of its sagas say of who acted: the batch's number goes before the reason, so
/// that after a crash it is known what was done already. Stored. Never change.
[[nodiscard]] Actor marked_actor(Number number, const Actor& actor);
[[nodiscard]] bool is_marked(const Actor& actor, Number number);
/// Whether a person's own words look like a mark; no request may.
[[nodiscard]] bool looks_marked(std::string_view reason);

/// The text, at most kWhyMax bytes, cut between characters.
[[nodiscard]] std::string shortened(std::string text);

}  // namespace skald::batch
