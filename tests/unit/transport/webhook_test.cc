// What a webhook is sent, and where webhooks may be.
#include <gtest/gtest.h>

#include "engine/transport/cloud_event.h"
#include "engine/transport/webhook_sender.h"
#include "engine/wire/json.h"
#include "skald/v1/alert.pb.h"

namespace skald {
namespace {

Alert stuck() {
  return {.kind = AlertKind::stuck,
          .at = from_unix_ms(1'700'000'000'123),
          .saga = {.placement = 7, .serial = 9},
          .seq = 17,
          .definition = "create_order",
          .version = 2,
          .business_key = "order-1",
          .leg = "deduct_stock[7]",
          .participant = "inventory",
          .operation = Operation::compensation,
          .code = "locked",
          .cause = {0xAB}};
}

TEST(CloudEvent, HasWhatTheStandardAsksFor) {
  const auto text = cloud_event(stuck(), "/mall");
  ASSERT_TRUE(text.has_value());
  v1::AlertEvent event;
  ASSERT_TRUE(wire::message_from_json(*text, event).has_value()) << *text;
  EXPECT_EQ(event.specversion(), "1.0");
  EXPECT_EQ(event.id(), stuck().saga.text() + "-17-stuck");
  EXPECT_EQ(event.source(), "/mall");
  EXPECT_EQ(event.type(), "dev.skald.saga.stuck");
  EXPECT_EQ(event.subject(), stuck().saga.text());
  EXPECT_NE(text->find("\"time\":\"2023-11-14T22:13:20.123Z\""), std::string::npos) << *text;
  EXPECT_EQ(event.data().step(), "deduct_stock");
  EXPECT_EQ(event.data().filter(), "status = stuck and cause = 00000000000000ab");
  EXPECT_EQ(event.data().command(), "skaldctl explain " + stuck().saga.text());
}

TEST(CloudEvent, ItsIdIsItsOwnForEveryThingThatHappens) {
  Alert later = stuck();
  later.seq = 18;
  Alert other = stuck();
  other.kind = AlertKind::late_success;
  EXPECT_NE(event_id(stuck()), event_id(later));
  EXPECT_NE(event_id(stuck()), event_id(other));
}

TEST(CloudEvent, ATextThatIsNoUtf8IsNoReasonToSayNothing) {
  Alert alert = stuck();
  alert.code = "\xff\xfe";
  alert.business_key = "\x80";
  const auto text = cloud_event(alert, "/mall");
  ASSERT_TRUE(text.has_value());
  EXPECT_FALSE(wire::find_json_fault(*text).has_value()) << *text;
}

TEST(WebhookUrl, MayHaveAQueryAndKeepsItsPath) {
  const auto url = parse_webhook_url("http://Hooks.internal:8080/a/b/?to=us");
  ASSERT_TRUE(url.has_value()) << url.error().message;
  EXPECT_EQ(url->host.host, "hooks.internal");
  EXPECT_EQ(url->host.port, 8080);
  EXPECT_EQ(url->target, "/a/b/?to=us");
  EXPECT_EQ(parse_webhook_url("http://127.0.0.1")->target, "/");
  EXPECT_EQ(parse_webhook_url("http://[::1]:9?x")->target, "/?x");
}

TEST(WebhookUrl, MayBeHttpsWithItsPort) {
  const auto url = parse_webhook_url("HTTPS://Hooks.slack.test/services/T0/B0?x=1");
  ASSERT_TRUE(url.has_value()) << url.error().message;
  EXPECT_TRUE(url->tls);
  EXPECT_EQ(url->host.host, "hooks.slack.test");
  EXPECT_EQ(url->host.port, 443);
  EXPECT_EQ(url->target, "/services/T0/B0?x=1");
  EXPECT_EQ(parse_webhook_url("https://a:80")->host.port, 80);
  EXPECT_EQ(parse_webhook_url("https://[::1]")->host.port, 443);
  EXPECT_EQ(parse_webhook_url("https://[::1]:9/x")->host.port, 9);
  EXPECT_FALSE(parse_webhook_url("http://a/")->tls);
}

TEST(WebhookUrl, RefusesWhatTwoReadersCouldTakeDifferently) {
  for (const char* text :
       {"", "pager", "ftp://a/", "https:/a/", "https://", "https://u@a/", "https://0x7f.1/",
        "https://https://a", "http://", "http:///x", "http://a b/", "http://u@a/", "http://a/x#y",
        "http://a/\x01", "http://0x7f.1/", "http://a:0/", "http://a:99999/"}) {
    EXPECT_FALSE(parse_webhook_url(text).has_value()) << text;
  }
}

}  // namespace
}  // namespace skald
