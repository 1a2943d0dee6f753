#include "engine/store/list_page.h"

#include <gtest/gtest.h>

#include "engine/store/open_store.h"
#include "tests/support/temp_dir.h"

namespace skald {
namespace {

TEST(PageToken, LeadsBackToItsPosition) {
  for (const Instant started_at : {from_unix_ms(0), from_unix_ms(-7), kNever, Instant::min()}) {
    const ListPosition position{.started_at = started_at, .id = {.placement = 5, .serial = ~0ULL}};
    const auto read = check_query({.page_token = page_token(position)});
    ASSERT_TRUE(read.has_value() && read->has_value());
    EXPECT_EQ(**read, position);
  }
}

TEST(PageToken, IsOfOneOrder) {
  const ListPosition position{.started_at = from_unix_ms(7), .id = {.placement = 5, .serial = 6}};
  const std::string token = page_token(position, ListOrder::oldest);
  EXPECT_TRUE(check_query({.order = ListOrder::oldest, .page_token = token}).has_value());
  EXPECT_FALSE(check_query({.order = ListOrder::newest, .page_token = token}).has_value());
  EXPECT_FALSE(check_query({.order = ListOrder::longest_stuck, .page_token = token}).has_value());
}

// A filter that nothing passes must not look at the whole list in one call.
TEST(PageBuilder, EndsAPageWithATokenWhenItHasLookedAtEnough) {
  const ListQuery query{.definition = "rare"};
  const filter::Filter filter = whole_filter(query);
  PageBuilder page(query, filter);
  ListPosition position{.started_at = from_unix_ms(1'000'000)};
  for (std::size_t i = 0; i < kListScanMax; ++i) {
    ASSERT_TRUE(page.add(position, {.definition = "common"}));
    position.started_at -= Millis{1};
  }
  EXPECT_FALSE(page.add(position, {.definition = "rare"}));
  const ListPage taken = page.take();
  EXPECT_TRUE(taken.sagas.empty());
  const auto behind = check_query({.page_token = taken.next_page_token});
  ASSERT_TRUE(behind.has_value() && behind->has_value());
  EXPECT_EQ((*behind)->started_at, position.started_at + Millis{1});
}

TEST(OpenStore, PicksTheStoreByItsAddress) {
  const TempDir folder(TempDir::Where::memory);
  EXPECT_TRUE(open_store("memory:").has_value());
  EXPECT_TRUE(open_store("rocks:" + folder.path() + "/made").has_value());
  for (const std::string_view address : {"", "rocks:", "memory:x", "postgres://x", "/a/path"}) {
    const auto refused = open_store(address);
    ASSERT_FALSE(refused.has_value()) << address;
    EXPECT_EQ(refused.error().code, Errc::invalid_argument);
  }
}

}  // namespace
}  // namespace skald
