#include "engine/wire/connect.h"

#include <google/protobuf/timestamp.pb.h>
#include <google/protobuf/type.pb.h>
#include <gtest/gtest.h>

namespace skald::wire {
namespace {

HttpRequest call_with(std::vector<HttpHeader> headers) {
  return {.method = "POST",
          .target = "/skald.v1.SagaService/Submit?x=y",
          .headers = std::move(headers),
          .body = "{}"};
}

TEST(ParseConnectCall, ReadsProcedureCodecTimeoutAndBody) {
  const auto call =
      parse_connect_call(call_with({{"content-type", "application/JSON; charset=utf-8"},
                                    {"connect-timeout-ms", "1500"},
                                    {"content-encoding", "identity"},
                                    {"connect-protocol-version", "1"}}));
  ASSERT_TRUE(call.has_value());
  EXPECT_EQ(call->procedure, "/skald.v1.SagaService/Submit");
  EXPECT_EQ(call->codec, ConnectCodec::json);
  EXPECT_EQ(call->timeout, Millis{1500});
  EXPECT_EQ(call->body, "{}");
}

TEST(ParseConnectCall, TakesProtoWithoutProtocolHeaders) {
  const auto call = parse_connect_call(call_with({{"Content-Type", "application/proto"}}));
  ASSERT_TRUE(call.has_value());
  EXPECT_EQ(call->codec, ConnectCodec::proto);
  EXPECT_EQ(call->timeout, std::nullopt);
}

TEST(ParseConnectCall, RefusesOtherVerbsNamingTheRightOne) {
  auto request = call_with({{"Content-Type", "application/json"}});
  request.method = "GET";
  const auto call = parse_connect_call(std::move(request));
  ASSERT_FALSE(call.has_value());
  EXPECT_EQ(call.error().status, 405U);
  EXPECT_EQ(*find_header(call.error().headers, "allow"), "POST");
}

TEST(ParseConnectCall, RefusesOtherCodecsNamingTheRightOnes) {
  for (const std::string type :
       {"text/plain", "application/connect+json", "application/jsonx", ""}) {
    const auto call = parse_connect_call(call_with({{"Content-Type", type}}));
    ASSERT_FALSE(call.has_value()) << type;
    EXPECT_EQ(call.error().status, 415U);
    EXPECT_EQ(*find_header(call.error().headers, "accept-post"),
              "application/proto, application/json");
  }
  EXPECT_EQ(parse_connect_call(call_with({})).error().status, 415U);
}

TEST(ParseConnectCall, RefusesCompressionAsUnimplemented) {
  const auto call = parse_connect_call(
      call_with({{"Content-Type", "application/json"}, {"Content-Encoding", "gzip"}}));
  ASSERT_FALSE(call.has_value());
  EXPECT_EQ(call.error().status, 501U);
  EXPECT_EQ(call.error().body,
            R"({"code":"unimplemented","message":"the request's compression is not supported: )"
            R"(send it as identity"})");
}

TEST(ParseConnectCall, RefusesMalformedTimeoutsAndVersions) {
  for (const std::string timeout : {"", "0", "-1", "+5", "1.5", "12345678901", "5ms", " 5"}) {
    const auto call = parse_connect_call(
        call_with({{"Content-Type", "application/json"}, {"Connect-Timeout-Ms", timeout}}));
    ASSERT_FALSE(call.has_value()) << timeout;
    EXPECT_EQ(call.error().status, 400U);
    EXPECT_EQ(parse_connect_error(call.error())->code, Errc::invalid_argument);
  }
  EXPECT_TRUE(parse_connect_call(
      call_with({{"Content-Type", "application/json"}, {"Connect-Timeout-Ms", "9999999999"}})));
  EXPECT_FALSE(parse_connect_call(
      call_with({{"Content-Type", "application/json"}, {"Connect-Protocol-Version", "2"}})));
}

TEST(ConnectError, GoldenBodies) {
  const auto error = connect_error({Errc::not_found, "saga_id=abc is not known: say \"list\""});
  EXPECT_EQ(error.status, 404U);
  EXPECT_EQ(error.headers, (std::vector<HttpHeader>{{"Content-Type", "application/json"}}));
  EXPECT_EQ(error.body,
            R"({"code":"not_found","message":"saga_id=abc is not known: say \"list\""})");
  EXPECT_EQ(connect_error({Errc::canceled, ""}).body, R"({"code":"canceled"})");
  EXPECT_EQ(connect_error({Errc::failed_precondition, "a\nb"}).body,
            R"({"code":"failed_precondition","message":"a\nb"})");
}

TEST(ConnectError, SaysWhenToComeAgainWhereThatIsKnown) {
  const auto busy =
      connect_error({.code = Errc::resource_exhausted, .message = "busy", .retry_after_s = 2});
  EXPECT_EQ(busy.status, 429U);
  ASSERT_NE(find_header(busy.headers, "retry-after"), nullptr);
  EXPECT_EQ(*find_header(busy.headers, "retry-after"), "2");
  const auto large = connect_error({Errc::resource_exhausted, "too large"});
  EXPECT_EQ(find_header(large.headers, "retry-after"), nullptr);
}

