// The simulated world: the real shards, core, retry, classifier, codec, recovery and a store in
// memory under a simulated clock, network, disk and participants; one thread, one seed. It drives
// the shards as runtime/shard_driver.cc and runtime/committer.cc do.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <queue>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "engine/base/check.h"
#include "engine/runtime/engine_clock.h"
#include "engine/shard/shard.h"
#include "engine/store/memory_store.h"
#include "tests/sim/auditor.h"
#include "tests/sim/faults.h"
#include "tests/sim/gate_auditor.h"
#include "tests/sim/mall.h"
#include "tests/sim/mall_auditor.h"
#include "tests/sim/participants.h"
#include "tests/sim/scenario.h"
#include "tests/sim/sim_clock.h"
#include "tests/sim/story.h"
#include "tests/sim/wire_answers.h"

namespace skald::sim {

struct WorldFigures {
  std::uint64_t worlds = 0;
  std::uint64_t sagas = 0;
  std::uint64_t completed = 0;
  std::uint64_t compensated = 0;
  std::uint64_t excused =
      0;  // left to, or closed by, a person: in doubt without keys, a builder that fails
  std::uint64_t calls = 0;
  std::uint64_t commits = 0;
  std::uint64_t steps = 0;
  std::uint64_t folds = 0;
  std::uint64_t replays = 0;
  std::uint64_t breakers_opened = 0;
  std::uint64_t removed = 0;  // sagas whose retention was over
  std::uint64_t words = 0;    // of people on how a leg ended
  std::uint64_t simulated_ms = 0;
  FaultCounts faults{};

