// Golden texts: sagas, histories, lists and definitions as people see them, within 80 columns.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>

#include "skald/v1/service.pb.h"
#include "tests/unit/skaldctl/fake_terminal.h"
#include "tools/skaldctl/graph.h"
#include "tools/skaldctl/saga_text.h"
#include "tools/skaldctl/table.h"
#include "tools/skaldctl/words.h"

namespace skald::ctl {
namespace {

template <class Message>
Message from_json(std::string_view text) {
  Message message;
  const auto parsed = wire::message_from_json(text, message);
  EXPECT_TRUE(parsed) << parsed.error().message;
  return message;
}

std::size_t widest_line(const std::string& text) {
  std::size_t widest = 0;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) widest = std::max(widest, display_width(line));
  return widest;
}

/// deduct_stock[7] retried once and undone, deduct_stock[8] rejected.
v1::Saga undone_saga() {
  return from_json<v1::Saga>(R"({
    "sagaId":"0000000000000g000000000002","definition":"shop","version":2,"businessKey":"SN1",
    "status":"compensated","undoing":true,"decided":true,
    "startedAt":"2027-01-15T08:00:00Z","endedAt":"2027-01-15T08:00:01Z",
    "steps":[
      {"name":"cart","kind":"query","stage":"done","legsTotal":1,"legs":[{"name":"cart",
        "stage":"done","action":{"phase":"settled","attempts":1,
          "firstAt":"2027-01-15T08:00:00Z","lastAt":"2027-01-15T08:00:00.100Z",
          "tries":[{"number":1,"sentAt":"2027-01-15T08:00:00Z",
            "answeredAt":"2027-01-15T08:00:00.100Z","outcome":{"kind":"succeeded"}}]}}]},
      {"name":"deduct_stock","kind":"call","class":"compensatable","stage":"failed","forEach":true,
       "legsTotal":2,"legs":[
        {"name":"deduct_stock[7]","key":"7","stage":"undone",
         "action":{"phase":"settled","participant":"inventory","path":"/Deduct","key":"k7",
          "attempts":2,"firstAt":"2027-01-15T08:00:00.100Z","lastAt":"2027-01-15T08:00:00.500Z",
          "tries":[{"number":1,"sentAt":"2027-01-15T08:00:00.100Z",
             "answeredAt":"2027-01-15T08:00:00.200Z",
             "outcome":{"kind":"unknown","code":"503","message":"service unavailable"}},
            {"number":2,"sentAt":"2027-01-15T08:00:00.400Z",
             "answeredAt":"2027-01-15T08:00:00.500Z","outcome":{"kind":"succeeded"}}]},
         "compensation":{"phase":"settled","attempts":1,"firstAt":"2027-01-15T08:00:00.700Z",
          "lastAt":"2027-01-15T08:00:00.900Z",
          "tries":[{"number":1,"sentAt":"2027-01-15T08:00:00.700Z",
             "answeredAt":"2027-01-15T08:00:00.900Z","outcome":{"kind":"succeeded"}}]}},
        {"name":"deduct_stock[8]","key":"8","stage":"refused",
         "action":{"phase":"settled","attempts":1,"firstAt":"2027-01-15T08:00:00.100Z",
          "lastAt":"2027-01-15T08:00:00.600Z",
          "tries":[{"number":1,"sentAt":"2027-01-15T08:00:00.100Z",
            "answeredAt":"2027-01-15T08:00:00.600Z",
            "outcome":{"kind":"rejected","code":"failed_precondition","message":"stock is 0"}}]}}]},
      {"name":"use_coupon","kind":"call","class":"pivot","stage":"pending"}],
    "explanation":{"why":"It is undone because deduct_stock[8] was rejected )"
                             R"((failed_precondition: stock is 0). 1 of 1 leg undone.",
                   "next":"Nothing: it is finished."},
    "refusals":[{"leg":"deduct_stock[8]","outcome":"rejected","code":"failed_precondition",
                 "message":"stock is 0"}]})");
}

TEST(SagaText, IsATimelineWithItsExplanation) {
  const Ctl ctl;
  const std::string text = saga_text(ctl.terminal, undone_saga(), false);

  EXPECT_EQ(text, R"(0000000000000g000000000002  shop v2  compensated
business SN1
started  2027-01-15 08:00:00.000 UTC, took 1s

                                 0                  500ms             1s
cart                done         ━━━▶                                      100ms
deduct_stock[7]     undone x2       ━━━━?┄┄┄┄┄┄┄━━━━▶      ◀════════       800ms
deduct_stock[8]     rejected        ━━━━━━━━━━━━━━━━━━━✗                   500ms
use_coupon (pivot)  -
━▶ done  ◀═ undone  ━✗ rejected  ━? unknown  ┄ between attempts

why      It is undone because deduct_stock[8] was rejected (failed_precondition:
         stock is 0). 1 of 1 leg undone.
next     Nothing: it is finished.
refused  deduct_stock[8] rejected (failed_precondition: stock is 0)
)");
  EXPECT_LE(widest_line(text), 80U);
}

