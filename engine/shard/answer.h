// What a caller of the engine waits for and learns. Small on purpose: the hot path copies no legs.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "engine/base/ids.h"
#include "engine/base/result.h"
#include "engine/core/state.h"

namespace skald {

/// What a submitter waits for. Sent by name.
enum class WaitMode : std::uint8_t { accepted = 1, decided = 2, done = 3 };

struct SagaAnswer {
  SagaId id;
  std::string definition;
  std::uint32_t version = 0;
  SagaStatus status = SagaStatus::running;
  bool decided = false;
  bool undoing = false;    // the way back has begun: `failure` says why
  bool created = false;    // this submission made the saga; false: it was there already
  bool timed_out = false;  // the wait ended before what was waited for
  Bytes output;            // when completed and there is one
  bool has_output = false;
  std::optional<Failure> failure;
  std::vector<Failure> refusals;
};

/// Names a caller that waits for an answer; made by the runtime, meaningless to the shard.
using Ticket = std::uint64_t;

struct ShardAnswer {
  Ticket ticket = 0;
  /// bool: a signal was taken (true) or known already (false).
  std::variant<Error, SagaAnswer, bool> body;
};

}  // namespace skald
