#include <gtest/gtest.h>

#include <limits>

#include "engine/base/hash.h"
#include "participants/inventory/model.h"

namespace skald::mall::inventory {
namespace {

constexpr std::int32_t kIntMax = std::numeric_limits<std::int32_t>::max();

TEST(Stock, DeductingLocksAndCountsTheVersion) {
  const auto stock = deduct(new_stock(7, 10).value(), {.quantity = 4});
  EXPECT_EQ(stock, (Stock{.sku_id = 7, .total = 10, .available = 6, .locked = 4, .version = 1}));
}

TEST(Stock, RollingBackAndConfirmingMoveLockedUnits) {
  const auto locked = deduct(new_stock(7, 10).value(), {.quantity = 4}).value();
  EXPECT_EQ(rollback(locked, {.quantity = 4})->available, 10);
  EXPECT_EQ(confirm(locked, {.quantity = 3})->sold, 3);
  EXPECT_EQ(confirm(locked, {.quantity = 3})->locked, 1);
}

TEST(Stock, TooLittleIsARefusalThatSaysHowMuchThereIs) {
  const auto stock = new_stock(7, 10).value();
  const auto refused = deduct(stock, {.quantity = 11});
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, Errc::failed_precondition);
  EXPECT_EQ(refused.error().message, "sku_id=7 short available=10 wanted=11");
  EXPECT_EQ(rollback(stock, {.quantity = 1}).error().code, Errc::failed_precondition);
  EXPECT_EQ(confirm(stock, {.quantity = 1}).error().code, Errc::failed_precondition);
}

TEST(StockLines, BQQuantitiesThatAreNotPositiveAreInvalid) {
  const auto stock = new_stock(7, 10).value();
  for (const std::int32_t quantity : {0, -1, -kIntMax - 1}) {
    EXPECT_EQ(deduct(stock, {.quantity = quantity}).error().code, Errc::invalid_argument);
    EXPECT_EQ(rollback(stock, {.quantity = quantity}).error().code, Errc::invalid_argument);
    EXPECT_EQ(confirm(stock, {.quantity = quantity}).error().code, Errc::invalid_argument);
  }
}

TEST(StockLines, BQTheLargestQuantitiesDoNotOverflow) {
  const auto full = new_stock(7, kIntMax).value();
  const auto locked = deduct(full, {.quantity = kIntMax}).value();
  EXPECT_EQ(locked.locked, kIntMax);
  EXPECT_FALSE(deduct(locked, {.quantity = kIntMax}).has_value());
  EXPECT_EQ(rollback(locked, {.quantity = kIntMax})->available, kIntMax);
}

TEST(StockLines, B4PrimeAnotherVersionIsALostRaceNotAShortage) {
  const auto stock = new_stock(7, 1).value();
  const auto lost = deduct(stock, {.quantity = 5, .expected_version = 3});
  ASSERT_FALSE(lost.has_value());
  EXPECT_EQ(lost.error().code, Errc::aborted);
  EXPECT_TRUE(deduct(stock, {.quantity = 1, .expected_version = 0}).has_value());
}

TEST(Stock, NoWalkOfChangesBreaksTheSum) {
  Stock stock = new_stock(7, 50).value();
  for (std::uint64_t i = 0; i < 2'000; ++i) {
    const auto dice = mix64(i);
    const StockChange change{.quantity = static_cast<std::int32_t>(dice % 9) - 1};
    const auto rule = dice % 5 < 2 ? deduct : dice % 5 < 4 ? rollback : confirm;
    if (const auto changed = rule(stock, change)) {
      ASSERT_EQ(changed->version, stock.version + 1);
      stock = *changed;
    }
    ASSERT_TRUE(is_consistent(stock));
  }
}

}  // namespace
}  // namespace skald::mall::inventory
