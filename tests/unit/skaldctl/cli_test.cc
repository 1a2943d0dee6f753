// Verbs from argument to answer: what is sent, what is printed, what the process ends with.
#include "tools/skaldctl/cli.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/skaldctl/fake_terminal.h"
#include "tools/skaldctl/table.h"

namespace skald::ctl {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

constexpr const char* kAccepted =
    R"({"sagaId":"0000000000000g000000000002","definition":"shop","version":2,"status":"running",
        "created":true})";

TEST(Cli, SubmitSendsWhatItIsTold) {
  Ctl ctl;
  ctl.api.answers[kSubmit] = {kAccepted};

  EXPECT_EQ(ctl({"submit", "shop", "-i", R"({"user":5})", "--key", "k1", "--business-key", "SN1",
                 "--version", "2"}),
            Exit::ok);

  EXPECT_THAT(ctl.api.calls,
              ElementsAre(Pair(kSubmit, R"({"definition":"shop","version":2,"input":{"user":5},)"
                                        R"("idempotencyKey":"k1","businessKey":"SN1",)"
                                        R"("timeoutMs":10000})")));
  EXPECT_EQ(ctl.out, "0000000000000g000000000002  shop v2  running\n");
  EXPECT_EQ(ctl.err, "");
  EXPECT_EQ(ctl.server, "http://127.0.0.1:7900");
}

TEST(Cli, TheServerComesFromTheFlagOrTheEnvironment) {
  Ctl ctl;
  ctl.terminal.environment = [](const char* name) -> std::optional<std::string> {
    if (std::string_view(name) != "SKALD_SERVER") return std::nullopt;
    return "http://127.0.0.1:1";
  };
  (void)ctl({"list"});
  EXPECT_EQ(ctl.server, "http://127.0.0.1:1");
  (void)ctl({"list", "--server", "http://127.0.0.1:2"});
  EXPECT_EQ(ctl.server, "http://127.0.0.1:2");
}

TEST(Cli, InputComesFromTheArgumentOrStandardInput) {
  Ctl ctl;
  ctl.api.answers[kSubmit] = {kAccepted};
  ctl.input = R"({"from":"stdin"})";
  EXPECT_EQ(ctl({"submit", "shop", "-i", "-"}), Exit::ok);
  EXPECT_THAT(ctl.api.calls.back().second, HasSubstr(R"("input":{"from":"stdin"})"));
  EXPECT_EQ(ctl({"submit", "shop", "-i", "{broken"}), Exit::usage);
  EXPECT_THAT(ctl.err, HasSubstr("--input: body is not valid JSON at byte 1"));
  EXPECT_EQ(ctl({"submit", "shop", "-i", "@/none"}), Exit::usage);
  EXPECT_THAT(ctl.err, HasSubstr("/none cannot be read"));
}

TEST(Cli, WaitingEndsWithWhatBecameOfTheSaga) {
  const auto exit_for = [](const std::string& fields) {
    Ctl ctl;
    ctl.api.answers[kSubmit] = {R"({"sagaId":"0000000000000g000000000002",)" + fields + "}"};
    return ctl({"submit", "shop", "--wait", "done", "--timeout", "2m"});
  };
  EXPECT_EQ(exit_for(R"("status":"completed")"), Exit::ok);
  EXPECT_EQ(exit_for(R"("status":"compensated")"), Exit::compensated);
  EXPECT_EQ(exit_for(R"("status":"stuck","timedOut":true)"), Exit::stuck);
  EXPECT_EQ(exit_for(R"("status":"abandoned")"), Exit::abandoned);
  EXPECT_EQ(exit_for(R"("status":"running","timedOut":true)"), Exit::timed_out);
}

