// CoreWorld: one saga, its participants and everything that can go wrong between them, in one
// thread and from one seed. What it knows of the rules it knows from the design: it drives decide()
// as the shard does and keeps its own books. No store, no network.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "engine/core/decide.h"
#include "engine/core/owed.h"

namespace skald::test {

/// splitmix64: the same numbers for the same seed everywhere.
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next();
  std::uint32_t below(std::uint32_t bound) { return static_cast<std::uint32_t>(next() % bound); }
  bool one_in(std::uint32_t n) { return below(n) == 0; }
  bool percent(std::uint32_t p) { return below(100) < p; }

 private:
  std::uint64_t state_;
};

/// How an attempt fares on its way.
enum class Fate : std::uint8_t {
  answered,       // the participant's answer arrives
  not_delivered,  // refused before it ran: not_executed
  request_lost,   // unknown, and nothing happened
  answer_lost,    // unknown, and it happened
  late,           // unknown, and it happens some time later (participants that keep keys only)
  accepted,       // pending: it happens when asked again (likewise)
  refused,        // a business no, and nothing happened
};

struct Flight {
  Send send;
  std::string key;
  KeysMode keys = KeysMode::none;
  bool may_be_late = false;
};

class CoreWorld {
 public:
  /// `tells`: keeps a story() of every command; a rerun of a failing seed does.
  CoreWorld(DefinitionPtr definition, std::uint64_t seed, bool tells);

  void start();
  void dispatch(std::size_t index);           // of queue()
  void answer(std::size_t index, Fate fate);  // of flights()
  void crash();                               // what was not durable is lost; Recover, then Wake
  void cancel();
  void signal(const std::string& id, const std::string& name);
  void retry();
  void pause_or_resume();
  void act_on_a_leg();  // whatever is legal: skip, resolve (truthfully), amend, mark-done
  void abandon();
  void pass(Millis time);  // time passes; a due Wake is delivered
  void pass_to_wake();     // until the next one; nothing without one
  /// From now on every attempt is answered, operators retry what is stuck, and signals come.
  /// Returns whether the saga ended, or waits for a person in doubt, within the bound.
  [[nodiscard]] bool heals();

  [[nodiscard]] const SagaState& state() const { return state_; }
  [[nodiscard]] const std::vector<Want>& queue() const { return queue_; }
  [[nodiscard]] const std::vector<Flight>& flights() const { return flights_; }
  [[nodiscard]] Instant now() const { return now_; }
  [[nodiscard]] std::size_t commands() const { return commands_; }
  [[nodiscard]] const std::vector<Event>& history() const { return history_; }
  /// Everything that was wrong so far; empty: nothing.
  [[nodiscard]] const std::vector<std::string>& wrong() const { return wrong_; }
  /// What was done and what followed, one line for each command.
  [[nodiscard]] std::string story() const;

 private:
  struct Books {  // what really happened to one leg
    int actions = 0;
    int compensations = 0;
    bool tombstone = false;
  };

  void run(command::Body body);
  template <class... Args>
  void tell(fmt::format_string<Args...> text, Args&&... args);
  void take(Decision& decision, const SagaState& before);
  void check(const Decision& decision, const SagaState& before);
  void check_books();
  void expect(bool holds, std::string sentence);
  [[nodiscard]] bool is_asked_for_a_person() const;
  [[nodiscard]] bool steps_towards_end();
  Outcome deliver(const Flight& flight, bool refuse);
  Outcome carry_out(const Send& send, KeysMode keys);

  DefinitionPtr definition_;
  Dice dice_;
  SagaState state_;
  std::vector<Event> history_;
  std::size_t durable_ = 0;
  std::vector<Want> queue_;
  std::vector<Flight> flights_;
  std::vector<Flight> late_;
  std::map<LegRef, Books> books_;
  std::map<std::string, Outcome> answers_;  // by key: what participants that keep keys repeat
  Instant now_;
  Instant wake_at_ = kNever;
  std::size_t commands_ = 0;
  std::uint32_t signals_ = 0;
  std::vector<std::string> wrong_;
  bool tells_ = false;
  std::vector<std::string> story_;
};

}  // namespace skald::test
