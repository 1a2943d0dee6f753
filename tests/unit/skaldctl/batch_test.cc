// Batches from the command line: looked at first, asked for, begun, watched.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/skaldctl/fake_terminal.h"

namespace skald::ctl {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr const char* kPreview = "/skald.v1.BatchService/Preview";
constexpr const char* kStart = "/skald.v1.BatchService/Start";
constexpr const char* kGetBatch = "/skald.v1.BatchService/Get";
constexpr const char* kFound =
    R"({"sagas":"12","actedOn":"9","skipped":"1","refused":"2","filter":"status = stuck",
        "groups":[{"verdict":"acts","why":"tries everything","sagas":"9",
                   "exampleSagaId":"0000000000000g000000000002"},
                  {"verdict":"refuses","why":"is paused","sagas":"2"},
                  {"verdict":"skips","why":"is gone","sagas":"1"}]})";
constexpr const char* kRunning =
    R"({"number":"17","spec":{"act":"retry","filter":"status = stuck","actor":"ann","rate":50,
        "inFlightMax":100},"stage":"running","sagas":"12","settled":"3",
        "counts":[{"outcome":"pending","sagas":"7"},{"outcome":"following","sagas":"2"},
                  {"outcome":"completed","sagas":"3"}]})";

std::string ended(const std::string& act, const std::string& outcome,
                  const std::string& stage = "finished") {
  return R"({"number":"17","spec":{"act":")" + act + R"("},"stage":")" + stage +
         R"(","sagas":"12","settled":"12","endedAt":"2026-11-22T12:45:03Z",)" +
         R"("counts":[{"outcome":")" + outcome + R"(","sagas":"12"}]})";
}

class BatchVerbs : public testing::Test {
 protected:
  BatchVerbs() {
    ctl.api.answers[kPreview] = {kFound};
    ctl.api.answers[kStart] = {kRunning};
  }
  std::vector<std::string> asked() {
    std::vector<std::string> procedures;
    for (const auto& [procedure, request] : ctl.api.calls) {
      procedures.push_back(procedure.substr(procedure.rfind('/') + 1));
    }
    return procedures;
  }
  Ctl ctl;
};

TEST_F(BatchVerbs, ADryRunTellsHowManyAndWhyAndBeginsNothing) {
  EXPECT_EQ(ctl({"batch", "retry", "--filter", "status=stuck", "--dry-run"}), Exit::ok) << ctl.err;
  EXPECT_THAT(asked(), testing::ElementsAre("Preview"));
  EXPECT_THAT(ctl.out, HasSubstr("12 sagas match: 9 would be acted on, 1 skipped, 2 refused"));
  EXPECT_THAT(ctl.out, HasSubstr("is paused"));
  EXPECT_THAT(ctl.out, HasSubstr("0000000000000g000000000002"));
}

TEST_F(BatchVerbs, WhatWasShownIsAskedForAndNoMoreIsBegun) {
  ctl.terminal.input_is_tty = true;
  ctl.typed = "n";
  EXPECT_EQ(ctl({"batch", "retry", "-Q", "status=stuck"}), Exit::declined);
  EXPECT_THAT(ctl.err, HasSubstr("retry 9 sagas? [y/N]"));
  EXPECT_THAT(asked(), testing::ElementsAre("Preview"));
  ctl.typed = "y";
  EXPECT_EQ(ctl({"batch", "retry", "-Q", "status=stuck", "--rate", "5", "--reason", "r", "--actor",
                 "ann"}),
            Exit::ok);
  const std::string& request = ctl.api.calls.back().second;
  for (const char* part : {R"("sagasMost":"12")", R"("rate":5)", R"("reason":"r")",
                           R"("actor":"ann")", R"("filter":"status=stuck")"}) {
    EXPECT_THAT(request, HasSubstr(part));
  }
  EXPECT_THAT(ctl.out, HasSubstr("batch 17 running"));
  EXPECT_THAT(ctl.err, HasSubstr("skaldctl batch watch 17"));
}

TEST_F(BatchVerbs, NobodyThereIsNoYes) {
  EXPECT_EQ(ctl({"batch", "cancel", "-Q", "status=running"}), Exit::declined);
  EXPECT_THAT(asked(), testing::ElementsAre("Preview"));
}

TEST_F(BatchVerbs, NothingToActOnIsNothingBegun) {
  ctl.api.answers[kPreview] = {R"({"sagas":"3","skipped":"3"})"};
  ctl.terminal.input_is_tty = true;
  ctl.typed = "y";
  EXPECT_EQ(ctl({"batch", "retry", "-Q", "status=stuck"}), Exit::refused);
  EXPECT_THAT(asked(), testing::ElementsAre("Preview"));
}

TEST_F(BatchVerbs, EachActSaysWhatBelongsToIt) {
  EXPECT_EQ(ctl({"batch", "resolve", "-Q", "a", "--reason", "r", "--yes"}), Exit::usage);
  EXPECT_EQ(ctl({"batch", "resolve", "-Q", "a", "--reason", "r", "--did-not-happen", "--hold",
                 "--leg", "pay", "--yes", "--key", "k"}),
            Exit::ok)
      << ctl.err;
  for (const char* part : {R"("answer":"did_not_happen")", R"("hold":true)", R"("leg":"pay")",
                           R"("key":"k")", R"("act":"resolve")"}) {
    EXPECT_THAT(ctl.api.calls.back().second, HasSubstr(part));
  }
  EXPECT_EQ(ctl({"batch", "replay", "-Q", "a", "--from", "pay", "--newest", "--again", "--yes"}),
            Exit::ok);
  for (const char* part : {R"("from":"pay")", R"("newest":true)", R"("again":true)"}) {
    EXPECT_THAT(ctl.api.calls.back().second, HasSubstr(part));
  }
  EXPECT_EQ(ctl({"batch", "retry", "--yes"}), Exit::usage) << "a filter is required";
  EXPECT_EQ(ctl({"batch", "retry", "-Q", "a", "--from", "pay"}), Exit::usage);
}

