// Definition: the plan of a saga as one value, whether it was written in C++ (dsl/) or arrived as
// data (wire/definition.h). Says what may be done; what is done next is decided in decide.h.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/result.h"
#include "engine/base/time.h"
#include "engine/core/outcome.h"

namespace skald {

/// Opaque payload. The core never looks inside.
using Bytes = std::string;

/// All four enums are stored and sent. Never renumber.
enum class StepKind : std::uint8_t { query = 1, compute = 2, call = 3, wait = 4 };
/// What a call (or a wait that is the pivot) means for the way back. Queries, computes and other
/// waits have `none`.
enum class CallClass : std::uint8_t { none = 0, compensatable = 1, pivot = 2, retriable = 3 };
/// What a participant's method does with an Idempotency-Key (design, section 2).
enum class KeysMode : std::uint8_t { none = 1, dedup = 2, barrier = 3 };
enum class Operation : std::uint8_t { action = 1, compensation = 2, probe = 3 };

enum class Protocol : std::uint8_t { connect_proto = 1, connect_json = 2, http_json = 3 };
enum class Profile : std::uint8_t { native = 1, dtm = 2 };
enum class OnReject : std::uint8_t { stop = 1, finish_all = 2 };
enum class OnTimeout : std::uint8_t { proceed = 1, reject = 2 };

[[nodiscard]] std::string_view name(StepKind kind);
[[nodiscard]] std::string_view name(CallClass call_class);
[[nodiscard]] std::string_view name(KeysMode mode);
[[nodiscard]] std::string_view name(Operation operation);

/// When to try again. Delay n = min(delay_max, initial * factor^(n-1)), of which the share `jitter`
/// is replaced by a hash of (saga, leg, attempt): see retry.h.
struct RetryPolicy {
  Millis initial{100};
  double factor = 2.0;
  Millis delay_max{30'000};
  double jitter = 0.5;             // 0 <= jitter <= 1
  std::uint32_t attempts_max = 0;  // attempts that may have run; 0: bounded by total_max only
  Millis total_max{60'000};        // from the first attempt; afterwards the operation is `spent`

  bool operator==(const RetryPolicy&) const = default;
};

struct MethodHeader {
  std::string name;
  std::string value;
  bool operator==(const MethodHeader&) const = default;
};

/// Reads an outcome differently for one code of one method: {"503", not_executed}.
struct OutcomeRule {
  std::string code;  // a Connect code ("aborted") or an HTTP status ("503")
  OutcomeKind kind = OutcomeKind::unknown;
  bool operator==(const OutcomeRule&) const = default;
};

inline constexpr Millis kKeysLifetimeDefault{7LL * 24 * 3'600'000};

/// Whether the bytes of an answer are what the method answers with. Pure.
using ResponseCheck = bool (*)(std::string_view bytes);

/// Where a method is: a configured name ("inventory") or an origin, and the path there.
struct Endpoint {
  std::string participant;
  std::string path;
  bool operator==(const Endpoint&) const = default;
};

/// One method of one participant, and what it promises.
struct Method {
  std::string participant;  // a configured name ("inventory") or origin ("http://127.0.0.1:9903")
  std::string path;         // "/inventory.InventoryRpc/DeductStock"
  Protocol protocol = Protocol::connect_proto;
  Profile profile = Profile::native;
  KeysMode keys = KeysMode::none;
  Millis keys_lifetime = kKeysLifetimeDefault;  // afterwards: as if it kept none (rule 4)
  std::vector<MethodHeader> headers;
  std::vector<OutcomeRule> outcomes;
  ResponseCheck reads = nullptr;  // null: nothing is known of its answers
  bool operator==(const Method&) const = default;
};

/// How one operation of a step is carried out.
struct OperationPlan {
  Method method;
  Millis attempt_timeout{2'000};
  RetryPolicy retry;
  bool operator==(const OperationPlan&) const = default;
};

class Facts;  // facts.h: what builders may read

/// One leg to be: its key ("" for a plain step) and its request, built once.
struct LegPlan {
  std::string key;
  Bytes request;
};

/// Builders are pure: no clock, no randomness, no I/O; same facts, same bytes.
using LegsBuilder = std::function<Result<std::vector<LegPlan>>(const Facts&)>;
using ComputeBuilder = std::function<Result<Bytes>(const Facts&)>;
using Predicate = std::function<Result<bool>(const Facts&)>;
using InstantBuilder = std::function<Result<Instant>(const Facts&)>;
/// From the action's request and its response: `receipt` is null where the response is not known
/// (the action may have happened) or there was none.
using UndoBuilder =
    std::function<Result<Bytes>(const Facts&, const Bytes& request, const Bytes* receipt)>;
/// From the client's form of the input ("json" or "proto" bytes) to its canonical bytes. Errors
/// name the field (invalid_argument).
enum class InputForm : std::uint8_t { proto = 1, json = 2 };
using InputReader = std::function<Result<Bytes>(InputForm form, std::string_view input)>;
/// Canonical bytes to JSON text, for people.
using BytesPrinter = std::function<std::string(const Bytes&)>;

struct WaitPlan {
  std::string signal;    // name of the awaited signal; empty: a pure timer
  InstantBuilder until;  // when the timer fires; empty: `timeout` after the step began
  Millis timeout{0};     // used when `until` is empty; > 0
  OnTimeout on_timeout = OnTimeout::proceed;
};

struct StepDefinition {
  std::string name;
  StepKind kind = StepKind::call;
  CallClass call_class = CallClass::none;
  std::optional<std::vector<std::string>> after;  // absent: after the step written before it
  Predicate when;                                 // empty: always

  bool for_each = false;
  std::uint32_t parallel = 1;  // legs of this step in flight at once, >= 1
  OnReject on_reject = OnReject::stop;
  LegsBuilder legs;        // query, call
  ComputeBuilder compute;  // compute
  WaitPlan wait;           // wait

  OperationPlan action;  // query, call
  std::optional<OperationPlan> compensation;
  UndoBuilder undo;                 // with compensation
  bool undo_needs_receipt = false;  // the undo builder cannot work without the response
  std::string no_undo_reason;       // instead of a compensation: why doing it is harmless
  std::optional<OperationPlan> probe;
  UndoBuilder probe_request;  // empty: the action's own request
  BytesPrinter print_request, print_response;
  /// What a person gives instead of them, for amend and resolve; empty: bytes are taken as they
  /// are.
  InputReader read_request, read_response, read_undo_request;
  BytesPrinter print_undo_request;
};

struct Definition {
  std::string name;
  std::uint32_t version = 1;  // >= 1
  std::vector<StepDefinition> steps;
  Millis deadline{0};      // from submission; 0: none
  ComputeBuilder output;   // empty: the saga has no output
  InputReader read_input;  // empty: any bytes are taken as they are
  BytesPrinter print_input, print_output;
  std::string input_type, output_type;  // protobuf full names, for people and for fingerprints
  Bytes source;  // inline definitions: the bytes they came as, stored with the saga; else empty

  /// Filled by seal().
  struct Order {
    std::vector<std::vector<std::uint16_t>> needs;      // direct dependencies of each step
    std::vector<std::vector<std::uint16_t>> needed_by;  // the reverse
    std::vector<std::uint16_t> topological;             // every step after its needs
    std::optional<std::uint16_t> pivot;
  };
  Order order;

  [[nodiscard]] std::optional<std::uint16_t> step_index(std::string_view step_name) const;
};

using DefinitionPtr = std::shared_ptr<const Definition>;

inline constexpr std::size_t kStepsMax = 1'000;  // reliability.md section 6
inline constexpr std::size_t kLegsMax = 10'000;  // legs of one for_each
inline constexpr std::size_t kStepNameMax = 64;  // bytes; [a-z][a-z0-9_]*
inline constexpr std::size_t kLegNameMax =
    80;  // bytes of `step[key]`, percent-encoded: with saga id,
         // operation and generation the key stays <= 128 (rule 2)
inline constexpr Millis kAttemptTimeoutMax{600'000};
inline constexpr Millis kRetryTotalMax{30LL * 24 * 3'600'000};
inline constexpr std::uint32_t kParallelMax = 1'024;
inline constexpr Millis kHorizonMax{3'650LL * 24 * 3'600'000};  // deadlines, waits, key lifetimes
inline constexpr std::size_t kMethodHeadersMax = 32;            // of one method
inline constexpr std::size_t kMethodHeaderValueMax = 1'024;     // bytes
inline constexpr std::size_t kMethodPathMax = 1'024;            // bytes; of `participant` too
inline constexpr std::size_t kOutcomeRulesMax = 64;             // of one method
inline constexpr double kRetryFactorMax = 100.0;
inline constexpr std::size_t kMistakesToldMax = 100;  // in one error of seal()

/// Every mistake at once, each with the step's name; empty when the definition is sound.
[[nodiscard]] std::vector<std::string> validate(const Definition& definition);

/// Likewise of where one method is.
[[nodiscard]] std::vector<std::string> mistakes_of(const Endpoint& endpoint);

/// Validates and fills `order`. Errors: invalid_argument listing every mistake.
[[nodiscard]] Result<DefinitionPtr> seal(Definition definition);

}  // namespace skald
