#include "engine/server/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>

#include "engine/server/setting_values.h"

namespace skald::server {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

/// A folder with one file skald.yaml, removed afterwards.
class ConfigTest : public testing::Test {
 protected:
  ConfigTest() {
    std::string pattern = testing::TempDir() + "skald_config_XXXXXX";
    folder_ = ::mkdtemp(pattern.data());
  }
  ~ConfigTest() override { std::filesystem::remove_all(folder_); }

  std::string file(std::string_view text) {
    const std::string path = folder_ + "/skald.yaml";
    std::ofstream(path) << text;
    return path;
  }
  static auto environment(std::map<std::string, std::string> values) {
    return [values = std::move(values)](const std::string& name) -> std::optional<std::string> {
      const auto found = values.find(name);
      if (found == values.end()) return std::nullopt;
      return found->second;
    };
  }

  std::string folder_;
};

TEST_F(ConfigTest, LaterSourcesWin) {
  const auto loaded = load_config(
      {.file = file("listen: 127.0.0.1:1\n"
                    "data: /a\n"
                    "engine:\n  threads: 1\n  inbox_max: 20\n"),
       .environment = environment({{"SKALD_LISTEN", "127.0.0.1:2"}, {"SKALD_ENGINE_THREADS", "2"}}),
       .flags = {{"listen", "127.0.0.1:3"}}});

  ASSERT_TRUE(loaded) << loaded.error().message;
  EXPECT_EQ(loaded->config.listen, "127.0.0.1:3");
  EXPECT_EQ(loaded->config.engine.threads, 2U);
  EXPECT_EQ(loaded->config.engine.inbox_max, 20U);
  EXPECT_EQ(loaded->config.data, "/a");
  EXPECT_EQ(loaded->origins.at("listen"), "--listen");
  EXPECT_EQ(loaded->origins.at("engine.threads"), "SKALD_ENGINE_THREADS");
  EXPECT_THAT(loaded->origins.at("engine.inbox_max"), testing::EndsWith("skald.yaml:5"));
  EXPECT_FALSE(loaded->origins.contains("log.level"));
}

TEST_F(ConfigTest, EveryMistakeIsNamedWithItsPlace) {
  const auto loaded = load_config({.file = file("listn: 127.0.0.1:1\n"
                                                "engine:\n"
                                                "  threads: many\n"
                                                "  thread: 2\n"
                                                "  key_retention: 7\n"
                                                "log: [a]\n"
                                                "participants:\n"
                                                "  inventory:\n"
                                                "    host: x\n"),
                                   .environment = environment({{"SKALD_LOG_LEVEL", "loud"}}),
                                   .flags = {{"participant", "cart"}}});

  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().code, Errc::invalid_argument);
  EXPECT_THAT(
      loaded.error().message,
      AllOf(HasSubstr("skald.yaml:1: listn: unknown key; did you mean listen?"),
            HasSubstr("skald.yaml:3: engine.threads: expected a whole number"),
            HasSubstr("skald.yaml:4: engine.thread: unknown key; did you mean engine.threads?"),
            HasSubstr("skald.yaml:5: engine.key_retention: expected a duration"),
            HasSubstr("skald.yaml:6: log: a list is not expected here"),
            HasSubstr("skald.yaml:9: participants.inventory.host: a participant has url"),
            HasSubstr("SKALD_LOG_LEVEL: log.level: expected debug"),
            HasSubstr("--participant: cart: expected NAME=URL")));
}

TEST_F(ConfigTest, AddressesAreJudgedWhenTheyAreRead) {
  const auto loaded = load_config({.flags = {{"participants.allow", "10.0.0.0/8, foo/99"},
                                             {"participant", "cart=ftp://cart.internal"}}});
  ASSERT_FALSE(loaded.has_value());
  EXPECT_THAT(loaded.error().message, HasSubstr("--participants-allow: participants.allow: "));
  EXPECT_THAT(loaded.error().message, HasSubstr("foo/99"));
  EXPECT_THAT(loaded.error().message, HasSubstr("--participant: participants.cart.url: "));
}

