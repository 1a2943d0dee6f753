// Cancelling an unpaid order; see the header. Rolling stock back is an action here, not a
// compensation: the participant's barrier goes by the operation header.
#include "sagas/cancel_order.h"

#include "engine/dsl/define.h"
#include "mall/sagas.pb.h"
#include "sagas/mall_methods.h"
#include "sagas/order_rules.h"
#include "sagas/policies.h"

namespace skald::sagas {
namespace {

using mall::sagas::CancelOrderReply;
using mall::sagas::CancelOrderRequest;
using mall::sagas::CancelPlan;
using Ctx = dsl::Context<CancelOrderRequest>;

constexpr dsl::StepOf<order::Order> kOrder{"order"};
constexpr dsl::StepOf<CancelPlan> kPlan{"plan"};

Result<void> admit(const CancelOrderRequest& request) {
  if (request.user_id() <= 0) return fail(Errc::invalid_argument, "user_id: must be positive");
  if (request.order_id().empty() || request.order_id().size() > kOrderIdMax) {
    return fail(Errc::invalid_argument, "order_id: must be 1..{} bytes", kOrderIdMax);
  }
  return {};
}

/// Ownership and status, before anything is changed.
Result<CancelPlan> plan(const Ctx& ctx) {
  if (auto admitted = admit(ctx.input()); !admitted) return std::unexpected(admitted.error());
  const order::Order& found = ctx.output(kOrder);
  if (found.user_id() != ctx.input().user_id()) {
    return fail(Errc::permission_denied, "the order belongs to another user");
  }
  if (found.status() != static_cast<std::int32_t>(OrderStatus::unpaid)) {
    return fail(Errc::failed_precondition, "only an unpaid order can be cancelled; status={}",
                found.status());
  }
  CancelPlan out;
  out.set_coupon_id(found.coupon_id());
  for (const order::OrderItem& item : found.items()) {
    OrderLine& line = *out.add_lines();
    line.set_sku_id(item.sku_id());
    line.set_product_id(item.product_id());
    line.set_quantity(item.quantity());
  }
  return out;
}

order::ChangeOrderStatusRequest cancel(const Ctx& ctx) {
  order::ChangeOrderStatusRequest out;
  out.set_order_id(ctx.input().order_id());
  out.set_expected(static_cast<std::int32_t>(OrderStatus::unpaid));
  out.set_new_status(static_cast<std::int32_t>(OrderStatus::cancelled));
  return out;
}

inventory::RollbackStockRequest rollback(const Ctx&, const OrderLine& line) {
  return rollback_request(deduct_request(line));
}

promotion::ReleaseCouponRequest release(const Ctx& ctx) {
  promotion::ReleaseCouponRequest out;
  out.set_user_id(ctx.input().user_id());
  out.set_coupon_id(ctx.output(kPlan).coupon_id());
  out.set_used_order_id(ctx.input().order_id());
  return out;
}

}  // namespace

Result<DefinitionPtr> cancel_order() {
  return dsl::define<CancelOrderRequest>("cancel_order", 1)
      .deadline(kOrderDeadline)
      .admit(admit)
      .query(kOrder, kGetOrder,
             [](const Ctx& ctx) {
               order::GetOrderRequest out;
               out.set_order_id(ctx.input().order_id());
               return out;
             })
      .compute(kPlan, plan)
      .call("cancel", kChangeOrderStatus, cancel)
      .pivot()
      .call("rollback_stock")
      .for_each([](const Ctx& ctx) { return ctx.output(kPlan).lines(); }, &OrderLine::sku_id)
      .parallel(kStockLegsParallel)
      .on_reject(OnReject::finish_all)
      .action(kRollbackStock, rollback)
      .retriable()
      .call("release_coupon", kReleaseCoupon, release)
      .retriable()
      .when([](const Ctx& ctx) { return ctx.output(kPlan).coupon_id() != 0; })
      .output([](const Ctx& ctx) {
        CancelOrderReply out;
        out.set_order_id(ctx.input().order_id());
        out.set_status(static_cast<std::int32_t>(OrderStatus::cancelled));
        return out;
      })
      .build();
}

}  // namespace skald::sagas
