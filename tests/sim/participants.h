// The participants of random definitions: one model of what barrier, dedup and keyless methods
// promise. Independent of the engine: it knows keys, operations and bytes only.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <unordered_map>
#include <utility>

#include "engine/base/ids.h"
#include "engine/base/result.h"
#include "engine/core/definition.h"
#include "tests/sim/random.h"

namespace skald::sim {

/// One request as it arrives.
struct Request {
  SagaId saga;
  std::string leg;
  Operation operation = Operation::action;
  std::uint32_t attempt = 1;
  std::string key;
  const Method* method = nullptr;
  bool is_query = false;
  Bytes body;
};

/// What a participant did with a request; the auditor's books are made of these.
struct Seen {
  const Request& request;
  bool took_effect = false;
};

struct ParticipantAnswer {
  Result<Bytes> body;  // an error: the refusal
  bool took_effect = false;
};

class Participants {
 public:
  /// Beyond a key's lifetime it is kept this much longer: what was sent within it may still travel.
  static constexpr Millis kTravelMax{5'000};

  explicit Participants(std::uint64_t seed) : seed_(seed) {}

  /// Executes one request now, as its keys mode promises. `refusals`: the share of operations that
  /// get a business no, decided by the key, so that every attempt of one key gets the same.
  ParticipantAnswer execute(const Request& request, double refusals, Millis now);

  /// A person undoes the leg at the participant, without the engine. Whether it had been done.
  bool undo_by_hand(const SagaId& saga, const std::string& leg);

  /// Empty, or what a participant saw that must never happen; once.
  [[nodiscard]] std::string take_outrage() { return std::exchange(outrage_, {}); }

 private:
  struct Kept {
    Bytes body;  // identical on every attempt
    Result<Bytes> answer;
    Millis first_seen{};
  };
  struct Leg {
    int done = 0;
    int undone = 0;
    bool closed = false;  // undone before it ran
  };

  ParticipantAnswer act(const Request& request, Leg& leg, double refusals) const;
  ParticipantAnswer undo(const Request& request, Leg& leg, double refusals);
  [[nodiscard]] bool refuses(const Request& request, double refusals) const;
  Leg& leg_of(const SagaId& saga, const std::string& leg);

  std::uint64_t seed_;
  std::unordered_map<std::string, Kept> kept_;  // by key
  std::unordered_map<std::string, Leg> legs_;   // by saga and leg
  std::string outrage_;
};

}  // namespace skald::sim
