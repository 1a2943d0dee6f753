#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <utility>

#include "participants/kit/money.h"
#include "participants/order/model.h"

namespace skald::mall::order {
namespace {

constexpr Instant kNow = from_unix_ms(1'700'000'000'000);

OrderTerms terms() {
  OrderTerms out{.id = "SN1", .user_id = 1, .address = "Street 1"};
  out.items = {{.product_id = 11, .sku_id = 101, .price_cents = 1'999, .quantity = 2},
               {.product_id = 12, .sku_id = 103, .price_cents = 500, .quantity = 1}};
  out.total_cents = 4'498;
  out.discount_cents = 500;
  out.freight_cents = 100;
  out.pay_cents = 4'098;
  return out;
}

Order in(OrderStatus status) {
  Order order = new_order(terms(), OrderStatus::creating, kNow).value();
  order.status = status;
  return order;
}

TEST(Order, IsBornWithItsHistory) {
  const auto creating = new_order(terms(), OrderStatus::creating, kNow).value();
  EXPECT_EQ(creating.history,
            (std::vector<StatusChange>{{std::nullopt, OrderStatus::creating, kNow}}));
  EXPECT_FALSE(creating.expires.has_value());
  const auto unpaid = new_order(terms(), OrderStatus::unpaid, kNow).value();
  EXPECT_EQ(unpaid.expires, kNow + kPaymentWindow);
}

TEST(Order, OnlyTheTablesPathsAreLegal) {
  using enum OrderStatus;
  const std::set<std::pair<OrderStatus, OrderStatus>> legal{
      {creating, unpaid}, {creating, voided}, {unpaid, paid}, {unpaid, cancelled},
      {unpaid, voided},   {paid, shipped},    {shipped, done}};
  for (std::int32_t from = 0; from <= 6; ++from) {
    for (std::int32_t to = 0; to <= 6; ++to) {
      const auto pair = std::pair(*status_of(from), *status_of(to));
      EXPECT_EQ(is_legal(pair.first, pair.second), legal.contains(pair)) << from << "->" << to;
    }
  }
  EXPECT_FALSE(status_of(7).has_value());
  EXPECT_FALSE(status_of(-1).has_value());
}

TEST(Order, CompareAndSetMovesAndKeepsItsHistory) {
  const auto order = change_status(in(OrderStatus::creating),
                                   {.expected = OrderStatus::creating, .next = OrderStatus::unpaid},
                                   kNow + Millis(5))
                         .value();
  EXPECT_EQ(order.status, OrderStatus::unpaid);
  EXPECT_EQ(order.expires, kNow + Millis(5) + kPaymentWindow);
  EXPECT_EQ(order.history.back(),
            (StatusChange{OrderStatus::creating, OrderStatus::unpaid, kNow + Millis(5)}));
}

TEST(OrderLines, D5OfTwoCancelsOneWins) {
  const StatusStep cancel{.expected = OrderStatus::unpaid, .next = OrderStatus::cancelled};
  const auto won = change_status(in(OrderStatus::unpaid), cancel, kNow).value();
  const auto lost = change_status(won, cancel, kNow);
  ASSERT_FALSE(lost.has_value());
  EXPECT_EQ(lost.error().code, Errc::failed_precondition);
}

TEST(OrderLines, D6ThePaymentThatLosesLearnsTheWinnersStatus) {
  const StatusStep pay{.expected = OrderStatus::unpaid, .next = OrderStatus::paid};
  const auto lost = change_status(in(OrderStatus::cancelled), pay, kNow);
  ASSERT_FALSE(lost.has_value());
  EXPECT_EQ(lost.error().code, Errc::failed_precondition);
  EXPECT_TRUE(lost.error().message.ends_with("status=4")) << lost.error().message;
}

TEST(OrderLines, D7ALatePaymentNeverMovesAStatusBack) {
  for (const auto later : {OrderStatus::shipped, OrderStatus::done, OrderStatus::cancelled}) {
    EXPECT_FALSE(move_to(in(later), OrderStatus::paid, kNow).has_value());
  }
  EXPECT_EQ(move_to(in(OrderStatus::paid), OrderStatus::paid, kNow)->history.size(), 1u);
}

TEST(OrderLines, D15NothingCancelsAHalfBuiltOrder) {
  EXPECT_FALSE(move_to(in(OrderStatus::creating), OrderStatus::cancelled, kNow).has_value());
}

TEST(Order, VoidingIsLegalBeforePaymentOnly) {
  EXPECT_TRUE(move_to(in(OrderStatus::creating), OrderStatus::voided, kNow).has_value());
  EXPECT_TRUE(move_to(in(OrderStatus::unpaid), OrderStatus::voided, kNow).has_value());
  EXPECT_FALSE(move_to(in(OrderStatus::paid), OrderStatus::voided, kNow).has_value());
}

TEST(Order, APathThatDoesNotExistIsInvalidWhereverTheOrderIs) {
  const StatusStep revive{.expected = OrderStatus::cancelled, .next = OrderStatus::unpaid};
  const auto refused = change_status(in(OrderStatus::cancelled), revive, kNow);
  EXPECT_EQ(refused.error().code, Errc::invalid_argument);
}

TEST(OrderLines, BQWhatDoesNotAddUpIsInvalidByName) {
  const auto broken = [](auto breaks) {
    OrderTerms bad = terms();
    breaks(bad);
    const auto order = new_order(std::move(bad), OrderStatus::creating, kNow);
    return order ? std::string("accepted") : order.error().message;
  };
  EXPECT_THAT(broken([](auto& t) { t.id.clear(); }), testing::HasSubstr("order_id"));
  EXPECT_THAT(broken([](auto& t) { t.id = std::string(33, 'S'); }), testing::HasSubstr("order_id"));
  EXPECT_THAT(broken([](auto& t) { t.user_id = 0; }), testing::HasSubstr("user_id"));
  EXPECT_THAT(broken([](auto& t) { t.items.clear(); }), testing::HasSubstr("items: empty"));
  EXPECT_THAT(broken([](auto& t) { t.items[1].sku_id = 101; }), testing::HasSubstr("101 twice"));
  EXPECT_THAT(broken([](auto& t) { t.items[0].quantity = 0; }), testing::HasSubstr("quantity"));
  EXPECT_THAT(broken([](auto& t) { t.items[0].price_cents = -1; }), testing::HasSubstr("price"));
  EXPECT_THAT(broken([](auto& t) { t.total_cents += 1; }), testing::HasSubstr("total_cents"));
  EXPECT_THAT(broken([](auto& t) { t.pay_cents += 1; }), testing::HasSubstr("pay_cents"));
  EXPECT_THAT(broken([](auto& t) { t.discount_cents = -1; }), testing::HasSubstr("discount_cents"));
  EXPECT_THAT(broken([](auto& t) { t.items[0].price_cents = kit::kCentsMax; }),
              testing::HasSubstr("amounts to more"));
  EXPECT_EQ(new_order(terms(), OrderStatus::paid, kNow).error().code, Errc::invalid_argument);
}

}  // namespace
}  // namespace skald::mall::order
