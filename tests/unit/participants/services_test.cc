// Cart, product, promotion and order through their hosts: messages in, messages out.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "mall/cart.pb.h"
#include "mall/cart_admin.pb.h"
#include "mall/inventory_admin.pb.h"
#include "mall/order.pb.h"
#include "mall/order_admin.pb.h"
#include "mall/product.pb.h"
#include "mall/product_admin.pb.h"
#include "mall/promotion.pb.h"
#include "mall/promotion_admin.pb.h"
#include "participants/cart/handlers.h"
#include "participants/inventory/handlers.h"
#include "participants/kit/program.h"
#include "participants/order/handlers.h"
#include "participants/product/handlers.h"
#include "participants/promotion/handlers.h"
#include "tests/support/mall_host.h"

namespace skald {
namespace {

using test::Answered;
using test::MallHost;
using test::Sent;

std::string seed_json() {
  const char* source = std::getenv("SKALD_SOURCE_DIR");
  EXPECT_NE(source, nullptr) << "run by ctest, or with SKALD_SOURCE_DIR set";
  std::ifstream file(std::filesystem::path(source ? source : ".") / "participants/seed.json");
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

/// A service with its part of the seed file that is shipped.
class Seeded : public MallHost {
 public:
  explicit Seeded(const kit::Service& service) : MallHost(service) {
    const auto seeded = kit::seed_once(host->runner(), service, seed_json());
    EXPECT_TRUE(seeded.has_value()) << seeded.error().message;
  }
};

class Cart : public Seeded {
 public:
  Cart() : Seeded(mall::cart::service()) {}

  Answered set(std::int64_t sku, int quantity, bool selected = true) {
    ::cart::SetCartItemRequest request;
    request.set_user_id(1);
    request.set_selected(selected);
    request.mutable_item()->set_sku_id(sku);
    request.mutable_item()->set_quantity(quantity);
    request.mutable_item()->set_price(19.99);
    return call("/cart.CartRpc/SetCartItem", request);
  }
  /// SKU and quantity of the selected lines.
  std::vector<std::pair<std::int64_t, int>> lines(std::vector<std::int64_t> skus = {}) {
    ::cart::GetCartItemsRequest request;
    request.set_user_id(1);
    for (const auto sku : skus) request.add_sku_ids(sku);
    const auto response =
        call("/cart.CartRpc/GetCartItems", request).as<::cart::GetCartItemsResponse>();
    std::vector<std::pair<std::int64_t, int>> out;
    for (const auto& item : response.items()) out.emplace_back(item.sku_id(), item.quantity());
    return out;
  }
};

using Lines = std::vector<std::pair<std::int64_t, int>>;

TEST(Cart, AnswersTheSelectedLinesInCentsAndLegacyPrice) {
  Cart cart;
  ASSERT_TRUE(cart.set(200, 1, false).ok());
  EXPECT_EQ(cart.lines(), (Lines{{101, 1}, {103, 2}, {107, 3}}));
  EXPECT_EQ(cart.lines({107, 103, 200}), (Lines{{103, 2}, {107, 3}}));
  ::cart::GetCartItemsRequest request;
  request.set_user_id(1);
  request.add_sku_ids(107);
  const auto item =
      cart.call("/cart.CartRpc/GetCartItems", request).as<::cart::GetCartItemsResponse>().items(0);
  EXPECT_EQ(item.price_cents(), 1'999);
  EXPECT_DOUBLE_EQ(item.price(), 19.99);
}

TEST(CartLines, D8D9OnlyTheOrderedQuantitiesAreRemoved) {
  Cart cart;
  ASSERT_TRUE(cart.set(103, 5).ok());  // was 2 when ordered; three more came meanwhile
  ASSERT_TRUE(cart.set(104, 1).ok());  // a line of its own, added meanwhile
  ::cart::ClearCartItemsRequest clear;
  clear.set_user_id(1);
  for (const auto& [sku, quantity] : Lines{{101, 1}, {103, 2}, {107, 9}, {999, 1}}) {
    clear.add_sku_ids(sku);  // both forms, as a saga sends them
    auto& line = *clear.add_lines();
    line.set_sku_id(sku);
    line.set_quantity(quantity);
  }

  ASSERT_TRUE(cart.call("/cart.CartRpc/ClearCartItems", clear, Sent{.leg = "clear_cart"}).ok());
  ASSERT_TRUE(cart.call("/cart.CartRpc/ClearCartItems", clear, Sent{.leg = "clear_cart"}).ok());

  EXPECT_EQ(cart.lines(), (Lines{{103, 3}, {104, 1}}));
}

TEST(Cart, LegacyClearingRemovesWholeLines) {
  Cart cart;
  ::cart::ClearCartItemsRequest clear;
  clear.set_user_id(1);
  clear.add_sku_ids(103);
  clear.add_sku_ids(999);
  ASSERT_TRUE(cart.call("/cart.CartRpc/ClearCartItems", clear).ok());
  EXPECT_EQ(cart.lines(), (Lines{{101, 1}, {107, 3}}));
}

TEST(CartLines, BQLinesThatAreNoneAreInvalid) {
  Cart cart;
  EXPECT_EQ(cart.set(103, 0).code(), Errc::invalid_argument);
  EXPECT_EQ(cart.set(-1, 1).code(), Errc::invalid_argument);
  ::cart::ClearCartItemsRequest clear;
  clear.set_user_id(1);
  clear.add_lines()->set_sku_id(103);
  EXPECT_EQ(cart.call("/cart.CartRpc/ClearCartItems", clear).code(), Errc::invalid_argument);
  EXPECT_EQ(cart.lines(), (Lines{{101, 1}, {103, 2}, {107, 3}}));
}

TEST(ProductLines, D10PricesAndStatusComeTogetherAndUnknownSkusAreNamed) {
  Seeded product(mall::product::service());
  ::product::GetSkuPricesRequest request;
  request.add_sku_ids(107);
  request.add_sku_ids(109);
  const auto prices = product.call("/product.ProductRpc/GetSkuPrices", request)
                          .as<::product::GetSkuPricesResponse>();
  ASSERT_EQ(prices.prices_size(), 2);
  EXPECT_EQ(prices.prices(0).price_cents(), 1'999);
  EXPECT_EQ(prices.prices(0).product_status(), 1);
  EXPECT_EQ(prices.prices(1).product_status(), 0);

  request.add_sku_ids(998);
  request.add_sku_ids(999);
  const auto unknown = product.call("/product.ProductRpc/GetSkuPrices", request);
  EXPECT_EQ(unknown.code(), Errc::not_found);
  EXPECT_EQ(unknown.message(), "sku_id=998 sku_id=999 unknown");
}

TEST(Product, IsFoundByIdAndByIds) {
  Seeded product(mall::product::service());
  ::product::GetProductRequest one;
  one.set_id(11);
  EXPECT_EQ(product.call("/product.ProductRpc/GetProduct", one).as<::product::Product>().name(),
            "Phone");
  one.set_id(99);
  EXPECT_EQ(product.call("/product.ProductRpc/GetProduct", one).code(), Errc::not_found);
  ::product::GetProductsByIdsRequest many;
  many.add_ids(12);
  many.add_ids(99);
  EXPECT_EQ(product.call("/product.ProductRpc/GetProductsByIds", many)
                .as<::product::GetProductsByIdsResponse>()
                .products_size(),
            1);
}

class Promotion : public Seeded {
 public:
  Promotion() : Seeded(mall::promotion::service()) {}

  ::promotion::CalculateDiscountResponse discount(std::int64_t coupon, std::int64_t total,
                                                  std::int64_t user = 0) {
    ::promotion::CalculateDiscountRequest request;
    request.set_coupon_id(coupon);
    request.set_total_cents(total);
    request.set_user_id(user);
    return call("/promotion.PromotionRpc/CalculateDiscount", request)
        .as<::promotion::CalculateDiscountResponse>();
  }
  Answered use(std::int64_t user, std::int64_t coupon, const std::string& order,
               const std::optional<Sent>& sent = {}) {
    ::promotion::UseCouponRequest request;
    request.set_user_id(user);
    request.set_coupon_id(coupon);
    request.set_used_order_id(order);
    return call("/promotion.PromotionRpc/UseCoupon", request, sent);
  }
  Answered record(std::int64_t user, std::int64_t coupon) {
    ::promotion::GetCouponRecordRequest request;
    request.set_user_id(user);
    request.set_coupon_id(coupon);
    return call("/promotion.PromotionRpc/GetCouponRecord", request);
  }
};

TEST(PromotionLines, B3aADiscountIsValidOrSaysWhyNot) {
  Promotion promotion;
  const auto valid = promotion.discount(501, 30'000, 1);
  EXPECT_TRUE(valid.valid());
  EXPECT_EQ(valid.discount_cents(), 3'000);
  EXPECT_DOUBLE_EQ(valid.pay_amount(), 270.0);
  EXPECT_EQ(promotion.discount(501, 100, 1).reason(), "below_threshold");
  EXPECT_EQ(promotion.discount(504, 30'000, 1).reason(), "expired");
  EXPECT_EQ(promotion.discount(505, 30'000, 4).reason(), "discount_exceeds_total");
}

TEST(PromotionLines, B3bAnotherUsersCouponIsKnownToBe) {
  Promotion promotion;
  EXPECT_EQ(promotion.discount(502, 30'000, 1).reason(), "not_owner");
  const auto refused = promotion.use(1, 502, "SN1");
  EXPECT_EQ(refused.code(), Errc::failed_precondition);
  EXPECT_EQ(promotion.use(1, 504, "SN1").code(), Errc::failed_precondition);
  EXPECT_EQ(promotion.use(4, 502, "SN1").code(), Errc::failed_precondition);
  EXPECT_EQ(promotion.use(1, 999, "SN1").code(), Errc::not_found);
}

TEST(Promotion, LegacyAmountsAreConvertedAtTheEdge) {
  Promotion promotion;
  ::promotion::CalculateDiscountRequest request;
  request.set_coupon_id(503);
  request.set_total_amount(19.99);
  const std::string_view method = "/promotion.PromotionRpc/CalculateDiscount";
  EXPECT_EQ(
      promotion.call(method, request).as<::promotion::CalculateDiscountResponse>().pay_cents(),
      1'499);
  request.set_total_amount(19.999);
  EXPECT_EQ(promotion.call(method, request).code(), Errc::invalid_argument);
  request.set_total_amount(19.99);
  request.set_total_cents(1'998);
  EXPECT_EQ(promotion.call(method, request).code(), Errc::invalid_argument);
  request.set_coupon_id(999);
  request.set_total_cents(1'999);
  EXPECT_EQ(promotion.call(method, request).code(), Errc::not_found);
}

TEST(PromotionLines, U6WhoWonIsKnownAfterAnUnknownOutcome) {
  Promotion promotion;
  ASSERT_TRUE(promotion.use(1, 501, "SN1").ok());
  EXPECT_TRUE(promotion.use(1, 501, "SN1").ok());
  EXPECT_EQ(promotion.record(1, 501).as<::promotion::CouponRecord>().used_order_id(), "SN1");
}

TEST(PromotionLines, D4OneCouponTwoOrdersOneWins) {
  Promotion promotion;
  ASSERT_TRUE(promotion.use(1, 501, "SN1", Sent{.saga = "s1", .leg = "use_coupon"}).ok());
  const auto lost = promotion.use(1, 501, "SN2", Sent{.saga = "s2", .leg = "use_coupon"});
  EXPECT_EQ(lost.code(), Errc::failed_precondition);
  ::promotion::ReleaseCouponRequest release;
  release.set_user_id(1);
  release.set_coupon_id(501);
  release.set_used_order_id("SN2");
  const std::string_view method = "/promotion.PromotionRpc/ReleaseCoupon";
  EXPECT_EQ(promotion.call(method, release).code(), Errc::failed_precondition);
  release.set_used_order_id("SN1");
  EXPECT_TRUE(promotion.call(method, release).ok());
  EXPECT_TRUE(promotion.use(1, 501, "SN2").ok());
}

TEST(Promotion, ARecordIsFoundByUserOrByItsOnlyHolder) {
  Promotion promotion;
  EXPECT_EQ(promotion.record(0, 505).as<::promotion::CouponRecord>().user_id(), 4);
  EXPECT_EQ(promotion.record(0, 501).code(), Errc::invalid_argument);
  EXPECT_EQ(promotion.record(9, 505).code(), Errc::not_found);
}

class Orders : public MallHost {
 public:
  Orders() : MallHost(mall::order::service()) {}

  static ::order::CreateOrderRequest new_order(const std::string& id, int status = 5) {
    ::order::CreateOrderRequest request;
    request.set_order_id(id);
    request.set_user_id(1);
    auto& item = *request.add_items();
    item.set_sku_id(101);
    item.set_price_cents(1'999);
    item.set_quantity(2);
    request.set_total_cents(3'998);
    request.set_discount_cents(500);
    request.set_pay_cents(3'498);
    request.set_status(status);
    return request;
  }
  Answered create(const std::string& id, int status = 5, const std::optional<Sent>& sent = {}) {
    return call("/order.OrderRpc/CreateOrder", new_order(id, status), sent);
  }
  Answered change(const std::string& id, int expected, int next,
                  const std::optional<Sent>& sent = {}) {
    ::order::ChangeOrderStatusRequest request;
    request.set_order_id(id);
    request.set_expected(expected);
    request.set_new_status(next);
    return call("/order.OrderRpc/ChangeOrderStatus", request, sent);
  }
  Answered void_order(const std::string& id, const std::optional<Sent>& sent = {}) {
    ::order::VoidOrderRequest request;
    request.set_order_id(id);
    return call("/order.OrderRpc/VoidOrder", request, sent);
  }
  ::order::Order get(const std::string& id) {
    ::order::GetOrderRequest request;
    request.set_order_id(id);
    return call("/order.OrderRpc/GetOrder", request).as<::order::Order>();
  }
};

TEST(OrderServiceLines, C3C4AnOrderComesWithItsItemsOrNotAtAll) {
  Orders orders;
  orders.failing->writes_fail = true;
  EXPECT_EQ(orders.create("SN1").code(), Errc::unavailable);
  orders.reopen();
  ::order::GetOrderRequest request;
  request.set_order_id("SN1");
  EXPECT_EQ(orders.call("/order.OrderRpc/GetOrder", request).code(), Errc::not_found);

  ASSERT_TRUE(orders.create("SN1").ok());
  orders.reopen();
  const auto order = orders.get("SN1");
  EXPECT_EQ(order.items_size(), 1);
  EXPECT_EQ(order.status(), 5);
  EXPECT_DOUBLE_EQ(order.pay_amount(), 34.98);
}

TEST(OrderServiceLines, U5TheSameOrderAgainSucceedsAndAnotherUnderItsNumberDoesNot) {
  Orders orders;
  ASSERT_TRUE(orders.create("SN1").ok());
  EXPECT_TRUE(orders.create("SN1").ok());
  auto other = Orders::new_order("SN1");
  other.set_user_id(2);
  EXPECT_EQ(orders.call("/order.OrderRpc/CreateOrder", other).code(), Errc::failed_precondition);
  EXPECT_EQ(orders.get("SN1").history_size(), 1);
}

TEST(OrderServiceLines, USStatusMovesByCompareAndSetOnce) {
  Orders orders;
  ASSERT_TRUE(orders.create("SN1").ok());
  const Sent open{.leg = "open_order"};
  const auto first = orders.change("SN1", 5, 0, open);
  const auto again = orders.change("SN1", 5, 0, open);
  EXPECT_TRUE(first.ok());
  EXPECT_GT(first.as<::order::ChangeOrderStatusResponse>().expire_time_ms(), 0);
  EXPECT_EQ(again.barrier(), "replayed");
  const auto lost = orders.change("SN1", 5, 6);
  EXPECT_EQ(lost.code(), Errc::failed_precondition);
  EXPECT_THAT(lost.message(), testing::EndsWith("status=0"));
  EXPECT_EQ(orders.get("SN1").history_size(), 2);
}

TEST(OrderServiceLines, D5D6OfCancelAndPayExactlyOneWins) {
  Orders orders;
  ASSERT_TRUE(orders.create("SN1", 0).ok());
  EXPECT_TRUE(orders.change("SN1", 0, 4, Sent{.saga = "c1", .leg = "cancel"}).ok());
  EXPECT_FALSE(orders.change("SN1", 0, 4, Sent{.saga = "c2", .leg = "cancel"}).ok());
  const auto pay = orders.change("SN1", 0, 1, Sent{.saga = "p", .leg = "paid"});
  EXPECT_THAT(pay.message(), testing::EndsWith("status=4"));
}

TEST(OrderService, VoidingAnOrderThatWasNeverWrittenIsNothingToUndoAndStaysSo) {
  Orders orders;
  const Sent undo{.leg = "write_order", .operation = "compensation"};
  EXPECT_EQ(orders.void_order("SN1", undo).barrier(), "nothing_to_undo");
  const auto late = orders.create("SN1", 5, Sent{.leg = "write_order"});
  EXPECT_EQ(late.code(), Errc::failed_precondition);
  EXPECT_EQ(orders.void_order("SN1").code(), Errc::not_found);
}

TEST(OrderService, LegacyUpdatesFollowTheTableToo) {
  Orders orders;
  ASSERT_TRUE(orders.create("SN1", 0).ok());
  ::order::UpdateOrderStatusRequest request;
  request.set_order_id("SN1");
  request.set_status(1);
  EXPECT_TRUE(orders.call("/order.OrderRpc/UpdateOrderStatus", request).ok());
  request.set_status(0);
  EXPECT_EQ(orders.call("/order.OrderRpc/UpdateOrderStatus", request).code(),
            Errc::failed_precondition);
}

TEST(OrderService, ListsAUsersOrdersNewestFirstPageByPage) {
  Orders orders;
  for (const std::string id : {"SN3", "SN1", "SN2"}) ASSERT_TRUE(orders.create(id).ok());
  ::order::ListOrdersRequest request;
  request.set_user_id(1);
  request.set_limit(2);
  auto page = orders.call("/order.OrderRpc/ListOrders", request).as<::order::ListOrdersResponse>();
  ASSERT_EQ(page.orders_size(), 2);
  EXPECT_EQ(page.orders(0).order_id(), "SN3");
  EXPECT_EQ(page.orders(1).order_id(), "SN2");
  request.set_before_order_id(page.next_before());
  page = orders.call("/order.OrderRpc/ListOrders", request).as<::order::ListOrdersResponse>();
  ASSERT_EQ(page.orders_size(), 1);
  EXPECT_EQ(page.orders(0).order_id(), "SN1");
  EXPECT_EQ(page.next_before(), "");
  request.set_user_id(2);
  EXPECT_TRUE(orders.call("/order.OrderRpc/ListOrders", request).http.body.empty());
}

TEST(OrderService, TheAuditSeesItemsHistoryAndLegsPageByPage) {
  Orders orders;
  for (const std::string id : {"SN1", "SN2"}) {
    ASSERT_TRUE(orders.create(id, 5, Sent{.saga = id, .leg = "write_order"}).ok());
  }
  ::order::admin::DumpRequest request;
  request.set_rows_max(1);
  int orders_seen = 0, legs_seen = 0, pages = 0;
  do {
    const auto page =
        orders.call("/order.admin.OrderAdmin/Dump", request).as<::order::admin::DumpResponse>();
    orders_seen += page.orders_size();
    legs_seen += page.legs_size();
    if (page.orders_size() > 0) EXPECT_EQ(page.orders(0).history_size(), 1);
    request.set_after(page.next());
    ++pages;
  } while (!request.after().empty() && pages < 100);
  EXPECT_EQ(orders_seen, 2);
  EXPECT_EQ(legs_seen, 2);
}

TEST(OrderService, ASeededOrderMustHaveAPossibleHistory) {
  Orders orders;
  ASSERT_TRUE(orders.create("SN1").ok());
  auto order = orders.get("SN1");
  order.set_order_id("SN2");
  ::order::admin::SeedRequest seed;
  *seed.add_orders() = order;
  EXPECT_TRUE(orders.call("/order.admin.OrderAdmin/Seed", seed).ok());
  seed.mutable_orders(0)->set_status(3);
  EXPECT_EQ(orders.call("/order.admin.OrderAdmin/Seed", seed).code(), Errc::invalid_argument);
}

TEST(Seed, TheShippedFileSeedsEveryServiceOnce) {
  for (const auto& service :
       {mall::cart::service(), mall::product::service(), mall::inventory::service(),
        mall::promotion::service(), mall::order::service()}) {
    Seeded seeded(service);
  }
  Seeded inventory(mall::inventory::service());
  ::inventory::DeductStockRequest deduct;
  deduct.set_sku_id(108);
  deduct.set_quantity(1);
  const std::string_view method = "/inventory.InventoryRpc/DeductStock";
  ASSERT_TRUE(inventory.call(method, deduct).ok());
  const auto again =
      kit::seed_once(inventory.host->runner(), mall::inventory::service(), seed_json());
  ASSERT_TRUE(again.has_value());
  EXPECT_EQ(inventory.call(method, deduct).code(), Errc::failed_precondition);
}

TEST(InventoryBatchLines, B4EveryShortSkuIsNamedAndNothingIsTaken) {
  Seeded inventory(mall::inventory::service());
  ::inventory::DeductStockBatchRequest batch;
  for (const auto& [sku, quantity] : Lines{{101, 1}, {108, 2}, {109, 21}}) {
    auto& line = *batch.add_lines();
    line.set_sku_id(sku);
    line.set_quantity(quantity);
  }
  const auto refused = inventory.call("/inventory.InventoryRpc/DeductStockBatch", batch);
  EXPECT_EQ(refused.code(), Errc::failed_precondition);
  EXPECT_EQ(refused.message(),
            "sku_id=108 short available=1 wanted=2; sku_id=109 short available=20 wanted=21");
  ::inventory::GetStockRequest stock;
  stock.set_sku_id(101);
  EXPECT_EQ(inventory.call("/inventory.InventoryRpc/GetStock", stock)
                .as<::inventory::GetStockResponse>()
                .locked(),
            0);
}

}  // namespace
}  // namespace skald
