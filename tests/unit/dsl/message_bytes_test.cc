// Claims about bytes: equal messages have equal bytes, and errors name fields, never values.
#include "engine/dsl/message_bytes.h"

#include <gmock/gmock.h>
#include <google/protobuf/struct.pb.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>

#include "mall/sagas.pb.h"

namespace skald::dsl {
namespace {

using mall::sagas::CreateOrderRequest;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

google::protobuf::Struct filled(const std::vector<std::string>& keys) {
  google::protobuf::Struct out;
  for (const std::string& key : keys) {
    auto& inner = *(*out.mutable_fields())[key].mutable_struct_value();
    (*inner.mutable_fields())[key].set_string_value(key);
    (*inner.mutable_fields())["fixed"].set_bool_value(true);
  }
  return out;
}

TEST(Encode, GivesEqualBytesForMapsHoweverTheyWereFilled) {
  EXPECT_TRUE(rc::check("maps are canonical in every form", [] {
    auto keys = *rc::gen::container<std::vector<std::string>>(
        rc::gen::container<std::string>(rc::gen::inRange('a', 'z')));
    const auto forward = filled(keys);
    std::ranges::reverse(keys);
    const auto backward = filled(keys);
    for (const Protocol protocol :
         {Protocol::connect_proto, Protocol::connect_json, Protocol::http_json}) {
      RC_ASSERT(encode(forward, protocol) == encode(backward, protocol));
    }
  }));
}

TEST(Encode, NamesFieldsAsEachFormDoes) {
  CreateOrderRequest request;
  request.set_user_id(9'007'199'254'740'993);
  EXPECT_EQ(encode(request, Protocol::connect_json), R"({"userId":"9007199254740993"})");
  EXPECT_EQ(encode(request, Protocol::http_json), R"({"user_id":"9007199254740993"})");
  EXPECT_EQ(encode(request), request.SerializeAsString());
}

TEST(Decode, ReadsWhatEncodeWroteAndIgnoresWhatIsNew) {
  CreateOrderRequest request;
  request.set_user_id(42);
  request.add_sku_ids(7);
  for (const Protocol protocol :
       {Protocol::connect_proto, Protocol::connect_json, Protocol::http_json}) {
    CreateOrderRequest read;
    ASSERT_TRUE(decode(encode(request, protocol), protocol, read).has_value());
    EXPECT_EQ(encode(read), encode(request));
  }
  CreateOrderRequest read;
  EXPECT_TRUE(decode(R"({"user_id": 42, "new": {}})", Protocol::http_json, read).has_value());
  EXPECT_TRUE(decode("", Protocol::http_json, read).has_value());
}

TEST(Decode, SaysWhatItIsNotAndShowsNoBytes) {
  CreateOrderRequest read;
  for (const Protocol protocol : {Protocol::connect_proto, Protocol::http_json}) {
    const auto decoded = decode("{secret", protocol, read);
    ASSERT_FALSE(decoded.has_value());
    EXPECT_EQ(decoded.error().code, Errc::data_loss);
    EXPECT_THAT(decoded.error().message,
                AllOf(HasSubstr("mall.sagas.CreateOrderRequest"), Not(HasSubstr("secret"))));
  }
}

TEST(ReadInput, NamesTheFieldAndNeverTheValue) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {R"({"user_id": "secret"})", "user_id"},
      {R"({"sku_ids": [1, "secret for type X"]})", "sku_ids"},
      {R"({"colour": "secret"})", "colour"},
      {R"({"user_id": 1, secret})", "input"},
      {R"({"user_id": 1, "address": "secret)", "input"},
      {R"(["secret"])", "input"},
  };
  for (const auto& [json, field] : cases) {
    CreateOrderRequest message;
    const auto read = read_input(InputForm::json, json, message);
    ASSERT_FALSE(read.has_value()) << json;
    EXPECT_EQ(read.error().code, Errc::invalid_argument);
    EXPECT_THAT(read.error().message, AllOf(HasSubstr(field), Not(HasSubstr("secret"))));
  }
}

TEST(ReadInput, TakesEmptyJsonAsTheEmptyMessageAndDropsUnknownProtobufFields) {
  CreateOrderRequest message;
  EXPECT_TRUE(read_input(InputForm::json, "", message).has_value());
  EXPECT_TRUE(encode(message).empty());
  CreateOrderRequest canonical;
  ASSERT_TRUE(read_input(InputForm::proto, "\x08\x2a\xf8\x07\x01", canonical).has_value());
  EXPECT_EQ(encode(canonical), "\x08\x2a");
  EXPECT_FALSE(read_input(InputForm::proto, "\x0a", canonical).has_value());
}

TEST(Print, ShowsJsonOrTheSizeOfWhatIsNone) {
  CreateOrderRequest request;
  request.set_user_id(42);
  const auto& prototype = CreateOrderRequest::default_instance();
  EXPECT_EQ(print(encode(request), Protocol::connect_proto, prototype), R"({"user_id":"42"})");
  EXPECT_EQ(print("\xff", Protocol::connect_proto, prototype),
            "(1 bytes that are no mall.sagas.CreateOrderRequest)");
}

}  // namespace
}  // namespace skald::dsl
