// Invoker: the port through which the runtime reaches participants. Implemented in transport/ (HTTP
// today, chosen by the method's protocol) and by the simulator.
#pragma once

#include <functional>
#include <string>

#include "engine/base/ids.h"
#include "engine/core/definition.h"
#include "engine/core/outcome.h"
#include "engine/shard/invocation.h"

namespace skald {

struct InvocationResult {
  Outcome outcome;
  Bytes response;  // when succeeded: the response message's bytes as received
};

class Invoker {
 public:
  virtual ~Invoker() = default;
  /// Sends one attempt and calls `done` exactly once, no later than `timeout` plus a scheduling
  /// delay, never from inside invoke(). After `done` no answer of this attempt can arrive any more.
  /// Never retries. Thread: one, the shard's.
  virtual void invoke(Invocation call, std::move_only_function<void(InvocationResult)> done) = 0;
};

}  // namespace skald
