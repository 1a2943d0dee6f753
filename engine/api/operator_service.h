// OperatorService once, for every protocol: reads what an operator sent, asks the engine, or shows
// what the act would do. What is legal is decided in core/legal_acts.h.
#pragma once

#include "engine/api/saga_service.h"
#include "skald/v1/operator.pb.h"

namespace skald::api {

/// Errors of every act: as proto/skald/v1/operator.proto says. Thread: any; the engine must outlive
/// every reply.
class OperatorService {
 public:
  OperatorService(Engine& engine, ServiceOptions options);

  void legal_acts(v1::LegalActsRequest request, const CallContext& context,
                  Reply<v1::LegalActsResponse> reply);
  void retry(v1::ActRequest request, const CallContext& context, Reply<v1::ActResponse> reply);
  void pause(v1::ActRequest request, const CallContext& context, Reply<v1::ActResponse> reply);
  void resume(v1::ActRequest request, const CallContext& context, Reply<v1::ActResponse> reply);
  void cancel(v1::ActRequest request, const CallContext& context, Reply<v1::ActResponse> reply);
  void skip(v1::ActRequest request, const CallContext& context, Reply<v1::ActResponse> reply);
  void resolve(v1::ResolveRequest request, const CallContext& context,
               Reply<v1::ActResponse> reply);
  void amend(v1::AmendRequest request, const CallContext& context, Reply<v1::ActResponse> reply);
  void mark_compensated(v1::ActRequest request, const CallContext& context,
                        Reply<v1::ActResponse> reply);
  void abandon(v1::ActRequest request, const CallContext& context, Reply<v1::ActResponse> reply);

 private:
  /// The act of a request; the snapshot is null unless it was asked for.
  using MakeAct = std::move_only_function<Result<command::Act>(const SagaSnapshot*)>;
  struct Asked {
    SagaRef saga;
    Actor actor;
    std::uint64_t expected_seq = 0;
    bool dry_run = false;
    bool needs_snapshot = false;
    OutputForm form = OutputForm::bytes;
  };
  template <class Request>
  [[nodiscard]] static Result<Asked> read(Request& request, const CallContext& context);
  template <class Command>
  void ask_plainly(v1::ActRequest& request, const CallContext& context,
                   Reply<v1::ActResponse> reply);
  void ask(Asked asked, MakeAct make, Reply<v1::ActResponse> reply);
  void act(const Asked& asked, command::Act act, Reply<v1::ActResponse> reply);

  Engine& engine_;
  ServiceOptions options_;
};

}  // namespace skald::api
