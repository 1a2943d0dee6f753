// Claims about the fluent builder: what does not compile, what it makes, and how builders fail.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/dsl/define.h"
#include "engine/dsl/dry_run.h"
#include "engine/dsl/fingerprint.h"
#include "mall/cart.pb.h"
#include "mall/inventory.pb.h"
#include "mall/sagas.pb.h"

namespace skald::dsl {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using In = mall::sagas::CreateOrderRequest;
using Total = mall::sagas::OrderTotal;
using Line = mall::sagas::OrderLine;
using Reply = mall::sagas::CreateOrderReply;
using Deduct = inventory::DeductStockRequest;
using Deducted = inventory::DeductStockResponse;
using Rollback = inventory::RollbackStockRequest;
using Ctx = Context<In>;

constexpr MethodOf<cart::GetCartItemsRequest, cart::GetCartItemsResponse> kGetCart{
    "cart", "/cart.CartRpc/GetCartItems"};
constexpr MethodOf<Deduct, Deducted> kDeduct{"inventory", "/inventory.InventoryRpc/DeductStock",
                                             KeysMode::barrier};
constexpr MethodOf<Rollback, inventory::RollbackStockResponse> kRollback{
    "inventory", "/inventory.InventoryRpc/RollbackStock", KeysMode::barrier};
constexpr MethodOf<Deduct, Deducted> kDeductKeyless{"inventory", "/d"};
constexpr MethodOf<Deduct, Deducted> kDeductJson{"inventory", "/d", KeysMode::barrier,
                                                 Protocol::http_json};
constexpr StepOf<Total> kTotal{"total"};
constexpr StepOf<cart::GetCartItemsResponse> kCart{"cart"};

cart::GetCartItemsRequest ask_cart(const Ctx& ctx) {
  cart::GetCartItemsRequest out;
  out.set_user_id(ctx.input().user_id());
  return out;
}
Total total_of(const Ctx& ctx) {
  Total out;
  for (const auto& item : ctx.output(kCart).items()) {
    Line& line = *out.add_lines();
    line.set_sku_id(item.sku_id());
    line.set_quantity(item.quantity());
  }
  return out;
}
Deduct deduct(const Ctx&, const Line& line) {
  Deduct out;
  out.set_sku_id(line.sku_id());
  out.set_quantity(line.quantity());
  return out;
}
Deduct deduct_one(const Ctx&) {
  Deduct out;
  out.set_sku_id(7);
  return out;
}
Rollback roll_back(const Ctx&, const Deduct& deducted) {
  Rollback out;
  out.set_sku_id(deducted.sku_id());
  return out;
}
auto lines(const Ctx& ctx) { return ctx.output(kTotal).lines(); }

SagaBuilder<In> begin() { return define<In>("order", 1); }

// What must not compile. A concept's failure is the claim; each has its working twin above or
// below.
template <class Name, class Fn>
concept CanCompute = requires(SagaBuilder<In> b, Name n, Fn f) { std::move(b).compute(n, f); };
template <class Name, class Method, class Fn>
concept CanQuery =
    requires(SagaBuilder<In> b, Name n, Method m, Fn f) { std::move(b).query(n, m, f); };
template <class Builder>
concept CanPivot = requires(Builder b) { std::move(b).pivot(); };
template <class Builder>
concept CanSignal = requires(Builder b) { std::move(b).signal("paid"); };
template <class Builder>
concept CanParallel = requires(Builder b) { std::move(b).parallel(2); };
template <class Builder, class Fn>
concept CanCompensate = requires(Builder b, Fn f) { std::move(b).compensation(kRollback, f); };
template <class Builder, class Fn>
concept CanAct = requires(Builder b, Fn f) { std::move(b).action(kDeduct, f); };
template <class T>
concept CanReadAs = requires(const Ctx& ctx) { ctx.output<T>(kTotal); };

using AQuery = decltype(begin().query("cart", kGetCart, ask_cart));
using ACall = decltype(begin().call("deduct", kDeduct, deduct_one));
using AHead = decltype(begin().call("deduct"));
using AFan = decltype(begin().call("deduct").for_each(lines, &Line::sku_id));
using AWait = decltype(begin().wait("payment"));

static_assert(CanCompute<StepOf<Total>, decltype(&total_of)>);
static_assert(!CanCompute<StepOf<Reply>, decltype(&total_of)>, "the handle fixes the output");
static_assert(
    CanQuery<StepOf<cart::GetCartItemsResponse>, decltype(kGetCart), decltype(&ask_cart)>);
static_assert(!CanQuery<StepOf<Total>, decltype(kGetCart), decltype(&ask_cart)>);
static_assert(!CanQuery<const char*, decltype(kDeduct), decltype(&ask_cart)>, "another's request");
static_assert(CanPivot<ACall> && CanPivot<AWait> && !CanPivot<AQuery>);
static_assert(CanSignal<AWait> && !CanSignal<ACall>);
static_assert(CanParallel<AFan> && !CanParallel<AHead>);
static_assert(CanCompensate<ACall, decltype(&roll_back)> &&
              !CanCompensate<AQuery, decltype(&roll_back)>);
static_assert(!CanCompensate<AHead, decltype(&roll_back)>, "there is no action yet");
static_assert(!CanCompensate<ACall, decltype(&deduct_one)>);
static_assert(CanAct<AFan, decltype(&deduct)> && !CanAct<AFan, decltype(&deduct_one)>);
static_assert(CanAct<AHead, decltype(&deduct_one)> && !CanAct<AHead, decltype(&deduct)>);
static_assert(!CanAct<ACall, decltype(&deduct_one)>, "there is an action already");
static_assert(CanReadAs<Total> && !CanReadAs<Reply>);

DefinitionPtr built(Result<DefinitionPtr> result) {
  EXPECT_TRUE(result.has_value()) << result.error().message;
  return result.value_or(nullptr);
}

DefinitionPtr order() {
  return built(begin()
                   .query(kCart, kGetCart, ask_cart)
                   .compute(kTotal, total_of)
                   .call("deduct")
                   .for_each(lines, &Line::sku_id)
                   .parallel(4)
                   .on_reject(OnReject::finish_all)
                   .action(kDeduct, deduct)
                   .compensation(kRollback, roll_back)
                   .timeout(Millis{700})
                   .retry({.attempts_max = 3})
                   .undo_timeout(Millis{900})
                   .undo_retry({.attempts_max = 9})
                   .header("X-Tenant", "mall")
                   .outcome("503", OutcomeKind::not_executed)
                   .wait("payment")
                   .signal("paid")
                   .timeout(Millis{1'000})
                   .on_timeout(OnTimeout::reject)
                   .pivot()
                   .output([](const Ctx& ctx) {
                     Reply out;
                     const auto* paid = ctx.find<Reply>("payment");
                     out.set_pay_cents(paid == nullptr ? -1 : paid->pay_cents());
                     return out;
                   })
                   .deadline(Millis{60'000})
                   .build());
}

cart::GetCartItemsResponse cart_of(std::vector<int> sku_ids) {
  cart::GetCartItemsResponse cart;
  for (const int sku_id : sku_ids) {
    cart.add_items()->set_sku_id(sku_id);
    cart.mutable_items()->rbegin()->set_quantity(sku_id % 10);
  }
  return cart;
}

Sample order_sample(std::vector<int> sku_ids) {
  In input;
  input.set_user_id(42);
  Sample out = sample("sample", input);
  out.answer("cart", cart_of(std::move(sku_ids)));
  return out;
}

TEST(SagaBuilder, WritesDownWhatWasSaid) {
  const DefinitionPtr definition = order();
  EXPECT_EQ(definition->deadline, Millis{60'000});
  EXPECT_EQ(definition->input_type, "mall.sagas.CreateOrderRequest");
  EXPECT_EQ(definition->output_type, "mall.sagas.CreateOrderReply");
  const StepDefinition& step = definition->steps[2];
  EXPECT_EQ(step.call_class, CallClass::compensatable);
  EXPECT_TRUE(step.for_each);
  EXPECT_EQ(step.parallel, 4u);
  EXPECT_EQ(step.on_reject, OnReject::finish_all);
  EXPECT_EQ(step.action.attempt_timeout, Millis{700});
  EXPECT_EQ(step.action.retry.attempts_max, 3u);
  EXPECT_EQ(step.compensation->attempt_timeout, Millis{900});
  EXPECT_EQ(step.compensation->retry.attempts_max, 9u);
  EXPECT_EQ(step.action.method.keys, KeysMode::barrier);
  EXPECT_THAT(step.action.method.headers, ElementsAre(MethodHeader{"X-Tenant", "mall"}));
  EXPECT_THAT(step.action.method.outcomes,
              ElementsAre(OutcomeRule{"503", OutcomeKind::not_executed}));
  EXPECT_EQ(definition->order.pivot, 3);
  EXPECT_EQ(definition->steps[3].wait.on_timeout, OnTimeout::reject);
}

TEST(SagaBuilder, TellsEveryMistakeItsOwnAndTheDefinitions) {
  const auto result = begin()
                          .call("Bad", kDeduct, deduct_one)
                          .undo_retry({})
                          .call("late", kDeduct, deduct_one)
                          .retriable()
                          .build();
  ASSERT_FALSE(result.has_value());
  EXPECT_THAT(result.error().message,
              AllOf(HasSubstr("step Bad: undo_retry before a compensation"),
                    HasSubstr("step Bad: name must be"), HasSubstr("step late: retriable, but")));
}

TEST(ForEach, MakesOneLegForEachItemNamedByItsKey) {
  const DryRun run = dry_run(*order(), order_sample({71, 72}));
  ASSERT_EQ(run.state.steps[2].legs.size(), 2u);
  EXPECT_EQ(run.state.steps[2].legs[1].key, "72");
  Deduct sent;
  ASSERT_TRUE(sent.ParseFromString(run.state.steps[2].legs[1].request));
  EXPECT_EQ(sent.quantity(), 2);
}

TEST(ForEach, OfNothingHasNoLegs) {
  const DryRun run = dry_run(*order(), order_sample({}));
  EXPECT_FALSE(run.refusal.has_value());
  EXPECT_TRUE(run.state.steps[2].legs.empty());
}

TEST(ForEach, RefusesTwoItemsOfOneKey) {
  const DryRun run = dry_run(*order(), order_sample({71, 72, 71}));
  ASSERT_TRUE(run.refusal.has_value());
  EXPECT_EQ(run.refused_at, "deduct");
  EXPECT_THAT(run.refusal->message, HasSubstr("two items have the key 71"));
}

TEST(Wait, GivesTheSignalsPayloadInEitherForm) {
  Reply paid;
  paid.set_pay_cents(123);
  for (const Protocol form : {Protocol::connect_proto, Protocol::connect_json}) {
    Sample sample = order_sample({71});
    sample.answers["payment"] = encode(paid, form);
    Reply reply;
    ASSERT_TRUE(reply.ParseFromString(dry_run(*order(), sample).output));
    EXPECT_EQ(reply.pay_cents(), 123);
  }
  Reply timed_out;
  ASSERT_TRUE(timed_out.ParseFromString(dry_run(*order(), order_sample({71})).output));
  EXPECT_EQ(timed_out.pay_cents(), -1);
}

TEST(Context, FailsABuilderThatReadsWhatIsNotThereWhateverItReturns) {
  const DefinitionPtr definition =
      built(begin()
                .query(kCart, kGetCart, ask_cart)
                .when([](const Ctx& ctx) { return ctx.input().coupon_id() != 0; })
                .compute(kTotal, total_of)
                .build());
  const DryRun skipped = dry_run(*definition, order_sample({71}));
  ASSERT_TRUE(skipped.refusal.has_value());
  EXPECT_EQ(skipped.refused_at, "total");
  EXPECT_EQ(skipped.refusal->code, Errc::failed_precondition);
  EXPECT_THAT(skipped.refusal->message, HasSubstr("step cart has no output here"));

  Sample garbled = order_sample({71});
  In input;
  input.set_coupon_id(1);
  garbled.input = encode(input);
  garbled.answers["cart"] = "\xff";
  const DryRun malformed = dry_run(*definition, garbled);
  ASSERT_TRUE(malformed.refusal.has_value());
  EXPECT_EQ(malformed.refusal->code, Errc::data_loss);
  EXPECT_THAT(malformed.refusal->message, HasSubstr("output of step cart"));
}

TEST(Context, GivesTheLegsOfAFanAsLaterBuildersSeeThem) {
  const DefinitionPtr definition =
      built(begin()
                .query(kCart, kGetCart, ask_cart)
                .compute(kTotal, total_of)
                .call(StepOf<Deducted>("deduct"))
                .for_each(lines, &Line::sku_id)
                .action(kDeduct, deduct)
                .no_undo("reserved for an hour only")
                .output([](const Ctx& ctx) {
                  Reply out;
                  for (const auto& leg : ctx.legs(StepOf<Deducted>("deduct"))) {
                    out.set_order_id(out.order_id() + std::string(leg.key) +
                                     (leg.response->success() ? "+" : "-"));
                  }
                  return out;
                })
                .build());
  Deducted yes;
  yes.set_success(true);
  Sample sample = order_sample({71, 72});
  sample.answer("deduct[72]", yes);
  Reply reply;
  ASSERT_TRUE(reply.ParseFromString(dry_run(*definition, sample).output));
  EXPECT_EQ(reply.order_id(), "71-72+");
}

TEST(Compensation, SaysByItsSignatureWhetherItNeedsTheReceipt) {
  const auto maybe = [](const Ctx&, const Deduct&, const Deducted* receipt) {
    Rollback out;
    out.set_quantity(receipt == nullptr ? 1 : 2);
    return out;
  };
  const auto needs = [](const Ctx&, const Deduct& sent, const Deducted& receipt) {
    Rollback out;
    out.set_sku_id(sent.sku_id());
    out.set_quantity(receipt.success() ? 3 : 4);
    return out;
  };
  const auto by_maybe =
      built(begin().call("d", kDeduct, deduct_one).compensation(kRollback, maybe).build());
  const auto by_need =
      built(begin().call("d", kDeduct, deduct_one).compensation(kRollback, needs).build());
  EXPECT_FALSE(by_maybe->steps[0].undo_needs_receipt);
  EXPECT_TRUE(by_need->steps[0].undo_needs_receipt);
  EXPECT_FALSE(begin()
                   .call("d", kDeductKeyless, deduct_one)
                   .compensation(kRollback, needs)
                   .build()
                   .has_value());

  const SagaState state;
  Deduct sent = deduct_one(Ctx(Facts(*by_need, state)));
  Deducted receipt;
  receipt.set_success(true);
  const Bytes request = encode(sent);
  const Bytes answer = encode(receipt);
  Rollback undo;
  const Facts facts(*by_need, state);
  ASSERT_TRUE(undo.ParseFromString(*by_need->steps[0].undo(facts, request, &answer)));
  EXPECT_EQ(undo.quantity(), 3);
  EXPECT_EQ(undo.sku_id(), 7);
  EXPECT_FALSE(by_need->steps[0].undo(facts, request, nullptr).has_value());
  ASSERT_TRUE(undo.ParseFromString(*by_maybe->steps[0].undo(facts, request, nullptr)));
  EXPECT_EQ(undo.quantity(), 1);
}

TEST(Compensation, OfTheSameRequestTakesItAsItIs) {
  constexpr MethodOf<Deduct, Deducted> kUndo{"inventory", "/u", KeysMode::barrier};
  const auto definition =
      built(begin().call("d", kDeductJson, deduct_one).compensation(kUndo).build());
  const DryRun run = dry_run(*definition, order_sample({}));
  ASSERT_EQ(run.requests.size(), 3u);
  EXPECT_EQ(run.requests[0].request, R"({"sku_id":"7"})");
  EXPECT_EQ(run.requests[1].request, "\x08\x07");
}

TEST(Step, ReadsWhatAPersonWritesInsteadOfItsMessages) {
  const auto made =
      begin().call("deduct").action(kDeduct, deduct_one).compensation(kRollback, roll_back).build();
  ASSERT_TRUE(made.has_value()) << made.error().message;
  const StepDefinition& step = (*made)->steps.front();
  const auto request = step.read_request(InputForm::json, R"({"sku_id": 9, "quantity": 2})");
  ASSERT_TRUE(request.has_value()) << request.error().message;
  Deduct parsed;
  ASSERT_TRUE(parsed.ParseFromString(*request));
  EXPECT_EQ(parsed.sku_id(), 9);
  EXPECT_FALSE(step.read_request(InputForm::json, R"({"sku": 9})").has_value());
  const auto undo = step.read_undo_request(InputForm::json, R"({"sku_id": 9})");
  ASSERT_TRUE(undo.has_value()) << undo.error().message;
  EXPECT_THAT(step.print_undo_request(*undo), HasSubstr("9"));
  EXPECT_TRUE(step.read_response(InputForm::json, "{}").has_value());
}

TEST(Probe, IsBuiltFromTheActionsRequest) {
  using Asked = std::decay_t<decltype(kRollback)>::Request;
  constexpr MethodOf<Asked, Deducted> kAsk{"inventory", "/ask"};
  const auto definition = built(begin()
                                    .call("d", kDeductKeyless, deduct_one)
                                    .compensation(kRollback, roll_back)
                                    .undo_outcome("503", OutcomeKind::not_executed)
                                    .undo_header("X-Why", "undo")
                                    .probe(kAsk, roll_back)
                                    .probe_timeout(Millis{70})
                                    .build());
  const StepDefinition& step = definition->steps.front();
  EXPECT_EQ(step.compensation->method.outcomes.front().code, "503");
  EXPECT_EQ(step.compensation->method.headers.front().name, "X-Why");
  EXPECT_EQ(step.probe->attempt_timeout, Millis{70});
  const DryRun run = dry_run(*definition, order_sample({}));
  EXPECT_EQ(run.requests.back().operation, Operation::probe);
  EXPECT_EQ(run.requests.back().request, "\x08\x07");
}

TEST(Builders, ArePureSameFactsSameBytes) {
  const DefinitionPtr definition = order();
  const std::string first = fingerprint(*definition, std::vector{order_sample({71, 72, 73})});
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(fingerprint(*order(), std::vector{order_sample({71, 72, 73})}), first);
  }
}

TEST(Fingerprint, ChangesWithStructureAndRequestsButNotWithTuning) {
  const auto with = [](KeysMode keys, int quantity, Millis timeout) {
    MethodOf<Deduct, Deducted> method = kDeduct;
    method.keys = keys;
    const auto act = [quantity](const Ctx&) {
      Deduct out;
      out.set_quantity(quantity);
      return out;
    };
    const auto definition = built(begin().call("d", method, act).pivot().timeout(timeout).build());
    return fingerprint(*definition, std::vector{order_sample({})});
  };
  const std::string base = with(KeysMode::barrier, 1, Millis{100});
  EXPECT_EQ(with(KeysMode::barrier, 1, Millis{200}), base);
  EXPECT_NE(with(KeysMode::dedup, 1, Millis{100}), base);
  EXPECT_NE(with(KeysMode::barrier, 2, Millis{100}), base);
}

}  // namespace
}  // namespace skald::dsl
