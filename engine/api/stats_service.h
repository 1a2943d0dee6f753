// StatsService once, for every protocol: how the engine is doing, in one message.
#pragma once

#include "engine/api/saga_service.h"
#include "skald/v1/stats.pb.h"

namespace skald::api {

inline constexpr int kCausesShown = 10;

/// Thread: any; the engine must outlive every reply.
class StatsService {
 public:
  explicit StatsService(Engine& engine, ServiceOptions options)
      : engine_(engine), sagas_(engine, std::move(options)) {}

  void get(v1::GetStatsRequest request, const CallContext& context, Reply<v1::Stats> reply);

 private:
  Engine& engine_;
  SagaService sagas_;  // tells of causes and participants
};

}  // namespace skald::api
