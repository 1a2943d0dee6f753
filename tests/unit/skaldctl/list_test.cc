// Finding sagas: list by filter, count, stuck by cause, step and participant.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "tests/unit/skaldctl/fake_terminal.h"
#include "tools/skaldctl/stuck_text.h"
#include "tools/skaldctl/table.h"

namespace skald::ctl {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

constexpr const char* kList = "/skald.v1.SagaService/List";
constexpr const char* kCount = "/skald.v1.SagaService/Count";
constexpr const char* kStuckGroups = "/skald.v1.SagaService/StuckGroups";

std::string page_of(std::initializer_list<const char*> ids, const char* token) {
  std::string sagas;
  for (const char* id : ids) {
    if (!sagas.empty()) sagas += ",";
    sagas += fmt::format(R"({{"sagaId":"{}","definition":"d","status":"stuck"}})", id);
  }
  return fmt::format(R"({{"sagas":[{}],"nextPageToken":"{}"}})", sagas, token);
}

constexpr const char* kGroups = R"({"groups":[
  {"definition":"create_order","count":"500","oldestStartedAt":"2026-11-25T05:00:00Z",
   "newestStartedAt":"2026-11-25T08:10:00Z","exampleSagaId":"0000000000000g000000000002",
   "filter":"status = stuck and cause = 3f2a9c11d0e4b7aa",
   "failure":{"cause":"3f2a9c11d0e4b7aa","step":"deduct_stock","participant":"inventory",
              "operation":"compensation","outcome":"rejected","code":"failed_precondition",
              "message":"rollback of sku # refused: the house * is closed for stocktaking"}},
  {"definition":"a_definition_with_a_long_name","count":"1",
   "oldestStartedAt":"2026-11-25T05:00:00Z","newestStartedAt":"2026-11-25T05:00:00Z",
   "exampleSagaId":"0000000000000g000000000003",
   "filter":"status = stuck and cause = 1111111111111111",
   "failure":{"cause":"1111111111111111","step":"a_step_with_a_name_as_long",
              "participant":"http://127.0.0.1:9903","operation":"action","outcome":"unknown",
              "code":"timeout"}}],
  "sagas":"501","complete":true,"filter":"status = stuck"})";

TEST(List, SendsItsFilterAndOrder) {
  Ctl ctl;
  EXPECT_EQ(ctl({"list", "-Q", "status = stuck and age > 10m", "--sort", "longest_stuck"}),
            Exit::ok);
  EXPECT_THAT(ctl.api.calls,
              ElementsAre(Pair(kList, R"({"limit":50,"filter":"status = stuck and age \u003e 10m",)"
                                      R"("order":"longest_stuck"})")));
  EXPECT_EQ(ctl({"list", "--sort", "sideways"}), Exit::usage);
  EXPECT_THAT(ctl.err, HasSubstr("one of newest, oldest, longest_stuck"));
}

TEST(List, TakesAgesAndTheWordsOfItsStatusColumn) {
  const auto filter_of = [](std::vector<std::string> flags) {
    Ctl ctl;
    flags.insert(flags.begin(), {"list", "--count"});
    EXPECT_EQ(ctl(std::move(flags)), Exit::ok) << ctl.err;
    return ctl.api.calls.at(0).second;
  };
  EXPECT_EQ(filter_of({"--older-than", "10m", "--since", "2h"}),
            R"({"filter":"age \u003c= 7200000ms and age \u003e 600000ms"})");
  EXPECT_EQ(filter_of({"--status", "waiting"}),
            R"x({"filter":"(status = running and waiting = true)"})x");
  EXPECT_EQ(filter_of({"--status", "stuck,waiting"}),
            R"x({"filter":"(status in (stuck) or (status = running and waiting = true))"})x");
  Ctl ctl;
  EXPECT_EQ(ctl({"list", "--status", "happy"}), Exit::usage);
  EXPECT_THAT(ctl.err, HasSubstr("one of running, waiting, compensating, stuck"));
  EXPECT_EQ(ctl({"list", "--help"}), Exit::ok);
  for (const char* word : {"running", "waiting", "compensating", "abandoned"}) {
    EXPECT_THAT(ctl.out, HasSubstr(word));
  }
}

// The server bounds its search: a page may be short, and the next one has the rest.
TEST(List, GoesOnBehindShortPagesUntilItHasEnough) {
  Ctl ctl;
  ctl.api.answers[kList] = {page_of({}, "t1"), page_of({"a", "b"}, "t2"), page_of({"c"}, "t3")};
  EXPECT_EQ(ctl({"list", "--limit", "3", "-o", "name"}), Exit::ok);
  EXPECT_EQ(ctl.out, "a\nb\nc\n");
  ASSERT_EQ(ctl.api.calls.size(), 3U);
  EXPECT_EQ(ctl.api.calls[2].second, R"({"limit":1,"pageToken":"t2"})");
}

TEST(List, OfAllPagesIsWholeInEveryForm) {
  const auto print = [](const std::string& format) {
    Ctl ctl;
    ctl.api.answers[kList] = {page_of({"a", "b"}, "t1"), page_of({"c"}, "")};
    EXPECT_EQ(ctl({"list", "--all", "--limit", "2", "-o", format}), Exit::ok);
    EXPECT_EQ(ctl.err, "");
    return ctl.out;
  };
  EXPECT_EQ(print("name"), "a\nb\nc\n");
  const std::string lines = print("jsonl");
  EXPECT_EQ(std::ranges::count(lines, '\n'), 3);
  EXPECT_THAT(print("json"), HasSubstr("\"sagaId\": \"c\""));
  EXPECT_THAT(print("yaml"), HasSubstr("sagaId: c"));
  EXPECT_THAT(print("table"), HasSubstr("SAGA"));
}

