// Progress of one batch, pure: which saga's turn it is, what follows from an answer, what has to be
// written. Knows no clock, thread or store; time arrives with each question.
#pragma once

#include <cstddef>
#include <deque>
#include <set>
#include <span>
#include <vector>

#include "engine/batch/batch.h"

namespace skald::batch {

/// Sagas whose outcomes are kept in one note: a change of one writes them all.
inline constexpr std::size_t kSagasPerNote = 100;
inline constexpr Millis kAgainAfter{1'000};   // where the engine had no room, or was away
inline constexpr Millis kPatienceFirst{500};  // how long one look at a followed saga waits
inline constexpr Millis kPatienceMax{8'000};  // doubled each time until then

/// Times are those of a steady clock that begins anywhere.
class Progress {
 public:
  /// As it was last written; what was followed is followed again.
  Progress(Batch batch, std::vector<Entry> entries);

  struct Look {
    std::size_t entry = 0;
    SagaId saga;
    Millis patience{0};
  };
  /// What to do now. Each is answered once: an act by one of acted(), settled() and later(), a
  /// look by one of settled(), not_yet() and later().
  struct Todo {
    std::vector<std::size_t> acts;
    std::vector<Look> looks;
  };
  [[nodiscard]] Todo next(Instant now);
  /// When next() may have more without any answer; kNever: not before one comes.
  [[nodiscard]] Instant wake_at() const;

  void acted(std::size_t entry, SagaId followed);
  void settled(std::size_t entry, Outcome outcome, std::string why);
  void not_yet(std::size_t entry);
  /// Nothing was done, for no reason of the saga's own.
  void later(std::size_t entry, Instant now);

  /// Errors: failed_precondition.
  [[nodiscard]] Result<void> pause(Actor by);
  [[nodiscard]] Result<void> resume(Actor by);
  [[nodiscard]] Result<void> cancel(Actor by);
  /// Whether nothing is left to be done or awaited.
  [[nodiscard]] bool is_over() const;
  /// Pre: is_over(). Its last change.
  void end(Instant at);

  [[nodiscard]] const Batch& batch() const { return batch_; }
  [[nodiscard]] const std::vector<Entry>& entries() const { return entries_; }
  /// The numbers of notes whose entries have changed, at most `most`; they count as written.
  [[nodiscard]] std::vector<std::size_t> take_changed(std::size_t most);
  /// They were not written after all.
  void changed_again(std::span<const std::size_t> notes);
  [[nodiscard]] bool has_changed() const { return !changed_.empty(); }
  [[nodiscard]] std::span<const Entry> entries_of_note(std::size_t note) const;
  [[nodiscard]] std::size_t notes() const;

 private:
  struct Again {
    Instant at{};
    std::size_t entry = 0;
  };
  void set(std::size_t entry, Outcome outcome);
  [[nodiscard]] bool has_room() const;
  void save_up(Instant now);
  [[nodiscard]] Result<void> check_open(std::string_view act) const;

  Batch batch_;
  std::vector<Entry> entries_;
  std::deque<std::size_t> waiting_;  // for their turn, in order
  std::vector<Look> to_look_;        // followed, and asked about by nobody just now
  std::deque<Again> again_;          // by time
  std::vector<Millis> patience_;     // by entry
  std::size_t in_flight_ = 0;        // being acted on, or followed
  std::int64_t saved_up_ = 0;        // see kOneAct
  Instant saved_at_ = Instant::min();
  std::set<std::size_t> changed_;
};

}  // namespace skald::batch
