// What each verb does, once its arguments are known. Who reads them is cli.h.
#pragma once

#include <string>
#include <vector>

#include "skald/v1/service.pb.h"
#include "tools/skaldctl/api_client.h"
#include "tools/skaldctl/exit_codes.h"
#include "tools/skaldctl/output.h"
#include "tools/skaldctl/terminal.h"

namespace skald::ctl {

inline constexpr Millis kCallTimeout{10'000};  // beyond what the server may wait

struct Session {
  ApiClient& api;
  const Terminal& terminal;
  Format format = Format::table;
  bool yes = false;   // do not ask
  std::string actor;  // recorded with what a person does
  Millis timeout{10'000};

  /// Calls, and says what went wrong.
  [[nodiscard]] Exit call(std::string_view procedure, const google::protobuf::Message& request,
                          google::protobuf::Message& response, Millis longer = Millis{0});
  [[nodiscard]] Exit fail(const Error& error) const;
};

/// A list in the session's format. `message` holds all of `items`; `name_of` is what `-o name`
/// prints of one, `text` what people read of all.
template <class Items, class NameOf, class Text>
void print_list(const Session& session, const google::protobuf::Message& message,
                const Items& items, NameOf name_of, Text text) {
  switch (session.format) {
    case Format::json:
    case Format::yaml:
      return session.terminal.out(print_message(session.format, message));
    case Format::jsonl:
      for (const auto& one : items) session.terminal.out(print_message(Format::jsonl, one));
      return;
    case Format::name:
      for (const auto& one : items) session.terminal.out(name_of(one) + "\n");
      return;
    case Format::table:
    case Format::wide:
      return session.terminal.out(text(session.format == Format::wide));
  }
}

/// The text itself, the file behind "@", or standard input for "-". Errors: invalid_argument.
[[nodiscard]] Result<std::string> read_text(const Terminal& terminal, const std::string& argument);

/// One of the three is given.
struct SagaName {
  std::string id;
  std::string key;
  std::string business_key;
};

/// A request about that saga.
template <class Request>
[[nodiscard]] Request named(const SagaName& saga) {
  Request request;
  if (!saga.id.empty()) request.set_saga_id(saga.id);
  if (!saga.key.empty()) request.set_idempotency_key(saga.key);
  if (!saga.business_key.empty()) request.set_business_key(saga.business_key);
  return request;
}

/// Prints an answer in the session's format.
void print_answer(const Session& session, const v1::SagaAnswer& answer);

struct SubmitArguments {
  std::string definition;
  std::uint32_t version = 0;
  std::string inline_file;  // JSON of skald.v1.Definition; "-": standard input
  std::string input;        // JSON, @file or "-"
  std::string key;
  std::string business_key;
  std::string wait;  // "", accepted, decided, done
};

inline constexpr std::string_view kStatusWords =
    "running, waiting, compensating, stuck, paused, completed, compensated, abandoned";

struct ListArguments {
  std::vector<std::string> statuses;
  std::string definition;
  std::string business_key;
  std::string since;       // a duration
  std::string older_than;  // likewise
  std::string filter;      // in the filter language
  std::string sort;        // "", newest, oldest, longest_stuck
  std::uint32_t limit = 50;
  bool all = false;
  bool count = false;  // how many, instead of which
};

struct StuckArguments {
  std::string by;      // "", cause, step, participant
  std::string filter;  // in the filter language
};

struct SignalArguments {
  std::string id;  // empty: made from name and payload, so that a repeated call is the same signal
  std::string name;
  std::string payload;
};

/// Asks where a person can answer; where nobody can, nothing is done: --yes must have been given.
[[nodiscard]] Exit confirm(const Session& session, std::string_view question);

/// What skaldctl knows of an act; whether it is legal the server says.
struct ActVerb {
  std::string_view name;       // "mark-done"
  std::string_view procedure;  // "/skald.v1.OperatorService/MarkCompensated"
  std::string_view help;
  std::string_view question;  // asked before; empty: it can be taken back
  bool about_leg = false;     // --leg is required
  bool needs_reason = false;  // --reason is required
};
/// In the order of the help.
[[nodiscard]] const std::vector<ActVerb>& act_verbs();

struct ActArguments {
  std::string leg;
  std::string reason;
  std::uint64_t seq = 0;  // the saga's version that the person saw; 0: whatever it is
  bool dry_run = false;
  bool happened = false;  // resolve: one of the two
  bool did_not_happen = false;
  bool hold = false;
  std::string response;  // resolve: JSON, @file or "-"
  std::string request;   // amend: likewise
  std::string url;
  std::string participant;
  std::string path;
};

struct ReplayArguments {
  std::string input;  // a merge patch: JSON, @file or "-"
  std::string from;
  std::string business_key;  // of the new saga
  std::uint32_t version = 0;
  bool newest = false;
  bool again = false;
  bool dry_run = false;
  std::string reason;
};

struct ExportArguments {
  std::vector<std::string> ids;  // none: what the list shows, every page
  bool redact = false;
};

struct ImportArguments {
  std::string file;  // or "-"
  std::uint32_t version = 0;
  bool newest = false;
};

[[nodiscard]] Exit submit(Session& session, const SubmitArguments& arguments);
/// Errors: invalid_argument: a word that is no status, or no duration.
[[nodiscard]] Result<v1::ListRequest> list_request(const ListArguments& arguments);
[[nodiscard]] Exit list(Session& session, const ListArguments& arguments);
[[nodiscard]] Exit stuck(Session& session, const StuckArguments& arguments);
[[nodiscard]] Exit show(Session& session, const SagaName& saga, bool payloads);
/// The saga against time, alone.
[[nodiscard]] Exit timeline(Session& session, const SagaName& saga);
/// Its steps as Mermaid, each with where it is.
[[nodiscard]] Exit graph(Session& session, const SagaName& saga);
[[nodiscard]] Exit explain(Session& session, const SagaName& saga);
[[nodiscard]] Exit history(Session& session, const SagaName& saga, bool payloads);
[[nodiscard]] Exit wait(Session& session, const SagaName& saga, const std::string& until);
[[nodiscard]] Exit signal(Session& session, const SagaName& saga, const SignalArguments& arguments);
/// One act of OperatorService. What cannot be taken back is shown first, and asked for.
[[nodiscard]] Exit act(Session& session, const ActVerb& verb, const SagaName& saga,
                       const ActArguments& arguments);

struct HoldArguments {
  std::string participant;
  std::string path;  // empty: all its methods
  std::string reason;
};

[[nodiscard]] Exit participants(Session& session, const std::string& participant);
[[nodiscard]] Exit hold(Session& session, const HoldArguments& arguments);
[[nodiscard]] Exit release(Session& session, const HoldArguments& arguments);
/// Starts a saga that does a failed one again, or shows what it would send.
[[nodiscard]] Exit replay(Session& session, const SagaName& saga, const ReplayArguments& arguments);
/// Sagas as JSON lines (skald.v1.ExportedSaga).
[[nodiscard]] Exit export_sagas(Session& session, const ExportArguments& arguments,
                                const ListArguments& selection);
/// Runs exported sagas against their recorded answers. Partly: some diverge.
[[nodiscard]] Exit simulate(Session& session, const ImportArguments& arguments);
/// The running skaldd holds every row of its store against the histories.
[[nodiscard]] Exit doctor(Session& session);
/// The same of a store that nobody has open, by a skaldd of its own.
[[nodiscard]] Exit doctor_of_closed(const Terminal& terminal, const std::string& directory);
/// Copies the store of the running skaldd into a new directory of its machine, and checks it.
[[nodiscard]] Exit backup(Session& session, const std::string& directory);
/// Copies a backup into a new directory, and checks it.
[[nodiscard]] Exit restore(const Terminal& terminal, const std::string& backup,
                           const std::string& directory);

struct BatchArguments {
  std::uint64_t number = 0;  // of a batch there is
  std::string filter;        // in the filter language
  std::string reason;
  std::string leg;
  bool happened = false;  // resolve: one of the two
  bool did_not_happen = false;
  bool hold = false;
  std::string from;  // replay
  std::uint32_t version = 0;
  bool newest = false;
  bool again = false;
  std::uint32_t rate = 0;       // 0: as the server has it
  std::uint32_t in_flight = 0;  // likewise
  std::string key;
  bool dry_run = false;
  bool watch = false;
  std::string outcome;  // results
  std::uint32_t limit = 50;
  bool all = false;
};

/// Shows what it would do, asks, and begins. `act`: retry, cancel, resolve or replay.
[[nodiscard]] Exit start_batch(Session& session, const std::string& act,
                               const BatchArguments& arguments);
/// One call of BatchService about a batch: Get, Pause, Resume or Cancel.
[[nodiscard]] Exit change_batch(Session& session, const std::string& change, std::uint64_t number,
                                const std::string& reason);
/// Until it has ended. Partly: some sagas are not where the act was meant to bring them.
[[nodiscard]] Exit watch_batch(Session& session, std::uint64_t number);
[[nodiscard]] Exit list_batches(Session& session);
[[nodiscard]] Exit batch_results(Session& session, std::uint64_t number,
                                 const BatchArguments& arguments);

[[nodiscard]] Exit definitions_list(Session& session);
[[nodiscard]] Exit definitions_show(Session& session, const std::string& name,
                                    std::uint32_t version);
/// As Mermaid text; for programs in a message of its own.
[[nodiscard]] Exit definitions_graph(Session& session, const std::string& name,
                                     std::uint32_t version);

}  // namespace skald::ctl