TEST_F(BatchVerbs, CancelIsTheActOrTheEndOfABatch) {
  EXPECT_EQ(ctl({"batch", "cancel", "17", "--reason", "r"}), Exit::ok) << ctl.err;
  EXPECT_THAT(asked(), testing::ElementsAre("Cancel"));
  EXPECT_THAT(ctl.api.calls.back().second, HasSubstr(R"("number":"17")"));
  EXPECT_EQ(ctl({"batch", "cancel", "-Q", "status=running", "--yes"}), Exit::ok);
  EXPECT_THAT(asked(), testing::ElementsAre("Cancel", "Start"));
  EXPECT_EQ(ctl({"batch", "cancel", "17", "-Q", "status=running"}), Exit::usage);
  EXPECT_EQ(ctl({"batch", "cancel"}), Exit::usage);
}

TEST_F(BatchVerbs, WatchingEndsWithTheBatchAndSaysWhetherItMendedAnything) {
  const auto watched = [&](const std::string& last) {
    ctl.api.answers[kGetBatch] = {kRunning, last};
    return ctl({"batch", "watch", "17"});
  };
  EXPECT_EQ(watched(ended("retry", "completed")), Exit::ok);
  EXPECT_THAT(ctl.err, HasSubstr("batch 17 running: 3 of 12 (3 completed), 2 under way\n"));
  EXPECT_THAT(ctl.out, HasSubstr("batch 17 finished"));
  EXPECT_EQ(watched(ended("retry", "stuck")), Exit::partly);
  EXPECT_EQ(watched(ended("replay", "compensated")), Exit::partly) << "undone again";
  EXPECT_EQ(watched(ended("cancel", "compensated")), Exit::ok);
  EXPECT_EQ(watched(ended("cancel", "completed")), Exit::partly);
  EXPECT_EQ(watched(ended("retry", "refused")), Exit::partly);
  EXPECT_EQ(watched(ended("retry", "skipped")), Exit::ok);
  EXPECT_EQ(watched(ended("retry", "completed", "cancelled")), Exit::partly);
}

TEST_F(BatchVerbs, APipeGetsALineForEachTenthAndATerminalOneLine) {
  ctl.api.answers[kGetBatch] = {kRunning, kRunning, kRunning, ended("retry", "completed")};
  EXPECT_EQ(ctl({"batch", "watch", "17"}), Exit::ok);
  EXPECT_EQ(std::ranges::count(ctl.err, '\n'), 2);
  EXPECT_THAT(ctl.err, Not(HasSubstr("\r")));
  ctl.terminal.err_width = 80;
  ctl.api.answers[kGetBatch] = {kRunning, kRunning, ended("retry", "completed")};
  EXPECT_EQ(ctl({"batch", "watch", "17"}), Exit::ok);
  EXPECT_EQ(std::ranges::count(ctl.err, '\n'), 1);
  EXPECT_EQ(std::ranges::count(ctl.err, '\r'), 3);
}

TEST_F(BatchVerbs, AServerThatStaysAwayIsNotWatchedForEver) {
  ctl.api.errors[kGetBatch] = {Errc::unavailable, "nobody answers"};
  EXPECT_EQ(ctl({"batch", "watch", "17", "--timeout", "3s"}), Exit::server);
  EXPECT_EQ(ctl.paused, Millis{3'000});
  ctl.api.errors[kGetBatch] = {Errc::not_found, "there is no batch 17"};
  EXPECT_EQ(ctl({"batch", "watch", "17"}), Exit::not_found);
}

TEST_F(BatchVerbs, ResultsArePrintedInEveryForm) {
  ctl.api.answers["/skald.v1.BatchService/Results"] = {
      R"({"results":[{"sagaId":"0000000000000g000000000002","outcome":"stuck","why":"ship: gone",
          "followedSagaId":"0000000000000g000000000009"}],"nextPageToken":"1.0"})",
      R"({"results":[{"sagaId":"0000000000000g000000000003","outcome":"stuck"}]})"};
  EXPECT_EQ(ctl({"batch", "results", "17", "--outcome", "stuck", "--all"}), Exit::ok) << ctl.err;
  EXPECT_THAT(ctl.api.calls[0].second, HasSubstr(R"("outcome":"stuck")"));
  EXPECT_THAT(ctl.api.calls[1].second, HasSubstr(R"("pageToken":"1.0")"));
  EXPECT_THAT(ctl.out, HasSubstr("0000000000000g000000000009"));
  EXPECT_THAT(ctl.out, HasSubstr("ship: gone"));
  EXPECT_EQ(ctl({"batch", "results", "17", "-o", "name"}), Exit::ok);
  EXPECT_EQ(ctl.out, "0000000000000g000000000003\n");
  ctl.api.answers["/skald.v1.BatchService/List"] = {R"({"batches":[)" + std::string(kRunning) +
                                                    "]}"};
  EXPECT_EQ(ctl({"batch", "list"}), Exit::ok);
  EXPECT_THAT(ctl.out, HasSubstr("3/12"));
  EXPECT_EQ(ctl({"batch", "list", "-o", "name"}), Exit::ok);
  EXPECT_EQ(ctl.out, "17\n");
  ctl.api.answers[kGetBatch] = {kRunning};
  EXPECT_EQ(ctl({"batch", "show", "17", "-o", "json"}), Exit::ok);
  EXPECT_THAT(ctl.out, HasSubstr("\"stage\": \"running\""));
}

}  // namespace
}  // namespace skald::ctl
