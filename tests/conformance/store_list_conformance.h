// The second half of engine/store/store.h's promises: the list, its filters and pages, and the
// counts. How a store joins: store_conformance.h.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/conformance/store_conformance.h"

namespace skald::conformance {

template <class World>
class StoreListConformance : public StoreConformance<World> {};
TYPED_TEST_SUITE_P(StoreListConformance);

TYPED_TEST_P(StoreListConformance, TheListShowsTheLatestSummariesNewestFirst) {
  ShardWriter writer(this->store(), 1);
  Tale a(id(3)), b(id(1)), c(id(2));
  writer.commit(a.start(at(5), {.business_key = "x", .idempotency_key = "k"}), b.start(at(7)),
                c.start(at(7)));
  writer.commit(b.become(SagaStatus::stuck, at(8)), c.wait(std::nullopt, at(9)));
  writer.commit(a.become(SagaStatus::completed, at(10)));
  const auto page = this->store().list({});
  ASSERT_TRUE(page.has_value());
  EXPECT_EQ(ids_of(*page), (std::vector<SagaId>{id(2), id(1), id(3)}));
  EXPECT_EQ(page->sagas[0].summary, c.summary());
  EXPECT_EQ(page->sagas[1].summary, b.summary());
  EXPECT_EQ(page->sagas[2].summary, a.summary());
  EXPECT_TRUE(page->next_page_token.empty());
}

TYPED_TEST_P(StoreListConformance, TheListFiltersByEveryFieldAlone) {
  ShardWriter writer(this->store(), 1);
  Tale a(id(1)), b(id(2)), c(id(3)), d(id(4));
  writer.commit(a.start(at(1), {.definition = "pay", .business_key = "x"}),
                b.start(at(2), {.definition = "ship", .business_key = "x"}),
                c.start(at(3), {.definition = "pay", .business_key = "y"}),
                d.start(at(4), {.definition = "ship"}));
  writer.commit(a.become(SagaStatus::completed, at(5)), b.become(SagaStatus::stuck, at(5)));
  const auto list = [&](const ListQuery& query) { return ids_of(*this->store().list(query)); };
  using Ids = std::vector<SagaId>;
  EXPECT_EQ(list({.statuses = {SagaStatus::running}}), (Ids{id(4), id(3)}));
  EXPECT_EQ(list({.statuses = {SagaStatus::stuck, SagaStatus::completed}}), (Ids{id(2), id(1)}));
  EXPECT_EQ(list({.statuses = {SagaStatus::stuck, SagaStatus::stuck}}), (Ids{id(2)}));
  EXPECT_EQ(list({.statuses = {SagaStatus::paused}}), Ids{});
  EXPECT_EQ(list({.definition = "pay"}), (Ids{id(3), id(1)}));
  EXPECT_EQ(list({.business_key = "x"}), (Ids{id(2), id(1)}));
  EXPECT_EQ(list({.started_after = at(2)}), (Ids{id(4), id(3), id(2)}));
  EXPECT_EQ(list({.started_before = at(2)}), (Ids{id(1)}));
  EXPECT_EQ(list({.started_after = at(2), .started_before = at(4)}), (Ids{id(3), id(2)}));
  EXPECT_EQ(list({.started_before = Instant::min()}), Ids{});
}

TYPED_TEST_P(StoreListConformance, TheListFiltersByAllFieldsTogether) {
  ShardWriter writer(this->store(), 1);
  std::vector<Tale> tales;
  for (std::uint64_t i = 0; i < 64; ++i) {
    tales.emplace_back(id(i * 7919 % 64));
    Tale& tale = tales.back();
    writer.commit(tale.start(
        at(static_cast<std::int64_t>(i / 4)),
        {.definition = i % 2 == 0 ? "pay" : "ship", .business_key = i % 3 == 0 ? "x" : ""}));
    if (i % 5 == 0) writer.commit(tale.become(SagaStatus::completed, at(100)));
  }
  for (const bool by_status : {false, true}) {
    for (const bool by_definition : {false, true}) {
      for (const bool by_key : {false, true}) {
        ListQuery query{.started_after = at(3), .started_before = at(14), .limit = 3};
        if (by_status) query.statuses = {SagaStatus::completed};
        if (by_definition) query.definition = "pay";
        if (by_key) query.business_key = "x";
        std::vector<std::pair<Instant, SagaId>> want;
        for (const Tale& tale : tales) {
          const SagaSummary& s = tale.summary();
          const bool in = s.started_at >= at(3) && s.started_at < at(14) &&
                          (!by_status || s.status == SagaStatus::completed) &&
                          (!by_definition || s.definition == "pay") &&
                          (!by_key || s.business_key == "x");
          if (in) want.emplace_back(s.started_at, tale.id());
        }
        std::ranges::sort(want, std::greater<>());
        std::vector<std::pair<Instant, SagaId>> got;
        for (const ListedSaga& saga : all_pages(this->store(), query)) {
          got.emplace_back(saga.summary.started_at, saga.id);
        }
        EXPECT_EQ(got, want) << by_status << by_definition << by_key;
      }
    }
  }
}

TYPED_TEST_P(StoreListConformance, PagesAreStableWhileSagasStartAndChange) {
  ShardWriter writer(this->store(), 1);
  std::vector<Tale> tales;
  for (std::uint64_t i = 0; i < 20; ++i) {
    tales.emplace_back(id(i));
    writer.commit(tales[i].start(at(static_cast<std::int64_t>(i))));
  }
  ListQuery query{.limit = 6};
  std::vector<SagaId> seen;
  std::uint64_t fresh = 100;
  while (true) {
    const auto page = this->store().list(query);
    ASSERT_TRUE(page.has_value());
    for (const SagaId& one : ids_of(*page)) seen.push_back(one);
    if (page->next_page_token.empty()) break;
    query.page_token = page->next_page_token;
    Tale newer{id(fresh++)};
    writer.commit(newer.start(at(1'000)));
    writer.commit(tales[seen.size() % 20].become(SagaStatus::completed, at(2'000)),
                  tales[(seen.size() + 7) % 20].become(SagaStatus::stuck, at(2'000)));
  }
  std::vector<SagaId> want;
  for (std::uint64_t i = 20; i-- > 0;) want.push_back(id(i));
  EXPECT_EQ(seen, want);
}

TYPED_TEST_P(StoreListConformance, ALimitOutOfRangeAndAForeignTokenAreRefused) {
  const auto code = [&](const ListQuery& query) {
    const auto page = this->store().list(query);
    return page ? std::optional<Errc>() : page.error().code;
  };
  EXPECT_EQ(code({.limit = 0}), Errc::invalid_argument);
  EXPECT_EQ(code({.limit = kListPageMax + 1}), Errc::invalid_argument);
  EXPECT_EQ(code({.limit = kListPageMax}), std::nullopt);
  EXPECT_EQ(code({.page_token = "garbage"}), Errc::invalid_argument);
  EXPECT_EQ(code({.page_token = std::string(43, 'a')}), Errc::invalid_argument);
}

TYPED_TEST_P(StoreListConformance, CountsAreExact) {
  ShardWriter one(this->store(), 1);
  ShardWriter two(this->store(), 2);
  Tale a(id(1)), b(id(2)), c(id(3));
  one.commit(a.start(at(0)), b.start(at(0)));
  two.commit(c.start(at(0)));
  EXPECT_EQ(count_of(this->store(), SagaStatus::running), 3u);
  one.commit(a.become(SagaStatus::compensating, at(1)), a.become(SagaStatus::compensated, at(2)));
  two.commit(c.wait(at(9), at(1)));
  EXPECT_EQ(count_of(this->store(), SagaStatus::running), 2u);
  EXPECT_EQ(count_of(this->store(), SagaStatus::compensating), 0u);
  EXPECT_EQ(count_of(this->store(), SagaStatus::compensated), 1u);
  EXPECT_EQ(this->store().count_by_status()->size(), kSagaStatusCount);
}

REGISTER_TYPED_TEST_SUITE_P(StoreListConformance, TheListShowsTheLatestSummariesNewestFirst,
                            TheListFiltersByEveryFieldAlone, TheListFiltersByAllFieldsTogether,
                            PagesAreStableWhileSagasStartAndChange,
                            ALimitOutOfRangeAndAForeignTokenAreRefused, CountsAreExact);

}  // namespace skald::conformance
