// Claims about the shipped definitions, run on paper: which requests they send, there and back, and
// where they refuse.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>

#include "engine/dsl/fingerprint.h"
#include "sagas/cancel_order.h"
#include "sagas/create_order.h"
#include "sagas/create_order_chain.h"
#include "sagas/registry.h"
#include "tests/unit/sagas/samples.h"

namespace skald::sagas {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::vector<std::string> sent(const dsl::DryRun& run, Operation operation) {
  std::vector<std::string> legs;
  for (const dsl::DryRequest& request : run.requests) {
    if (request.operation == operation && !request.without_receipt) legs.push_back(request.leg);
  }
  return legs;
}

template <class Message>
Message request_of(const dsl::DryRun& run, std::string_view leg, Operation operation) {
  Message message;
  for (const dsl::DryRequest& request : run.requests) {
    if (request.leg == leg && request.operation == operation) {
      EXPECT_TRUE(message.ParseFromString(request.request));
      return message;
    }
  }
  ADD_FAILURE() << "nothing was sent for " << leg;
  return message;
}

std::string all_steps(const Definition& definition) {
  std::string out;
  for (const StepDefinition& step : definition.steps) out += step.name + " ";
  return out;
}

TEST(CreateOrder, SendsItsStepsInOrderAndUndoesThemInReverse) {
  const dsl::DryRun run = dsl::dry_run(**create_order(), order_sample("with coupon", 7));

  ASSERT_FALSE(run.refusal.has_value()) << run.refusal->message;
  EXPECT_THAT(sent(run, Operation::action),
              ElementsAre("cart", "prices", "discount", "write_order", "deduct_stock[103]",
                          "deduct_stock[101]", "deduct_stock[102]", "use_coupon", "open_order",
                          "clear_cart"));
  EXPECT_THAT(
      sent(run, Operation::compensation),
      ElementsAre("deduct_stock[103]", "deduct_stock[101]", "deduct_stock[102]", "write_order"));
  const auto deducted =
      request_of<inventory::DeductStockRequest>(run, "deduct_stock[103]", Operation::action);
  EXPECT_EQ(deducted.quantity(), 3);
  const auto rolled_back = request_of<inventory::RollbackStockRequest>(run, "deduct_stock[103]",
                                                                       Operation::compensation);
  EXPECT_EQ(rolled_back.sku_id(), 103);
  EXPECT_EQ(rolled_back.quantity(), 3);
  EXPECT_EQ(
      request_of<order::VoidOrderRequest>(run, "write_order", Operation::compensation).order_id(),
      kOrderNumber);
}

TEST(CreateOrder, BuildsEveryCompensationWithoutTheReceipt) {
  for (const DefinitionPtr& definition : all_definitions()) {
    for (const StepDefinition& step : definition->steps) {
      EXPECT_FALSE(step.undo_needs_receipt) << definition->name << " " << step.name;
    }
  }
}

TEST(CreateOrder, WritesTheOrderInvisibleAndOpensItAfterThePivot) {
  const dsl::DryRun run = dsl::dry_run(**create_order(), order_sample("with coupon", 7));

  const auto written = request_of<order::CreateOrderRequest>(run, "write_order", Operation::action);
  EXPECT_EQ(written.status(), 5);
  EXPECT_EQ(written.total_cents(), kThreeLinesCents);
  EXPECT_EQ(written.discount_cents(), 500);
  EXPECT_EQ(written.pay_cents(), kThreeLinesCents - 500);
  EXPECT_EQ(written.items_size(), 3);
  const auto opened =
      request_of<order::ChangeOrderStatusRequest>(run, "open_order", Operation::action);
  EXPECT_EQ(opened.expected(), 5);
  EXPECT_EQ(opened.new_status(), 0);
  CreateOrderReply reply;
  ASSERT_TRUE(reply.ParseFromString(run.output));
  EXPECT_EQ(reply.order_id(), kOrderNumber);
  EXPECT_EQ(reply.pay_cents(), kThreeLinesCents - 500);
  EXPECT_EQ(reply.payment_deadline_ms(), 1'700'000'000'000 + 30 * 60 * 1'000);
}

TEST(CreateOrder, SkipsDiscountAndPivotWithoutACoupon) {
  for (const auto& make : {create_order, create_order_chain, order_parallel}) {
    const dsl::DryRun run = dsl::dry_run(**make(), order_sample("plain"));
    ASSERT_FALSE(run.refusal.has_value()) << run.refusal->message;
    EXPECT_THAT(run.skipped, ElementsAre("discount", "use_coupon"));
    CreateOrderReply reply;
    ASSERT_TRUE(reply.ParseFromString(run.output));
    EXPECT_EQ(reply.pay_cents(), kThreeLinesCents);
  }
}

TEST(CreateOrder, ClearsOnlyTheOrderedQuantities) {
  const dsl::DryRun run = dsl::dry_run(**create_order(), order_sample("plain"));
  const auto cleared =
      request_of<cart::ClearCartItemsRequest>(run, "clear_cart", Operation::action);
  ASSERT_EQ(cleared.lines_size(), 3);
  EXPECT_EQ(cleared.lines(0).sku_id(), 103);
  EXPECT_EQ(cleared.lines(0).quantity(), 3);
}

TEST(CreateOrder, RefusesBeforeAnyEffect) {
  struct Case {
    std::string step;
    std::string told;
    std::function<void(dsl::Sample&)> spoil;
  };
  auto off_sale = prices_of(three_lines());
  off_sale.mutable_prices(0)->set_product_status(0);
  auto no_quantity = three_lines();
  no_quantity.mutable_items(0)->set_quantity(0);
  promotion::CalculateDiscountResponse refused;
  refused.set_reason("expired");
  const std::vector<Case> cases = {
      {"total", "business key", [](auto& s) { s.business_key.clear(); }},
      {"total", "off sale", [&](auto& s) { s.answer("prices", off_sale); }},
      {"total", "quantity", [&](auto& s) { s.answer("cart", no_quantity); }},
      {"amounts", "expired", [&](auto& s) { s.answer("discount", refused); }},
      {"amounts", "exceeds the total",
       [](auto& s) { s.answer("discount", discount_of(9'999, kThreeLinesCents)); }},
      {"total", "not a cart.GetCartItemsResponse", [](auto& s) { s.answers["cart"] = "\xff"; }},
  };
  for (const Case& c : cases) {
    dsl::Sample sample = order_sample(c.told, 7);
    c.spoil(sample);
    for (const auto& make : {create_order, create_order_chain}) {
      // The chain as documented reads no prices, and applies the coupon's rules where stock is
      // taken.
      if (make == create_order_chain && c.told == "off sale") continue;
      const bool chain = make == create_order_chain && c.step == "amounts";
      const dsl::DryRun run = dsl::dry_run(**make(), sample);
      ASSERT_TRUE(run.refusal.has_value()) << c.told;
      EXPECT_EQ(run.refused_at, chain ? "deduct_stock" : c.step);
      EXPECT_THAT(run.refusal->message, HasSubstr(c.told));
      EXPECT_THAT(sent(run, Operation::compensation), IsEmpty());
      EXPECT_TRUE(std::ranges::all_of(run.requests, [](const dsl::DryRequest& request) {
        return request.leg == "cart" || request.leg == "prices" || request.leg == "discount";
      })) << c.told;
    }
  }
}

TEST(CreateOrderChain, HasTheSevenStepsAsDocumentedOneDeductionAtATime) {
  const DefinitionPtr chain = *create_order_chain();
  EXPECT_EQ(all_steps(*chain),
            "cart total discount deduct_stock write_order use_coupon clear_cart ");
  EXPECT_EQ(chain->steps[3].parallel, 1u);
  const dsl::DryRun run = dsl::dry_run(*chain, order_sample("with coupon", 7));
  EXPECT_EQ(request_of<order::CreateOrderRequest>(run, "write_order", Operation::action).status(),
            0);
}

TEST(OrderParallel, IsTheChainWithItsDeductionsAtOnceAndEightCalls) {
  const DefinitionPtr parallel = *order_parallel();
  EXPECT_EQ(all_steps(*parallel), all_steps(**create_order_chain()));
  EXPECT_GE(parallel->steps[3].parallel, 3u);
  const dsl::DryRun run = dsl::dry_run(*parallel, order_sample("with coupon", 7));
  EXPECT_EQ(sent(run, Operation::action).size(), 8u);
}

TEST(CancelOrder, CancelsThenGivesBackEachItemAndTheCoupon) {
  const dsl::DryRun run =
      dsl::dry_run(**cancel_order(), cancel_sample("unpaid", OrderStatus::unpaid, 7));

  ASSERT_FALSE(run.refusal.has_value()) << run.refusal->message;
  EXPECT_THAT(sent(run, Operation::action), ElementsAre("order", "cancel", "rollback_stock[101]",
                                                        "rollback_stock[102]", "release_coupon"));
  EXPECT_EQ(
      request_of<inventory::RollbackStockRequest>(run, "rollback_stock[102]", Operation::action)
          .quantity(),
      2);
}

TEST(CancelOrder, LeavesTheCouponAloneWhereThereWasNone) {
  const dsl::DryRun run =
      dsl::dry_run(**cancel_order(), cancel_sample("no coupon", OrderStatus::unpaid, 0));
  EXPECT_THAT(run.skipped, ElementsAre("release_coupon"));
}

TEST(CancelOrder, RefusesStrangersAndOrdersPastCancelling) {
  const dsl::DryRun stranger =
      dsl::dry_run(**cancel_order(), cancel_sample("stranger", OrderStatus::unpaid, 0, 43));
  ASSERT_TRUE(stranger.refusal.has_value());
  EXPECT_EQ(stranger.refusal->code, Errc::permission_denied);
  const dsl::DryRun paid =
      dsl::dry_run(**cancel_order(), cancel_sample("paid", OrderStatus::paid, 0));
  ASSERT_TRUE(paid.refusal.has_value());
  EXPECT_THAT(paid.refusal->message, HasSubstr("status=1"));
  EXPECT_THAT(sent(paid, Operation::action), ElementsAre("order"));
}

TEST(ReadInput, RefusesAtAdmissionNamingTheField) {
  const DefinitionPtr definition = *create_order();
  const auto refused =
      definition->read_input(InputForm::json, R"({"user_id": "42", "sku_ids": [7, 7]})");
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, Errc::invalid_argument);
  EXPECT_THAT(refused.error().message, HasSubstr("sku_ids: 7 is named twice"));
  const auto json = definition->read_input(InputForm::json, R"({"userId": 42, "sku_ids": ["7"]})");
  ASSERT_TRUE(json.has_value()) << json.error().message;
  EXPECT_EQ(*json, *definition->read_input(InputForm::proto, *json));
}

TEST(Registry, HoldsEveryDefinitionOnceSortedByName) {
  std::vector<std::string> names;
  for (const DefinitionPtr& definition : all_definitions()) {
    names.push_back(definition->name + ":" + std::to_string(definition->version));
  }
  EXPECT_THAT(names, ElementsAre("cancel_order:1", "create_order:1", "create_order_chain:1",
                                 "order_parallel:1"));
}

std::vector<dsl::Sample> samples_of(const std::string& name) {
  if (name == "cancel_order") {
    return {cancel_sample("unpaid_with_coupon", OrderStatus::unpaid, 7),
            cancel_sample("unpaid_without_coupon", OrderStatus::unpaid, 0),
            cancel_sample("paid", OrderStatus::paid, 0)};
  }
  return {order_sample("with_coupon", 7), order_sample("without_coupon")};
}

std::filesystem::path golden_folder() {
  const char* root = std::getenv("SKALD_SOURCE_DIR");
  return std::filesystem::path(root == nullptr ? "." : root) / "tests/golden/definitions";
}

std::string golden_name(const Definition& definition) {
  return definition.name + ".v" + std::to_string(definition.version) + ".txt";
}

TEST(DefinitionGolden, NoDefinitionChangesWithoutANewVersion) {
  for (const DefinitionPtr& definition : all_definitions()) {
    const auto path = golden_folder() / golden_name(*definition);
    const std::string now = dsl::fingerprint(*definition, samples_of(definition->name));
    if (std::getenv("SKALD_REWRITE_GOLDEN") != nullptr) std::ofstream(path) << now;
    std::ifstream file(path);
    const std::string kept((std::istreambuf_iterator<char>(file)), {});
    EXPECT_EQ(now, kept)
        << path.filename()
        << ": open sagas of this version rely on what changed; register the change "
           "as a new version beside it (sagas/README.md)";
  }
}

TEST(DefinitionGolden, NoGoldenVersionIsForgotten) {
  std::map<std::string, bool> registered;
  for (const DefinitionPtr& definition : all_definitions()) {
    registered[golden_name(*definition)] = true;
  }
  for (const auto& file : std::filesystem::directory_iterator(golden_folder())) {
    EXPECT_TRUE(registered[file.path().filename().string()])
        << file.path().filename() << ": retire a version as sagas/README.md says";
  }
}

}  // namespace
}  // namespace skald::sagas
