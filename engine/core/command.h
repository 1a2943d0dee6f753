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
  std::optional<Replay> replay;
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

struct Pause {
  Actor actor;
};
struct Resume {
  Actor actor;
};
struct Skip {
  Actor actor;
  std::string leg;  // or a stuck step
};
/// Of the leg's compensation when it is being undone, else of its action.
struct Resolve {
  Actor actor;
  std::string leg;
  bool happened = false;
  bool hold = false;  // not happened: wait for the next act instead of trying again at once
  std::optional<Bytes> response;
  std::optional<Operation> operation;  // refused when the leg is about another one by now
};
/// Likewise; at least one of the two.
struct Amend {
  Actor actor;
  std::string leg;
  std::optional<Bytes> request;
  std::optional<Endpoint> endpoint;
  std::optional<Operation> operation;  // as above
};
struct MarkDone {
  Actor actor;
  std::string leg;
};
struct Abandon {
  Actor actor;
};

/// Whatever a person asks; judged in legal_acts.h.
using Act = std::variant<Cancel, Retry, Pause, Resume, Skip, Resolve, Amend, MarkDone, Abandon>;

using Body = std::variant<Start, Dispatch, Reply, Wake, Recover, TakeSignal, Act>;
}  // namespace command

struct Command {
  Instant at{};
  command::Body body;
};

}  // namespace skald
