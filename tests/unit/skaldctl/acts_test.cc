// Acts of operators from the command line: what is asked, what is shown first, and how it ends.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/skaldctl/fake_terminal.h"

namespace skald::ctl {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::Pair;

constexpr const char* kCancel = "/skald.v1.OperatorService/Cancel";
constexpr const char* kResolve = "/skald.v1.OperatorService/Resolve";
constexpr const char* kAmend = "/skald.v1.OperatorService/Amend";
constexpr const char* kDone =
    R"({"saga":{"sagaId":"0000000000000g000000000002","definition":"shop","version":2,
        "status":"running"}})";
constexpr const char* kPreview =
    R"({"saga":{"sagaId":"0000000000000g000000000002","definition":"shop","version":2,
        "status":"stuck"},"dryRun":true,"seq":"12","effect":"changes what is sent",
        "diff":["- {}","+ {\"a\": 1}"]})";

TEST(Acts, EachReachesItsProcedure) {
  const auto calls = [](const std::vector<std::string>& words) {
    Ctl ctl;
    std::vector<std::string> arguments = words;
    for (const char* word : {kId, "--yes", "--actor", "ann"}) arguments.emplace_back(word);
    EXPECT_EQ(ctl(arguments), Exit::ok) << words.front() << ctl.err;
    return ctl.api.calls;
  };
  const std::string id = R"({"sagaId":"0000000000000g000000000002",)";
  const std::string leg = id + R"("leg":"a","actor":"ann","reason":"r")";
  EXPECT_THAT(calls({"pause"}),
              ElementsAre(Pair("/skald.v1.OperatorService/Pause", id + R"("actor":"ann"})")));
  EXPECT_THAT(calls({"resume"}),
              ElementsAre(Pair("/skald.v1.OperatorService/Resume", id + R"("actor":"ann"})")));
  EXPECT_THAT(calls({"retry", "--leg", "a", "--reason", "r"}),
              ElementsAre(Pair("/skald.v1.OperatorService/Retry", leg + "}")));
  EXPECT_THAT(calls({"skip", "--leg", "a", "--reason", "r", "--seq", "7"}),
              ElementsAre(Pair("/skald.v1.OperatorService/Skip", leg + R"(,"expectedSeq":"7"})")));
  EXPECT_THAT(calls({"mark-done", "--leg", "a", "--reason", "r"}),
              ElementsAre(Pair("/skald.v1.OperatorService/MarkCompensated", leg + "}")));
  EXPECT_THAT(calls({"abandon", "--reason", "r"}),
              ElementsAre(Pair("/skald.v1.OperatorService/Abandon",
                               id + R"("actor":"ann","reason":"r"})")));
  EXPECT_THAT(
      calls({"resolve", "--leg", "a", "--reason", "r", "--happened", "--response", R"({"n":1})"}),
      ElementsAre(
          Pair(kResolve, leg + R"(,"answer":"happened","response":{"text":"{\"n\":1}"}})")));
  EXPECT_THAT(calls({"amend", "--leg", "a", "--reason", "r", "--url", "http://127.0.0.1:1/x"}),
              ElementsAre(Pair(kAmend, leg + R"(,"url":"http://127.0.0.1:1/x"})")));
}

TEST(Acts, WhatCannotBeTakenBackIsNeverDoneUnasked) {
  for (const char* verb : {"cancel", "skip", "resolve", "amend", "mark-done", "abandon"}) {
    Ctl ctl;  // a pipe
    std::vector<std::string> arguments = {verb, kId, "--reason", "r"};
    const bool about_leg =
        std::string_view(verb) != "cancel" && std::string_view(verb) != "abandon";
    if (about_leg) arguments.insert(arguments.end(), {"--leg", "a"});
    if (std::string_view(verb) == "resolve") arguments.emplace_back("--happened");
    EXPECT_EQ(ctl(arguments), Exit::declined) << verb;
    EXPECT_THAT(ctl.err, HasSubstr("give --yes")) << verb;
    for (const auto& [procedure, body] : ctl.api.calls) {
      EXPECT_THAT(body, HasSubstr("\"dryRun\":true")) << verb;
    }
  }
}

TEST(Acts, ThatAreNotAllowedAreRefusedBeforeAnybodyIsAsked) {
  Ctl ctl;  // a pipe
  ctl.api.errors["/skald.v1.OperatorService/Cancel"] = {Errc::failed_precondition,
                                                        "is completed already"};
  EXPECT_EQ(ctl({"cancel", kId}), Exit::refused);
  EXPECT_THAT(ctl.err, HasSubstr("is completed already"));
  EXPECT_THAT(ctl.err, Not(HasSubstr("give --yes")));
}

TEST(Acts, ThatOverrideTheTruthNeedAReasonAndALeg) {
  Ctl ctl;
  EXPECT_EQ(ctl({"skip", kId, "--leg", "a", "--yes"}), Exit::usage);
  EXPECT_THAT(ctl.err, HasSubstr("--reason"));
  EXPECT_EQ(ctl({"mark-done", kId, "--reason", "r", "--yes"}), Exit::usage);
  EXPECT_THAT(ctl.err, HasSubstr("--leg"));
  EXPECT_EQ(ctl({"resolve", kId, "--leg", "a", "--reason", "r", "--yes"}), Exit::usage);
  EXPECT_THAT(ctl.err, HasSubstr("say --happened or --did-not-happen"));
  EXPECT_THAT(ctl.api.calls, IsEmpty());
}

TEST(Acts, APromptShowsWhatItIsAboutAndActsOnThat) {
  Ctl ctl;
  ctl.terminal.input_is_tty = true;
  ctl.api.answers[kAmend] = {kPreview, kDone};
  const std::vector<std::string> amend = {
      "amend", "--business-key", "SN1", "--leg", "a", "--reason", "r", "--request", R"({"a":1})"};
  ctl.typed = "n";
  EXPECT_EQ(ctl(amend), Exit::declined);
  EXPECT_EQ(ctl.err,
            "0000000000000g000000000002  shop v2  stuck\n  (a person is needed: skaldctl explain)\n"
            "amend: changes what is sent\n"
            "  - {}\n"
            "  + {\"a\": 1}\n"
            "Send it like this? [y/N] nothing was done\n");
  EXPECT_EQ(ctl.api.calls.size(), 1U);
  ctl.api.answers[kAmend] = {kPreview, kDone};
  ctl.typed = "y";
  EXPECT_EQ(ctl(amend), Exit::ok);
  EXPECT_EQ(ctl.api.calls.back().second,
            R"({"sagaId":"0000000000000g000000000002","leg":"a","reason":"r","expectedSeq":"12",)"
            R"("request":{"text":"{\"a\":1}"}})");
}

TEST(Acts, ADryRunAsksNothingAndDoesNothing) {
  Ctl ctl;
  ctl.api.answers[kCancel] = {kPreview};
  EXPECT_EQ(ctl({"cancel", kId, "--dry-run"}), Exit::ok);
  EXPECT_THAT(ctl.out, HasSubstr("cancel: changes what is sent"));
  EXPECT_THAT(ctl.api.calls.back().second, HasSubstr(R"("dryRun":true)"));
  EXPECT_EQ(ctl({"cancel", kId, "--dry-run", "-o", "jsonl"}), Exit::ok);
  EXPECT_THAT(ctl.out, HasSubstr(R"("effect":"changes what is sent")"));
}

TEST(Acts, RefusalsEndWithTheirCode) {
  Ctl ctl;
  ctl.api.errors.emplace(kCancel, Error{Errc::failed_precondition, "is being undone already"});
  EXPECT_EQ(ctl({"cancel", kId, "--yes"}), Exit::refused);
  ctl.api.errors.at(kCancel) = Error{Errc::aborted, "it has moved on"};
  EXPECT_EQ(ctl({"cancel", kId, "--yes"}), Exit::refused);
  EXPECT_THAT(ctl.err, HasSubstr("skaldctl explain"));
}

}  // namespace
}  // namespace skald::ctl
