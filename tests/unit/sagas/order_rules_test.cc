// Claims about the rules of ordering: what adds up, and everything that is refused before any
// effect.
#include "sagas/order_rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <functional>

#include "sagas/money.h"
#include "tests/unit/sagas/samples.h"

namespace skald::sagas {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

TEST(AdmitOrder, NamesTheFieldThatIsWrong) {
  const std::vector<std::pair<std::string, std::function<void(CreateOrderRequest&)>>> cases = {
      {"user_id", [](auto& r) { r.set_user_id(0); }},
      {"sku_ids: nothing", [](auto& r) { r.clear_sku_ids(); }},
      {"sku_ids: must be positive", [](auto& r) { r.set_sku_ids(0, -5); }},
      {"sku_ids: 101 is named twice", [](auto& r) { r.add_sku_ids(101); }},
      {"coupon_id", [](auto& r) { r.set_coupon_id(-1); }},
      {"address", [](auto& r) { r.set_address(std::string(kAddressMax + 1, 'a')); }},
      {"sku_ids: 203 lines",
       [](auto& r) {
         for (int i = 0; i < kOrderLinesMax; ++i) r.add_sku_ids(1'000 + i);
       }},
  };
  EXPECT_TRUE(admit_order(order_of(three_lines())).has_value());
  for (const auto& [told, spoil] : cases) {
    CreateOrderRequest request = order_of(three_lines());
    spoil(request);
    const auto admitted = admit_order(request);
    ASSERT_FALSE(admitted.has_value()) << told;
    EXPECT_EQ(admitted.error().code, Errc::invalid_argument);
    EXPECT_THAT(admitted.error().message, HasSubstr(told));
  }
}

TEST(OrderNumber, IsTheBusinessKeyAndFitsAPaymentGateway) {
  EXPECT_EQ(order_number("SN1"), "SN1");
  EXPECT_EQ(order_number("").error().code, Errc::failed_precondition);
  EXPECT_TRUE(order_number(std::string(kOrderIdMax, '1')).has_value());
  EXPECT_FALSE(order_number(std::string(kOrderIdMax + 1, '1')).has_value());
}

TEST(OrderTotal, TakesOnlyWhatIsOrderedInTheOrderAsked) {
  cart::GetCartItemsResponse cart = three_lines();
  *cart.add_items() = cart_item(999, 77'700, 9);
  CreateOrderRequest request = order_of(three_lines());
  request.clear_sku_ids();
  request.add_sku_ids(102);
  request.add_sku_ids(101);

  const auto total = order_total(request, cart);

  ASSERT_TRUE(total.has_value()) << total.error().message;
  EXPECT_EQ(total->total_cents(), 2'550);
  ASSERT_EQ(total->lines_size(), 2);
  EXPECT_EQ(total->lines(0).sku_id(), 102);
  EXPECT_EQ(total->lines(1).quantity(), 2);
}

TEST(OrderTotal, RefusesCartsThatCannotBeOrdered) {
  const std::vector<std::pair<std::string, std::function<void(cart::GetCartItemsResponse&)>>>
      cases = {
          {"SKU 101: quantity", [](auto& c) { c.mutable_items(1)->set_quantity(0); }},
          {"SKU 101: quantity", [](auto& c) { c.mutable_items(1)->set_quantity(-2); }},
          {"SKU 101: price", [](auto& c) { c.mutable_items(1)->set_price_cents(-1); }},
          {"SKU 101: price times quantity",
           [](auto& c) { c.mutable_items(1)->set_price_cents(kAmountCentsMax); }},
          {"total exceeds",
           [](auto& c) {
             for (auto& item : *c.mutable_items()) {
               item.set_price_cents(kAmountCentsMax / 2);
               item.set_quantity(1);
             }
           }},
          {"SKU 101 is in the cart twice", [](auto& c) { *c.add_items() = cart_item(101, 1, 1); }},
          {"not in the cart: SKU 103, 101, 102", [](auto& c) { c.clear_items(); }},
      };
  for (const auto& [told, spoil] : cases) {
    cart::GetCartItemsResponse cart = three_lines();
    spoil(cart);
    const auto total = order_total(order_of(three_lines()), cart);
    ASSERT_FALSE(total.has_value()) << told;
    EXPECT_THAT(total.error().message, HasSubstr(told));
  }
}

TEST(OrderTotal, ReadsTheLegacyPriceWhereThereAreNoCents) {
  cart::GetCartItemsResponse cart;
  *cart.add_items() = cart_item(101, 0, 2);
  cart.mutable_items(0)->set_price(19.99);
  EXPECT_EQ(order_total(order_of(cart), cart)->total_cents(), 3'998);
  cart.mutable_items(0)->set_price(19.999);
  EXPECT_THAT(order_total(order_of(cart), cart).error().message, HasSubstr("SKU 101: amount has"));
}

TEST(CheckPrices, NamesEverySkuThatDriftedOrLeftTheShop) {
  product::GetSkuPricesResponse prices = prices_of(three_lines());
  const OrderTotal total = *order_total(order_of(three_lines()), three_lines());
  EXPECT_TRUE(check_prices(total, prices).has_value());

  prices.mutable_prices(0)->set_price_cents(100);
  prices.mutable_prices(1)->set_product_status(0);
  prices.mutable_prices()->RemoveLast();
  const auto checked = check_prices(total, prices);

  ASSERT_FALSE(checked.has_value());
  EXPECT_THAT(checked.error().message,
              AllOf(HasSubstr("SKU 103 costs 100 cents now, 99 in the cart"),
                    HasSubstr("SKU 101 is off sale"), HasSubstr("SKU 102 has no price")));
}

TEST(OrderAmounts, RefusesCouponsThatDoNotHold) {
  OrderTotal total;
  total.set_total_cents(1'000);
  EXPECT_EQ(order_amounts(total, nullptr)->pay_cents(), 1'000);
  promotion::CalculateDiscountResponse refused;
  refused.set_reason("below_threshold");
  EXPECT_THAT(order_amounts(total, &refused).error().message, HasSubstr("below_threshold"));
  const auto larger = discount_of(1'001, 1'000);
  EXPECT_THAT(order_amounts(total, &larger).error().message, HasSubstr("exceeds the total"));
  const auto negative = discount_of(-1, 1'000);
  EXPECT_THAT(order_amounts(total, &negative).error().message, HasSubstr("negative"));
  const auto contradicting = discount_of(100, 2'000);
  EXPECT_THAT(order_amounts(total, &contradicting).error().message, HasSubstr("to pay"));
  const auto whole = discount_of(1'000, 1'000);
  EXPECT_EQ(order_amounts(total, &whole)->pay_cents(), 0);
  promotion::CalculateDiscountResponse legacy;
  legacy.set_valid(true);
  legacy.set_discount_amount(2.5);
  EXPECT_EQ(order_amounts(total, &legacy)->pay_cents(), 750);
}

TEST(OrderRules, MoneyAddsUpAndIsNeverNegativeOrTheOrderIsRefused) {
  EXPECT_TRUE(rc::check("money adds up", [] {
    cart::GetCartItemsResponse cart;
    __int128 expected = 0;
    bool fits = true;
    const int lines = *rc::gen::inRange(1, 6);
    for (int i = 0; i < lines; ++i) {
      const auto price = *rc::gen::oneOf(rc::gen::inRange<std::int64_t>(0, 100'000),
                                         rc::gen::inRange<std::int64_t>(0, kAmountCentsMax + 2),
                                         rc::gen::arbitrary<std::int64_t>());
      const auto quantity = *rc::gen::oneOf(rc::gen::inRange<std::int32_t>(1, 100),
                                            rc::gen::arbitrary<std::int32_t>());
      *cart.add_items() = cart_item(101 + i, price, quantity);
      fits = fits && price >= 0 && quantity >= 1;
      expected += static_cast<__int128>(price) * quantity;
    }
    fits = fits && expected <= kAmountCentsMax;
    const CreateOrderRequest request = order_of(cart, 7);
    const auto total = order_total(request, cart);
    RC_ASSERT(total.has_value() == fits);
    if (!total) return;
    RC_ASSERT(total->total_cents() == static_cast<std::int64_t>(expected));

    const auto off = *rc::gen::inRange<std::int64_t>(-10, total->total_cents() + 10);
    const auto discount = discount_of(off, total->total_cents());
    const auto amounts = order_amounts(*total, &discount);
    RC_ASSERT(amounts.has_value() == (off >= 0 && off <= total->total_cents()));
    if (!amounts) return;
    RC_ASSERT(amounts->pay_cents() >= 0);
    RC_ASSERT(amounts->discount_cents() + amounts->pay_cents() == total->total_cents());
    const auto written =
        write_order_request(kOrderNumber, request, *total, *amounts, OrderStatus::creating);
    RC_ASSERT(written.has_value());
    std::int64_t sum = 0;
    for (const auto& item : written->items()) sum += item.price_cents() * item.quantity();
    RC_ASSERT(sum == written->total_cents());
  }));
}

}  // namespace
}  // namespace skald::sagas
