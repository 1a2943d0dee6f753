// Routes: every address that skaldd answers, in one table. HTTP and the Connect protocol end here;
// what a call means is in saga_service.h.
#pragma once

#include <string_view>
#include <vector>

#include "engine/api/alert_service.h"
#include "engine/api/batch_service.h"
#include "engine/api/operator_service.h"
#include "engine/api/replay_service.h"
#include "engine/api/saga_service.h"
#include "engine/api/stats_service.h"
#include "engine/api/upkeep_service.h"
#include "engine/net/http_message.h"
#include "engine/net/http_server.h"
#include "engine/runtime/engine.h"

namespace skald::api {

/// The Connect form of what the HTTP server refuses before it is a call. `body_max`: the server's
/// request_bytes_max.
[[nodiscard]] HttpResponse refused_request(unsigned status, std::string_view what,
                                           std::size_t body_max);

/// The services, each once.
struct Services {
  SagaService sagas;
  OperatorService operators;
  ReplayService replays;
  UpkeepService upkeep;
  BatchService batches;
  AlertService alerts;
  StatsService stats;
};

/// POST /skald.v1.{SagaService,DefinitionService,OperatorService,...}/*, GET /healthz, /readyz,
/// /metrics. Thread: handle() from any thread. Must outlive every answer; engine and batches must
/// outlive it.
class Routes {
 public:
  Routes(Engine& engine, batch::Batches& batches, ServiceOptions options);

  /// Answers exactly once, now or later.
  void handle(HttpRequest request, HttpResponder respond);

  /// "POST /skald.v1.SagaService/Submit", one line each, in the order of the table.
  [[nodiscard]] static std::vector<std::string_view> listing();

 private:
  Engine& engine_;
  batch::Batches& batches_;
  Services services_;
};

/// The key in an Idempotency-Key header: a quoted string (RFC 8941) or bare text.
/// Errors: invalid_argument (empty, or a quote that does not close).
[[nodiscard]] Result<std::string> parse_idempotency_key(std::string_view header);

}  // namespace skald::api
