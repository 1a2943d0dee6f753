// Engine: the façade that the API, the tests and the tools use. Owns the threads, shards, committer
// and timers; reads and writes through a Store; reaches participants through one Invoker per
// thread.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "engine/base/clock.h"
#include "engine/base/log.h"
#include "engine/base/result.h"
#include "engine/core/decide.h"
#include "engine/core/definition.h"
#include "engine/core/owed.h"
#include "engine/core/state.h"
#include "engine/runtime/engine_stats.h"
#include "engine/runtime/invoker.h"
#include "engine/runtime/options.h"
#include "engine/runtime/outbox.h"
#include "engine/runtime/participants.h"
#include "engine/shard/answer.h"
#include "engine/shard/definitions.h"
#include "engine/store/store.h"

namespace boost::asio {
class io_context;
}

namespace skald {

struct SubmitRequest {
  std::string definition;           // a registered name; empty with `inline_definition`
  std::uint32_t version = 0;        // 0: the newest registered
  DefinitionPtr inline_definition;  // sealed; its `source` is set
  Bytes input;                      // canonical bytes (Definition::read_input already applied)
  std::string idempotency_key;      // empty: none; <= kIdempotencyKeyMax
  std::string business_key;         // empty: none; <= kBusinessKeyMax
  std::uint64_t body_hash = 0;   // fingerprint of definition, version as asked and canonical input
  std::optional<Replay> replay;  // of another saga; its key is core/replay.h's
};
inline constexpr std::size_t kIdempotencyKeyMax = 256;
inline constexpr std::size_t kBusinessKeyMax = 128;

/// Names one saga.
struct ById {
  SagaId id;
};
struct ByIdempotencyKey {
  std::string key;
};
struct ByBusinessKey {
  std::string key;
};  // the newest with this business key
using SagaRef = std::variant<ById, ByIdempotencyKey, ByBusinessKey>;

/// The whole saga as last acknowledged, with what is needed to explain it.
struct SagaSnapshot {
  SagaState state;
  DefinitionPtr definition;         // null: not registered
  Owed owed;                        // when the definition is known
  std::vector<HeldBack> held_back;  // of what may be sent: what is not, and why
  Instant now{};                    // engine time of the answer
  std::vector<SagaId> replays;      // of it, oldest first, as long as their keys are kept
};

struct SagaHistory {
  SagaState state;
  DefinitionPtr definition;
  std::vector<Event> events;
};

template <class T>
using Answer = std::move_only_function<void(Result<T>)>;

/// What an engine is made of. `clock` and `store` outlive it.
struct EngineParts {
  Clock& clock;
  Store& store;
  EngineOptions options;
  std::vector<DefinitionPtr> definitions;
  DefinitionTable::InlineReader read_inline;  // rebuilds a stored inline definition
  std::function<std::unique_ptr<Invoker>(boost::asio::io_context&)> make_invoker;  // one a thread
  /// One for all; with options.alerts.targets.
  std::function<std::unique_ptr<AlertSender>(boost::asio::io_context&)> make_alert_sender;
  Logger log;
};

/// Thread: every call from any thread; answers come on an engine thread and must not block.
class Engine {
 public:
  /// Opens the shards and starts the threads; recovery goes on in the background (see ready()).
  /// Errors: invalid_argument (options, every mistake), or the store's.
  [[nodiscard]] static Result<std::unique_ptr<Engine>> start(EngineParts parts);
  virtual ~Engine() = default;

