#include "participants/order_front/admission.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace skald::mall::order_front {
namespace {

std::string complaint(std::string_view json) {
  const auto body = parse_create(json);
  if (body) return "accepted";
  EXPECT_EQ(body.error().code, Errc::invalid_argument);
  return body.error().message;
}

TEST(Admission, TakesAWholeOrder) {
  EXPECT_EQ(parse_create(R"({"user_id":1,"sku_ids":[101,103],"coupon_id":501,"address":"A"})"),
            (CreateBody{1, {101, 103}, 501, "A"}));
  EXPECT_EQ(parse_create(R"({"user_id":1,"sku_ids":[9007199254740993],"address":"A"})"),
            (CreateBody{1, {9'007'199'254'740'993}, 0, "A"}));
  EXPECT_EQ(parse_create(R"({"user_id":1,"sku_ids":[1],"coupon_id":null,"address":"A"})"),
            (CreateBody{1, {1}, 0, "A"}));
}

TEST(AdmissionLines, BQWhatCannotBeAnOrderIsRefusedByField) {
  using testing::StartsWith;
  EXPECT_THAT(complaint("{"), StartsWith("body: not JSON"));
  EXPECT_THAT(complaint("[]"), StartsWith("body: not an object"));
  EXPECT_THAT(complaint(R"({"sku_ids":[1],"address":"A"})"), StartsWith("user_id: missing"));
  EXPECT_THAT(complaint(R"({"user_id":"1","sku_ids":[1],"address":"A"})"),
              StartsWith("user_id: not an integer"));
  EXPECT_THAT(complaint(R"({"user_id":0,"sku_ids":[1],"address":"A"})"),
              StartsWith("user_id: must be positive"));
  EXPECT_THAT(complaint(R"({"user_id":1,"address":"A"})"), StartsWith("sku_ids: missing"));
  EXPECT_THAT(complaint(R"({"user_id":1,"sku_ids":1,"address":"A"})"),
              StartsWith("sku_ids: not an array"));
  EXPECT_THAT(complaint(R"({"user_id":1,"sku_ids":[],"address":"A"})"),
              StartsWith("sku_ids: empty"));
  EXPECT_THAT(complaint(R"({"user_id":1,"sku_ids":[1,2,1],"address":"A"})"),
              StartsWith("sku_ids: 1 twice"));
  EXPECT_THAT(complaint(R"({"user_id":1,"sku_ids":[1,-2],"address":"A"})"),
              StartsWith("sku_ids[1]: must be positive"));
  EXPECT_THAT(complaint(R"({"user_id":1,"sku_ids":[1,1.5],"address":"A"})"),
              StartsWith("sku_ids[1]: not an integer"));
  EXPECT_THAT(complaint(R"({"user_id":1,"sku_ids":[1],"address":7})"),
              StartsWith("address: not a string"));
  EXPECT_THAT(complaint(R"({"user_id":1,"sku_ids":[1],"address":""})"),
              StartsWith("address: empty"));
  EXPECT_THAT(complaint(R"({"user_id":1,"sku_ids":[1],"address":"A","coupon_id":"x"})"),
              StartsWith("coupon_id: not an integer"));
  EXPECT_THAT(complaint(R"({"user_id":1,"sku_ids":[1],"address":"A","coupn_id":5})"),
              StartsWith("coupn_id: no such field"));
}

TEST(AdmissionLines, BQBoundsHoldAtTheirEdges) {
  const auto order = [](std::size_t skus, std::size_t address) {
    std::string json = R"({"user_id":1,"sku_ids":[)";
    for (std::size_t i = 1; i <= skus; ++i) json += (i > 1 ? "," : "") + std::to_string(i);
    return json + R"(],"address":")" + std::string(address, 'a') + "\"}";
  };
  EXPECT_EQ(complaint(order(kSkusMax, kAddressBytesMax)), "accepted");
  EXPECT_EQ(complaint(order(kSkusMax + 1, 1)), "sku_ids: more than 200");
  EXPECT_EQ(complaint(order(1, kAddressBytesMax + 1)), "address: longer than 1024 bytes");
}

TEST(Admission, CancelNamesItsFieldsToo) {
  EXPECT_EQ(parse_cancel(R"({"user_id":1,"order_id":"SN1"})"), (CancelBody{1, "SN1"}));
  EXPECT_EQ(parse_cancel(R"({"user_id":1})").error().message, "order_id: missing");
  EXPECT_FALSE(parse_cancel(R"({"user_id":1,"order_id":"SN1","force":true})").has_value());
}

TEST(Admission, AClientsKeyIsQuotedOrBare) {
  EXPECT_EQ(parse_client_key("\"a-1\""), "a-1");
  EXPECT_EQ(parse_client_key("a-1"), "a-1");
  for (const std::string bad : {"", "\"\"", "a b", "a\"b", "a\\b"}) {
    EXPECT_FALSE(parse_client_key(bad).has_value()) << bad;
  }
  EXPECT_TRUE(parse_client_key(std::string(128, 'k')).has_value());
  EXPECT_FALSE(parse_client_key(std::string(129, 'k')).has_value());
}

}  // namespace
}  // namespace skald::mall::order_front
