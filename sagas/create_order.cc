// The order in its recommended steps; see the header. Rules and requests are in order_rules.h.
#include "sagas/create_order.h"

#include "engine/dsl/define.h"
#include "sagas/order_rules.h"
#include "sagas/policies.h"

namespace skald::sagas {
namespace {

using Ctx = dsl::Context<CreateOrderRequest>;

constexpr dsl::StepOf<cart::GetCartItemsResponse> kCart{"cart"};
constexpr dsl::StepOf<product::GetSkuPricesResponse> kPrices{"prices"};
constexpr dsl::StepOf<OrderTotal> kTotal{"total"};
constexpr dsl::StepOf<promotion::CalculateDiscountResponse> kDiscount{"discount"};
constexpr dsl::StepOf<OrderAmounts> kAmounts{"amounts"};

bool has_coupon(const Ctx& ctx) { return ctx.input().coupon_id() != 0; }

Result<OrderTotal> total(const Ctx& ctx) {
  // The number is checked here, before any effect, and used from write_order on.
  if (auto number = order_number(ctx.business_key()); !number) {
    return std::unexpected(number.error());
  }
  auto sum = order_total(ctx.input(), ctx.output(kCart));
  if (!sum) return sum;
  if (auto checked = check_prices(*sum, ctx.output(kPrices)); !checked) {
    return std::unexpected(checked.error());
  }
  return sum;
}

Result<order::CreateOrderRequest> write_order(const Ctx& ctx) {
  return write_order_request(ctx.business_key(), ctx.input(), ctx.output(kTotal),
                             ctx.output(kAmounts), OrderStatus::creating);
}

order::ChangeOrderStatusRequest open_order(const Ctx& ctx) {
  order::ChangeOrderStatusRequest out;
  out.set_order_id(std::string(ctx.business_key()));
  out.set_expected(static_cast<std::int32_t>(OrderStatus::creating));
  out.set_new_status(static_cast<std::int32_t>(OrderStatus::unpaid));
  return out;
}

}  // namespace

Result<DefinitionPtr> create_order() {
  return dsl::define<CreateOrderRequest>("create_order", 1)
      .deadline(kOrderDeadline)
      .admit(admit_order)
      .query(kCart, kGetCartItems, [](const Ctx& ctx) { return cart_request(ctx.input()); })
      .query(kPrices, kGetSkuPrices, [](const Ctx& ctx) { return prices_request(ctx.input()); })
      .compute(kTotal, total)
      .query(kDiscount, kCalculateDiscount,
             [](const Ctx& ctx) { return discount_request(ctx.input(), ctx.output(kTotal)); })
      .when(has_coupon)
      .compute(
          kAmounts,
          [](const Ctx& ctx) { return order_amounts(ctx.output(kTotal), ctx.find(kDiscount)); })
      .call("write_order", kCreateOrder, write_order)
      .compensation(kVoidOrder,
                    [](const Ctx&, const auto& created) { return void_request(created); })
      .call("deduct_stock")
      .for_each([](const Ctx& ctx) { return ctx.output(kTotal).lines(); }, &OrderLine::sku_id)
      .parallel(kStockLegsParallel)
      .on_reject(OnReject::finish_all)
      .action(kDeductStock, [](const Ctx&, const OrderLine& line) { return deduct_request(line); })
      .compensation(kRollbackStock,
                    [](const Ctx&, const auto& deducted) { return rollback_request(deducted); })
      .call("use_coupon", kUseCoupon,
            [](const Ctx& ctx) { return use_coupon_request(ctx.business_key(), ctx.input()); })
      .pivot()
      .when(has_coupon)
      .call("open_order", kChangeOrderStatus, open_order)
      .retriable()
      .call("clear_cart", kClearCartItems,
            [](const Ctx& ctx) { return clear_request(ctx.input(), ctx.output(kTotal)); })
      .retriable()
      .output([](const Ctx& ctx) {
        return order_reply(ctx.business_key(), ctx.output(kAmounts), ctx.started_at());
      })
      .build();
}

}  // namespace skald::sagas
