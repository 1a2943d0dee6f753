// The auditor: the invariants I1 to I14, checked from outside. It sees what every shard commits,
// what leaves for participants, what they do and what callers are told, keeps books of its own, and
// never looks at a shard's private state (comparing a resident saga with what is durable aside).
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "engine/shard/definitions.h"
#include "engine/shard/invocation.h"
#include "engine/shard/ready.h"
#include "engine/store/store.h"
#include "tests/sim/fold_auditor.h"
#include "tests/sim/participants.h"
#include "tests/sim/wire_answers.h"

namespace skald::sim {

/// What has been done to the world under one leg.
struct LegBook {
  int done = 0;            // effective applications of the action
  int undone = 0;          // effective applications of the compensation
  bool undo_seen = false;  // a compensation was executed, with or without effect

  [[nodiscard]] int net() const { return done - undone; }
};

/// What a person last said of one leg: resolve, mark-done. The engine takes his word.
struct Word {
  std::uint32_t attempts[2] = {};  // sent before he spoke: of its action, of its compensation
  bool broken = false;  // it is not what is the case: the leg is beyond what can be demanded
};

/// One saga as the auditor knows it: folded from what is durable, and from what was done.
struct KnownSaga {
  SagaState state;
  DefinitionPtr definition;
  std::uint32_t terminal_events = 0;
  std::map<std::string, LegBook, std::less<>> legs;
  std::vector<int> net;                            // by step: sum over its legs
  std::map<std::string, Word, std::less<>> words;  // by leg
  FoldBook folds;
  bool removed = false;                        // its retention is over
  std::optional<FailureClass> listed_failure;  // of its index row
};

class Auditor {
 public:
  using Wrong = std::function<void(std::string)>;
  /// `definitions`: all there are, whatever a life of the engine has registered.
  /// `undo_by_hand`: a person says so of a leg; whether he did, and it had been done.
  using UndoByHand = std::function<bool(const SagaId& saga, const std::string& leg)>;
  Auditor(const DefinitionTable& definitions, Wrong wrong, UndoByHand undo_by_hand)
      : definitions_(definitions),
        wrong_(std::move(wrong)),
        undo_by_hand_(std::move(undo_by_hand)) {}

  // The store (I8, I10, I12, I13)
  void opened(std::uint32_t shard, const ShardMeta& meta);
  struct Kept {
    Millis keys{0};
    Millis sagas{0};
  };
  void committed(std::span<const ShardBatch> batches, Instant now, const Kept& kept);
  void stale_commit(bool accepted);
  void counted(Store& store);
  void loaded(const SagaId& id, const Result<std::optional<SagaState>>& state);

  // The network (I9, I14, rule 5) and the classifier
  void leaves(const Invocation& call, bool query);
  void means(const Invocation& call, const Outcome& outcome, const Truth& truth);
  // The participants (I1, I2, I3)
  void executed(const Request& request, bool took_effect);
  /// A participant saw what must never happen.
  void outrageous(const Request& request, const std::string& what);
  // Callers (I8)
  void told(const SagaAnswer& answer);
  void signal_told(const SagaId& saga, const std::string& signal_id);
  void cancel_told(const SagaId& saga);
  // Memory against what is durable
  void resident(const SagaState& state, std::size_t with_participants, Instant now);

  /// When all has come to rest: I1, I8, I10, I11, I13. auditor_end.cc
  struct Rest {
    Store& store;
    bool keyless = false;     // participants without keys, or that forget them, are about
    bool every_saga = false;  // read all of them back from the store, not only some
  };
  void at_rest(const Rest& rest);
  /// Why it may stay as it is, for a person; empty: it must end. `keyless` as above.
  [[nodiscard]] static std::string excuse(const SagaState& state, const Definition& definition,
                                          bool keyless);

  [[nodiscard]] const KnownSaga* find(const SagaId& id) const;
  [[nodiscard]] const std::map<SagaId, KnownSaga>& sagas() const { return sagas_; }
  /// The live row of a key; nullptr: none.
  [[nodiscard]] const KeyRow* key(const std::string& key) const;
  /// Records that stand for others.
  [[nodiscard]] std::uint64_t folds() const { return folds_; }

 private:
  struct Closure {
    std::vector<std::vector<std::uint16_t>> before;  // calls that a step needs, transitively
    std::vector<std::vector<std::uint16_t>> behind;  // calls that need it
  };
  struct Ownership {
    std::uint64_t epoch = 0;
    std::uint64_t number = 0;
    Instant clock_high{};
  };

  void wrong(std::string what) { wrong_(std::move(what)); }
  void fold(const Transition& row, Instant now);
  void take_key(const Transition& row);
  void check_batch(const ShardBatch& batch);
  void key_removed(const std::string& key, Instant now, Millis retention);
  // auditor_people.cc
  void saga_removed(const EndedSaga& removed, Instant now, Millis retention);
  void note_word(KnownSaga& saga, const Event& event);
  void check_replay(const KnownSaga& saga);
  static bool took_after_word(KnownSaga& saga, const Request& request);
  const Closure& closure_of(const DefinitionPtr& definition);
  void check_order(const KnownSaga& saga, std::uint16_t step, const Request& request);
  void check_saga_at_rest(const SagaId& id, const KnownSaga& saga, const Rest& rest);
  void check_effects(const SagaId& id, const KnownSaga& saga);
  void check_journal(const KnownSaga& saga);

  const DefinitionTable& definitions_;
  Wrong wrong_;
  UndoByHand undo_by_hand_;
  std::map<SagaId, KnownSaga> sagas_;
  std::unordered_map<std::string, KeyRow> keys_;
  std::map<std::uint32_t, Ownership> shards_;
  std::map<const Definition*, Closure> closures_;
  std::vector<DefinitionPtr> inline_definitions_;  // read once each
  std::map<SagaId, SagaStatus> told_;              // terminal statuses that callers know
  std::uint64_t removed_ = 0;                      // sagas whose retention is over
  std::uint64_t folds_ = 0;
};

/// A person said how one of the step's legs ended; likewise, and it is not the case.
[[nodiscard]] bool has_word(const KnownSaga& saga, std::uint16_t step);
[[nodiscard]] bool has_broken_word(const KnownSaga& saga, std::uint16_t step);
/// "deduct_stock" of "deduct_stock[7]".
[[nodiscard]] inline std::string_view step_of(std::string_view leg) {
  return leg.substr(0, leg.find('['));
}

}  // namespace skald::sim
