// UpkeepService once, for every protocol: checks and copies of the store. What is checked and how
// is the store's business.
#pragma once

#include "engine/api/saga_service.h"
#include "skald/v1/upkeep.pb.h"

namespace skald::api {

/// Errors of every call: as proto/skald/v1/upkeep.proto says. Thread: any; the engine must outlive
/// every reply.
class UpkeepService {
 public:
  explicit UpkeepService(Engine& engine) : engine_(engine) {}

  void check_store(v1::CheckStoreRequest request, const CallContext& context,
                   Reply<v1::StoreReport> reply);
  void back_up(v1::BackUpRequest request, const CallContext& context, Reply<v1::StoreReport> reply);

 private:
  Engine& engine_;
};

}  // namespace skald::api
