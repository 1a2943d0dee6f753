// Replays, exports and imports from the command line.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "skald/v1/operator.pb.h"
#include "tests/unit/skaldctl/fake_terminal.h"
#include "tools/skaldctl/redaction.h"

namespace skald::ctl {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kReplay = "/skald.v1.OperatorService/Replay";
constexpr const char* kSimulate = "/skald.v1.OperatorService/Simulate";
constexpr const char* kHistory = "/skald.v1.SagaService/History";
constexpr const char* kDone =
    R"({"saga":{"sagaId":"0000000000000g000000000009","status":"running","created":true},
        "number":1})";
constexpr const char* kPaper =
    R"({"saga":{"sagaId":"0000000000000g000000000002","status":"compensated"},"dryRun":true,
        "number":2,"replays":["0000000000000g000000000009"],"definition":"shop","version":2,
        "businessKey":"SN1-r2","kept":["cart"],"diff":["- 1","+ 2"],"requestsTotal":3,
        "requests":[{"leg":"deduct_stock[7]","participant":"inventory","path":"/Deduct",
                     "request":{"sku":7},"effect":true},
                    {"leg":"ship","participant":"x","path":"/y","assumed":true}],
        "failure":{"leg":"ship","message":"no address"}})";

TEST(Replay, SaysEverythingThatIsAsked) {
  Ctl ctl;
  ctl.api.answers[kReplay] = {kDone};
  EXPECT_EQ(ctl({"replay", kId, "--input", R"({"a":1})", "--from", "pay", "--version", "3", "--as",
                 "SN2", "--reason", "r", "--actor", "ann"}),
            Exit::ok)
      << ctl.err;
  ASSERT_EQ(ctl.api.calls.size(), 1U);
  for (const char* part : {R"("reason":"r")", R"("inputPatch":{"a":1)", R"("version":3)",
                           R"("from":"pay")", R"("newBusinessKey":"SN2")", R"("actor":"ann")"}) {
    EXPECT_THAT(ctl.api.calls[0].second, HasSubstr(part));
  }
  EXPECT_THAT(ctl.out, HasSubstr("0000000000000g000000000009"));
  EXPECT_EQ(ctl({"replay", kId, "--version", "3", "--newest"}), Exit::usage);
  EXPECT_EQ(ctl({"replay", kId, "--input", "{"}), Exit::usage);
}

TEST(Replay, AskedAgainSaysThatItWasDone) {
  Ctl ctl;
  ctl.api.answers[kReplay] = {R"({"saga":{"sagaId":"0000000000000g000000000009"}})"};
  EXPECT_EQ(ctl({"replay", kId, "--reason", "r"}), Exit::ok);
  EXPECT_THAT(ctl.err, HasSubstr("it was replayed already, as this saga"));
}

TEST(Replay, ADryRunShowsEveryRequest) {
  Ctl ctl;
  ctl.api.answers[kReplay] = {kPaper};
  EXPECT_EQ(ctl({"replay", kId, "--dry-run"}), Exit::ok);
  for (const char* part :
       {"was replayed as saga 0000000000000g000000000009", "replay 2 would run shop version 2 as",
        "SN1-r2", "keeps the result of cart", "+ 2", "deduct_stock[7]", "inventory/Deduct",
        "and 1 more", "(bytes)", "an empty one is", "would turn back: ship: no address"}) {
    EXPECT_THAT(ctl.out, HasSubstr(part));
  }
}

TEST(Replay, AgainIsNumberedAndAskedFor) {
  Ctl ctl;
  ctl.api.answers[kReplay] = {kPaper};
  EXPECT_EQ(ctl({"replay", kId, "--again", "--reason", "r"}), Exit::declined);  // a pipe
  EXPECT_EQ(ctl.api.calls.size(), 1U) << "only looked";
  ctl.terminal.input_is_tty = true;
  ctl.typed = "y";
  ctl.api.answers[kReplay] = {kPaper, kDone};
  EXPECT_EQ(ctl({"replay", kId, "--again", "--reason", "r"}), Exit::ok);
  EXPECT_THAT(ctl.err, HasSubstr("last as saga 0000000000000g000000000009"));
  EXPECT_THAT(ctl.api.calls.back().second, HasSubstr(R"("number":2)"));
}

