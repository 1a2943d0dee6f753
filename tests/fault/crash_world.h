// One order saga in the real shard, codec and recovery over a store in memory, with the shop beside
// it. Every commit and every send is a moment before and a moment after, numbered; the engine dies
// at the moments asked for and starts again. Same plan, same moments: nothing here is random.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "engine/shard/shard.h"
#include "engine/store/memory_store.h"
#include "tests/fault/shop.h"

namespace skald::fault {

enum class Moment : std::uint8_t { before_commit, after_commit, before_send, after_send };

/// What becomes of a request that had just left when the engine died.
enum class Landing : std::uint8_t { at_once, at_the_end };

struct Plan {
  DefinitionPtr definition;
  std::map<Place, Trouble> troubles;
  /// For each life of the engine the moment at which it ends, counted from 0 in that life.
  std::vector<std::size_t> deaths;
  Landing landing = Landing::at_once;
  Millis downtime{1};  // between two lives
};

struct Told {
  std::vector<std::vector<Moment>> lives;  // the moments of each life of the engine
  std::vector<Place> sent;                 // in order, every attempt
  SagaStatus status = SagaStatus::running;
  std::vector<std::string> findings;  // what does not hold
};

class CrashWorld {
 public:
  explicit CrashWorld(Plan plan);

  /// From the submission to the end of everything, repeated by the client after each death.
  Told run();

 private:
  struct Died {};  // unwinds one life of the engine
  struct Flight {
    Instant at{};
    input::Reply reply;
  };

  void live();
  bool next();
  void pump();
  void honour(Ready ready);
  void commit(Ready& ready);
  void send(Invocation call);
  void answer(ShardAnswer answer);
  Input load(const Load& wanted);
  bool ask_a_person();
  bool nothing_else_comes() const;
  void cancel_once(const Place& place);
  void moment(Moment what);
  void step(Input input);
  void wrong(std::string what);

  void judge_send(const Invocation& call);
  void judge_order(const Invocation& call);
  void judge_end();

  Plan plan_;
  Told told_;
  Shop shop_;
  DefinitionTable definitions_;
  MemoryStore store_;
  ShardMeta meta_;
  Instant now_ = from_unix_ms(1'700'000'000'000);

  std::unique_ptr<Shard> shard_;  // one life
  std::deque<Input> inbox_;       // answers to loads
  std::vector<Flight> flights_;
  Instant wake_at_ = kNever;
  bool answered_ = false;
  std::optional<SagaId> saga_;

  std::map<std::string, std::uint32_t> attempts_;  // by key: the newest one sent
  std::map<Place, std::set<std::string>> keys_;
  std::vector<Invocation> stray_;
  std::size_t retries_ = 0;
  bool canceled_ = false;
};

}  // namespace skald::fault