TEST(ConnectError, IsReadBackByAClient) {
  const Error sent{Errc::aborted, "lost a race: \xC3\xA9\t\"x\""};
  EXPECT_EQ(connect_error_of(connect_error(sent)), sent);
}

TEST(ConnectError, FallsBackToTheStatusWithoutAConnectBody) {
  const HttpResponse page{.status = 404, .headers = {{"Content-Type", "text/html"}}, .body = "no"};
  EXPECT_EQ(parse_connect_error(page), std::nullopt);
  EXPECT_EQ(connect_error_of(page).code, Errc::unimplemented);
  const HttpResponse other{.status = 503,
                           .headers = {{"Content-Type", "application/json"}},
                           .body = R"({"code":"made_up"})"};
  EXPECT_EQ(connect_error_of(other).code, Errc::unavailable);
}

TEST(ConnectError, CutsALongMessage) {
  const auto error = connect_error({Errc::internal, std::string(10'000, 'x')});
  EXPECT_EQ(connect_error_of(error).message.size(), 4096U);
}

TEST(ConnectMessages, GoThereAndBackInBothCodecs) {
  google::protobuf::Type sent;
  sent.set_name("x");
  sent.add_fields()->set_number(7);
  for (const auto codec : {ConnectCodec::proto, ConnectCodec::json}) {
    const auto answer = connect_response(codec, sent);
    EXPECT_EQ(answer.status, 200U);
    EXPECT_TRUE(is_content_type(find_header(answer.headers, "Content-Type"), codec));
    google::protobuf::Type received;
    ASSERT_TRUE(decode_message(codec, answer.body, received).has_value());
    EXPECT_EQ(received.SerializeAsString(), sent.SerializeAsString());
  }
}

TEST(ConnectMessages, RefuseDamagedProtobufWithoutThePayload) {
  google::protobuf::Type message;
  const auto parsed = decode_message(ConnectCodec::proto, "\x0A\x7Fs3cret", message);
  ASSERT_FALSE(parsed.has_value());
  EXPECT_EQ(parsed.error(),
            (Error{Errc::invalid_argument,
                   "body of 8 bytes is not a google.protobuf.Type in protobuf form"}));
}

TEST(ConnectMessages, AnswerInternalWhenThereIsNoJsonForm) {
  google::protobuf::Timestamp message;
  message.set_seconds(1'000'000'000'000'000);
  EXPECT_EQ(connect_response(ConnectCodec::json, message).status, 500U);
}

TEST(FindTextField, FindsWhatDecodingFinds) {
  google::protobuf::Field field;  // of several types, before and behind `name`
  field.set_kind(google::protobuf::Field::TYPE_BOOL);
  field.set_number(7);
  field.set_json_name("behind");
  const int name = google::protobuf::Field::kNameFieldNumber;
  EXPECT_EQ(find_text_field(field.SerializeAsString(), name), "");
  field.set_name("the name");
  field.add_options()->set_name("not this one");
  EXPECT_EQ(find_text_field(field.SerializeAsString(), name), "the name");
  google::protobuf::Field again;
  again.set_name("the last one holds");
  EXPECT_EQ(find_text_field(field.SerializeAsString() + again.SerializeAsString(), name),
            "the last one holds");
  EXPECT_EQ(find_text_field("", name), "");
}

TEST(FindTextField, IsNotFooledByBytesThatAreNoMessage) {
  google::protobuf::Field field;
  field.set_number(300);
  field.set_name("the name");
  const std::string whole = field.SerializeAsString();
  const int name = google::protobuf::Field::kNameFieldNumber;
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const std::string cut = whole.substr(0, size);
    google::protobuf::Field decoded;
    const bool sound = decoded.ParseFromString(cut);
    const auto found = find_text_field(cut, name);
    EXPECT_EQ(found.has_value(), sound) << size;
    if (found) EXPECT_EQ(*found, decoded.name()) << size;
  }
  EXPECT_EQ(find_text_field(std::string("\0\x01", 2), name), std::nullopt);
  EXPECT_EQ(find_text_field("\x22\xFF\xFF\xFF\xFF\x0F", name), std::nullopt);  // 4 GB of name
}

TEST(ConnectRequest, CarriesTheProtocolHeaders) {
  const auto request = connect_request("/a.B/C", ConnectCodec::json, "{}", Millis{250});
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.target, "/a.B/C");
  EXPECT_EQ(request.headers, (std::vector<HttpHeader>{{"Content-Type", "application/json"},
                                                      {"Connect-Protocol-Version", "1"},
                                                      {"Connect-Timeout-Ms", "250"}}));
}

}  // namespace
}  // namespace skald::wire