TEST(SagaText, TheTimeAPersonTakesIsNotDrawn) {
  const Ctl ctl;
  v1::Saga saga = undone_saga();
  saga.set_status(v1::SagaStatus::stuck);
  *saga.mutable_updated_at() = saga.ended_at();
  *saga.mutable_now() = saga.ended_at();
  saga.mutable_now()->set_seconds(saga.now().seconds() + 86'400);
  saga.clear_ended_at();

  const std::string text = saga_text(ctl.terminal, saga, false);

  EXPECT_THAT(text, testing::HasSubstr("UTC, for 1d0h\n"));
  EXPECT_THAT(text, testing::HasSubstr("0                  500ms             1s\n"));
}

TEST(SagaText, FitsWithoutLineDrawing) {
  Ctl ctl;
  ctl.terminal.ascii = true;
  const std::string text = saga_text(ctl.terminal, undone_saga(), true);
  EXPECT_TRUE(
      std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; }));
  EXPECT_THAT(text,
              testing::HasSubstr("  1  +100ms    unknown 503: service unavailable after 100ms"));
  EXPECT_LE(widest_line(text), 80U);
}

TEST(SagaText, ColourIsOnlyForTerminals) {
  Ctl ctl;
  EXPECT_EQ(saga_text(ctl.terminal, undone_saga(), false).find('\x1b'), std::string::npos);
  ctl.terminal.colour = true;
  EXPECT_NE(saga_text(ctl.terminal, undone_saga(), false).find('\x1b'), std::string::npos);
}

TEST(SagaText, ExplanationsOfferWholeCommands) {
  const Ctl ctl;
  const auto saga = from_json<v1::Saga>(R"({"sagaId":"0000000000000g000000000002",
    "explanation":{"why":"A person is needed.",
      "next":"Nothing happens by itself: a person must act.",
      "needsPerson":["the compensation of deduct_stock[8] was rejected (failed_precondition: )"
                                        R"(locked is 0) at inventory; it is not repeated )"
                                        R"(until a person asks for it."],
      "commands":[{"verb":"retry","leg":"deduct_stock[8]","effect":"tries deduct_stock[8] now"},
                  {"verb":"signal","leg":"paid","effect":"ends the wait of pay"}]}})");

  EXPECT_EQ(explanation_text(ctl.terminal, saga),
            R"(why      A person is needed.
next     Nothing happens by itself: a person must act.
person   the compensation of deduct_stock[8] was rejected (failed_precondition:
         locked is 0) at inventory; it is not repeated until a person asks for
         it.
you can  skaldctl retry 0000000000000g000000000002 --leg 'deduct_stock[8]'
         tries deduct_stock[8] now
you can  skaldctl signal 0000000000000g000000000002 --name 'paid'
         ends the wait of pay
)");
}

TEST(SagaText, OutputsAreSortedAndMayBeBroken) {
  const Ctl ctl;
  const auto answer = from_json<v1::SagaAnswer>(R"({"sagaId":"0000000000000g000000000002",
    "definition":"shop","version":2,"status":"completed",
    "output":{"z":[1,"two",{}],"order_id":"SN0000000000000000001","cents":5,
              "again":"and again"}})");

  EXPECT_EQ(answer_text(ctl.terminal, answer),
            R"(0000000000000g000000000002  shop v2  completed
output   {"again": "and again", "cents": 5, "order_id": "SN0000000000000000001",
         "z": [1, "two", {}]}
)");
}

TEST(ListText, WaitingIsSaidOfRunningSagasOnly) {
  const Ctl ctl;
  const auto list = from_json<v1::ListResponse>(R"({"sagas":[
    {"sagaId":"0000000000000g000000000002","status":"stuck","waiting":true}]})");
  EXPECT_THAT(list_text(ctl.terminal, list, 0, false), testing::HasSubstr("  stuck "));
}