TEST_F(ConfigTest, ANameInTheEnvironmentThatMeansNothingIsWarnedOf) {
  const auto loaded =
      load_config({.environment_names = {"HOME", "SKALD_LISTEN", "SKALD_CONFIG", "SKALD_SERVER",
                                         "SKALD_RETENTION", "SKALD_ENGINE_THREAD", "SKALD_BOGUS"}});
  ASSERT_TRUE(loaded.has_value()) << loaded.error().message;
  EXPECT_THAT(
      loaded->warnings,
      ElementsAre("SKALD_ENGINE_THREAD: no setting has this name, it does nothing; did you mean "
                  "SKALD_ENGINE_THREADS?",
                  "SKALD_BOGUS: no setting has this name, it does nothing"));
}

TEST_F(ConfigTest, BrokenYamlNamesItsLine) {
  const std::string path = file("listen: 1\n  engine: {\n");
  const auto loaded = load_config({.file = path});
  ASSERT_FALSE(loaded);
  EXPECT_THAT(loaded.error().message, HasSubstr(path + ":2: "));
  EXPECT_EQ(load_config({.file = folder_ + "/none.yaml"}).error().code, Errc::not_found);
}

TEST_F(ConfigTest, OtherThanLoopbackNeedsToBeSaid) {
  const auto refused = load_config({.flags = {{"listen", "0.0.0.0:7900"}}});
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("--insecure-listen"));

  EXPECT_TRUE(load_config({.flags = {{"listen", "0.0.0.0:7900"}, {"insecure_listen", "true"}}}));
  EXPECT_TRUE(load_config({.flags = {{"listen", "[::1]:0"}}}));
}

TEST_F(ConfigTest, ParticipantsComeFromEverySource) {
  const auto loaded =
      load_config({.file = file("participants:\n"
                                "  allow: [10.0.0.0/8, 127.0.0.0/8]\n"
                                "  in_flight_max: 32\n"
                                "  pipeline_max: 4\n"
                                "  inventory: {url: \"http://127.0.0.1:9903\", in_flight_max: 64,\n"
                                "              pipeline_max: 16}\n"
                                "  cart: {url: \"http://127.0.0.1:9904\"}\n"),
                   .environment = environment(
                       {{"SKALD_PARTICIPANTS", "cart=http://127.0.0.1:1,order=http://o"}}),
                   .flags = {{"participant", "order=http://127.0.0.1:2"}}});

  ASSERT_TRUE(loaded) << loaded.error().message;
  EXPECT_THAT(loaded->config.participants_allow, testing::ElementsAre("10.0.0.0/8", "127.0.0.0/8"));
  EXPECT_EQ(loaded->config.participant_urls,
            (std::map<std::string, std::string>{{"cart", "http://127.0.0.1:1"},
                                                {"inventory", "http://127.0.0.1:9903"},
                                                {"order", "http://127.0.0.1:2"}}));
  EXPECT_EQ(loaded->config.engine.participant_default.in_flight_max, 32U);
  EXPECT_EQ(loaded->config.engine.participants.at("inventory").in_flight_max, 64U);
  EXPECT_EQ(loaded->config.pipeline_default, 4U);
  EXPECT_EQ(loaded->config.participant_pipelines.at("inventory"), 16U);
  EXPECT_FALSE(load_config({.flags = {{"participants.cart.pipeline_max", "0"}}}));
  EXPECT_FALSE(load_config({.flags = {{"participants.pipeline_max", "65"}}}));
}

TEST_F(ConfigTest, WhatIsPrintedLoadsAgainHoweverItIsWritten) {
  const std::string odd = "/a \"b\" \\ c\nd#e: *f";
  const auto loaded = load_config({.file = file("participants:\n  allow: [\"*.svc.internal\"]\n"),
                                   .flags = {{"data", odd},
                                             {"participants.null.url", "http://h"},
                                             {"participants.\"q\".url", "http://null"}}});
  ASSERT_TRUE(loaded) << loaded.error().message;

  const std::string printed = print_config(*loaded);
  const auto again = load_config({.file = file(printed)});

  ASSERT_TRUE(again) << again.error().message << "\n" << printed;
  EXPECT_EQ(again->config.data, odd);
  EXPECT_THAT(again->config.participants_allow, testing::ElementsAre("*.svc.internal"));
  EXPECT_EQ(again->config.participant_urls, loaded->config.participant_urls);
}

