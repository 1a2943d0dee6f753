#include "engine/wire/json.h"

#include <google/protobuf/descriptor.pb.h>
#include <google/protobuf/struct.pb.h>
#include <google/protobuf/timestamp.pb.h>
#include <google/protobuf/type.pb.h>
#include <gtest/gtest.h>

namespace skald::wire {
namespace {

std::string nested(std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); }

TEST(FindJsonFault, AcceptsWhatTheStandardAllows) {
  for (const std::string text :
       {R"({})", R"([])", R"( {"a" : [1, -0.5e+3, true, false, null, "x\n\u00e9\ud83d\ude00"]} )",
        R"("alone")", "0", "-1", "\"\xC3\xA9\""}) {
    EXPECT_FALSE(find_json_fault(text).has_value()) << text;
  }
}

TEST(FindJsonFault, NamesTheByteOfTheFirstFault) {
  struct Vector {
    std::string text;
    std::size_t offset;
  };
  for (const auto& [text, offset] : std::vector<Vector>{
           {"", 0},
           {"{", 1},
           {"{'a':1}", 1},
           {"{a:1}", 1},
           {R"({"a" 1})", 5},
           {R"({"a":1,})", 7},
           {R"([1,])", 3},
           {R"([1 2])", 3},
           {R"({"a":tru})", 5},
           {R"({"a":01})", 6},
           {R"({"a":1.})", 7},
           {R"({"a":1e})", 7},
           {R"({"a":-})", 6},
           {R"({"a":"x)", 7},
           {R"(["\x"])", 3},
           {R"(["\u12g4"])", 6},
           {R"(["\ud800x"])", 8},
           {R"(["\udc00"])", 8},
           {"[\"a\nb\"]", 3},
           {"[\"\xFF\"]", 2},
           {"[\"\xC0\xAF\"]", 2},
           {"[\"\xED\xA0\x80\"]", 2},
           {R"({} x)", 3},
           {"\xEF\xBB\xBF{}", 0},
       }) {
    const auto fault = find_json_fault(text);
    ASSERT_TRUE(fault.has_value()) << text;
    EXPECT_EQ(fault->offset, offset) << text << " " << fault->what;
  }
}

TEST(FindJsonFault, BoundsTheDepth) {
  EXPECT_FALSE(find_json_fault(nested(kJsonDepthMax)).has_value());
  EXPECT_TRUE(find_json_fault(nested(kJsonDepthMax + 1)).has_value());
  EXPECT_TRUE(find_json_fault(std::string(1 << 20, '[')).has_value());
}

TEST(JsonStringMember, ReadsOnlyTheOutermostObject) {
  const std::string text = R"({"inner":{"code":"no"},"code":"a\"\u00e9","n":5})";
  EXPECT_EQ(json_string_member(text, "code"), "a\"\xC3\xA9");
  EXPECT_EQ(json_string_member(text, "n"), std::nullopt);
  EXPECT_EQ(json_string_member(text, "absent"), std::nullopt);
  EXPECT_EQ(json_string_member(R"(["code"])", "code"), std::nullopt);
  EXPECT_EQ(json_string_member(R"({"code":"cut)", "code"), std::nullopt);
}

TEST(AppendJsonString, EscapesWhatMustBeEscaped) {
  std::string out;
  append_json_string(out, "a\"b\\c\nd\x01\x7F\xC3\xA9\xFF");
  EXPECT_EQ(out, "\"a\\\"b\\\\c\\nd\\u0001\\u007f\xC3\xA9\xEF\xBF\xBD\"");
}

TEST(CutUtf8, NeverCutsThroughACharacter) {
  std::string text = "a\xC3\xA9z";
  cut_utf8(text, 2);
  EXPECT_EQ(text, "a");
  std::string whole = "a\xC3\xA9z";
  cut_utf8(whole, 3);
  EXPECT_EQ(whole, "a\xC3\xA9");
}

TEST(MessageFromJson, TakesSixtyFourBitIntegersAsStringsAndAsNumbers) {
  for (const std::string text : {R"({"positiveIntValue":"9007199254740993"})",
                                 R"({"positive_int_value":9007199254740993})"}) {
    google::protobuf::UninterpretedOption message;
    const auto parsed = message_from_json(text, message);
    ASSERT_TRUE(parsed.has_value()) << parsed.error().message;
    EXPECT_EQ(message.positive_int_value(), 9007199254740993U);
    EXPECT_EQ(message_to_json(message), R"({"positiveIntValue":"9007199254740993"})");
  }
}

TEST(MessageFromJson, RefusesAMemberThatIsThereTwice) {
  const auto read = [](std::string_view text) {
    google::protobuf::Struct message;
    return message_from_json(text, message);
  };
  EXPECT_TRUE(read(R"({"a":{"b":1},"b":{"b":2},"c":[{"b":1},{"b":2}]})").has_value());
  for (const std::string_view text :
       {R"({"sku":1,"b":2,"sku":3})", R"({"x":{"a":1,"a":1}})", R"({"x":[{"a":1,"a":1}]})",
        R"({"a":1,"\u0061":2})", R"({"a":null,"a":1})"}) {
    const auto refused = read(text);
    ASSERT_FALSE(refused.has_value()) << text;
    EXPECT_NE(refused.error().message.find("a member that is there already"), std::string::npos)
        << refused.error().message;
  }
  EXPECT_EQ(read(R"({"sku":1,"b":2,"sku":3})").error().message,
            "body is not valid JSON at byte 15: a member that is there already");
}

TEST(MessageFromJson, NamesTheFieldAndNeverThePayload) {
  struct Vector {
    std::string text;
    std::string expected;
  };
  for (const auto& [text, expected] : std::vector<Vector>{
           {R"({"fields":[{"number":"s3cret"}]})", "field fields[0].number has a value"},
           {R"({"fields":[{"number":"12x","name":"s3cret"}]})", "field fields[0].number"},
           {R"({"fields":[{"nmae":"s3cret"}]})", "unknown field fields[0].nmae"},
           {R"({"nope":"s3cret"})", "unknown field nope"},
           {R"({"syntax":"s3cret"})", "field syntax has a value"},
           {R"({"name":7})", "field name has a value"},
           {R"(["s3cret"])", "not a JSON object"},
           {R"({"name":"s3cret)", "at byte 15"},
       }) {
    google::protobuf::Type message;
    const auto parsed = message_from_json(text, message);
    ASSERT_FALSE(parsed.has_value()) << text;
    EXPECT_EQ(parsed.error().code, Errc::invalid_argument);
    EXPECT_NE(parsed.error().message.find(expected), std::string::npos) << parsed.error().message;
    EXPECT_EQ(parsed.error().message.find("s3cret"), std::string::npos) << parsed.error().message;
  }
}

TEST(MessageToJson, SaysSoWhenAMessageHasNoJsonForm) {
  google::protobuf::Timestamp message;
  message.set_seconds(1'000'000'000'000'000);
  const auto text = message_to_json(message);
  ASSERT_FALSE(text.has_value());
  EXPECT_EQ(text.error().code, Errc::internal);
}

}  // namespace
}  // namespace skald::wire