TEST(Cli, TheCallOutlivesTheWait) {
  Ctl ctl;
  ctl.api.answers["/skald.v1.SagaService/Wait"] = {kAccepted};
  EXPECT_EQ(ctl({"wait", kId, "--timeout", "1m", "--until", "decided"}), Exit::ok);
  EXPECT_EQ(ctl.api.timeouts.back(), Millis{70'000});
  EXPECT_EQ(ctl.api.calls.back().second,
            R"({"sagaId":"0000000000000g000000000002","until":"decided","timeoutMs":60000})");
}

TEST(Cli, AnswersHaveTheFormThatIsAskedFor) {
  Ctl ctl;
  ctl.api.answers[kSubmit] = {
      R"({"sagaId":"0000000000000g000000000002","definition":"shop","version":2,
          "status":"compensated","failure":{"leg":"use_coupon","outcome":"rejected",
          "code":"coupon_used","message":"used by SN0"}})"};
  (void)ctl({"submit", "shop"});
  EXPECT_EQ(ctl.out,
            "0000000000000g000000000002  shop v2  compensated\n"
            "because  use_coupon rejected (coupon_used: used by SN0)\n");
  (void)ctl({"-o", "name", "submit", "shop"});
  EXPECT_EQ(ctl.out, "0000000000000g000000000002\n");
  (void)ctl({"submit", "shop", "-o", "jsonl"});
  EXPECT_EQ(ctl.out, R"({"sagaId":"0000000000000g000000000002","definition":"shop","version":2,)"
                     R"("status":"compensated","failure":{"leg":"use_coupon","outcome":"rejected",)"
                     R"("code":"coupon_used","message":"used by SN0"}})"
                     "\n");
  (void)ctl({"submit", "shop", "-o", "yaml"});
  EXPECT_EQ(ctl.out,
            "sagaId: \"0000000000000g000000000002\"\n"
            "definition: shop\n"
            "version: 2\n"
            "status: compensated\n"
            "failure:\n"
            "  leg: use_coupon\n"
            "  outcome: rejected\n"
            "  code: coupon_used\n"
            "  message: used by SN0\n");
}

TEST(Cli, ErrorsAreSentencesForPeopleAndJsonForPrograms) {
  Ctl ctl;
  ctl.api.errors[kGet] = {Errc::not_found, "saga x does not exist"};

  EXPECT_EQ(ctl({"show", "x"}), Exit::not_found);
  EXPECT_EQ(ctl.err,
            "skaldctl: not_found: saga x does not exist\n"
            "hint: `skaldctl list` shows the sagas, `skaldctl definitions list` the definitions\n");
  EXPECT_EQ(ctl({"show", "x", "-o", "json"}), Exit::not_found);
  EXPECT_EQ(ctl.err,
            R"({"error":{"code":"not_found","message":"saga x does not exist","hint":"`skaldctl )"
            R"(list` shows the sagas, `skaldctl definitions list` the definitions"}})"
            "\n");
  EXPECT_EQ(ctl.out, "");
}

TEST(Cli, EveryCodeEndsAsDocumented) {
  EXPECT_EQ(exit_of(Errc::unavailable), Exit::server);
  EXPECT_EQ(exit_of(Errc::invalid_argument), Exit::usage);
  EXPECT_EQ(exit_of(Errc::permission_denied), Exit::not_allowed);
  EXPECT_EQ(exit_of(Errc::already_exists), Exit::refused);
  EXPECT_EQ(exit_of(Errc::aborted), Exit::refused);
  EXPECT_EQ(exit_of(Errc::deadline_exceeded), Exit::timed_out);
}

TEST(Cli, WrongUsageIsTwo) {
  Ctl ctl;
  EXPECT_EQ(ctl({}), Exit::usage);
  EXPECT_EQ(ctl({"shw", kId}), Exit::usage);
  EXPECT_EQ(ctl({"show"}), Exit::usage);
  EXPECT_THAT(ctl.err, HasSubstr("name the saga by its id, by --key or by --business-key"));
  EXPECT_EQ(ctl({"show", kId, "--key", "k"}), Exit::usage);
  EXPECT_EQ(ctl({"list", "-o", "xml"}), Exit::usage);
  EXPECT_EQ(ctl({"list", "--status", "happy"}), Exit::usage);
  EXPECT_EQ(ctl({"list", "--timeout", "soon"}), Exit::usage);
  EXPECT_THAT(ctl.api.calls, IsEmpty());
  EXPECT_EQ(ctl({"--help"}), Exit::ok);
  EXPECT_THAT(ctl.out, HasSubstr("with --wait also 10 compensated,"));
}

TEST(Cli, WrongUsageIsJsonForPrograms) {
  for (const std::vector<std::string>& wrong : {std::vector<std::string>{"shw", "-o", "json"},
                                                {"list", "--output=jsonl", "--bogus"},
                                                {"-ojson"},
                                                {"show", "-o", "json"},
                                                {"completion", "tcsh", "-o", "json"}}) {
    Ctl ctl;
    EXPECT_EQ(ctl(wrong), Exit::usage);
    EXPECT_TRUE(ctl.err.starts_with(R"({"error":{"code":"invalid_argument","message":")"))
        << ctl.err;
    EXPECT_EQ(ctl.out, "");
  }
}

TEST(Cli, ErrorsReadWellAtEightyColumns) {
  Ctl ctl;
  ctl.terminal.err_width = 80;
  ctl({"definitions", "show", "no_such_definition_with_a_name_that_is_rather_long", "--vershun",
       "7", "--and-more", "--of-what", "--nobody", "--has-ever-heard-of"});
  std::istringstream lines(ctl.err);
  int count = 0;
  for (std::string line; std::getline(lines, line); ++count) {
    EXPECT_LE(display_width(line), 80U) << line;
  }
  EXPECT_GT(count, 2);
  // What points at a column stays where it is.
  EXPECT_EQ(wrapped_lines("filter: column 3:\n  a  b\n     ^", 10),
            "filter:\n  column\n  3:\n  a  b\n     ^");
}

TEST(Cli, EveryVerbThatReadsSpeaksEveryForm) {
  Ctl ctl;
  EXPECT_EQ(ctl({"version", "-o", "json"}), Exit::ok);
  EXPECT_THAT(ctl.out, HasSubstr("\"version\": \""));
  EXPECT_EQ(ctl({"version", "-o", "xml"}), Exit::usage);
  const auto name_of = [&ctl](std::vector<std::string> verb, const char* procedure,
                              const char* answer) {
    ctl.api.answers[procedure] = {answer};
    verb.insert(verb.end(), {"-o", "name"});
    EXPECT_EQ(ctl(std::move(verb)), Exit::ok);
    return ctl.out;
  };
  EXPECT_EQ(name_of({"history", kId}, "/skald.v1.SagaService/History", R"({"sagaId":"s1"})"),
            "s1\n");
  EXPECT_EQ(name_of({"explain", kId}, kGet, R"({"sagaId":"s1"})"), "s1\n");
  EXPECT_EQ(name_of({"definitions", "graph", "d"}, "/skald.v1.DefinitionService/Get",
                    R"({"summary":{"name":"d"}})"),
            "d\n");
  ctl.api.answers["/skald.v1.DefinitionService/Get"] = {R"({"summary":{"name":"d"}})"};
  EXPECT_EQ(ctl({"definitions", "graph", "d", "-o", "json"}), Exit::ok);
  EXPECT_THAT(ctl.out, HasSubstr("\"mermaid\": \"%% d version 0\\nflowchart"));
}

TEST(Cli, ASagaIsDrawnAsAGraphOfWhereItsStepsAre) {
  Ctl ctl;
  ctl.api.answers[kGet] = {R"({"sagaId":"s1","definition":"shop","version":2,"status":"stuck",
    "steps":[{"name":"cart","kind":"query","stage":"done"},
             {"name":"deduct","kind":"call","stage":"running","after":["cart"],"legsTotal":3,
              "legs":[{"name":"deduct[1]","stage":"undone"},
                      {"name":"deduct[2]","stage":"undoing","compensation":{"phase":"stopped"}},
                      {"name":"deduct[3]","stage":"refused"}]},
             {"name":"pay","kind":"call","class":"pivot","stage":"pending","after":["deduct"]}]})"};
  EXPECT_EQ(ctl({"graph", kId}), Exit::ok);
  EXPECT_TRUE(
      ctl.out.starts_with("%% saga s1, shop version 2\n"
                          "flowchart TD\n"
                          "  cart[\"cart<br/>done\"]:::done\n"
                          "  deduct[\"deduct<br/>1 refused, 1 undoing, 1 undone\"]:::stuck\n"
                          "  pay{{\"pay<br/>pending\"}}:::pending\n"
                          "  cart --> deduct\n"
                          "  deduct --> pay\n"
                          "  classDef done "))
      << ctl.out;
  EXPECT_EQ(ctl({"timeline", kId}), Exit::ok);
  EXPECT_THAT(ctl.out, HasSubstr("deduct[2]"));
  EXPECT_EQ(ctl({"graph", kId, "-o", "name"}), Exit::ok);
  EXPECT_EQ(ctl.out, "s1\n");
}

TEST(Cli, ListsInEveryForm) {
  Ctl ctl;
  const char* const kList = "/skald.v1.SagaService/List";
  ctl.api.answers[kList] = {
      R"({"sagas":[{"sagaId":"0000000000000g000000000002","definition":"create_order","version":2,
          "status":"completed","businessKey":"SN1","startedAt":"2027-01-15T08:00:00Z",
          "endedAt":"2027-01-15T08:00:00.340Z"}],"nextPageToken":"p2"})",
      R"({"sagas":[{"sagaId":"0000000000000g000000000003","definition":"create_order","version":2,
          "status":"stuck","startedAt":"2027-01-15T08:00:00Z"}]})"};

  EXPECT_EQ(ctl({"list", "--status", "stuck,completed", "--all", "-o", "name"}), Exit::ok);
  EXPECT_EQ(ctl.out, "0000000000000g000000000002\n0000000000000g000000000003\n");
  ASSERT_EQ(ctl.api.calls.size(), 2U);
  EXPECT_EQ(ctl.api.calls[0].second, R"x({"limit":50,"filter":"status in (stuck, completed)"})x");
  EXPECT_THAT(ctl.api.calls[1].second, HasSubstr(R"("pageToken":"p2")"));
}

