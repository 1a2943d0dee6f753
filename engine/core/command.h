// Commands: what is asked of one saga. decide() answers each with events or a refusal. The time
// comes with the command; the core never looks it up.
#pragma once

#include <string>
#include <variant>

#include "engine/core/event.h"

namespace skald {

namespace command {

/// The first command of a saga; its state is still empty.
struct Start {
  SagaId id;
  std::string idempotency_key;
  std::string business_key;
  std::uint64_t body_hash = 0;
  Bytes input;
};
/// A participant's in-flight limit has room: send this operation now, if it is still wanted.
struct Dispatch {
  LegRef leg;
  Operation operation = Operation::action;
};
/// The answer to one attempt.
struct Reply {
  LegRef leg;
  Operation operation = Operation::action;
  std::uint32_t attempt = 1;
  Outcome outcome;
  Bytes response;
};
/// Time has passed: fire whatever is due.
struct Wake {};
/// After a restart: attempts in flight have no answer and never will.
struct Recover {};
struct TakeSignal {
  Signal signal;
};
struct Cancel {
  Actor actor;
};
/// An operator's: try what is stuck or waiting again now. Empty leg: all of them.
struct Retry {
  Actor actor;
  std::string leg;
};

using Body = std::variant<Start, Dispatch, Reply, Wake, Recover, TakeSignal, Cancel, Retry>;
}  // namespace command

struct Command {
  Instant at{};
  command::Body body;
};

}  // namespace skald