  /// Errors: not_found (definition or version), invalid_argument (field named), already_exists
  /// (same key, other body; names the existing saga), resource_exhausted (a limit, named),
  /// unavailable (draining, or writing has ended: outcome unknown, repeat with the same key).
  virtual void submit(SubmitRequest request, WaitMode mode, Millis timeout,
                      Answer<SagaAnswer> answer) = 0;
  /// Whether submit() with this key would only refuse it for lack of room, told at once and from
  /// memory: while a shard is full most of its submissions need no more. Keys of sagas there are,
  /// or are about to be, are never refused here. nullopt: submit it.
  [[nodiscard]] virtual std::optional<Error> refuse_at_once(std::string_view idempotency_key) = 0;
  virtual void wait(SagaRef saga, WaitMode mode, Millis timeout, Answer<SagaAnswer> answer) = 0;
  virtual void get(SagaRef saga, Answer<SagaSnapshot> answer) = 0;
  virtual void history(SagaRef saga, Answer<SagaHistory> answer) = 0;
  /// Searches tell ages by the engine's own time; `now` of a query is not looked at.
  virtual void list(ListQuery query, Answer<ListPage> answer) = 0;
  virtual void count(CountQuery query, Answer<CountPage> answer) = 0;
  virtual void groups(GroupQuery query, Answer<FailureGroups> answer) = 0;
  /// Acknowledged when durable; true: new, false: this signal id was known already.
  virtual void signal(SagaRef saga, Signal signal, Answer<bool> answer) = 0;
  /// Errors as core/decide.h gives them; aborted means `undecided`, and recorded.
  virtual void cancel(SagaRef saga, Actor actor, Answer<SagaAnswer> answer) = 0;
  virtual void retry(SagaRef saga, Actor actor, std::string leg, Answer<SagaAnswer> answer) = 0;
  /// Any act of an operator (core/legal_acts.h). `expected_seq`: the version they saw, 0: whatever
  /// it is. Errors: as above, and aborted when the saga has moved on from that version.
  virtual void act(SagaRef saga, command::Act act, std::uint64_t expected_seq,
                   Answer<SagaAnswer> answer) = 0;

  /// Every method that has been called, or is held, since the start.
  [[nodiscard]] virtual std::vector<ParticipantFigures> participants() const = 0;
  /// Nothing is sent to the participant (empty path) or the method until it is released; durable
  /// when answered. `hold.at` is set here. Errors: resource_exhausted (kHoldsMax).
  virtual void hold(ParticipantHold hold, Answer<ParticipantHold> answer) = 0;
  /// The hold that ended. Errors: not_found (it is not held; says what is).
  virtual void release(std::string participant, std::string path,
                       Answer<ParticipantHold> answer) = 0;
  /// Who is told of alerts, and how that goes.
  [[nodiscard]] virtual std::vector<AlertTargetFigures> alert_targets() const = 0;
  /// Tells the target of a test, by the way
  /// of every alert: durable first. One attempt. Errors: not_found, resource_exhausted (the
  /// outbox).
  virtual void test_alert(std::string target, Answer<AlertReceipt> answer) = 0;
  /// Holds every row of the store against the histories, beside whatever goes on. Minutes for
  /// millions of sagas. Errors: the store's; aborted (another check or backup runs).
  virtual void check_store(Answer<CheckReport> answer) = 0;
  /// Copies the store into a new directory on this machine and checks the copy. Errors: as above.
  virtual void back_up(std::string directory, Answer<CheckReport> answer) = 0;

  /// What services keep beside the sagas, by name; all of one call is one durable write. Names are
  /// prefixed by who owns them ("hold/", "batch/"). `alert`: what they tell, of no saga; in the
  /// same write. Answers false where nobody will be told, since the outbox is full. Errors:
  /// unavailable (writing has ended).
  virtual void write_notes(std::vector<Note> notes, std::optional<Alert> alert,
                           Answer<bool> answer) = 0;
  /// Notes whose name begins with `prefix`, by name.
  virtual void notes(std::string prefix, Answer<std::vector<Note>> answer) = 0;

  [[nodiscard]] virtual std::vector<DefinitionPtr> definitions() const = 0;  // all versions
  /// nullptr when unknown; version 0: the newest.
  [[nodiscard]] virtual DefinitionPtr find_definition(std::string_view name,
                                                      std::uint32_t version) const = 0;
  /// Every open saga has been taken up again and writing works. Otherwise the reason.
  [[nodiscard]] virtual Result<void> ready() const = 0;
  /// Counts, rates and queues, for people.
  [[nodiscard]] virtual EngineStats stats() const = 0;
  /// Prometheus text.
  [[nodiscard]] virtual std::string metrics() const = 0;
  /// The io_context of each engine thread: servers listen on them.
  [[nodiscard]] virtual std::vector<boost::asio::io_context*> threads() = 0;

  /// Refuses new submissions, lets attempts in flight be answered and recorded until `grace` has
  /// passed, then stops the threads. Blocks. Open sagas go on at the next start.
  virtual void drain(Millis grace) = 0;
};

}  // namespace skald
