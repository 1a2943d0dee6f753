#include "engine/base/check.h"

#include <gtest/gtest.h>

namespace skald {
namespace {

TEST(Check, PassesSilentlyAndEvaluatesOnce) {
  int evaluated = 0;
  SKALD_CHECK(++evaluated == 1, "evaluated={}", evaluated);
  EXPECT_EQ(evaluated, 1);
}

TEST(CheckDeathTest, AbortsWithExpressionPlaceAndDetail) {
  EXPECT_DEATH(SKALD_CHECK(1 == 2, "saga_id={}", "7z"),
               "check failed at .*check_test.cc:[0-9]+: 1 == 2 \\(saga_id=7z\\)");
  EXPECT_DEATH(SKALD_CHECK(false), "check failed at .*: false");
}

}  // namespace
}  // namespace skald
