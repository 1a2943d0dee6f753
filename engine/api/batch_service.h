// BatchService once, for every protocol: reads what an operator asks of many sagas, and shows how
// far it is. What a batch is, is in engine/batch.
#pragma once

#include "engine/api/saga_service.h"
#include "engine/batch/batches.h"
#include "skald/v1/batch.pb.h"

namespace skald::api {

inline constexpr std::size_t kBatchKeyMax = 128;

/// Errors: as proto/skald/v1/batch.proto says. Thread: any; `batches` must outlive every reply.
class BatchService {
 public:
  explicit BatchService(batch::Batches& batches) : batches_(batches) {}

  void preview(v1::BatchSpec request, const CallContext& context, Reply<v1::BatchPreview> reply);
  void start(v1::StartBatchRequest request, const CallContext& context, Reply<v1::Batch> reply);
  void get(v1::BatchRequest request, const CallContext& context, Reply<v1::Batch> reply);
  void pause(v1::BatchRequest request, const CallContext& context, Reply<v1::Batch> reply);
  void resume(v1::BatchRequest request, const CallContext& context, Reply<v1::Batch> reply);
  void cancel(v1::BatchRequest request, const CallContext& context, Reply<v1::Batch> reply);
  void list(v1::ListBatchesRequest request, const CallContext& context,
            Reply<v1::ListBatchesResponse> reply);
  void results(v1::BatchResultsRequest request, const CallContext& context,
               Reply<v1::BatchResultsResponse> reply);

 private:
  void change(batch::Change change, v1::BatchRequest request, Reply<v1::Batch> reply);

  batch::Batches& batches_;
};

}  // namespace skald::api
