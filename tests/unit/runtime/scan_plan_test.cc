#include "engine/runtime/scan_plan.h"

#include <gtest/gtest.h>

namespace skald {
namespace {

constexpr Instant at(std::int64_t ms) { return Instant{Millis{1'000'000 + ms}}; }
constexpr ScannedFile file(const char* name) { return {.name = name, .bytes = 2'000'000}; }

TEST(ScanPlan, ReadsNoFasterThanAllowed) {
  ScanPlan plan(Millis{60'000}, 1'000'000);
  ASSERT_TRUE(plan.is_due(at(0)));
  plan.read(file("a"), at(0));
  EXPECT_EQ(plan.after(), "a");
  EXPECT_FALSE(plan.is_due(at(1'999)));
  EXPECT_TRUE(plan.is_due(at(2'000)));
}

TEST(ScanPlan, BeginsAgainFromTheFirstFileWhenItIsTime) {
  ScanPlan plan(Millis{60'000}, 1'000'000);
  plan.read(file("a"), at(0));
  plan.read(file("b"), at(2'000));
  const ScanPlan::Round round = plan.end_round(at(4'000));
  EXPECT_EQ(round.files, 2U);
  EXPECT_EQ(round.bytes, 4'000'000U);
  EXPECT_EQ(plan.after(), "");
  EXPECT_FALSE(plan.is_due(at(59'999)));
  EXPECT_TRUE(plan.is_due(at(60'000)));
}

TEST(ScanPlan, ARoundThatTookLongerThanThePeriodIsFollowedAtOnce) {
  ScanPlan plan(Millis{1'000}, 1'000'000);
  plan.read(file("a"), at(0));
  plan.end_round(at(2'000));
  EXPECT_TRUE(plan.is_due(at(2'000)));
}

TEST(ScanPlan, AStoreWithoutFilesIsLookedAtOnceAPeriod) {
  ScanPlan plan(Millis{60'000}, 1'000'000);
  plan.end_round(at(0));
  EXPECT_FALSE(plan.is_due(at(59'999)));
  EXPECT_TRUE(plan.is_due(at(60'000)));
}

TEST(ScanPlan, NeverIsNeverAndDamageIsTheEnd) {
  EXPECT_FALSE(ScanPlan(Millis{0}, 1).is_due(at(0)));
  ScanPlan plan(Millis{60'000}, 1'000'000);
  plan.give_up();
  EXPECT_FALSE(plan.is_due(at(1'000'000'000)));
}

}  // namespace
}  // namespace skald
