// A dry run: a definition run on paper, its participants' answers given as a sample. Shows exactly
// which requests a saga would send, there and back, without an engine. Tests of builders and
// fingerprints stand on it; how a real saga advances is core/decide.h.
#pragma once

#include <google/protobuf/message.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/result.h"
#include "engine/core/definition.h"
#include "engine/core/state.h"

namespace skald::dsl {

/// What a saga starts from and is answered.
struct Sample {
  std::string name;
  Bytes input;  // canonical
  std::string business_key;
  SagaId saga_id{.placement = 1, .serial = 1};
  Instant started_at = from_unix_ms(1'700'000'000'000);
  /// Responses of queries and calls and payloads of signals, by step or "step[key]". A step's
  /// answer serves all its legs; without any, a call is answered with no bytes and a wait times
  /// out.
  std::map<std::string, Bytes> answers;

  /// Pre: the step's method speaks protobuf.
  Sample& answer(const std::string& step, const google::protobuf::Message& message);
};

/// A sample whose input is `input`.
[[nodiscard]] Sample sample(std::string name, const google::protobuf::Message& input);

struct DryRequest {
  std::string leg;  // "deduct_stock[7]"
  Operation operation = Operation::action;
  Bytes request;
  bool without_receipt = false;  // a compensation or probe of an action that only may have happened
};

struct DryRun {
  SagaState state;  // as far as it came
  std::vector<DryRequest>
      requests;  // in order; then the way back of every compensatable leg, reversed
  std::vector<std::string> skipped;
  std::vector<std::string> computed;  // steps with a computed output, in order
  std::string refused_at;             // the step whose builder failed; empty: none did
  std::optional<Error> refusal;
  Bytes output;
  bool has_output = false;
};

/// Runs every step in topological order, all calls succeeding, until a builder fails.
/// Pre: `definition` is sealed. Pure.
[[nodiscard]] DryRun dry_run(const Definition& definition, const Sample& sample);

}  // namespace skald::dsl
