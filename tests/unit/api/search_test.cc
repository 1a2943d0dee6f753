// Searches through the routes: what the engine is asked, what the client reads.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/api/saga_search.h"
#include "tests/unit/api/routes_fixture.h"

namespace skald::api {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::string_view kList = "/skald.v1.SagaService/List";
constexpr std::string_view kCount = "/skald.v1.SagaService/Count";
constexpr std::string_view kStuckGroups = "/skald.v1.SagaService/StuckGroups";

FailureClass locked() {
  return {.step = "deduct_stock",
          .participant = "inventory",
          .operation = Operation::compensation,
          .outcome = OutcomeKind::rejected,
          .code = "locked",
          .message = "sku # is locked",
          .cause = {.value = 0x3F2A9C11D0E4B7AAULL}};
}

FailureGroup group_of(FailureClass failure) {
  return {.definition = "create_order",
          .failure = std::move(failure),
          .count = 500,
          .oldest = {.started_at = from_unix_ms(1'000), .id = {.placement = 1, .serial = 1}},
          .newest = {.started_at = from_unix_ms(9'000), .id = {.placement = 1, .serial = 2}}};
}

TEST_F(RoutesTest, AListIsFilteredAndOrderedAsAsked) {
  engine_.page = ListPage{};
  post(kList, R"({"filter":"status = stuck and age > 10m","order":"longest_stuck","limit":7})");
  ASSERT_TRUE(engine_.query.has_value());
  EXPECT_EQ(print(engine_.query->filter), "status = stuck and age > 10m");
  EXPECT_EQ(engine_.query->order, ListOrder::longest_stuck);
  EXPECT_EQ(engine_.query->limit, 7U);
  post(kList, "{}");
  EXPECT_EQ(engine_.query->filter, filter::Filter{});
  EXPECT_EQ(engine_.query->order, ListOrder::newest);
}

TEST_F(RoutesTest, AMistakeInAFilterIsToldWithItsColumn) {
  for (const std::string_view procedure : {kList, kCount, kStuckGroups}) {
    EXPECT_THAT(
        refused(post(procedure, R"({"filter":"status = stuk"})"), 400, Errc::invalid_argument),
        HasSubstr("filter: column 10: there is no status \"stuk\"; did you mean stuck?"));
  }
}

TEST_F(RoutesTest, AFailedSagaIsListedWithItsCause) {
  engine_.page = ListPage{.sagas = {{.id = {.placement = 1, .serial = 2},
                                     .summary = {.definition = "create_order",
                                                 .version = 1,
                                                 .status = SagaStatus::stuck,
                                                 .failure = locked(),
                                                 .since = from_unix_ms(5'000)}},
                                    {.id = {.placement = 1, .serial = 3}, .summary = {}}},
                          .next_page_token = {}};
  const auto list = call<v1::ListResponse>(kList, v1::ListRequest{});
  ASSERT_EQ(list.sagas_size(), 2);
  const v1::FailureClass& failure = list.sagas(0).failure();
  EXPECT_EQ(failure.cause(), "3f2a9c11d0e4b7aa");
  EXPECT_EQ(failure.step(), "deduct_stock");
  EXPECT_EQ(failure.operation(), "compensation");
  EXPECT_EQ(failure.outcome(), v1::OutcomeKind::rejected);
  EXPECT_EQ(failure.message(), "sku # is locked");
  EXPECT_EQ(list.sagas(0).since().seconds(), 5);
  EXPECT_FALSE(list.sagas(1).has_failure());
  EXPECT_FALSE(list.sagas(1).has_since());
}

TEST_F(RoutesTest, ACountIsToldWithItsNextPage) {
  engine_.count_page = CountPage{.count = 12, .next_page_token = "more"};
  v1::CountRequest request;
  request.set_filter("step = a");
  request.set_page_token("earlier");
  const auto count = call<v1::CountResponse>(kCount, request);
  EXPECT_EQ(count.count(), 12U);
  EXPECT_EQ(count.next_page_token(), "more");
  EXPECT_EQ(print(engine_.count_query->filter), "step = a");
  EXPECT_EQ(engine_.count_query->page_token, "earlier");
}

TEST_F(RoutesTest, StuckGroupsAreOfStuckSagasUnlessTheFilterSaysOtherwise) {
  engine_.failure_groups = FailureGroups{};
  post(kStuckGroups, "{}");
  EXPECT_EQ(print(engine_.group_query->filter), "status = stuck");
  EXPECT_EQ(engine_.group_query->by, GroupBy::cause);
  post(kStuckGroups, R"({"filter":"age > 1h","by":"participant"})");
  EXPECT_EQ(print(engine_.group_query->filter), "status = stuck and age > 1h");
  EXPECT_EQ(engine_.group_query->by, GroupBy::participant);
  post(kStuckGroups, R"({"filter":"status = compensated"})");
  EXPECT_EQ(print(engine_.group_query->filter), "status = compensated");
}

TEST_F(RoutesTest, EachGroupComesWithTheFilterThatFindsIt) {
  engine_.failure_groups = FailureGroups{.groups = {group_of(locked())}, .sagas = 500};
  v1::StuckGroupsRequest request;
  const auto groups = call<v1::StuckGroupsResponse>(kStuckGroups, request);
  ASSERT_EQ(groups.groups_size(), 1);
  const v1::FailureGroup& group = groups.groups(0);
  EXPECT_EQ(group.count(), 500U);
  EXPECT_EQ(group.filter(), "status = stuck and cause = 3f2a9c11d0e4b7aa");
  EXPECT_EQ(group.example_saga_id(), kSomeId);
  EXPECT_EQ(group.oldest_started_at().seconds(), 1);
  EXPECT_EQ(group.newest_started_at().seconds(), 9);
  EXPECT_EQ(groups.sagas(), 500U);
  EXPECT_TRUE(groups.complete());
  EXPECT_EQ(groups.filter(), "status = stuck");
}

TEST(FilterOfAGroup, SaysWhatItsSagasHaveInCommon) {
  const filter::Filter asked = filter::parse("status = stuck").value();
  EXPECT_EQ(print(filter_of(group_of(locked()), GroupBy::step, asked)),
            "status = stuck and definition = create_order and step = deduct_stock");
  EXPECT_EQ(print(filter_of(group_of(locked()), GroupBy::participant, asked)),
            "status = stuck and participant = inventory");
  EXPECT_EQ(print(filter_of(group_of({}), GroupBy::cause, asked)),
            "status = stuck and step = \"\" and error = \"\"");
}

}  // namespace
}  // namespace skald::api
