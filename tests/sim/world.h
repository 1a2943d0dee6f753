// The simulated world: the real shard, core, codec and store in memory under a simulated clock,
// network, disk and participants; one thread, one seed. It drives the shard as
// runtime/shard_driver.cc does.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <queue>
#include <set>
#include <string>
#include <vector>

#include "engine/base/check.h"
#include "engine/shard/shard.h"
#include "engine/store/memory_store.h"
#include "tests/sim/participants.h"
#include "tests/sim/random.h"

namespace skald::sim {

/// Which faults this world has, drawn per seed (swarm testing: a random subset with random
/// weights).
struct Faults {
  double reject = 0;        // business no
  double request_lost = 0;  // never arrives: unknown
  double reply_lost = 0;    // executed, unanswered: unknown
  double refused = 0;       // not_executed
  double pending = 0;       // accepted, executed later
  double late = 0;          // the request lands after its attempt was given up (hanging)
  double duplicate = 0;     // lands twice
  double crash = 0;         // per step of the world: the engine dies and starts again
  double cancel = 0;        // per saga
  double retry = 0;         // per step: an operator's retry of something
  double signal = 0;        // per step
  double slow_disk = 0;     // a commit takes long
  bool keyless = false;

  static Faults swarm(Random& random);
};

struct WorldOptions {
  std::uint64_t seed = 1;
  std::size_t sagas = 40;
  bool trace = false;  // print what happens, for people
};

struct WorldFigures {
  std::uint64_t sagas = 0;
  std::uint64_t completed = 0;
  std::uint64_t compensated = 0;
  std::uint64_t stuck = 0;  // in doubt without keys: allowed at the end only there
  std::uint64_t calls = 0;
  std::uint64_t crashes = 0;
  std::uint64_t lost = 0, refused = 0, pending = 0, late = 0, duplicates = 0, cancels = 0,
                retries = 0, signals = 0, rejections = 0;
  std::int64_t simulated_ms = 0;
  std::uint64_t steps = 0;

  void add(const WorldFigures& other);
};

class World {
 public:
  explicit World(WorldOptions options);
  ~World();

  /// Runs the whole life: submissions under faults, then faults stop and liveness is demanded.
  /// Returns what is wrong, empty when nothing is.
  std::vector<std::string> run();
  [[nodiscard]] const WorldFigures& figures() const { return figures_; }

 private:
  struct Happening {
    Instant at{};
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
  struct Push {
    std::uint64_t number = 0;
    ShardBatch batch;
  };
  struct Submission {
    DefinitionPtr definition;
    std::string key;
    std::optional<SagaId> acked;
    std::optional<SagaStatus> told;  // terminal status a caller was told
    Ticket ticket = 0;
  };

  // world.cc
  void start_engine();
  void crash();
  void pump();
  void honour(Ready ready);
  void begin_commit();
  void end_commit();
  void release();
  void load(Load load);
  void step(Input input);
  void in(Millis delay, std::move_only_function<void()> run, bool of_engine = true);
  bool next_happening();
  bool at_rest();
  void wrong(std::string what);
  void trace(const std::string& line);

  // world_network.cc
  void send(Invocation call, bool query);
  void reply(const Invocation& call, Response response, Millis after);
  Request request_of(const Invocation& call) const;
  Response execute(const Request& request);

  // world_clients.cc
  void submit(std::size_t index);
  void disturb();
  void take_answer(ShardAnswer answer);

  // auditor.cc
  void audit_send(const Invocation& call, bool query);
  void audit_resident(const SagaId& id);
  void audit_end();
  std::optional<SagaState> stored_state(const SagaId& id);

  WorldOptions options_;
  Random random_;
  Faults faults_;
  Participants participants_;
  std::unique_ptr<DefinitionTable> definitions_;
  MemoryStore store_;
  ShardMeta meta_;

  std::unique_ptr<Shard> shard_;
  Instant now_ = from_unix_ms(1'700'000'000'000);
  const Instant born_ = now_;
  std::uint64_t life_ = 0;
  std::uint64_t order_ = 0;
  std::priority_queue<std::unique_ptr<Happening>, std::vector<std::unique_ptr<Happening>>, Later>
      future_;
  std::deque<Held> held_;
  std::deque<Push> pushes_;
  bool committing_ = false;
  std::size_t commit_takes_ = 0;
  std::uint64_t durable_ = 0;
  Instant wake_at_ = kNever;
  bool healed_ = false;

  std::vector<Submission> submissions_;
  std::map<Ticket, std::size_t> tickets_;
  Ticket last_ticket_ = 0;
  std::set<SagaId> touched_;
  std::map<SagaId, std::set<std::string>> out_;  // attempts with participants, this life
  std::map<std::string, std::string> key_of_;    // (saga, leg, op, generation) -> key
  std::vector<std::string> wrongs_;
  WorldFigures figures_;
};

}  // namespace skald::sim
