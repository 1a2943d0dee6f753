// Everything that reaches a shard: from clients, participants, the store and time.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "engine/base/result.h"
#include "engine/core/command.h"
#include "engine/core/folding.h"
#include "engine/shard/alert.h"
#include "engine/shard/answer.h"
#include "engine/shard/transition.h"

namespace skald {

namespace input {

struct Submit {
  Ticket ticket = 0;
  DefinitionPtr definition;
  Bytes input;
  std::string idempotency_key;
  std::string business_key;
  std::uint64_t body_hash = 0;
  std::optional<Replay> replay;
  WaitMode mode = WaitMode::accepted;
  Instant wait_until = kNever;
};
struct Wait {
  Ticket ticket = 0;
  SagaId saga;
  WaitMode mode = WaitMode::done;
  Instant wait_until = kNever;
};
struct TakeSignal {
  Ticket ticket = 0;
  SagaId saga;
  Signal signal;
};
struct Cancel {
  Ticket ticket = 0;
  SagaId saga;
  Actor actor;
};
struct Retry {
  Ticket ticket = 0;
  SagaId saga;
  Actor actor;
  std::string leg;
};
/// Any act of an operator, as long as the saga is still what they saw.
struct Act {
  Ticket ticket = 0;
  SagaId saga;
  command::Act act;
  std::uint64_t expected_seq = 0;  // SagaState::seq as last acknowledged; 0: whatever it is
};
/// The answer to an Invocation.
struct Reply {
  SagaId saga;
  LegRef leg;
  Operation operation = Operation::action;
  std::uint32_t attempt = 1;
  std::uint32_t lane = 0;
  Micros took{0};  // from sending to the answer
  Outcome outcome;
  Bytes response;
};
/// Time has come (Ready::wake_at).
struct Tick {};
/// Answers to Ready::loads.
struct KeyLoaded {
  std::string key;
  Result<std::optional<KeyRow>> row;
};
struct SagaLoaded {
  SagaId id;
  Result<std::optional<SagaState>> state;
  RunOfRepeats run;  // its latest records, as far as they are one
};
struct TimersLoaded {
  struct Timer {
    Instant due{};
    SagaId saga;
  };
  std::vector<Timer> timers;
};
/// Open sagas found at start.
struct Recover {
  std::vector<SagaId> sagas;
};
/// Key rows whose retention is over.
struct ExpireKeys {
  std::vector<KeyRow> rows;
};
/// Ended sagas whose retention is over.
struct RemoveSagas {
  std::vector<EndedSaga> sagas;
};
/// Admission closes (drain, disk reserve) or opens again (no error). Draining: nothing new is sent
/// either; answers of what is out are still recorded.
struct Admission {
  std::optional<Error> closed;
  bool draining = false;
};

/// Makes notes durable, all of them together: what is remembered beside the sagas.
struct WriteNotes {
  Ticket ticket = 0;
  std::vector<Note> notes;
};
/// Something to be told that no saga tells: a batch has finished, a test. `notes` are in the same
/// write. Answered with bool: false where the outbox had no room.
struct Tell {
  Ticket ticket = 0;
  Alert alert;                  // its time is set here
  std::vector<Note> notes;      // what it tells
  std::uint32_t targets = ~0U;  // of AlertOptions::targets, 1 << place
};
/// The outbox's notes: how many were found at start, and which of them have been told, or given up.
struct Outbox {
  std::size_t found = 0;
  std::vector<std::string> leaving;
};
/// An operator's hold on a participant (empty path) or one of its methods, or its end.
struct Hold {
  std::string participant;
  std::string path;
  bool held = true;
};

}  // namespace input

using Input =
    std::variant<input::Submit, input::Wait, input::TakeSignal, input::Cancel, input::Retry,
                 input::Act, input::Reply, input::Tick, input::KeyLoaded, input::SagaLoaded,
                 input::TimersLoaded, input::Recover, input::ExpireKeys, input::RemoveSagas,
                 input::Admission, input::WriteNotes, input::Tell, input::Outbox, input::Hold>;

}  // namespace skald
