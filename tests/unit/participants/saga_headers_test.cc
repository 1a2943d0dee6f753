#include "participants/kit/saga_headers.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace skald::kit {
namespace {

using Headers = std::vector<HttpHeader>;

TEST(SagaHeaders, WithoutAKeyThereIsNoSaga) {
  EXPECT_EQ(parse_saga_call({{"Skald-Saga-Id", "s1"}}).value(), std::nullopt);
}

TEST(SagaHeaders, AQuotedKeyIsUnquoted) {
  const auto call = parse_saga_call({{"idempotency-key", R"("a\"b\\c")"}}).value();
  EXPECT_EQ(call->key, R"(a"b\c)");
  EXPECT_EQ(call->operation, Operation::action);
  EXPECT_EQ(call->saga_id, "");
}

TEST(SagaHeaders, AKeyOfTheEnginesFormNamesSagaLegAndOperation) {
  const auto call =
      parse_saga_call({{"Idempotency-Key", R"("s1/deduct_stock[a%2Fb]/compensation/g2")"}}).value();
  EXPECT_EQ(call->saga_id, "s1");
  EXPECT_EQ(call->leg, "deduct_stock[a%2Fb]");
  EXPECT_EQ(call->operation, Operation::compensation);
}

TEST(SagaHeaders, HeadersComeBeforeTheKey) {
  const auto call = parse_saga_call({{"Idempotency-Key", "s1/a/action"},
                                     {"Skald-Saga-Id", "s2"},
                                     {"Skald-Leg", "b"},
                                     {"Skald-Operation", "probe"}})
                        .value();
  EXPECT_EQ(call->saga_id, "s2");
  EXPECT_EQ(call->leg, "b");
  EXPECT_EQ(call->operation, Operation::probe);
}

TEST(SagaHeaders, AKeyOfAnyOtherFormStandsAlone) {
  for (const std::string key : {"a", "a/b", "a/b/c", "a/b/undo/g2"}) {
    const auto call = parse_saga_call({{"Idempotency-Key", key}}).value();
    EXPECT_EQ(call->saga_id, "") << key;
    EXPECT_EQ(call->leg, "") << key;
  }
}

TEST(SagaHeaders, WhatIsNoKeyIsInvalid) {
  const std::string long_key(kKeyBytesMax + 1, 'k');
  for (const std::string key : {"", "\"\"", "\"a", "\"a\"b", "\"a\\", "a\tb", long_key.c_str()}) {
    EXPECT_EQ(parse_saga_call({{"Idempotency-Key", key}}).error().code, Errc::invalid_argument)
        << key;
  }
  const HttpHeader key{"Idempotency-Key", "k"};
  for (const HttpHeader& other :
       {HttpHeader{"Skald-Operation", "undo"}, HttpHeader{"Skald-Saga-Id", "a/b"},
        HttpHeader{"Skald-Saga-Id", std::string(65, 's')},
        HttpHeader{"Skald-Leg", std::string(257, 'l')}}) {
    EXPECT_EQ(parse_saga_call({key, other}).error().code, Errc::invalid_argument) << other.name;
  }
}

}  // namespace
}  // namespace skald::kit
