#include "engine/base/error.h"

#include <gtest/gtest.h>

#include <set>

#include "engine/base/result.h"

namespace skald {
namespace {

TEST(ErrcName, IsTheConnectCodeName) {
  EXPECT_EQ(name(Errc::canceled), "canceled");
  EXPECT_EQ(name(Errc::failed_precondition), "failed_precondition");
  EXPECT_EQ(name(Errc::unauthenticated), "unauthenticated");
}

TEST(ErrcName, DiffersForEveryCode) {
  std::set<std::string_view> names;
  for (int code = 1; code <= 16; ++code) names.insert(name(static_cast<Errc>(code)));
  EXPECT_EQ(names.size(), 16u);
}

TEST(Fail, FormatsTheMessageIntoTheFailedHalf) {
  const Result<int> result = fail(Errc::not_found, "saga_id={}", "7z");

  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error(), (Error{Errc::not_found, "saga_id=7z"}));
}

}  // namespace
}  // namespace skald