TEST(Cli, SignalsWithoutAnIdAreTheSameWhenRepeated) {
  Ctl ctl;
  EXPECT_EQ(ctl({"signal", kId, "--name", "paid", "--payload", R"({"cents":5})"}), Exit::ok);
  EXPECT_EQ(ctl({"signal", kId, "--name", "paid", "--payload", R"({"cents":5})"}), Exit::ok);
  EXPECT_EQ(ctl({"signal", kId, "--name", "paid", "--payload", R"({"cents":6})"}), Exit::ok);
  ASSERT_EQ(ctl.api.calls.size(), 3U);
  EXPECT_EQ(ctl.api.calls[0].second, ctl.api.calls[1].second);
  EXPECT_NE(ctl.api.calls[0].second, ctl.api.calls[2].second);
  EXPECT_THAT(ctl.out, HasSubstr("signal paid (skaldctl-"));
}

TEST(Cli, VersionAndCompletionNeedNoServer) {
  Ctl ctl;
  EXPECT_EQ(ctl({"version"}), Exit::ok);
  EXPECT_THAT(ctl.out, testing::MatchesRegex("skaldctl [0-9.]+\n"));
  for (const char* shell : {"bash", "zsh", "fish"}) {
    EXPECT_EQ(ctl({"completion", shell}), Exit::ok);
    EXPECT_THAT(ctl.out, testing::AllOf(HasSubstr("submit"), HasSubstr("business-key")));
  }
  EXPECT_EQ(ctl({"completion", "tcsh"}), Exit::usage);
  EXPECT_EQ(ctl.server, "");
}

}  // namespace
}  // namespace skald::ctl
