#include "engine/server/descriptors.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace skald::server {
namespace {

TEST(Descriptors, TheStoreHasItsFilesHoweverManySocketsAreWished) {
  for (const std::size_t limit : {64UL, 1'024UL, 20'000UL, 1'048'576UL}) {
    for (const std::size_t threads : {1UL, 2UL, 16UL}) {
      const DescriptorShares shares = share_descriptors(limit, threads, 1'000'000);
      const std::size_t files = std::min<std::size_t>(limit / 4, 8'192);
      EXPECT_LE((shares.served_max + shares.calling_max) * threads, limit - files)
          << limit << " descriptors, " << threads << " threads";
    }
  }
}

TEST(Descriptors, TheApiHasNoMoreThanItsLimitAndCallsHaveTheRest) {
  const DescriptorShares shares = share_descriptors(1'048'576, 2, 10'000);
  EXPECT_EQ(shares.served_max, 10'000U);
  EXPECT_GT(shares.calling_max, 500'000U);
}

TEST(Descriptors, NobodyIsLeftWithoutAny) {
  const DescriptorShares shares = share_descriptors(4, 16, 0);
  EXPECT_EQ(shares.served_max, 1U);
  EXPECT_EQ(shares.calling_max, 1U);
}

TEST(Descriptors, TheSoftLimitIsRaised) {
  EXPECT_EQ(raise_descriptor_limit(), raise_descriptor_limit());
}

}  // namespace
}  // namespace skald::server