TEST(HistoryText, TellsTimesFromTheBeginning) {
  const Ctl ctl;
  const auto history = from_json<v1::HistoryResponse>(R"({"sagaId":"0000000000000g000000000002",
    "events":[{"seq":1,"at":"2027-01-15T08:00:00Z","text":"accepted as shop version 2, 3 steps"},
      {"seq":2,"at":"2027-01-15T08:00:01.250Z",
       "text":"deduct_stock[7] rejected (failed_precondition: stock is 0), and this line is )"
                                                      R"(long enough to be broken"}]})");

  EXPECT_EQ(history_text(ctl.terminal, history),
            R"(0000000000000g000000000002  2027-01-15 08:00:00.000 UTC
   1  +0ms       accepted as shop version 2, 3 steps
   2  +1.2s      deduct_stock[7] rejected (failed_precondition: stock is 0), and
                 this line is long enough to be broken
)");
}

TEST(ListText, FitsTheTerminal) {
  const Ctl ctl;
  const auto list = from_json<v1::ListResponse>(R"({"sagas":[
    {"sagaId":"0000000000000g000000000002","definition":"create_order_with_a_long_name","version":2,
     "status":"completed","businessKey":"SN1234567890123456789","startedAt":"2027-01-15T08:00:00Z",
     "endedAt":"2027-01-15T08:00:00.340Z"},
    {"sagaId":"0000000000000g000000000003","definition":"shop","version":1,"status":"running",
     "waiting":true,"startedAt":"2027-01-15T07:00:00Z"}]})");

  const std::string text = list_text(ctl.terminal, list, 1'800'000'060'000, false);

  EXPECT_EQ(text,
            "SAGA                        STATUS     DEFINITION    BUSINESS       AGE    TOOK\n"
            "0000000000000g000000000002  completed  create_or...  SN12345678...  1m00s  340ms\n"
            "0000000000000g000000000003  waiting    shop v1                      1h01m\n");
  EXPECT_LE(widest_line(text), 80U);
  EXPECT_EQ(list_text(ctl.terminal, v1::ListResponse{}, 0, false), "no sagas\n");
}

v1::DefinitionView shop_view() {
  return from_json<v1::DefinitionView>(R"({"summary":{"name":"shop","version":2,"newest":true},
    "steps":[
      {"step":{"name":"cart","kind":"query","action":{"participant":"cart","path":"/Cart/Get"}}},
      {"step":{"name":"deduct","kind":"call","class":"compensatable",
               "action":{"participant":"inventory","path":"/Inventory/Deduct","keys":"barrier"},
               "compensation":{"participant":"inventory","path":"/Inventory/Rollback"}},
       "needs":["cart"],"forEach":true,"parallel":16},
      {"step":{"name":"coupon","kind":"call","class":"pivot",
               "action":{"participant":"promotion","path":"/Promotion/Use"}},
       "needs":["deduct"],"conditional":true},
      {"step":{"name":"paid","kind":"wait","wait":{"signal":"payment","timeoutMs":"1000"}},
       "needs":["coupon"]}]})");
}

TEST(Mermaid, DrawsForwardAndBack) {
  EXPECT_EQ(mermaid(shop_view()), R"(%% shop version 2
flowchart TD
  cart(["cart<br/>query"])
  deduct["deduct<br/>call, compensatable, for each, 16 at once"]
  coupon{{"coupon<br/>call, pivot, conditional"}}
  paid[/"paid<br/>wait"/]
  cart --> deduct
  deduct --> coupon
  coupon --> paid
  deduct -. undo .-> deduct_undo(["/Inventory/Rollback"])
)");
}

TEST(DefinitionTable, FitsTheTerminal) {
  const Ctl ctl;
  const std::string text = definition_table(ctl.terminal, shop_view(), false);
  EXPECT_LE(widest_line(text), 80U);
  EXPECT_THAT(text, testing::HasSubstr("signal payment"));
}

TEST(Words, DurationsAreShort) {
  EXPECT_EQ(short_duration(340), "340ms");
  EXPECT_EQ(short_duration(2'590), "2.5s");
  EXPECT_EQ(short_duration(3'000), "3s");
  EXPECT_EQ(short_duration(200'000), "3m20s");
  EXPECT_EQ(short_duration(7'500'000), "2h05m");
  EXPECT_EQ(short_duration(90'000'000), "1d1h");
  EXPECT_EQ(read_duration("500ms").value(), Millis{500});
  EXPECT_EQ(read_duration("10").value(), Millis{10'000});
  EXPECT_FALSE(read_duration("1 day"));
  EXPECT_FALSE(read_duration("-1s"));
}

TEST(Table, CutsByCharactersNotBytes) {
  EXPECT_EQ(cut("日本語テキスト", 5), "日本...");
  EXPECT_EQ(padded("é", 3), "é  ");
}

}  // namespace
}  // namespace skald::ctl
