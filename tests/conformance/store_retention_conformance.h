// What every store promises of ended sagas that are removed. Part of store_conformance.h.
#pragma once

#include <gtest/gtest.h>

#include "tests/conformance/store_world.h"

namespace skald::conformance {

template <class World>
class StoreRetentionConformance : public testing::Test {
 protected:
  Store& store() { return world_.store(); }

  /// The ids of what the rules let go, in the store's order.
  std::vector<SagaId> removable(std::vector<RetentionRule> rules, std::size_t limit = 100) {
    const auto found = store().removable(rules, limit);
    EXPECT_TRUE(found.has_value());
    std::vector<SagaId> ids;
    for (const EndedSaga& saga : *found) ids.push_back(saga.id);
    return ids;
  }
  static RetentionRule rule(SagaStatus status, std::optional<Instant> before,
                            std::string definition = "") {
    return {.definition = std::move(definition), .status = status, .ended_before = before};
  }

 private:
  World world_;
};
TYPED_TEST_SUITE_P(StoreRetentionConformance);

TYPED_TEST_P(StoreRetentionConformance, EndedSagasGoByStatusAndDefinitionThoseThatEndedFirstFirst) {
  ShardWriter writer(this->store(), 1);
  std::vector<Tale> tales;
  for (std::uint64_t i = 0; i < 6; ++i) {
    tales.emplace_back(id(10 + i));
    writer.commit(tales[i].start(at(0), {.definition = i == 4 ? "ship" : "pay"}));
  }
  writer.commit(tales[0].become(SagaStatus::completed, at(30)));
  writer.commit(tales[1].become(SagaStatus::completed, at(10)));
  writer.commit(tales[2].become(SagaStatus::compensated, at(20)));
  writer.commit(tales[3].become(SagaStatus::abandoned, at(20)));
  writer.commit(tales[4].become(SagaStatus::completed, at(20)));
  writer.commit(tales[5].become(SagaStatus::stuck, at(20)));

  using Ids = std::vector<SagaId>;
  const auto rule = [this](auto... given) { return this->rule(given...); };
  constexpr auto kCompleted = SagaStatus::completed;
  EXPECT_EQ(this->removable({}), Ids{});
  EXPECT_EQ(this->removable({rule(kCompleted, at(31), "pay")}), (Ids{id(11), id(10)}));
  EXPECT_EQ(this->removable({rule(kCompleted, at(30), "pay")}), (Ids{id(11)}));  // exclusive
  EXPECT_EQ(this->removable({rule(kCompleted, at(31), "pay")}, 1), (Ids{id(11)}));
  EXPECT_EQ(this->removable({rule(kCompleted, at(31)), rule(kCompleted, std::nullopt, "pay")}),
            (Ids{id(14)}));
  EXPECT_EQ(this->removable({rule(kCompleted, std::nullopt), rule(kCompleted, at(31), "ship")}),
            (Ids{id(14)}));
  EXPECT_EQ(this->removable({rule(SagaStatus::compensated, at(99))}), (Ids{id(12)}));
  EXPECT_EQ(this->removable({rule(SagaStatus::abandoned, at(99))}), (Ids{id(13)}));
  EXPECT_EQ(this->removable({rule(SagaStatus::stuck, at(99))}), Ids{});
  EXPECT_EQ(this->removable({rule(kCompleted, at(99))}).size(), 3u);
}

TYPED_TEST_P(StoreRetentionConformance, NothingOfARemovedSagaIsLeft) {
  ShardWriter writer(this->store(), 1);
  Tale gone(id(1)), stays(id(2));
  writer.commit(gone.start(at(0), {.business_key = "b"}),
                stays.start(at(1), {.business_key = "b"}));
  writer.commit(gone.become(SagaStatus::compensating, at(2)));
  writer.commit(gone.become(SagaStatus::compensated, at(3)),
                stays.become(SagaStatus::compensated, at(3)));
  ASSERT_TRUE(writer.remove({{.id = id(1), .started_at = at(0)}}).has_value());

  EXPECT_FALSE(this->store().load(id(1))->has_value());
  EXPECT_EQ(ids_of(*this->store().list({})), std::vector<SagaId>{id(2)});
  EXPECT_EQ(*this->store().find_business_key("b", 9), std::vector<SagaId>{id(2)});
  EXPECT_EQ(count_of(this->store(), SagaStatus::compensated), 1u);
  EXPECT_EQ(this->store().count_by_definition()->size(), 1u);
  EXPECT_EQ(this->removable({this->rule(SagaStatus::compensated, at(99))}),
            std::vector<SagaId>{id(2)});
  // Twice is as good as once.
  ASSERT_TRUE(writer.remove({{.id = id(1), .started_at = at(0)}}).has_value());
  EXPECT_EQ(count_of(this->store(), SagaStatus::compensated), 1u);
}

TYPED_TEST_P(StoreRetentionConformance, ASagaThatHasNotEndedIsNeverRemoved) {
  ShardWriter writer(this->store(), 1);
  for (const SagaStatus status :
       {SagaStatus::running, SagaStatus::compensating, SagaStatus::paused, SagaStatus::stuck}) {
    Tale tale(id(static_cast<std::uint64_t>(status)));
    writer.commit(tale.start(at(0)));
    if (status != SagaStatus::running) writer.commit(tale.become(status, at(1)));
    EXPECT_EQ(this->removable({this->rule(status, kNever)}), std::vector<SagaId>{});
    ASSERT_TRUE(writer.remove({{.id = tale.id(), .started_at = at(0)}}).has_value());
    EXPECT_TRUE(this->store().load(tale.id())->has_value());
    EXPECT_EQ(count_of(this->store(), status), 1u);
  }
}

TYPED_TEST_P(StoreRetentionConformance, ASagaStaysAsLongAsItsKey) {
  ShardWriter writer(this->store(), 1);
  Tale tale(id(1));
  const EndedSaga ended{.id = id(1), .started_at = at(0), .idempotency_key = "key"};
  const auto rule = this->rule(SagaStatus::completed, at(99));
  writer.commit(tale.start(at(0), {.idempotency_key = "key"}));
  writer.commit(tale.become(SagaStatus::completed, at(1)));
  EXPECT_TRUE(this->removable({rule}).empty());
  ASSERT_TRUE(writer.remove({ended}).has_value());
  EXPECT_TRUE(this->store().load(id(1))->has_value());

  ASSERT_TRUE(writer.try_commit({}, {"key"}).has_value());
  EXPECT_EQ(*this->store().removable({{rule}}, 9), std::vector<EndedSaga>{ended});
  // The key leads to another saga by now.
  Tale second(id(1, 2));
  writer.commit(second.start(at(2), {.idempotency_key = "key"}));
  ASSERT_TRUE(writer.remove({ended}).has_value());
  EXPECT_FALSE(this->store().load(id(1))->has_value());
  EXPECT_EQ((*this->store().find_key("key"))->saga, second.id());
  EXPECT_TRUE(this->removable({rule}).empty());
}

REGISTER_TYPED_TEST_SUITE_P(StoreRetentionConformance,
                            EndedSagasGoByStatusAndDefinitionThoseThatEndedFirstFirst,
                            NothingOfARemovedSagaIsLeft, ASagaThatHasNotEndedIsNeverRemoved,
                            ASagaStaysAsLongAsItsKey);

}  // namespace skald::conformance
