// The third part of engine/store/store.h's promises: what operators search by. Filters, orders,
// counts, and failures in groups. How a store joins: store_conformance.h.
#pragma once

#include <gtest/gtest.h>

#include "tests/conformance/store_conformance.h"

namespace skald::conformance {

template <class World>
class StoreSearchConformance : public StoreConformance<World> {
 protected:
  using Ids = std::vector<SagaId>;

  Ids found(std::string_view text, ListOrder order = ListOrder::newest, std::size_t limit = 50) {
    Ids ids;
    const ListQuery query{
        .filter = filtered(text), .now = at(10'000), .order = order, .limit = limit};
    for (const ListedSaga& saga : all_pages(this->store(), query)) ids.push_back(saga.id);
    return ids;
  }
  std::uint64_t counted(std::string_view text) {
    return count_all(this->store(), {.filter = filtered(text), .now = at(10'000)});
  }
  FailureGroups grouped(GroupBy by, std::string_view text) {
    const auto groups =
        this->store().groups({.by = by, .filter = filtered(text), .now = at(10'000)});
    EXPECT_TRUE(groups.has_value()) << groups.error().message;
    return groups ? *groups : FailureGroups{};
  }
};
TYPED_TEST_SUITE_P(StoreSearchConformance);

TYPED_TEST_P(StoreSearchConformance, AFilterFindsWhatPassesAndNothingElse) {
  ShardWriter writer(this->store(), 1);
  Tale a(id(1)), b(id(2)), c(id(3)), d(id(4));
  writer.commit(a.start(at(1), {.definition = "pay", .business_key = "x"}), b.start(at(2)),
                c.start(at(3)), d.start(at(4), {.definition = "pay"}));
  writer.commit(a.fail(SagaStatus::stuck, failure_of("charge", 2), at(10)),
                b.fail(SagaStatus::compensating, failure_of("deduct", 4), at(10)),
                c.fail(SagaStatus::stuck, failure_of("deduct", 4), at(11)));
  using Ids = std::vector<SagaId>;
  EXPECT_EQ(this->found(""), (Ids{id(4), id(3), id(2), id(1)}));
  EXPECT_EQ(this->found("step = deduct"), (Ids{id(3), id(2)}));
  EXPECT_EQ(this->found("step = deduct and status = stuck"), (Ids{id(3)}));
  EXPECT_EQ(this->found("status in (stuck, compensating) and participant = inventory"),
            (Ids{id(3), id(2), id(1)}));
  EXPECT_EQ(this->found("cause = 0000000000000004"), (Ids{id(3), id(2)}));
  EXPECT_EQ(this->found("error ~ \"reason c\""), (Ids{id(1)}));
  EXPECT_EQ(this->found("definition = pay and not status = stuck"), (Ids{id(4)}));
  EXPECT_EQ(this->found("business_key = x and status = stuck"), (Ids{id(1)}));
  EXPECT_EQ(this->found("business_key = x and status = running"), Ids{});
  EXPECT_EQ(this->found("stuck_for > 9989ms"), (Ids{id(1)}));
  EXPECT_EQ(this->found("age >= 9998ms"), (Ids{id(2), id(1)}));
  EXPECT_EQ(this->found("id = " + id(2).text()), (Ids{id(2)}));
  EXPECT_EQ(this->found("id = " + id(9).text()), Ids{});
}

TYPED_TEST_P(StoreSearchConformance, OrdersAreByStartAndByTheTimeStuck) {
  ShardWriter writer(this->store(), 1);
  std::vector<Tale> tales;
  for (std::uint64_t i = 1; i <= 9; ++i) {
    tales.emplace_back(id(i));
    writer.commit(tales.back().start(at(static_cast<std::int64_t>(i))));
  }
  for (const std::size_t i : {6U, 2U, 4U}) {
    writer.commit(tales[i].fail(SagaStatus::stuck, failure_of("a", 2), at(100 - 10 * int(i))));
  }
  using Ids = std::vector<SagaId>;
  for (const std::size_t limit : {1U, 2U, 50U}) {
    EXPECT_EQ(this->found("", ListOrder::oldest, limit),
              (Ids{id(1), id(2), id(3), id(4), id(5), id(6), id(7), id(8), id(9)}));
    EXPECT_EQ(this->found("age < 9997ms", ListOrder::oldest, limit),
              (Ids{id(4), id(5), id(6), id(7), id(8), id(9)}));
    EXPECT_EQ(this->found("status = stuck", ListOrder::newest, limit), (Ids{id(7), id(5), id(3)}));
    EXPECT_EQ(this->found("", ListOrder::longest_stuck, limit), (Ids{id(7), id(5), id(3)}));
  }
  // Another cause while it is stuck: it waits as long as before.
  writer.commit(tales[6].fail(SagaStatus::stuck, failure_of("b", 3), at(500)));
  EXPECT_EQ(this->found("", ListOrder::longest_stuck), (Ids{id(7), id(5), id(3)}));
  // Out of it and in again: it waits since then.
  writer.commit(tales[6].wake(at(600)));
  EXPECT_EQ(this->found("", ListOrder::longest_stuck), (Ids{id(5), id(3)}));
  writer.commit(tales[6].fail(SagaStatus::stuck, failure_of("b", 3), at(700)));
  EXPECT_EQ(this->found("", ListOrder::longest_stuck), (Ids{id(5), id(3), id(7)}));
}

TYPED_TEST_P(StoreSearchConformance, CountsAreWhatTheListShows) {
  ShardWriter writer(this->store(), 1);
  std::vector<Tale> tales;
  for (std::uint64_t i = 0; i < 60; ++i) {
    tales.emplace_back(id(i));
    writer.commit(tales[i].start(at(static_cast<std::int64_t>(i)),
                                 {.definition = i % 2 == 0 ? "pay" : "ship"}));
    if (i % 3 == 0) {
      writer.commit(tales[i].fail(i % 4 == 0 ? SagaStatus::stuck : SagaStatus::compensated,
                                  failure_of(i % 10 < 4 ? "a" : "b", 1 + i % 10), at(100)));
    } else if (i % 3 == 1) {
      writer.commit(tales[i].become(SagaStatus::completed, at(100)));
    }
  }
  for (const std::string_view text :
       {"", "status = stuck", "definition = pay", "step = a", "step = b and status = stuck",
        "not step = b", "age > 9970ms", "status = completed and age > 9970ms",
        "step = a or age > 9970ms", "definition = pay and step = a and age > 9970ms",
        "status = paused", "error ~ REASON"}) {
    EXPECT_EQ(this->counted(text), this->found(text).size()) << text;
  }
  EXPECT_EQ(this->store().count({.page_token = "garbage"}).error().code, Errc::invalid_argument);
}

TYPED_TEST_P(StoreSearchConformance, GroupsHaveTheirCountsEndsAndWhatIsCommon) {
  ShardWriter writer(this->store(), 1);
  std::vector<Tale> tales;
  for (std::uint64_t i = 1; i <= 6; ++i) {
    tales.emplace_back(id(i));
    writer.commit(tales.back().start(at(static_cast<std::int64_t>(i)), {.definition = "pay"}));
  }
  const FailureClass locked = failure_of("deduct", 2);
  const FailureClass gone = failure_of("deduct", 4, OutcomeKind::unknown);
  const FailureClass used = failure_of("use_coupon", 3);
  writer.commit(tales[0].fail(SagaStatus::stuck, gone, at(50)),
                tales[1].fail(SagaStatus::stuck, gone, at(50)),
                tales[2].fail(SagaStatus::stuck, locked, at(50)),
                tales[3].fail(SagaStatus::stuck, gone, at(50)),
                tales[4].fail(SagaStatus::stuck, used, at(50)),
                tales[5].fail(SagaStatus::compensated, used, at(50)));
  const FailureGroups causes = this->grouped(GroupBy::cause, "status = stuck");
  EXPECT_TRUE(causes.complete);
  EXPECT_EQ(causes.sagas, 5U);
  ASSERT_EQ(causes.groups.size(), 3U);
  EXPECT_EQ(causes.groups[0], (FailureGroup{.definition = "pay",
                                            .failure = gone,
                                            .count = 3,
                                            .oldest = {.started_at = at(1), .id = id(1)},
                                            .newest = {.started_at = at(4), .id = id(4)}}));
  EXPECT_EQ(causes.groups[1].failure, used);  // as large as the other, but newer
  EXPECT_EQ(causes.groups[2].failure, locked);

  const FailureGroups steps = this->grouped(GroupBy::step, "status = stuck");
  ASSERT_EQ(steps.groups.size(), 2U);
  EXPECT_EQ(steps.groups[0].definition, "pay");
  EXPECT_EQ(steps.groups[0].failure.step, "deduct");
  EXPECT_EQ(steps.groups[0].failure.cause, CauseId{});
  EXPECT_EQ(steps.groups[0].count, 4U);
  const FailureGroups participants = this->grouped(GroupBy::participant, "");
  ASSERT_EQ(participants.groups.size(), 2U);
  EXPECT_EQ(participants.groups[0].failure.participant, "inventory");
  EXPECT_EQ(participants.groups[1].failure.participant, "promotion");
  EXPECT_EQ(participants.groups[1].count, 2U);

  EXPECT_EQ(this->grouped(GroupBy::cause, "status = stuck and age > 9997ms").groups[0].count, 2U);
  EXPECT_EQ(this->grouped(GroupBy::cause, "status = paused").groups.size(), 0U);
}

TYPED_TEST_P(StoreSearchConformance, GroupsFollowEverySagaThatChanges) {
  ShardWriter writer(this->store(), 1);
  Tale a(id(1)), b(id(2));
  const FailureClass one = failure_of("deduct", 2);
  const FailureClass two = failure_of("deduct", 4);
  const auto causes = [&] {
    std::vector<std::pair<std::uint64_t, std::uint64_t>> shown;
    for (const FailureGroup& group : this->grouped(GroupBy::cause, "status = stuck").groups) {
      shown.emplace_back(group.failure.cause.value, group.count);
    }
    return shown;
  };
  using Shown = std::vector<std::pair<std::uint64_t, std::uint64_t>>;
  writer.commit(a.start(at(1)), b.start(at(2)));
  writer.commit(a.fail(SagaStatus::stuck, one, at(3)), b.fail(SagaStatus::stuck, one, at(3)));
  EXPECT_EQ(causes(), (Shown{{2, 2}}));
  writer.commit(b.fail(SagaStatus::stuck, two, at(4)));
  EXPECT_EQ(causes(), (Shown{{4, 1}, {2, 1}}));
  writer.commit(a.wake(at(5)));
  EXPECT_EQ(causes(), (Shown{{4, 1}}));
  // Several changes of one saga in one commit, and back to where it was.
  writer.commit(a.fail(SagaStatus::stuck, one, at(6)), a.fail(SagaStatus::stuck, two, at(7)),
                a.fail(SagaStatus::compensating, two, at(8)), a.fail(SagaStatus::stuck, two, at(9)),
                b.wake(at(9)), b.fail(SagaStatus::stuck, two, at(10)));
  EXPECT_EQ(causes(), (Shown{{4, 2}}));
  writer.commit(a.become(SagaStatus::completed, at(11)), b.become(SagaStatus::abandoned, at(11)));
  EXPECT_EQ(causes(), Shown{});
  EXPECT_EQ(this->counted("cause = 0000000000000004"), 0U);
}

// Whoever writes a transition may not know what an earlier build found to be the cause.
TYPED_TEST_P(StoreSearchConformance, TheStoreKnowsBetterThanTheWriterWhatTheCauseWas) {
  ShardWriter writer(this->store(), 1);
  Tale a(id(1));
  writer.commit(a.start(at(1)));
  writer.commit(a.fail(SagaStatus::stuck, failure_of("deduct", 2), at(2)));
  Transition t = a.become(SagaStatus::running, at(3));
  t.before->failure = failure_of("other", 9);
  writer.commit(t);
  EXPECT_TRUE(this->grouped(GroupBy::cause, "").groups.empty());
  EXPECT_EQ(this->counted("status = running"), 1U);
}

TYPED_TEST_P(StoreSearchConformance, CountsByDefinitionAreExact) {
  ShardWriter writer(this->store(), 1);
  Tale a(id(1)), b(id(2)), c(id(3));
  writer.commit(a.start(at(0), {.definition = "ship"}), b.start(at(0), {.definition = "pay"}),
                c.start(at(0), {.definition = "pay"}));
  writer.commit(b.become(SagaStatus::completed, at(1)));
  EXPECT_EQ(*this->store().count_by_definition(),
            (std::vector<DefinitionCount>{{"pay", SagaStatus::running, 1},
                                          {"pay", SagaStatus::completed, 1},
                                          {"ship", SagaStatus::running, 1}}));
}

REGISTER_TYPED_TEST_SUITE_P(StoreSearchConformance, AFilterFindsWhatPassesAndNothingElse,
                            OrdersAreByStartAndByTheTimeStuck, CountsAreWhatTheListShows,
                            GroupsHaveTheirCountsEndsAndWhatIsCommon,
                            GroupsFollowEverySagaThatChanges,
                            TheStoreKnowsBetterThanTheWriterWhatTheCauseWas,
                            CountsByDefinitionAreExact);

/// Of stores that outlive their process.
template <class World>
class StoreSearchDurability : public StoreSearchConformance<World> {};
TYPED_TEST_SUITE_P(StoreSearchDurability);

TYPED_TEST_P(StoreSearchDurability, CausesAndCountsAreThereAgain) {
  {
    ShardWriter writer(this->store(), 1);
    Tale a(id(1)), b(id(2));
    writer.commit(a.start(at(1), {.definition = "pay"}), b.start(at(2), {.definition = "ship"}));
    writer.commit(a.fail(SagaStatus::stuck, failure_of("deduct", 2), at(3)),
                  b.become(SagaStatus::completed, at(3)));
  }
  this->reopen();
  EXPECT_EQ(this->counted("status = stuck and step = deduct"), 1U);
  EXPECT_EQ(this->grouped(GroupBy::cause, "status = stuck").groups.size(), 1U);
  EXPECT_EQ(this->found("", ListOrder::longest_stuck), (std::vector<SagaId>{id(1)}));
  EXPECT_EQ(*this->store().count_by_definition(),
            (std::vector<DefinitionCount>{{"pay", SagaStatus::stuck, 1},
                                          {"ship", SagaStatus::completed, 1}}));
  ShardWriter writer(this->store(), 1);
  Tale c(id(3));
  writer.commit(c.start(at(4), {.definition = "another"}));
  EXPECT_EQ(this->store().count_by_definition()->size(), 3U);
}

REGISTER_TYPED_TEST_SUITE_P(StoreSearchDurability, CausesAndCountsAreThereAgain);

}  // namespace skald::conformance