TEST(List, WideShowsWhyEachSagaFailed) {
  Ctl ctl;
  ctl.api.answers[kList] = {
      R"({"sagas":[{"sagaId":"a","definition":"d","status":"stuck","failure":{"step":"deduct",
          "operation":"compensation","outcome":"rejected","code":"locked","message":"sku #"}}]})"};
  EXPECT_EQ(ctl({"list", "-o", "wide"}), Exit::ok);
  EXPECT_THAT(ctl.out, HasSubstr("deduct compensation rejected (locked: sku #)"));
}

TEST(Count, IsTheSumOfItsPagesAndTakesEveryFlagOfTheList) {
  Ctl ctl;
  ctl.api.answers[kCount] = {R"({"count":"20000","nextPageToken":"t"})", R"({"count":"7"})"};
  EXPECT_EQ(ctl({"list", "--count", "--status", "stuck,paused", "--definition", "a b", "--since",
                 "2h", "-Q", "step = x or step = y"}),
            Exit::ok);
  EXPECT_EQ(ctl.out, "20007\n");
  ASSERT_EQ(ctl.api.calls.size(), 2U);
  EXPECT_EQ(ctl.api.calls[0].second,
            R"({"filter":"status in (stuck, paused) and definition = \"a b\" and )"
            R"x(age \u003c= 7200000ms and (step = x or step = y)"})x");
  EXPECT_THAT(ctl.api.calls[1].second, HasSubstr(R"("pageToken":"t")"));
  EXPECT_EQ(ctl({"list", "--count", "-o", "json"}), Exit::ok);
  EXPECT_THAT(ctl.out, HasSubstr(R"("count": "7")"));
}

TEST(Stuck, ReadsWellAtEightyColumns) {
  Ctl ctl;
  ctl.api.answers[kStuckGroups] = {kGroups};
  EXPECT_EQ(ctl({"stuck"}), Exit::ok);
  std::istringstream lines(ctl.out);
  for (std::string line; std::getline(lines, line);) EXPECT_LE(display_width(line), 80U) << line;
  EXPECT_THAT(ctl.out, HasSubstr("COUNT  OLDEST"));
  EXPECT_THAT(ctl.out, HasSubstr("undo rejected"));
  EXPECT_THAT(ctl.out, HasSubstr("       failed_precondition: rollback of sku # refused"));
  EXPECT_THAT(ctl.out,
              HasSubstr("       skaldctl list -Q 'status = stuck and cause = 3f2a9c11d0e4b7aa'\n"
                        "       skaldctl show 0000000000000g000000000002\n"));
  EXPECT_THAT(ctl.out, HasSubstr("\n501 sagas in 2 causes\n"));
  EXPECT_EQ(ctl.err, "");
}

TEST(Stuck, GroupsByWhatIsAsked) {
  Ctl ctl;
  ctl.api.answers[kStuckGroups] = {kGroups};
  EXPECT_EQ(ctl({"stuck", "--by", "step", "-Q", "age > 1h"}), Exit::ok);
  EXPECT_EQ(ctl.api.calls.back().second, R"({"by":"step","filter":"age \u003e 1h"})");
  EXPECT_THAT(ctl.out, HasSubstr("2 steps"));
  EXPECT_EQ(ctl({"stuck", "--by", "colour"}), Exit::usage);
  EXPECT_THAT(ctl.err, HasSubstr("one of cause, step, participant"));
}

TEST(Stuck, HasEveryFormForPrograms) {
  Ctl ctl;
  ctl.api.answers[kStuckGroups] = {kGroups};
  EXPECT_EQ(ctl({"stuck", "-o", "name"}), Exit::ok);
  EXPECT_EQ(ctl.out, "3f2a9c11d0e4b7aa\n1111111111111111\n");
  EXPECT_EQ(ctl({"stuck", "--by", "participant", "-o", "name"}), Exit::ok);
  EXPECT_EQ(ctl.out, "inventory\nhttp://127.0.0.1:9903\n");
  EXPECT_EQ(ctl({"stuck", "-o", "jsonl"}), Exit::ok);
  EXPECT_EQ(std::ranges::count(ctl.out, '\n'), 2);
  EXPECT_EQ(ctl({"stuck", "-o", "json"}), Exit::ok);
  EXPECT_THAT(ctl.out, HasSubstr("\"sagas\": \"501\""));
}

TEST(Stuck, SaysWhenThereIsNothingAndWhenThereIsMore) {
  Ctl ctl;
  ctl.api.answers[kStuckGroups] = {R"({"complete":true})"};
  EXPECT_EQ(ctl({"stuck"}), Exit::ok);
  EXPECT_EQ(ctl.out, "no such sagas\n");
  ctl.api.answers[kStuckGroups] = {"{}"};
  EXPECT_EQ(ctl({"stuck"}), Exit::ok);
  EXPECT_THAT(ctl.err, HasSubstr("narrow them with --filter"));
}

TEST(Filter, AMistakeIsShownWithItsMark) {
  Ctl ctl;
  ctl.api.errors[kList] = {Errc::invalid_argument,
                           "filter: column 10: there is no status \"stuk\"\n  status = stuk\n"
                           "           ^"};
  EXPECT_EQ(ctl({"list", "-Q", "status = stuk"}), Exit::usage);
  EXPECT_THAT(ctl.err, HasSubstr("\n  status = stuk\n           ^\n"));
}

TEST(ShellQuoted, IsOneWordOfAShell) {
  EXPECT_EQ(shell_quoted("a = \"b\""), "'a = \"b\"'");
  EXPECT_EQ(shell_quoted("it's"), "'it'\\''s'");
}

}  // namespace
}  // namespace skald::ctl
