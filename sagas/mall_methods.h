// The methods of the mall's participants that the sagas use, typed. Every mutating method stands on
// the barrier; queries promise nothing about keys.
#pragma once

#include "engine/dsl/method.h"
#include "mall/cart.pb.h"
#include "mall/inventory.pb.h"
#include "mall/order.pb.h"
#include "mall/product.pb.h"
#include "mall/promotion.pb.h"

namespace skald::sagas {

template <class Req, class Resp>
using Query = dsl::MethodOf<Req, Resp>;

/// A mutating method of the mall.
template <class Req, class Resp>
constexpr dsl::MethodOf<Req, Resp> effect(std::string_view participant, std::string_view path) {
  return {.participant = participant, .path = path, .keys = KeysMode::barrier};
}

inline constexpr Query<cart::GetCartItemsRequest, cart::GetCartItemsResponse> kGetCartItems{
    "cart", "/cart.CartRpc/GetCartItems"};
inline constexpr auto kClearCartItems =
    effect<cart::ClearCartItemsRequest, cart::ClearCartItemsResponse>(
        "cart", "/cart.CartRpc/ClearCartItems");

inline constexpr Query<product::GetSkuPricesRequest, product::GetSkuPricesResponse> kGetSkuPrices{
    "product", "/product.ProductRpc/GetSkuPrices"};

inline constexpr auto kDeductStock =
    effect<inventory::DeductStockRequest, inventory::DeductStockResponse>(
        "inventory", "/inventory.InventoryRpc/DeductStock");
inline constexpr auto kRollbackStock =
    effect<inventory::RollbackStockRequest, inventory::RollbackStockResponse>(
        "inventory", "/inventory.InventoryRpc/RollbackStock");

inline constexpr Query<promotion::CalculateDiscountRequest, promotion::CalculateDiscountResponse>
    kCalculateDiscount{"promotion", "/promotion.PromotionRpc/CalculateDiscount"};
inline constexpr auto kUseCoupon =
    effect<promotion::UseCouponRequest, promotion::UseCouponResponse>(
        "promotion", "/promotion.PromotionRpc/UseCoupon");
inline constexpr auto kReleaseCoupon =
    effect<promotion::ReleaseCouponRequest, promotion::ReleaseCouponResponse>(
        "promotion", "/promotion.PromotionRpc/ReleaseCoupon");

inline constexpr Query<order::GetOrderRequest, order::Order> kGetOrder{"order",
                                                                       "/order.OrderRpc/GetOrder"};
inline constexpr auto kCreateOrder = effect<order::CreateOrderRequest, order::CreateOrderResponse>(
    "order", "/order.OrderRpc/CreateOrder");
inline constexpr auto kVoidOrder =
    effect<order::VoidOrderRequest, order::VoidOrderResponse>("order", "/order.OrderRpc/VoidOrder");
inline constexpr auto kChangeOrderStatus =
    effect<order::ChangeOrderStatusRequest, order::ChangeOrderStatusResponse>(
        "order", "/order.OrderRpc/ChangeOrderStatus");

/// order_master.status. Stored by the order service; never renumber.
enum class OrderStatus : std::int32_t {
  unpaid = 0,
  paid = 1,
  shipped = 2,
  done = 3,
  cancelled = 4,
  creating = 5,
  voided = 6,
};

}  // namespace skald::sagas
