// One attempt, ready to leave: what the shard hands out once its intent is durable.
#pragma once

#include <memory>
#include <string>

#include "engine/base/ids.h"
#include "engine/core/definition.h"
#include "engine/core/state.h"

namespace skald {

struct Invocation {
  SagaId saga_id;
  std::string leg;  // "deduct_stock[7]"
  Operation operation = Operation::action;
  std::uint32_t attempt = 1;
  std::string idempotency_key;  // unquoted
  DefinitionPtr definition;     // keeps `method` alive
  const Method* method = nullptr;
  std::shared_ptr<const Method> amended;  // where an operator moved it; `method` is in it then
  Bytes request;
  Millis timeout{0};           // of this attempt
  bool after_unknown = false;  // an earlier attempt may still run: a 409 may be its echo
  LegRef ref;                  // echoed in the reply
  std::uint32_t lane = 0;      // likewise: whose in-flight room it holds
};

}  // namespace skald
