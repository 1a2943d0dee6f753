#include "tools/skaldctl/verbs_alerts.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <vector>

#include "skald/v1/alert.pb.h"
#include "tools/skaldctl/table.h"
#include "tools/skaldctl/words.h"

namespace skald::ctl {
namespace {

constexpr const char* kNobody =
    "no webhook is configured: webhooks.NAME.url in the configuration of skaldd, or --webhook "
    "NAME=URL\n";

Cell health(const v1::Webhook& webhook) {
  if (webhook.failures_in_a_row() != 0) {
    return {fmt::format("failing: {}", webhook.last_failure()), Tone::bad};
  }
  if (webhook.delivered() == 0) return {"nothing sent yet", Tone::dim};
  return {"well", Tone::good};
}

std::string webhooks_table(const Session& session, const v1::ListWebhooksResponse& list) {
  const bool wide = session.format == Format::wide;
  std::vector<Column> columns{{.title = "WEBHOOK"},  {.title = "DELIVERED"},
                              {.title = "WAITING"},  {.title = "FAILED"},
                              {.title = "GIVEN UP"}, {.title = "HEALTH", .shrinks = true}};
  if (wide) columns.push_back({.title = "KINDS"});
  std::vector<std::vector<Cell>> rows;
  for (const v1::Webhook& webhook : list.webhooks()) {
    rows.push_back({{webhook.name(), Tone::strong},
                    {fmt::format("{}", webhook.delivered())},
                    {fmt::format("{}", webhook.waiting())},
                    {fmt::format("{}", webhook.failed_attempts())},
                    {fmt::format("{}", webhook.given_up())},
                    health(webhook)});
    if (wide) rows.back().push_back({fmt::format("{}", fmt::join(webhook.kinds(), ","))});
  }
  return table(session.terminal, columns, rows, wide ? 0 : session.terminal.width);
}

Exit list(Session& session, v1::ListWebhooksResponse& webhooks) {
  return session.call("/skald.v1.AlertService/ListWebhooks", v1::ListWebhooksRequest(), webhooks);
}

void tell(const Session& session, const std::string& webhook,
          const v1::TestWebhookResponse& result) {
  if (is_for_programs(session.format)) {
    return session.terminal.out(print_message(session.format, result));
  }
  if (session.format == Format::name) return session.terminal.out(result.event_id() + "\n");
  const std::string verdict = session.terminal.toned(result.delivered() ? Tone::good : Tone::bad,
                                                     result.delivered() ? "took it" : "failed");
  session.terminal.out(fmt::format("{} {}: {} after {:.0f} ms, event {}\n", webhook, verdict,
                                   result.detail(), result.took_ms(), result.event_id()));
  if (!result.body().empty()) session.terminal.out(fmt::format("  {}\n", result.body()));
}

}  // namespace

Exit alerts(Session& session) {
  v1::ListWebhooksResponse webhooks;
  if (const Exit listed = list(session, webhooks); listed != Exit::ok) return listed;
  if (session.format == Format::json || session.format == Format::yaml) {
    session.terminal.out(print_message(session.format, webhooks));
    return Exit::ok;
  }
  for (const v1::Webhook& webhook : webhooks.webhooks()) {
    if (session.format == Format::jsonl) {
      session.terminal.out(print_message(session.format, webhook));
    } else if (session.format == Format::name) {
      session.terminal.out(webhook.name() + "\n");
    }
  }
  if (is_for_programs(session.format) || session.format == Format::name) return Exit::ok;
  if (webhooks.webhooks().empty()) {
    session.terminal.err(kNobody);
  } else {
    session.terminal.out(webhooks_table(session, webhooks));
  }
  return Exit::ok;
}

Exit alerts_test(Session& session, const std::string& webhook) {
  std::vector<std::string> names{webhook};
  if (webhook.empty()) {
    v1::ListWebhooksResponse webhooks;
    if (const Exit listed = list(session, webhooks); listed != Exit::ok) return listed;
    names.clear();
    for (const v1::Webhook& one : webhooks.webhooks()) names.push_back(one.name());
    if (names.empty()) {
      session.terminal.err(kNobody);
      return Exit::not_found;
    }
  }
  std::size_t took = 0;
  for (const std::string& name : names) {
    v1::TestWebhookRequest request;
    request.set_webhook(name);
    v1::TestWebhookResponse result;
    const Exit called = session.call("/skald.v1.AlertService/Test", request, result);
    if (called != Exit::ok) return called;
    tell(session, name, result);
    took += result.delivered() ? 1 : 0;
  }
  if (took == names.size()) return Exit::ok;
  return took == 0 ? Exit::server : Exit::partly;
}

}  // namespace skald::ctl
