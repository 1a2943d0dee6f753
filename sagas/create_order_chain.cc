// The documented chain; see the header. Rules and requests are in order_rules.h. The chain has no
// step for what follows from the discount, so its rules are applied where it is first used: before
// stock is deducted.
#include "sagas/create_order_chain.h"

#include "engine/dsl/define.h"
#include "sagas/order_rules.h"
#include "sagas/policies.h"

namespace skald::sagas {
namespace {

using Ctx = dsl::Context<CreateOrderRequest>;

constexpr dsl::StepOf<cart::GetCartItemsResponse> kCart{"cart"};
constexpr dsl::StepOf<OrderTotal> kTotal{"total"};
constexpr dsl::StepOf<promotion::CalculateDiscountResponse> kDiscount{"discount"};

bool has_coupon(const Ctx& ctx) { return ctx.input().coupon_id() != 0; }

Result<OrderTotal> total(const Ctx& ctx) {
  // The number is checked here, before any effect, and used from write_order on.
  if (auto number = order_number(ctx.business_key()); !number) {
    return std::unexpected(number.error());
  }
  return order_total(ctx.input(), ctx.output(kCart));
}

Result<OrderAmounts> amounts(const Ctx& ctx) {
  return order_amounts(ctx.output(kTotal), ctx.find(kDiscount));
}

Result<std::vector<OrderLine>> lines(const Ctx& ctx) {
  if (auto fit = amounts(ctx); !fit) return std::unexpected(fit.error());
  const auto& ordered = ctx.output(kTotal).lines();
  return std::vector<OrderLine>(ordered.begin(), ordered.end());
}

Result<order::CreateOrderRequest> write_order(const Ctx& ctx) {
  const auto fit = amounts(ctx);
  if (!fit) return std::unexpected(fit.error());
  return write_order_request(ctx.business_key(), ctx.input(), ctx.output(kTotal), *fit,
                             OrderStatus::unpaid);
}

Result<CreateOrderReply> reply(const Ctx& ctx) {
  const auto fit = amounts(ctx);
  if (!fit) return std::unexpected(fit.error());
  return order_reply(ctx.business_key(), *fit, ctx.started_at());
}

Result<DefinitionPtr> chain(std::string name, std::uint32_t version, std::uint32_t parallel) {
  return dsl::define<CreateOrderRequest>(std::move(name), version)
      .deadline(kOrderDeadline)
      .admit(admit_order)
      .query(kCart, kGetCartItems, [](const Ctx& ctx) { return cart_request(ctx.input()); })
      .compute(kTotal, total)
      .query(kDiscount, kCalculateDiscount,
             [](const Ctx& ctx) { return discount_request(ctx.input(), ctx.output(kTotal)); })
      .when(has_coupon)
      .call("deduct_stock")
      .for_each(lines, &OrderLine::sku_id)
      .parallel(parallel)
      .on_reject(OnReject::finish_all)
      .action(kDeductStock, [](const Ctx&, const OrderLine& line) { return deduct_request(line); })
      .compensation(kRollbackStock,
                    [](const Ctx&, const auto& deducted) { return rollback_request(deducted); })
      .call("write_order", kCreateOrder, write_order)
      .compensation(kVoidOrder,
                    [](const Ctx&, const auto& created) { return void_request(created); })
      .call("use_coupon", kUseCoupon,
            [](const Ctx& ctx) { return use_coupon_request(ctx.business_key(), ctx.input()); })
      .pivot()
      .when(has_coupon)
      .call("clear_cart", kClearCartItems,
            [](const Ctx& ctx) { return clear_request(ctx.input(), ctx.output(kTotal)); })
      .retriable()
      .output(reply)
      .build();
}

}  // namespace

Result<DefinitionPtr> create_order_chain() { return chain("create_order_chain", 1, 1); }

Result<DefinitionPtr> order_parallel() { return chain("order_parallel", 1, kStockLegsParallel); }

}  // namespace skald::sagas