TEST(Export, IsALineForEachSaga) {
  Ctl ctl;
  ctl.api.answers[kGet] = {
      R"({"sagaId":"0000000000000g000000000002","businessKey":"SN1","input":{"user":"Ann"}})"};
  ctl.api.answers[kHistory] = {R"({"events":[{"seq":1,"kind":"started","text":"by Ann"}]})"};
  EXPECT_EQ(ctl({"export", kId, kId}), Exit::ok);
  EXPECT_EQ(std::ranges::count(ctl.out, '\n'), 2);
  EXPECT_THAT(ctl.out, HasSubstr(R"("format":"skald.saga.v1")"));
  EXPECT_EQ(ctl({"export", kId, "--redact"}), Exit::ok);
  EXPECT_THAT(ctl.out, Not(HasSubstr("Ann")));
  EXPECT_THAT(ctl.out, HasSubstr(R"("user":"redacted string, 3 bytes")"));
  EXPECT_THAT(ctl.out, HasSubstr(R"("kind":"started")"));
}

TEST(Export, TakesWhatIsSelectedPageByPage) {
  Ctl ctl;
  ctl.api.answers["/skald.v1.SagaService/List"] = {
      R"({"sagas":[{"sagaId":"a"}],"nextPageToken":"t"})", R"({"sagas":[{"sagaId":"b"}]})"};
  EXPECT_EQ(ctl({"export", "--status", "compensated"}), Exit::ok);
  EXPECT_EQ(std::ranges::count(ctl.out, '\n'), 2);
  EXPECT_EQ(ctl({"export", "--status", "compensating,nothing"}), Exit::usage);
}

TEST(Import, TellsWhereEachDiverges) {
  Ctl ctl;
  ctl.input =
      "{\"format\":\"skald.saga.v1\",\"saga\":{\"sagaId\":\"a\"}}\n\n"
      "{\"format\":\"skald.saga.v1\",\"saga\":{\"sagaId\":\"b\"}}\n";
  ctl.api.answers[kSimulate] = {
      R"({"version":2,"requests":4,"status":"completed"})",
      R"({"version":2,"requests":1,"divergence":{"leg":"pay","what":"has another request",
          "diff":["- 1","+ 2"]}})"};
  EXPECT_EQ(ctl({"import", "-", "--simulate", "--newest"}), Exit::partly);
  EXPECT_THAT(ctl.api.calls[0].second, HasSubstr(R"("newest":true)"));
  EXPECT_THAT(ctl.out, HasSubstr("the same: 4 requests, completed"));
  EXPECT_THAT(ctl.out, HasSubstr("diverges after 1 requests"));
  EXPECT_THAT(ctl.out, HasSubstr("pay has another request"));
}

TEST(Import, RefusesWhatIsNoExport) {
  Ctl ctl;
  for (const char* line :
       {"{", R"({"saga":{}})", R"({"format":"skald.saga.v1","redacted":true,"saga":{}})"}) {
    ctl.input = line;
    EXPECT_EQ(ctl({"import", "-", "--simulate"}), Exit::usage) << line;
    EXPECT_THAT(ctl.err, HasSubstr("line 1: "));
  }
  EXPECT_EQ(ctl({"import", "-"}), Exit::usage) << "--simulate is required";
  EXPECT_TRUE(ctl.api.calls.empty());
}

TEST(Redaction, KeepsShapesAndTakesValues) {
  v1::ExportedSaga line;
  auto& fields = *line.mutable_saga()->mutable_input()->mutable_struct_value()->mutable_fields();
  fields["n"].set_number_value(7);
  fields["yes"].set_bool_value(true);
  fields["none"].set_null_value(google::protobuf::NULL_VALUE);
  fields["list"].mutable_list_value()->add_values()->set_string_value("x");
  line.mutable_saga()->mutable_explanation()->add_needs_person("Ann");
  line.mutable_saga()->mutable_failure()->set_message("for Ann");
  line.mutable_saga()->mutable_failure()->set_code("short");
  line.mutable_saga()->add_steps()->add_after("cart");
  line.add_history()->set_after("for Ann");
  redact(line);
  EXPECT_EQ(line.saga().steps(0).after(0), "cart");
  EXPECT_EQ(line.history(0).after(), "redacted text, 7 bytes");
  EXPECT_EQ(fields["n"].string_value(), "redacted number");
  EXPECT_EQ(fields["yes"].string_value(), "redacted bool");
  EXPECT_TRUE(fields["none"].has_null_value());
  EXPECT_EQ(fields["list"].list_value().values(0).string_value(), "redacted string, 1 bytes");
  EXPECT_EQ(line.saga().explanation().needs_person(0), "redacted text, 3 bytes");
  EXPECT_EQ(line.saga().failure().message(), "redacted text, 7 bytes");
  EXPECT_EQ(line.saga().failure().code(), "short");
}

}  // namespace
}  // namespace skald::ctl
