// Shard: many sagas on one thread, without I/O. Takes inputs, runs the core, and says through Ready
// what must be persisted before what is sent. The same code runs under asio and under the
// simulator.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <queue>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "engine/core/decide.h"
#include "engine/core/folding.h"
#include "engine/shard/definitions.h"
#include "engine/shard/gates.h"
#include "engine/shard/input.h"
#include "engine/shard/ready.h"
#include "engine/shard/shard_door.h"
#include "engine/shard/step_figures.h"

namespace skald {

/// Encodes the events of one transition into its record, appended to `out` (wire/stored.h).
using EncodeEvents = std::function<void(std::span<const Event> events, Bytes& out)>;

struct ShardOptions {
  std::uint64_t placement_first = 0;  // this shard's range, inclusive
  std::uint64_t placement_last = ~0ULL;
  std::uint64_t id_seed = 0;  // spreads ids of sagas without an idempotency key
  std::size_t sagas_max = 100'000;
  std::size_t waiters_max = 200'000;
  Millis timer_window{60'000};
  AlertOptions alerts;
  ShardDoor* door = nullptr;  // outlives the shard; nullptr: nobody looks
};

/// What has happened so far, for metrics. Monotonic.
struct ShardCounters {
  std::uint64_t submitted = 0;
  std::uint64_t refused = 0;
  std::uint64_t joined = 0;  // submissions of a key that was there already
  std::uint64_t transitions = 0;
  std::uint64_t folds = 0;  // of them, those that replaced a run of repeats
  std::uint64_t calls = 0;
  std::uint64_t queries = 0;
  std::uint64_t outcomes[6] = {};  // by OutcomeKind
  std::uint64_t completed = 0;
  std::uint64_t compensated = 0;
  std::uint64_t became_stuck = 0;
  std::uint64_t alerts[kAlertKinds] = {};  // by AlertKind, from 1
  std::uint64_t alerts_not_kept = 0;       // for somebody whose outbox was full
};

/// Thread: one at a time; owned by its driver.
class Shard {
 public:
  Shard(ShardOptions options, const DefinitionTable& definitions, Gates gates, EncodeEvents encode);
  Shard(const Shard&) = delete;
  Shard& operator=(const Shard&) = delete;

  void step(Instant now, Input input);
  /// Everything owed to the world since the last call. Pre: not failed.
  [[nodiscard]] Ready ready();
  /// Everything up to and including `number` is durable.
  void advance(std::uint64_t number);
  /// Writing has ended (rule 13): waiting callers get `error`, later inputs that need a write are
  /// refused with it. Answers come with the next ready().
  void fail(Instant now, Error error);

  [[nodiscard]] std::size_t resident() const { return residents_.size(); }
  [[nodiscard]] std::size_t waiters() const { return waiting_.size(); }
  [[nodiscard]] const ShardCounters& counters() const { return counters_; }
  [[nodiscard]] const Gates& gates() const { return gates_; }
  [[nodiscard]] const StepBook& steps() const { return steps_; }
  /// nullptr when not in memory. For audits by the simulator and tests of the shard.
  [[nodiscard]] const SagaState* find(const SagaId& id) const;

 private:
  struct Waiter {
    Ticket ticket = 0;
    WaitMode mode = WaitMode::done;
    bool created = false;
  };
  /// Waits at the gates of its lane. Once an operator has sent it elsewhere, its place there is
  /// void.
  struct Queued {
    Want want;
    std::uint32_t lane = 0;
    bool operator==(const Queued&) const = default;
  };
  struct Resident {
    SagaState state;
    DefinitionPtr definition;  // null: missing
    std::vector<Event> unsaved;
    bool repeats = true;        // every unsaved event is one
    RunOfRepeats run;           // of what is saved
    std::vector<Alert> untold;  // what unsaved events tell
    std::uint64_t saved_seq = 0;
    std::optional<SagaSummary> stored;
    std::optional<Instant> stored_timer;
    std::vector<Waiter> waiters;
    std::vector<Queued> queued;
    Instant wake = kNever;     // its live entry in wakes_
    std::uint64_t number = 0;  // of the Ready that holds its last write
  };
  struct Wakeup {
    Instant at{};
    SagaId saga;
    bool operator>(const Wakeup& other) const { return at > other.at; }
  };
  struct Patience {
    Instant until{};
    Ticket ticket = 0;
    bool operator>(const Patience& other) const { return until > other.until; }
  };
  template <class T>
  using MinHeap = std::priority_queue<T, std::vector<T>, std::greater<>>;

