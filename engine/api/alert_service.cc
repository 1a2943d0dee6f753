#include "engine/api/alert_service.h"

#include <utility>

#include "engine/api/read_model.h"

namespace skald::api {
namespace {

void fill_webhook(const AlertTargetFigures& from, v1::Webhook& to) {
  to.set_name(from.target.name);
  for (std::size_t i = 1; i <= kAlertKinds; ++i) {
    const auto kind = static_cast<AlertKind>(i);
    if (kind != AlertKind::test && from.target.wants(kind)) to.add_kinds(std::string(name(kind)));
  }
  to.set_waiting(from.queue.waiting);
  to.set_delivered(from.queue.told);
  to.set_failed_attempts(from.queue.failed);
  to.set_given_up(from.queue.given_up);
  to.set_failures_in_a_row(from.queue.failures_in_a_row);
  to.set_last_failure(from.queue.last_failure);
  if (from.queue.failures_in_a_row != 0) fill_time(from.queue.tries_at, *to.mutable_tries_at());
}

}  // namespace

void AlertService::list_webhooks(v1::ListWebhooksRequest, const CallContext&,
                                 Reply<v1::ListWebhooksResponse> reply) {
  v1::ListWebhooksResponse to;
  for (const AlertTargetFigures& figures : engine_.alert_targets()) {
    fill_webhook(figures, *to.add_webhooks());
  }
  reply(std::move(to));
}

void AlertService::test(v1::TestWebhookRequest request, const CallContext&,
                        Reply<v1::TestWebhookResponse> reply) {
  engine_.test_alert(std::move(*request.mutable_webhook()),
                     [reply = std::move(reply)](Result<AlertReceipt> receipt) mutable {
                       if (!receipt) return reply(std::unexpected(receipt.error()));
                       v1::TestWebhookResponse to;
                       to.set_delivered(receipt->is_told());
                       to.set_status(receipt->status);
                       to.set_detail(receipt->detail);
                       to.set_body(receipt->body);
                       to.set_event_id(receipt->event_id);
                       to.set_took_ms(static_cast<double>(receipt->took.count()));
                       reply(std::move(to));
                     });
}

}  // namespace skald::api
