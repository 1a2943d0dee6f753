// Replay and Simulate of OperatorService: reads what an operator sent, asks the core what may be
// done again, and submits it or shows what would be sent. What is safe is decided in
// core/replay.h.
#pragma once

#include "engine/api/saga_service.h"
#include "engine/core/rehearsal.h"
#include "skald/v1/operator.pb.h"

namespace skald::api {

inline constexpr int kReplayRequestsShownMax = 1'000;

/// Errors: as proto/skald/v1/operator.proto says. Thread: any; the engine must outlive every reply.
class ReplayService {
 public:
  ReplayService(Engine& engine, ServiceOptions options);

  void replay(v1::ReplayRequest request, const CallContext& context,
              Reply<v1::ReplayResponse> reply);
  /// The same by somebody who is known already: what the request says of that is not looked at.
  void replay_by(Actor actor, v1::ReplayRequest request, Reply<v1::ReplayResponse> reply);
  void simulate(v1::SimulateRequest request, const CallContext& context,
                Reply<v1::SimulateResponse> reply);

 private:
  /// A replay whose every part is known.
  struct Plan {
    SagaSnapshot old;
    DefinitionPtr definition;
    SubmitRequest request;
    std::uint32_t number = 1;
    std::vector<std::string> kept;
    bool dry_run = false;
  };
  [[nodiscard]] Result<Plan> plan(SagaSnapshot old, const v1::ReplayRequest& from,
                                  Actor actor) const;
  /// The version that is asked for. Errors: not_found, invalid_argument.
  [[nodiscard]] Result<DefinitionPtr> choose(const std::string& name, std::uint32_t own,
                                             std::uint32_t version, bool newest) const;
  void go(Plan plan, Reply<v1::ReplayResponse> reply);
  void join(Plan plan, Reply<v1::ReplayResponse> reply);
  void submit(Plan plan, Reply<v1::ReplayResponse> reply);

  Engine& engine_;
  ServiceOptions options_;
};

}  // namespace skald::api
