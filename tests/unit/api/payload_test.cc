#include "engine/api/payload.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace skald::api {
namespace {

google::protobuf::Value parsed(std::string_view text) {
  google::protobuf::Value value;
  EXPECT_TRUE(read_json(text, value)) << text;
  return value;
}

TEST(Payload, TextIsCanonical) {
  const auto value = parsed(R"( {"b" : [1, 2.5, -3e2, true, null], "a":{"z":"q\"\n","y":{}}} )");

  EXPECT_EQ(json_text(value, "input").value(),
            R"({"a":{"y":{},"z":"q\"\n"},"b":[1,2.5,-300,true,null]})");
}

TEST(Payload, IntegersUpTo53BitsStayPlain) {
  EXPECT_EQ(json_text(parsed("9007199254740991"), "input").value(), "9007199254740991");
  EXPECT_EQ(json_text(parsed("-9007199254740991"), "input").value(), "-9007199254740991");
}

TEST(Payload, LargerIntegersAreRefusedWithTheirPlace) {
  google::protobuf::Value value = parsed(R"({"order":{"lines":[{"sku":1}]}})");
  auto& order = *(*value.mutable_struct_value()->mutable_fields())["order"].mutable_struct_value();
  auto& line = *(*order.mutable_fields())["lines"].mutable_list_value()->mutable_values(0);
  (*line.mutable_struct_value()->mutable_fields())["sku"].set_number_value(9007199254740992.0);

  const auto text = json_text(value, "input");

  ASSERT_FALSE(text);
  EXPECT_EQ(text.error().code, Errc::invalid_argument);
  EXPECT_EQ(
      text.error().message,
      "input.order.lines[0].sku: integers beyond 2^53 lose digits as JSON numbers; send it as a "
      "string");
}

TEST(Payload, NumbersThatJsonCannotSayAreRefused) {
  google::protobuf::Value value;
  value.set_number_value(std::numeric_limits<double>::quiet_NaN());
  EXPECT_EQ(json_text(value, "payload").error().message, "payload: not a finite number");
}

TEST(Payload, DepthIsBounded) {
  google::protobuf::Value value;
  google::protobuf::Value* inner = &value;
  for (int i = 0; i < 64; ++i) inner = inner->mutable_list_value()->add_values();

  EXPECT_EQ(
      json_text(value, "input").error().message,
      "input[0][0][0][0][0][0][0][0][0][0][0][0][0]"
      "[0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0]"
      "[0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0]: nested deeper than 64 "
      "levels");
}

TEST(Payload, LargeIntegersOfAnswersBecomeStrings) {
  EXPECT_EQ(parsed("9007199254740993").string_value(), "9007199254740993");
  EXPECT_EQ(parsed("18446744073709551615").string_value(), "18446744073709551615");
  EXPECT_EQ(parsed("-9007199254740993").string_value(), "-9007199254740993");
}

TEST(Payload, WhatIsNotJsonIsNotRead) {
  google::protobuf::Value value;
  EXPECT_FALSE(read_json("\x08\x01", value));
  EXPECT_FALSE(read_json("", value));
  EXPECT_FALSE(read_json("{} {}", value));
}

}  // namespace
}  // namespace skald::api
