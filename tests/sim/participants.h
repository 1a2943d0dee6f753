// The participants of the simulated world: one model of what they promise, and the books the
// auditor reads. Independent of the engine: it knows keys, operations and bytes only.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "engine/core/definition.h"
#include "engine/core/outcome.h"
#include "tests/sim/random.h"

namespace skald::sim {

/// What has been done to the world under one (saga, leg).
struct Effect {
  int done = 0;    // effective applications of the action
  int undone = 0;  // effective applications of the compensation
  bool ever_done = false;
};

struct Request {
  std::string saga;
  std::string leg;
  Operation operation = Operation::action;
  std::string key;
  KeysMode keys = KeysMode::barrier;
  bool is_query = false;
  Bytes body;
};

struct Response {
  Outcome outcome;
  Bytes body;
};

class Participants {
 public:
  /// `reject`: the share of actions that get a business no; decided by the key, so that every
  /// attempt of one key would get the same.
  Participants(std::uint64_t seed, double reject) : seed_(seed), reject_(reject) {}

  /// Executes one request now, as its keys mode promises.
  Response execute(const Request& request);

  [[nodiscard]] const std::map<std::string, Effect>& effects() const {
    return effects_;
  }  // saga/leg
  /// Empty, or what a participant saw that must never happen.
  [[nodiscard]] const std::string& outrage() const { return outrage_; }

 private:
  Response act(const Request& request);
  Response undo(const Request& request);
  Response probe(const Request& request);

  std::uint64_t seed_;
  double reject_;
  std::map<std::string, Response> answers_;    // by key: dedup and barrier
  std::map<std::string, bool> tombstones_;     // saga/leg: undone before it ran
  std::map<std::string, Effect> effects_;      // by saga/leg
  std::map<std::string, std::string> bodies_;  // by key: identical on every attempt
  std::string outrage_;
};

}  // namespace skald::sim
