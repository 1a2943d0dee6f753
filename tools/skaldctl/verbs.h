// What each verb does, once its arguments are known. Who reads them is cli.h.
#pragma once

#include <string>
#include <vector>

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

/// One of the three is given.
struct SagaName {
  std::string id;
  std::string key;
  std::string business_key;
};

struct SubmitArguments {
  std::string definition;
  std::uint32_t version = 0;
  std::string inline_file;  // JSON of skald.v1.Definition; "-": standard input
  std::string input;        // JSON, @file or "-"
  std::string key;
  std::string business_key;
  std::string wait;  // "", accepted, decided, done
};

struct ListArguments {
  std::vector<std::string> statuses;
  std::string definition;
  std::string business_key;
  std::string since;  // a duration
  std::uint32_t limit = 50;
  bool all = false;
};

struct SignalArguments {
  std::string id;  // empty: made from name and payload, so that a repeated call is the same signal
  std::string name;
  std::string payload;
};

[[nodiscard]] Exit submit(Session& session, const SubmitArguments& arguments);
[[nodiscard]] Exit list(Session& session, const ListArguments& arguments);
[[nodiscard]] Exit show(Session& session, const SagaName& saga, bool payloads);
[[nodiscard]] Exit explain(Session& session, const SagaName& saga);
[[nodiscard]] Exit history(Session& session, const SagaName& saga);
[[nodiscard]] Exit wait(Session& session, const SagaName& saga, const std::string& until);
[[nodiscard]] Exit signal(Session& session, const SagaName& saga, const SignalArguments& arguments);
[[nodiscard]] Exit cancel(Session& session, const SagaName& saga, const std::string& reason);
[[nodiscard]] Exit retry(Session& session, const SagaName& saga, const std::string& leg,
                         const std::string& reason);

struct HoldArguments {
  std::string participant;
  std::string path;  // empty: all its methods
  std::string reason;
};

[[nodiscard]] Exit participants(Session& session, const std::string& participant);
[[nodiscard]] Exit hold(Session& session, const HoldArguments& arguments);
[[nodiscard]] Exit release(Session& session, const HoldArguments& arguments);

[[nodiscard]] Exit definitions_list(Session& session);
[[nodiscard]] Exit definitions_show(Session& session, const std::string& name,
                                    std::uint32_t version);
[[nodiscard]] Exit definitions_graph(Session& session, const std::string& name,
                                     std::uint32_t version);

}  // namespace skald::ctl