TEST_F(ConfigTest, AFileThatHoldsItselfIsAMistake) {
  const auto loaded = load_config({.file = file("engine: &again\n  threads: *again\n")});
  ASSERT_FALSE(loaded);
  EXPECT_THAT(loaded.error().message, HasSubstr("engine: nested too deeply"));
}

TEST_F(ConfigTest, WhatIsPrintedLoadsAgain) {
  const auto loaded =
      load_config({.file = file("participants:\n  allow: [10.0.0.0/8]\n"
                                "  inventory: {url: \"http://127.0.0.1:9903\", in_flight_max: 64}\n"
                                "  cart: {url: \"http://127.0.0.1:9904\", pipeline_max: 8}\n"),
                   .flags = {{"listen", "[::1]:9"}, {"log.format", "json"}, {"data", "/d x"}}});
  ASSERT_TRUE(loaded) << loaded.error().message;

  const std::string printed = print_config(*loaded);
  const auto again = load_config({.file = file(printed)});

  EXPECT_THAT(printed,
              HasSubstr("listen: \"[::1]:9\"                                # --listen\n"));
  EXPECT_THAT(printed, testing::Not(HasSubstr("\n:")));
  EXPECT_THAT(printed, HasSubstr("  threads: 0                                     # default\n"));
  ASSERT_TRUE(again) << again.error().message << "\n" << printed;
  EXPECT_EQ(again->config.listen, "[::1]:9");
  EXPECT_EQ(again->config.data, "/d x");
  EXPECT_EQ(again->config.log_format, LogFormat::json);
  EXPECT_EQ(again->config.participants_allow, loaded->config.participants_allow);
  EXPECT_EQ(again->config.participant_urls, loaded->config.participant_urls);
  EXPECT_EQ(again->config.engine.participants.at("inventory").in_flight_max, 64U);
  EXPECT_EQ(again->config.participant_pipelines, loaded->config.participant_pipelines);
  EXPECT_EQ(again->config.engine.disk_reserve_bytes, loaded->config.engine.disk_reserve_bytes);
}

