// AlertService once, for every protocol: webhooks, and a test of one. What alerts there are and how
// they are delivered is the runtime's business.
#pragma once

#include "engine/api/saga_service.h"
#include "skald/v1/alert.pb.h"

namespace skald::api {

/// Errors of every call: as proto/skald/v1/alert.proto says. Thread: any; the engine must outlive
/// every reply.
class AlertService {
 public:
  explicit AlertService(Engine& engine) : engine_(engine) {}

  void list_webhooks(v1::ListWebhooksRequest request, const CallContext& context,
                     Reply<v1::ListWebhooksResponse> reply);
  void test(v1::TestWebhookRequest request, const CallContext& context,
            Reply<v1::TestWebhookResponse> reply);

 private:
  Engine& engine_;
};

}  // namespace skald::api
