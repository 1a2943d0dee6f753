// skaldd(8) and skaldd say the same: every flag, key, variable and exit code of the one is in the
// other.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <ranges>
#include <regex>
#include <set>

#include "engine/server/exit_codes.h"
#include "engine/server/flags.h"

namespace skald::server {
namespace {

using Words = std::set<std::string, std::less<>>;

/// What `skaldd flag` prints and leaves with.
std::pair<std::string, int> printed(std::string flag) {
  std::string program = "skaldd";
  std::array<char*, 2> argv{program.data(), flag.data()};
  testing::internal::CaptureStdout();
  const CommandLine line = parse_command_line(argv.size(), argv.data());
  return {testing::internal::GetCapturedStdout(), line.exit_code};
}

Words words(const std::string& text, const char* pattern) {
  const std::regex regex(pattern);
  Words found;
  for (std::sregex_iterator at(text.begin(), text.end(), regex), end; at != end; ++at) {
    found.insert(at->str(1));
  }
  return found;
}

class ManPage : public testing::Test {
 protected:
  ManPage() {
    const auto [text, code] = printed("--man");
    EXPECT_EQ(code, kDrained);
    page_ = std::regex_replace(text, std::regex(R"(\\-)"), "-");
    page_ = std::regex_replace(page_, std::regex(R"(\\\(aq)"), "'");
  }
  std::string page_;
};

TEST_F(ManPage, HasTheFlagsOfTheProgramAndNoOther) {
  const auto [help, code] = printed("--help");
  EXPECT_EQ(code, kDrained);
  const Words known = words(help, R"((?:^|\n|,)  ?(?:-h,)?(--[a-z-]+))");
  std::string tags;  // of the page's items
  for (const auto line : std::views::split(page_, '\n')) {
    const std::string_view text(line.begin(), line.end());
    if (text.starts_with(".B --")) tags += std::string(text) + "\n";
  }
  Words shown = words(tags, R"((--[a-z-]+))");
  EXPECT_GT(known.size(), settings().size());
  EXPECT_THAT(shown, testing::IsSupersetOf(known)) << help;
  for (const Setting& setting : settings()) {
    EXPECT_TRUE(shown.erase(flag_name(setting.key)) == 1) << setting.key;
  }
  for (const char* other : {"--help", "--config", "--participant", "--retention", "--webhook",
                            "--print-config", "--check", "--man", "--version", "--threads"}) {
    EXPECT_TRUE(shown.erase(other) == 1) << other;
  }
  EXPECT_THAT(shown, testing::IsEmpty());
}

TEST_F(ManPage, SaysOfEachSettingItsKeyItsVariableAndItsDefault) {
  for (const Setting& setting : settings()) {
    EXPECT_THAT(page_, testing::HasSubstr(std::string(setting.help)));
    EXPECT_THAT(page_, testing::HasSubstr(fmt::format("In the file {}, in the environment {}.",
                                                      setting.key, environment_name(setting.key))));
    const std::string value = setting.get(ServerConfig{});
    if (!value.empty()) EXPECT_THAT(page_, testing::HasSubstr(" Default: " + value + "."));
  }
}

TEST_F(ManPage, NamesNoVariableThatDoesNothing) {
  const Words variables = words(page_, R"((SKALD_[A-Z_]+))");
  EXPECT_GT(variables.size(), settings().size());
  ConfigSources sources;
  sources.environment_names.assign(variables.begin(), variables.end());
  std::erase(sources.environment_names, "SKALD_");  // every name at once
  const auto loaded = load_config(sources);
  ASSERT_TRUE(loaded) << loaded.error().message;
  EXPECT_THAT(loaded->warnings, testing::IsEmpty());
}

TEST_F(ManPage, ShowsKeysWithANameInsideAsTheyAreRead) {
  const std::map<std::string, std::string, std::less<>> values{
      {"participants.NAME.url", "http://127.0.0.1:9"}, {"participants.NAME.in_flight_max", "7"},
      {"participants.NAME.pipeline_max", "8"},         {"retention.DEFINITION.STATUS", "30d"},
      {"webhooks.NAME.url", "http://127.0.0.1:9"},     {"webhooks.NAME.kinds", "stuck"},
      {"webhooks.NAME.authorization_env", "A"},        {"webhooks.NAME.authorization_file", "/a"}};
  ConfigSources sources;
  for (const NamedKey& named : named_keys()) {
    EXPECT_THAT(page_, testing::HasSubstr(".B " + named.key + "\n" + std::string(named.help)));
    ASSERT_TRUE(values.contains(named.key)) << named.key;
    std::string key = std::regex_replace(named.key, std::regex("STATUS"), "completed");
    key = std::regex_replace(key, std::regex("NAME|DEFINITION"), "mine");
    sources.flags.push_back({.key = key, .value = values.at(named.key)});
  }
  EXPECT_EQ(sources.flags.size(), values.size());
  const auto loaded = load_config(sources);
  EXPECT_TRUE(loaded) << loaded.error().message;
}

TEST_F(ManPage, TellsSignalsFilesAndExitCodes) {
  for (const char* word : {".SH SIGNALS", "SIGTERM", ".SH FILES", "DIR/LOCK", ".SH EXIT STATUS",
                           ".SH ENVIRONMENT", ".SH SEE ALSO"}) {
    EXPECT_THAT(page_, testing::HasSubstr(word));
  }
  for (const auto& [code, means] : kExitCodes) {
    EXPECT_THAT(page_, testing::HasSubstr(fmt::format(".B {}\n{}", code, means)));
  }
}

}  // namespace
}  // namespace skald::server
