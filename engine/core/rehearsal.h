// Rehearsal: a definition run against answers that are known, by the same rules as a real saga, and
// nothing is sent. Shows what a replay would send, and where a recorded saga and another version
// part.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "engine/core/command.h"
#include "engine/core/decide.h"

namespace skald {

struct RehearsedAnswer {
  Outcome outcome;  // definite: succeeded or rejected
  Bytes response;
};

struct Script {
  command::Start start;
  Instant at{};
  std::map<std::string, RehearsedAnswer, std::less<>> actions;  // by leg: "deduct_stock[7]"
  std::map<std::string, Bytes, std::less<>> signals;            // payloads, by wait step
  /// What has no answer succeeds with an empty one; otherwise the rehearsal ends there.
  bool assume_success = false;
};

struct RehearsedRequest {
  LegRef leg;
  Operation operation = Operation::action;
  Bytes request;
  bool assumed = false;  // it, or something before it, was answered by assumption
};

struct Rehearsal {
  SagaState state;  // as far as it came
  std::vector<RehearsedRequest> requests;
  std::vector<std::uint16_t> kept;   // steps that were not run again
  std::optional<LegRef> unanswered;  // where it ended for want of an answer
};

/// Compensations succeed; waits end by their signal, or by their timer where none is known.
/// Pre: `definition` is sealed. Pure.
[[nodiscard]] Rehearsal rehearse(const Definition& definition, const Script& script);

}  // namespace skald
