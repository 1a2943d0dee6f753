// Hosts Connect services (protobuf and JSON) of a participant: routes a procedure to its handler,
// runs it as a transaction, mutating ones through the barrier. It speaks HttpRequest and
// HttpResponse; sockets and processes are program.h's.
#pragma once

#include <google/protobuf/message.h>

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_set>

#include "engine/base/check.h"
#include "engine/base/clock.h"
#include "engine/base/result.h"
#include "engine/net/http_server.h"
#include "engine/wire/connect.h"
#include "participants/kit/barrier.h"
#include "participants/kit/txn_runner.h"

namespace skald::kit {

struct HostOptions {
  KeysMode keys = KeysMode::barrier;
  TxnRunnerOptions runner;
};

/// The function a service author writes. An error drops what it has written.
template <class Request, class Response>
using Handler = std::function<Result<Response>(Txn&, const Request&)>;

/// Answers, besides what the handlers answer:
///   404 without a Connect body  no such procedure
///   425                         the same key is being executed right now; ask again with it.
///                               The body is a Connect error `unavailable`.
///   unavailable                 the store failed; nothing more is done until a restart
///   resource_exhausted          too many requests are waiting; nothing was done
/// Every answer of a mutating method that came with a key says in `Skald-Barrier` what was done.
class Host {
 public:
  /// The store and the clock outlive the host.
  Host(RowStore& store, const Clock& clock, HostOptions options);
  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;

  /// A method without effect. Keys are ignored.
  /// Pre: before the first request; the procedure, "/package.Service/Method", is new.
  template <class Request, class Response>
  void query(std::string procedure, Handler<Request, Response> handler) {
    add<Request, Response>(std::move(procedure), Kind::query, std::move(handler), {});
  }

  /// A method with an effect: once per key. `nothing_to_undo` is the answer of a compensation whose
  /// action never took effect.
  template <class Request, class Response>
  void mutation(std::string procedure, Handler<Request, Response> handler,
                const Response& nothing_to_undo = {}) {
    add<Request, Response>(std::move(procedure), Kind::mutation, std::move(handler),
                           nothing_to_undo.SerializeAsString());
  }

  /// For HttpServer. Also serves GET /healthz (200 until the store fails) and GET /readyz (200
  /// until the store fails or retire() is called). Thread: any. The host outlives every call.
  void handle(HttpRequest request, HttpResponder respond);

  /// Ends readiness; requests are still served. Thread: any.
  void retire() { retired_ = true; }

  [[nodiscard]] TxnRunner& runner() { return runner_; }

 private:
  enum class Kind : std::uint8_t { query = 1, mutation };

  struct Route {
    Kind kind = Kind::query;
    std::unique_ptr<google::protobuf::Message> request;  // prototypes
    std::unique_ptr<google::protobuf::Message> response;
    std::function<Result<std::string>(Txn&, const google::protobuf::Message&)> run;
    std::string nothing_to_undo;
  };
  struct Job;

  template <class Request, class Response>
  void add(std::string procedure, Kind kind, Handler<Request, Response> handler,
           std::string nothing_to_undo) {
    Route route{kind,
                std::make_unique<Request>(),
                std::make_unique<Response>(),
                {},
                std::move(nothing_to_undo)};
    route.run = [handler = std::move(handler)](
                    Txn& txn, const google::protobuf::Message& request) -> Result<std::string> {
      auto response = handler(txn, static_cast<const Request&>(request));
      if (!response) return std::unexpected(std::move(response.error()));
      return response->SerializeAsString();
    };
    const bool added = routes_.emplace(std::move(procedure), std::move(route)).second;
    SKALD_CHECK(added, "a procedure is registered twice");
  }

  [[nodiscard]] HttpResponse health(std::string_view path) const;
  [[nodiscard]] std::expected<std::shared_ptr<Job>, HttpResponse> accept(HttpRequest request);
  void run(Txn& txn, Job& job) const;
  [[nodiscard]] bool claim(const Job& job);
  void release(const Job& job);

  const HostOptions options_;
  std::map<std::string, Route, std::less<>> routes_;
  std::atomic<bool> retired_ = false;
  std::mutex executing_mutex_;
  std::unordered_set<std::string> executing_;  // keys
  TxnRunner runner_;                           // last: its thread uses all of the above
};

}  // namespace skald::kit