  // shard.cc: inputs
  void on(input::Submit& in);
  void on(input::Wait& in);
  void on(input::TakeSignal& in);
  void on(input::Cancel& in);
  void on(input::Retry& in);
  void on(input::Act& in);
  void on(input::Reply& in);
  void on(input::Tick& in);
  void on(input::KeyLoaded& in);
  void on(input::SagaLoaded& in);
  void on(input::TimersLoaded& in);
  void on(input::Recover& in);
  void on(input::ExpireKeys& in);
  void on(input::RemoveSagas& in);
  void on(input::Admission& in);
  void on(input::WriteNotes& in);
  void on(input::Tell& in);
  void on(input::Outbox& in);
  void on(input::Hold& in);

  // shard_admission.cc: from a submission to a saga, or to the one there is
  [[nodiscard]] std::optional<Error> refuse_admission() const;
  void start_saga(input::Submit& in);
  void join_saga(input::Submit& in, const SagaId& id, std::uint64_t body_hash);
  [[nodiscard]] SagaId new_id(const std::string& idempotency_key);
  void know_key(const std::string& key, const SagaId& id);
  void forget_key(const std::string& key);
  // What the door shows.
  void key_held(const std::string& key) const;
  void key_let_go(const std::string& key) const;
  void show_room() const;

  // shard_sagas.cc: one saga's life in memory
  Resident* find_or_load(const SagaId& id, Input&& then);
  void admit_loaded(const SagaId& id, SagaState&& state, RunOfRepeats&& latest);
  [[nodiscard]] Result<void> run(Resident& saga, command::Body&& command, Decision& decision);
  void act(Resident& saga, Ticket ticket, command::Act&& asked);
  /// After each decision: dispatch, hand out, save, notify, arm, evict.
  void settle(Resident& saga, Decision& decision);
  void dispatch_wants(Resident& saga, Decision& decision);
  void hand_out(Resident& saga, const Decision& decision);
  void save(Resident& saga);
  /// What is unsaved; with the run before it, when that has become long.
  void write_record(Resident& saga, Transition& row);
  /// Whoever is told of a saga is told what is durable, by the time the answer is given.
  void save_before_answer(Resident& saga);
  void notify(Resident& saga);
  void arm(Resident& saga);
  void evict_if_idle(const SagaId& id);
  void pump_gates();
  [[nodiscard]] static const Method& method_of(const Resident& saga, const Want& want);
  [[nodiscard]] std::uint32_t lane_of(const Resident& saga, const Want& want);

  // shard_alerts.cc
  Alert& alert(Resident& saga, AlertKind kind, std::uint64_t seq);
  void alert_of_leg(Resident& saga, AlertKind kind, std::uint64_t seq, const Want& where,
                    const std::string& code);
  /// What the events of a decision tell, and what a saga's new row tells. Told with the write.
  void alert_of(Resident& saga, const Decision& decision);
  void alert_of_status(Resident& saga, const Transition& row);
  void alert_of_stuck(Resident& saga, const SagaSummary& row);
  static void explain(Alert& alert, const SagaSummary& row);
  [[nodiscard]] bool somebody_wants(AlertKind kind) const;
  /// In the coming Ready, with a note for each of the targets (1 << place) that want it; false: the
  /// outbox had no room.
  bool tell(Alert&& alert, std::uint32_t targets);

  // shard_waiters.cc
  void wait_for(Resident& saga, Ticket ticket, WaitMode mode, Instant until, bool created);
  void answer(Ticket ticket, Error error);
  void answer(Ticket ticket, SagaAnswer&& answer);
  [[nodiscard]] SagaAnswer answer_of(const Resident& saga) const;
  void end_patience();
  void widen_timer_window();

  ShardOptions options_;
  const DefinitionTable& definitions_;
  Gates gates_;
  EncodeEvents encode_;

  Instant now_{};
  Ready ready_;
  Decision of_reply_;         // for its buffers: most decisions answer a reply
  std::uint64_t number_ = 0;  // of the last Ready with writes; the next is number_ + 1
  std::uint64_t durable_ = 0;
  std::uint64_t last_serial_ = 0;
  std::optional<Error> failed_;
  std::optional<Error> closed_;
  bool draining_ = false;
  std::size_t outbox_ = 0;  // notes in it
  ShardCounters counters_;
  StepBook steps_;

  std::unordered_map<SagaId, std::unique_ptr<Resident>> residents_;
  std::unordered_map<SagaId, std::vector<Input>> loading_;
  std::unordered_map<std::string, SagaId> keys_;  // of residents
  std::unordered_map<std::string, std::vector<input::Submit>> key_lookups_;
  std::unordered_map<Ticket, SagaId> waiting_;
  MinHeap<Wakeup> wakes_;
  MinHeap<Patience> patience_;
  std::deque<std::pair<std::uint64_t, SagaId>> evictable_;  // (number, saga): once durable
  std::vector<SagaId> leaving_;  // perhaps idle: looked at when this input has been served
  std::vector<std::uint32_t> freed_lanes_;
  Instant gates_wake_ = kNever;  // when a breaker lets somebody try, as the last Ready said
  Instant timers_until_{};
};

}  // namespace skald
