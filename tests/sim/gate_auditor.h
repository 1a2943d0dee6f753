// The gates from outside: what leaves a shard for a participant while it is held, while its breaker
// is open, or beyond its limit. Books of its own, from what leaves and what is answered.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "engine/shard/gates.h"
#include "engine/shard/invocation.h"

namespace skald::sim {

/// A participant, and one of its paths or (empty) all of them.
using Place = std::pair<std::string, std::string>;

class GateAuditor {
 public:
  using Wrong = std::function<void(std::string)>;
  explicit GateAuditor(Wrong wrong) : wrong_(std::move(wrong)) {}

  /// A new life of the engine, and the holds that it finds in the store.
  void begins(std::uint32_t limit, const BreakerPolicy& breaker, std::set<Place> found);
  /// A person was told that it is held, or let go: so it stays, whatever dies.
  void promised(const Place& place, bool held);
  /// A person asked, and has no answer yet: until then either may be found.
  void asked(const Place& place);
  /// Every shard has been told.
  void in_force(const Place& place, bool held);

  /// A shard hands it out. Both: `shard` as in World's seats, `now` in engine time.
  void leaves(std::uint32_t shard, const Invocation& call, Instant now);
  void answered(std::uint32_t shard, const Invocation& call, const Outcome& outcome, Instant now);

  [[nodiscard]] const std::set<Place>& held() const { return held_; }
  [[nodiscard]] std::uint64_t breakers_opened() const { return opened_; }

 private:
  struct Lane {
    std::uint32_t failures = 0;  // in a row
    bool open = false;
    bool trying = false;
    Instant open_until{};  // at least
  };
  using Participant = std::pair<std::uint32_t, std::string>;  // of a shard

  Wrong wrong_;
  std::uint32_t limit_ = 0;
  BreakerPolicy breaker_;
  std::map<Place, bool> promised_;
  std::map<Place, int> unanswered_;  // in this life
  std::set<Place> held_;
  std::map<std::pair<std::uint32_t, Place>, Lane> lanes_;
  std::map<Participant, std::uint32_t> out_;
  std::uint64_t opened_ = 0;
};

}  // namespace skald::sim
