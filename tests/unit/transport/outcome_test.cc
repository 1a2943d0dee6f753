#include "engine/transport/outcome.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "engine/wire/connect.h"

namespace skald {
namespace {

using enum OutcomeKind;

constexpr std::int64_t kNow = 784'111'777;  // Sun, 06 Nov 1994 08:49:37 GMT
constexpr std::string_view kJson = "application/json";

Method method_of(Protocol protocol, Profile profile = Profile::native,
                 KeysMode keys = KeysMode::barrier) {
  Method method;
  method.protocol = protocol;
  method.profile = profile;
  method.keys = keys;
  return method;
}

Exchange answer(unsigned status, std::string_view type = "", std::string body = "") {
  Exchange exchange{.end = ExchangeEnd::answered};
  exchange.response.status = status;
  if (!type.empty()) exchange.response.headers.push_back({"content-type", std::string(type)});
  exchange.response.body = std::move(body);
  return exchange;
}

Exchange connect_answer(Errc code) {
  return {.end = ExchangeEnd::answered, .response = wire::connect_error({code, "why"})};
}

Outcome read(const Method& method, const Exchange& exchange, bool after_unknown = false) {
  return classify(method, exchange, after_unknown, kNow);
}

struct Expected {
  OutcomeKind kind;
  bool alert = false;
};

struct StatusRow {
  std::vector<unsigned> statuses;
  Expected expected;
};

TEST(Classify, PlainHttpByStatus) {
  const Method method = method_of(Protocol::http_json);
  for (const StatusRow& row : std::vector<StatusRow>{
           {{200, 201, 203, 204, 205, 206, 299}, {succeeded}},
           {{202}, {pending}},
           {{300, 301, 302, 303, 304, 307, 308}, {not_executed, true}},
           {{401, 403, 405, 415, 501}, {not_executed, true}},
           {{404}, {not_executed, true}},
           {{425}, {pending}},
           {{429}, {not_executed}},
           {{400, 402, 406, 409, 410, 411, 412, 413, 414, 416,
             417, 418, 421, 422, 423, 424, 426, 428, 431, 451},
            {rejected}},
           {{408, 499, 500, 502, 503, 504, 505, 507, 511, 599}, {unknown}},
       }) {
    for (const unsigned status : row.statuses) {
      const Outcome outcome = read(method, answer(status));
      EXPECT_EQ(outcome.kind, row.expected.kind) << status;
      EXPECT_EQ(outcome.configuration_alert, row.expected.alert) << status;
      EXPECT_EQ(outcome.code, std::to_string(status));
    }
  }
}

TEST(Classify, ConnectByStatusWhereThereIsNoConnectBody) {
  for (const Protocol protocol : {Protocol::connect_proto, Protocol::connect_json}) {
    const Method method = method_of(protocol);
    for (const StatusRow& row : std::vector<StatusRow>{
             {{202}, {pending}},
             {{302, 401, 403, 404, 405, 415, 501}, {not_executed, true}},
             {{425}, {pending}},
             {{429}, {not_executed}},
             {{400, 409, 410, 422}, {rejected}},
             {{408, 499, 500, 502, 503, 504}, {unknown}},
         }) {
      for (const unsigned status : row.statuses) {
        for (const Exchange& exchange :
             {answer(status), answer(status, "text/html", "<p>no</p>"),
              answer(status, kJson, R"({"code":"made_up"})"), answer(status, kJson, "{}"),
              answer(status, "text/plain", R"({"code":"not_found"})")}) {
          const Outcome outcome = read(method, exchange);
          EXPECT_EQ(outcome.kind, row.expected.kind) << status;
          EXPECT_EQ(outcome.configuration_alert, row.expected.alert) << status;
        }
      }
    }
  }
}

bool reads_a_number(std::string_view bytes) { return bytes == "7"; }

TEST(Classify, ASuccessThatCannotBeReadIsUnknown) {
  for (const Protocol protocol : {Protocol::http_json, Protocol::connect_json}) {
    const Method method = method_of(protocol);
    EXPECT_EQ(read(method, answer(200, kJson, R"({"a":1})")).kind, succeeded);
    EXPECT_EQ(read(method, answer(200, kJson, "")).kind, succeeded);
    for (const std::string body : {"{{{not json", R"({"a":1)", "\xFF\xFF"}) {
      const Outcome garbage = read(method, answer(200, kJson, body));
      EXPECT_EQ(garbage.kind, unknown) << body;
      EXPECT_EQ(garbage.code, "malformed");
    }
  }
  Method typed = method_of(Protocol::connect_proto);
  typed.reads = reads_a_number;
  EXPECT_EQ(read(typed, answer(200, "application/proto", "7")).kind, succeeded);
  EXPECT_EQ(read(typed, answer(200, "application/proto", "8")).kind, unknown);
}

TEST(Classify, AConflictWhileAnEarlierAttemptMayStillRunIsPending) {
  const Method keeps = method_of(Protocol::connect_proto);
  EXPECT_EQ(read(keeps, connect_answer(Errc::already_exists), true).kind, pending);
  EXPECT_EQ(read(keeps, connect_answer(Errc::already_exists), false).kind, rejected);
  const Method none = method_of(Protocol::connect_proto, Profile::native, KeysMode::none);
  EXPECT_EQ(read(none, connect_answer(Errc::already_exists), true).kind, rejected);
}

struct CodeRow {
  Errc code;
  Expected native;
  Expected dtm;
};

TEST(Classify, ConnectByCode) {
  const std::vector<CodeRow> rows{
      {Errc::canceled, {unknown}, {unknown}},
      {Errc::unknown, {unknown}, {unknown}},
      {Errc::invalid_argument, {rejected}, {unknown}},
      {Errc::deadline_exceeded, {unknown}, {unknown}},
      {Errc::not_found, {rejected}, {unknown}},
      {Errc::already_exists, {rejected}, {unknown}},
      {Errc::permission_denied, {not_executed, true}, {not_executed, true}},
      {Errc::resource_exhausted, {not_executed}, {not_executed}},
      {Errc::failed_precondition, {rejected}, {pending}},
      {Errc::aborted, {not_executed}, {rejected}},
      {Errc::out_of_range, {rejected}, {unknown}},
      {Errc::unimplemented, {not_executed, true}, {not_executed, true}},
      {Errc::internal, {unknown}, {unknown}},
      {Errc::unavailable, {unknown}, {unknown}},
      {Errc::data_loss, {unknown}, {unknown}},
      {Errc::unauthenticated, {not_executed, true}, {not_executed, true}},
  };
  for (const CodeRow& row : rows) {
    for (const Protocol protocol : {Protocol::connect_proto, Protocol::connect_json}) {
      const Outcome native = read(method_of(protocol), connect_answer(row.code));
      EXPECT_EQ(native.kind, row.native.kind) << name(row.code);
      EXPECT_EQ(native.configuration_alert, row.native.alert) << name(row.code);
      EXPECT_EQ(native.code, name(row.code));
      EXPECT_EQ(native.message, "why");
      const Outcome dtm = read(method_of(protocol, Profile::dtm), connect_answer(row.code));
      EXPECT_EQ(dtm.kind, row.dtm.kind) << name(row.code);
      EXPECT_EQ(dtm.configuration_alert, row.dtm.alert) << name(row.code);
    }
  }
  EXPECT_EQ(rows.size(), 16U);
}

TEST(Classify, TheConnectCodeOutranksTheStatusExceptForTooEarly) {
  const Method method = method_of(Protocol::connect_proto);
  Exchange exchange = connect_answer(Errc::failed_precondition);
  exchange.response.status = 500;
  EXPECT_EQ(read(method, exchange).kind, rejected);
  exchange = connect_answer(Errc::internal);
  exchange.response.status = 404;
  EXPECT_EQ(read(method, exchange).kind, unknown);
  exchange = connect_answer(Errc::unavailable);
  exchange.response.status = 425;
  EXPECT_EQ(read(method, exchange).kind, pending);
}

TEST(Classify, ARoutedNotFoundIsARefusal) {
  EXPECT_EQ(read(method_of(Protocol::connect_json), connect_answer(Errc::not_found)).kind,
            rejected);
  const Method http = method_of(Protocol::http_json);
  const Outcome routed = read(http, answer(404, kJson, R"({"message":"no such order"})"));
  EXPECT_EQ(routed.kind, rejected);
  EXPECT_EQ(routed.message, "no such order");
  EXPECT_EQ(read(http, answer(404, "text/html", "<h1>404</h1>")).kind, not_executed);
  // A Connect method's JSON page without a Connect code comes from a router in front of it.
  EXPECT_EQ(read(method_of(Protocol::connect_json), answer(404, kJson, R"({"message":"x"})")).kind,
            not_executed);
}

TEST(Classify, AConnectSuccessMustCarryTheCodecsContentType) {
  const Method proto = method_of(Protocol::connect_proto);
  const Method json = method_of(Protocol::connect_json);
  EXPECT_EQ(read(proto, answer(200, "application/proto")).kind, succeeded);
  EXPECT_EQ(read(json, answer(200, "application/json; charset=utf-8", "{}")).kind, succeeded);
  for (const Exchange& exchange :
       {answer(200), answer(200, "text/html", "<p>login</p>"), answer(200, kJson, "{}")}) {
    const Outcome outcome = read(proto, exchange);
    EXPECT_EQ(outcome.kind, unknown);
    EXPECT_EQ(outcome.code, "malformed");
  }
  EXPECT_EQ(read(json, answer(200, "application/proto")).kind, unknown);
  EXPECT_EQ(read(proto, answer(204)).kind, unknown);
}

TEST(Classify, AConflictRightAfterAnUnknownAttemptIsStillRunningWhereKeysAreKept) {
  struct Row {
    KeysMode keys;
    bool after_unknown;
    OutcomeKind expected;
  };
  for (const Row& row :
       {Row{KeysMode::none, false, rejected}, Row{KeysMode::none, true, rejected},
        Row{KeysMode::dedup, false, rejected}, Row{KeysMode::dedup, true, pending},
        Row{KeysMode::barrier, false, rejected}, Row{KeysMode::barrier, true, pending}}) {
    for (const Protocol protocol : {Protocol::http_json, Protocol::connect_proto}) {
      const Method method = method_of(protocol, Profile::native, row.keys);
      EXPECT_EQ(read(method, answer(409), row.after_unknown).kind, row.expected);
    }
  }
  const Method dtm = method_of(Protocol::http_json, Profile::dtm);
  EXPECT_EQ(read(dtm, answer(409), true).kind, rejected);
}

TEST(Classify, ExchangesWithoutAnAnswer) {
  struct Row {
    ExchangeEnd end;
    OutcomeKind kind;
    std::string code;
  };
  for (const Row& row :
       {Row{ExchangeEnd::not_connected, not_executed, "not_connected"},
        Row{ExchangeEnd::timed_out, unknown, "timeout"}, Row{ExchangeEnd::reset, unknown, "reset"},
        Row{ExchangeEnd::malformed, unknown, "malformed"},
        Row{ExchangeEnd::oversized, unknown, "oversized"},
        Row{ExchangeEnd::canceled, unknown, "canceled"}}) {
    for (const Profile profile : {Profile::native, Profile::dtm}) {
      const Outcome outcome = read(method_of(Protocol::http_json, profile),
                                   {.end = row.end, .response = {}, .detail = "because"});
      EXPECT_EQ(outcome, (Outcome{.kind = row.kind, .code = row.code, .message = "because"}));
    }
  }
}

TEST(Classify, TheDtmProfileOfPlainHttp) {
  const Method method = method_of(Protocol::http_json, Profile::dtm);
  struct Row {
    unsigned status;
    std::string body;
    Expected expected;
  };
  for (const Row& row : std::vector<Row>{
           {200, R"({"dtm_result":"SUCCESS"})", {succeeded}},
           {200, R"({"dtm_result":"FAILURE"})", {rejected}},
           {200, R"({"dtm_result":"ONGOING"})", {pending}},
           {200, "ONGOING, no FAILURE yet", {pending}},
           {500, "FAILURE", {rejected}},
           {409, "", {rejected}},
           {425, "", {pending}},
           {201, "", {unknown}},
           {202, "", {unknown}},
           {204, "", {unknown}},
           {400, "", {unknown}},
           {422, "", {unknown}},
           {500, "", {unknown}},
           {429, "", {not_executed}},
           {302, "", {not_executed, true}},
           {401, "", {not_executed, true}},
           {404, "", {not_executed, true}},
       }) {
    const Outcome outcome = read(method, answer(row.status, kJson.substr(0, 0), row.body));
    EXPECT_EQ(outcome.kind, row.expected.kind) << row.status << " " << row.body;
    EXPECT_EQ(outcome.configuration_alert, row.expected.alert) << row.status;
  }
}

TEST(Classify, AMethodsOwnRulesComeFirst) {
  Method method = method_of(Protocol::connect_proto);
  method.outcomes = {{"503", not_executed}, {"aborted", rejected}, {"409", unknown}};
  EXPECT_EQ(read(method, answer(503)).kind, not_executed);
  EXPECT_EQ(read(method, connect_answer(Errc::unavailable)).kind, not_executed);
  EXPECT_EQ(read(method, connect_answer(Errc::aborted)).kind, rejected);
  EXPECT_EQ(read(method, connect_answer(Errc::already_exists)).kind, unknown);
  EXPECT_EQ(read(method, answer(502)).kind, unknown);
  method.outcomes = {{"401", rejected}};
  EXPECT_EQ(read(method, answer(401)),
            (Outcome{.kind = rejected, .code = "401", .message = "HTTP status 401"}));
}

TEST(Classify, CutsTheMessageAndKeepsThePayloadOut) {
  const Method http = method_of(Protocol::http_json);
  const std::string text(2 * kOutcomeMessageMax, 'x');
  EXPECT_EQ(read(http, answer(409, kJson, R"({"message":")" + text + "\"}")).message.size(),
            kOutcomeMessageMax);
  EXPECT_EQ(read(http, answer(409, "text/plain", "card 4111")).message, "HTTP status 409");
}

TEST(ParseRetryAfter, ReadsSecondsAndDatesWithinBounds) {
  struct Row {
    std::string text;
    std::optional<Millis> expected;
  };
  for (const Row& row : std::vector<Row>{
           {"0", Millis{0}},
           {"7", Millis{7'000}},
           {"3600", kRetryAfterMax},
           {"9999999999", kRetryAfterMax},
           {"99999999999", std::nullopt},
           {"-1", std::nullopt},
           {"1.5", std::nullopt},
           {"", std::nullopt},
           {"soon", std::nullopt},
           {"Sun, 06 Nov 1994 08:49:47 GMT", Millis{10'000}},
           {"Sun, 06 Nov 1994 08:49:37 GMT", Millis{0}},
           {"Sun, 06 Nov 1994 08:00:00 GMT", Millis{0}},
           {"Mon, 07 Nov 1994 08:49:37 GMT", kRetryAfterMax},
           {"Sun, 31 Feb 1994 08:49:37 GMT", std::nullopt},
           {"Sun, 06 Nov 1994 24:49:37 GMT", std::nullopt},
           {"Sun, 06 Foo 1994 08:49:37 GMT", std::nullopt},
           {"Sun, 06 Nov 1994 08:49:37 UTC", std::nullopt},
       }) {
    EXPECT_EQ(parse_retry_after(row.text, kNow), row.expected) << row.text;
  }
}

TEST(ParseRetryAfter, IsHonouredWhereverSomethingIsToBeRepeated) {
  const Method method = method_of(Protocol::http_json);
  for (const unsigned status : {202U, 425U, 429U, 503U}) {
    Exchange exchange = answer(status);
    exchange.response.headers.push_back({"retry-after", "3"});
    EXPECT_EQ(read(method, exchange).retry_after, Millis{3'000}) << status;
  }
  Exchange done = answer(200);
  done.response.headers.push_back({"Retry-After", "3"});
  EXPECT_EQ(read(method, done).retry_after, std::nullopt);
}

}  // namespace
}  // namespace skald
