// A terminal that remembers, and an API that answers what the test prepared.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/wire/json.h"
#include "tools/skaldctl/cli.h"

namespace skald::ctl {

/// Answers and requests are JSON, by procedure.
struct FakeApi {
  std::map<std::string, std::vector<std::string>> answers;  // the last one repeats
  std::map<std::string, Error> errors;
  std::vector<std::pair<std::string, std::string>> calls;
  std::vector<Millis> timeouts;
};

class FakeApiClient final : public ApiClient {
 public:
  explicit FakeApiClient(FakeApi& api) : api_(api) {}

  Result<void> call(std::string_view procedure, const google::protobuf::Message& request,
                    google::protobuf::Message& response, Millis timeout) override {
    const std::string name(procedure);
    api_.calls.emplace_back(name, wire::message_to_json(request).value());
    api_.timeouts.push_back(timeout);
    if (const auto error = api_.errors.find(name); error != api_.errors.end()) {
      return std::unexpected(error->second);
    }
    std::vector<std::string>& prepared = api_.answers[name];
    if (prepared.empty()) return {};
    const std::string text = prepared.front();
    if (prepared.size() > 1) prepared.erase(prepared.begin());
    return wire::message_from_json(text, response);
  }

 private:
  FakeApi& api_;
};

/// Runs skaldctl without a process.
class Ctl {
 public:
  Ctl() {
    terminal.out = [this](std::string_view text) { out += text; };
    terminal.err = [this](std::string_view text) { err += text; };
    terminal.read_line = [this] { return std::exchange(typed, std::nullopt); };
    terminal.read_all = [this] { return input; };
    terminal.pause = [this](Millis time) { paused += time; };
    terminal.environment = [](const char*) -> std::optional<std::string> { return std::nullopt; };
  }

  Exit operator()(std::vector<std::string> arguments) {
    out.clear();
    err.clear();
    return run(std::move(arguments), terminal,
               [this](const std::string& address) -> Result<std::unique_ptr<ApiClient>> {
                 server = address;
                 return std::make_unique<FakeApiClient>(api);
               });
  }

  Terminal terminal;
  FakeApi api;
  std::string server;
  std::string out, err;
  std::optional<std::string> typed;  // what the person answers
  std::string input;                 // standard input
  Millis paused{0};                  // between looks, together
};

inline constexpr const char* kSubmit = "/skald.v1.SagaService/Submit";
inline constexpr const char* kGet = "/skald.v1.SagaService/Get";
inline constexpr const char* kId = "0000000000000g000000000002";

}  // namespace skald::ctl