  void add(const WorldFigures& other);
};

/// How long faults rage.
inline constexpr Millis kFaultyFor{45'000};

class World {
 public:
  World(const Scenario& scenario, bool story);
  ~World();
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  /// The whole life: submissions under faults, then faults stop and liveness is demanded.
  Verdict run();
  [[nodiscard]] const WorldFigures& figures() const { return figures_; }
  /// How many there were to leave out, for minimise.h.
  [[nodiscard]] std::size_t submissions() const { return submissions_.size(); }
  [[nodiscard]] std::size_t disturbances() const { return planned_.size(); }

 private:
  struct Happening {
    Millis at{0};
    std::uint64_t order = 0;
    std::uint64_t life = 0;  // of the engine; 0: the world's own, survives crashes
    std::move_only_function<void()> run;
  };
  struct Later {
    bool operator()(const std::unique_ptr<Happening>& a,
                    const std::unique_ptr<Happening>& b) const {
      return a->at != b->at ? a->at > b->at : a->order > b->order;
    }
  };
  struct Held {
    std::uint64_t number = 0;
    std::vector<Invocation> calls;
    std::vector<ShardAnswer> answers;
  };
  /// One shard of the engine's present life.
  struct Seat {
    std::uint32_t index = 0;
    PlacementRange range;
    ShardMeta meta;
    std::unique_ptr<Shard> shard;
    std::deque<Held> held;
    std::deque<std::pair<std::uint64_t, ShardBatch>> pushes;  // by Ready::number
    std::uint64_t durable = 0;
    Instant wake_at = kNever;
    bool moved = false;  // since its last Ready
  };
  /// A commit under way: what it takes of each seat.
  struct Commit {
    std::vector<ShardBatch> batches;
    std::vector<std::pair<std::uint32_t, std::uint64_t>> numbers;  // (seat, Ready::number)
  };
  /// A disturbance strikes at its moment, whatever the world is doing then.
  struct Disturbance {
    Millis at{0};
    Fault fault = Fault::crash;
    std::uint64_t salt = 0;
  };
  struct Submission {
    std::string definition;
    std::uint32_t version = 0;  // as asked; 0: the newest
    DefinitionPtr inline_definition;
    std::string key;  // empty: none, so it is not repeated
    std::string business_key;
    Bytes input;
    Millis at{0};
    std::optional<Replay> replay;
    bool in_mall = false;
    std::optional<std::size_t> after;  // a submission whose client must know its end first
    std::optional<SagaId> acked;
    bool ended = false;  // the client knows how
    std::uint64_t asked = 0;
  };
  /// What the owner of a ticket waits for.
  struct Asked {
    enum class What : std::uint8_t { submit, other_body, signal, cancel, act, hold };
    What what = What::act;
    std::size_t submission = 0;
    SagaId saga;
    std::string signal_id;
    Place place;  // of a hold
    bool held = false;
  };

  // world.cc: how it is made, time, the end
  void make_definitions();
  void make_submissions();
  void plan_disturbances();
  void in(Millis delay, std::move_only_function<void()> run, bool of_engine = true);
  bool next_happening();
  void heal();
  bool at_rest();
  void run_faulty();
  void run_healthy();
  void audit_at_rest();
  void wrong(std::string what);
  [[nodiscard]] Millis now() const { return clock_.passed(); }
  [[nodiscard]] bool strikes(Random& random, Fault fault);

  // world_engine.cc: the life of the engine, its disk and its clock
  void start_engine();
  void stop_engine(Millis down);
  void crash(std::uint64_t salt);
  void drain();
  void jump_wall(std::uint64_t salt);
  void step(Seat& seat, Input input);
  void pump();
  void audit_touched();
  void honour(Seat& seat, Ready ready);
  void release(Seat& seat);
  void load(Seat& seat, Load wanted);
  void begin_commit();
  void end_commit();
  bool store_commit(const Commit& commit);
  void writing_failed();
  void slew();
  void sweep_keys();
  void sweep_sagas();
  [[nodiscard]] Seat& seat_of(const SagaId& id) { return seats_[shard_index(id.placement)]; }
  [[nodiscard]] std::size_t shard_index(std::uint64_t placement) const;
  [[nodiscard]] Instant engine_now() const { return engine_clock_->now(); }

  // world_network.cc
  void send(Invocation call, bool query);
  struct Met {
    WireAnswer answer;
    Millis after{0};  // until it is known
  };
  std::optional<Met> meet(const Invocation& call, Random& random, Millis there);
  void deliver_later(const Invocation& call, Millis delay);
  void reply(Invocation call, WireAnswer answer, Millis after);
  ParticipantAnswer execute(const Request& request);
  void answer_when_executed(Invocation call, Millis there, Millis back);

  // world_clients.cc: who submits and repeats
  void keep_submitting(std::size_t index);
  void submit(std::size_t index);
  void take_answer(ShardAnswer answer);
  void take_saga_answer(const Asked& asked, const SagaAnswer& answer);
  void disturb(const Disturbance& what);
  void disturb_mall(const Disturbance& what);
  void send_other_body(std::size_t index);
  Ticket ask(Asked asked);

  // world_people.cc: who acts
  void act(const Disturbance& what);
  [[nodiscard]] const Submission* victim_of(const Disturbance& what) const;
  [[nodiscard]] std::optional<Input> input_of(const Disturbance& what, Ticket ticket,
                                              const KnownSaga& saga) const;
  [[nodiscard]] bool undone_by_hand(const SagaId& saga, const std::string& leg);
  void hold_for_a_while(std::uint64_t salt);
  void ask_hold(const Place& place, bool held);
  void take_hold_answer(const Place& place, bool held);
  void replay(std::uint64_t salt);
  void rescue_stuck();

  Scenario scenario_;
  Story story_;
  Random nature_;  // what the world is like: definitions, sizes, rates
  Random disk_;    // how long reads and writes take
  FaultMix mix_;
  SimClock clock_;
  WorldFigures figures_;
  std::vector<std::string> wrongs_;

  bool keyless_ = false;
  bool short_keys_ = false;
  std::size_t shards_ = 1;
  double mall_share_ = 0;
  Millis key_retention_{0};
  std::optional<Millis> saga_retention_;          // absent: they stay
  std::vector<DefinitionPtr> known_definitions_;  // all versions of all
  std::vector<DefinitionPtr> inline_definitions_;
  std::unique_ptr<DefinitionTable> all_definitions_;
  Participants participants_;
  Mall mall_;
  MemoryStore store_;
  std::unique_ptr<Auditor> auditor_;
  std::unique_ptr<MallAuditor> mall_auditor_;
  std::unique_ptr<GateAuditor> gate_auditor_;

  // The engine's present life; no seats: it is down.
  std::unique_ptr<EngineClock> engine_clock_;
  std::unique_ptr<DefinitionTable> registered_;
  std::vector<Seat> seats_;
  std::optional<Commit> committing_;
  std::uint64_t life_ = 0;
  bool write_fails_next_ = false;
  bool failed_ = false;  // writing has ended (rule 13)
  bool draining_ = false;
  bool definitions_missing_ = false;  // in the next life
  Instant counted_at_{};

  std::priority_queue<std::unique_ptr<Happening>, std::vector<std::unique_ptr<Happening>>, Later>
      future_;
  std::uint64_t order_ = 0;
  std::deque<Submission> submissions_;  // grows by replays
  std::vector<Disturbance> planned_;
  std::map<Ticket, Asked> tickets_;
  Ticket last_ticket_ = 0;
  std::map<std::string, Millis> outages_;  // participant -> until
  std::set<SagaId> touched_;
  std::unordered_map<SagaId, std::size_t> out_;  // attempts with participants, of this life
  bool healed_ = false;
};

}  // namespace skald::sim