TEST(SettingValues, ReadWhatTheyPrint) {
  EXPECT_EQ(parse_duration("90s").value(), Millis{90'000});
  EXPECT_EQ(print_duration(Millis{90'000}), "90s");
  EXPECT_EQ(print_duration(Millis{7LL * 86'400'000}), "7d");
  EXPECT_EQ(print_duration(Millis{0}), "0ms");
  EXPECT_EQ(parse_size("256MiB").value(), 256ULL << 20);
  EXPECT_EQ(print_size(1 << 20), "1MiB");
  EXPECT_EQ(print_size(1000), "1000");
  EXPECT_FALSE(parse_duration("90"));
  EXPECT_FALSE(parse_duration("-1s"));
  EXPECT_FALSE(parse_size("99999999999999GiB"));
}

TEST(ListenAddress, IsSplit) {
  EXPECT_EQ(parse_listen("127.0.0.1:7900")->port, 7900);
  EXPECT_TRUE(parse_listen("[::1]:0")->loopback);
  EXPECT_FALSE(parse_listen("0.0.0.0:1")->loopback);
  for (const char* broken :
       {"7900", ":7900", "::1:7900", "127.0.0.1:", "127.0.0.1:99999", "a:1x"}) {
    EXPECT_FALSE(parse_listen(broken)) << broken;
  }
}

TEST_F(ConfigTest, RetentionIsSaidOfAllDefinitionsOrOfOneAndPrintsToWhatReadsTheSame) {
  const auto loaded = load_config(
      {.file = file("retention:\n  completed: 30d\n  pay:\n    completed: forever\n"),
       .environment = environment({{"SKALD_RETENTION", "ship.abandoned=12h,pay.compensated=1d"}}),
       .flags = {{"retention.abandoned", "90d"}, {"retention", "ship.abandoned=13h"}}});
  ASSERT_TRUE(loaded) << loaded.error().message;
  const EngineOptions& engine = loaded->config.engine;
  EXPECT_EQ(engine.retention, (Retention{.completed = Millis{30LL * 24 * 3'600'000},
                                         .compensated = {},
                                         .abandoned = Millis{90LL * 24 * 3'600'000}}));
  EXPECT_EQ(engine.retention_by_definition.at("pay").completed, Millis{0});
  EXPECT_EQ(engine.retention_by_definition.at("pay").compensated, Millis{24LL * 3'600'000});
  EXPECT_EQ(engine.retention_by_definition.at("ship").abandoned, Millis{13LL * 3'600'000});

  const std::string printed = print_config(*loaded);
  EXPECT_THAT(printed, HasSubstr("compensated: forever"));
  const auto again = load_config({.file = file(printed)});
  ASSERT_TRUE(again) << again.error().message << printed;
  EXPECT_EQ(again->config.engine.retention_by_definition, engine.retention_by_definition);
  EXPECT_EQ(again->config.engine.retention.completed, engine.retention.completed);
}

TEST_F(ConfigTest, WebhooksAreReadAndPrintToWhatReadsTheSame) {
  const auto loaded =
      load_config({.file = file("webhooks:\n  pager:\n    url: http://127.0.0.1:9/page?to=us\n"
                                "    kinds: [stuck, late_success]\n    authorization_env: PAGER\n"),
                   .flags = {{"webhook", "chat=http://chat.internal/"}}});
  ASSERT_TRUE(loaded) << loaded.error().message;
  const auto& targets = loaded->config.engine.alerts.targets;
  ASSERT_EQ(targets.size(), 2U);
  EXPECT_EQ(targets[0].name, "chat");
  EXPECT_TRUE(targets[0].wants(AlertKind::compensated));
  EXPECT_TRUE(targets[1].wants(AlertKind::stuck));
  EXPECT_FALSE(targets[1].wants(AlertKind::compensated));

  const std::string printed = print_config(*loaded);
  const auto again = load_config({.file = file(printed)});
  ASSERT_TRUE(again) << again.error().message << printed;
  EXPECT_EQ(again->config.webhooks.at("pager").kinds, loaded->config.webhooks.at("pager").kinds);
  EXPECT_EQ(again->config.webhooks.at("pager").url, "http://127.0.0.1:9/page?to=us");
}

TEST_F(ConfigTest, AMistakeOfAWebhookIsNamed) {
  const auto refused = load_config(
      {.file = file("webhooks:\n  pager:\n    url: ftp://a/\n    kinds: stuk\n    token: x\n"
                    "  Big: {url: http://a/}\n")});
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message,
              AllOf(HasSubstr("not http"), HasSubstr("\"stuk\" is no kind of alert"),
                    HasSubstr("webhooks.pager.token: a webhook has url"),
                    HasSubstr("webhooks.Big.url: a webhook's name is")));
  const auto nowhere = load_config({.file = file("webhooks:\n  pager:\n    kinds: stuck\n")});
  ASSERT_FALSE(nowhere);
  EXPECT_THAT(nowhere.error().message, HasSubstr("webhooks.pager: it has no url"));
}

TEST_F(ConfigTest, OnlyEndedSagasHaveARetention) {
  const auto refused = load_config({.file = file("retention:\n  stuck: 1d\n  completed: 0s\n"
                                                 "  pay:\n    running: 1d\n")});
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message,
              AllOf(HasSubstr("retention.stuck: expected retention.STATUS"),
                    HasSubstr("retention.completed: expected \"forever\""),
                    HasSubstr("retention.pay.running: expected retention.STATUS")));
}

}  // namespace
}  // namespace skald::server
