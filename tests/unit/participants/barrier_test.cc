// The barrier's promises, each as one test, on real rows and through the host.
#include "participants/kit/barrier.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "mall/inventory.pb.h"
#include "mall/inventory_admin.pb.h"
#include "participants/inventory/handlers.h"
#include "tests/support/mall_host.h"

namespace skald {
namespace {

using test::Answered;
using test::MallHost;
using test::Sent;

/// One SKU with ten units, and the calls of a saga on it.
class Inventory : public MallHost {
 public:
  explicit Inventory(kit::HostOptions options = {})
      : MallHost(mall::inventory::service(), options) {
    ::inventory::admin::SeedRequest seed;
    for (const int sku : {1, 2}) {
      auto& stock = *seed.add_stock();
      stock.set_sku_id(sku);
      stock.set_total(10);
    }
    EXPECT_TRUE(call("/inventory.admin.InventoryAdmin/Seed", seed).ok());
  }

  Answered deduct(int quantity, const std::optional<Sent>& sent = {}, int sku = 1) {
    ::inventory::DeductStockRequest request;
    request.set_sku_id(sku);
    request.set_quantity(quantity);
    return call("/inventory.InventoryRpc/DeductStock", request, sent);
  }

  Answered rollback(int quantity, const std::optional<Sent>& sent = {}, int sku = 1) {
    ::inventory::RollbackStockRequest request;
    request.set_sku_id(sku);
    request.set_quantity(quantity);
    return call("/inventory.InventoryRpc/RollbackStock", request, sent);
  }

  ::inventory::GetStockResponse stock(int sku = 1) {
    ::inventory::GetStockRequest request;
    request.set_sku_id(sku);
    return call("/inventory.InventoryRpc/GetStock", request).as<::inventory::GetStockResponse>();
  }

  ::inventory::admin::DumpResponse dump() {
    return call("/inventory.admin.InventoryAdmin/Dump", ::inventory::admin::DumpRequest())
        .as<::inventory::admin::DumpResponse>();
  }
};

const Sent kAction{};
const Sent kUndo{.operation = "compensation"};

TEST(Barrier, TheSameKeyTakesEffectOnceAndGetsTheStoredAnswer) {
  Inventory inventory;

  const auto first = inventory.deduct(3, kAction);
  const auto second = inventory.deduct(3, kAction);

  EXPECT_TRUE(first.ok());
  EXPECT_EQ(first.barrier(), "executed");
  EXPECT_TRUE(second.ok());
  EXPECT_EQ(second.barrier(), "replayed");
  EXPECT_EQ(second.http.body, first.http.body);
  EXPECT_EQ(inventory.stock().locked(), 3);
}

TEST(Barrier, AStoredRefusalIsReturnedEvenWhenItWouldSucceedNow) {
  Inventory inventory;
  const auto refused = inventory.deduct(11, kAction);
  ASSERT_EQ(refused.code(), Errc::failed_precondition);

  ::inventory::admin::SeedRequest restock;
  auto& row = *restock.add_stock();
  row.set_sku_id(1);
  row.set_total(100);
  ASSERT_TRUE(inventory.call("/inventory.admin.InventoryAdmin/Seed", restock).ok());
  const auto again = inventory.deduct(11, kAction);

  EXPECT_EQ(again.code(), Errc::failed_precondition);
  EXPECT_EQ(again.message(), refused.message());
  EXPECT_EQ(again.barrier(), "replayed");
  EXPECT_EQ(inventory.stock().locked(), 0);
}

TEST(Barrier, TheSameKeyWithAnotherRequestIsInvalidAndDoesNothing) {
  Inventory inventory;
  ASSERT_TRUE(inventory.deduct(3, kAction).ok());

  const auto other = inventory.deduct(4, kAction);

  EXPECT_EQ(other.code(), Errc::invalid_argument);
  EXPECT_EQ(other.barrier(), "refused");
  EXPECT_EQ(inventory.stock().locked(), 3);
  EXPECT_TRUE(inventory.deduct(3, kAction).ok());
}

TEST(Barrier, TheSameRequestAsJsonIsTheSameRequest) {
  Inventory inventory;
  ASSERT_TRUE(inventory.deduct(3, kAction).ok());

  auto json = MallHost::request("/inventory.InventoryRpc/DeductStock",
                                ::inventory::DeductStockRequest(), kAction);
  for (auto& header : json.headers) {
    if (header.value == "application/proto") header.value = "application/json";
  }
  json.body = R"({"skuId":"1","quantity":3})";
  const auto again = MallHost::wait(inventory.send(std::move(json)));

  EXPECT_EQ(again.barrier(), "replayed");
  EXPECT_EQ(again.http.body, R"({"success":true})");
  EXPECT_EQ(inventory.stock().locked(), 3);
}

TEST(Barrier, ACompensationUndoesItsActionOnce) {
  Inventory inventory;
  ASSERT_TRUE(inventory.deduct(3, kAction).ok());

  EXPECT_TRUE(inventory.rollback(3, kUndo).ok());
  EXPECT_TRUE(inventory.rollback(3, kUndo).ok());
  const Sent second{.operation = "compensation", .generation = "/g2"};
  EXPECT_EQ(inventory.rollback(3, second).barrier(), "nothing_to_undo");

  EXPECT_EQ(inventory.stock().available(), 10);
  EXPECT_EQ(inventory.stock().locked(), 0);
}

TEST(Barrier, ARefusedActionLeavesNothingToUndo) {
  Inventory inventory;
  ASSERT_TRUE(inventory.deduct(5, Sent{.saga = "other"}).ok());
  ASSERT_EQ(inventory.deduct(6, kAction).code(), Errc::failed_precondition);

  const auto undone = inventory.rollback(6, kUndo);

  EXPECT_EQ(undone.barrier(), "nothing_to_undo");
  EXPECT_EQ(inventory.stock().locked(), 5);
}

TEST(Barrier, ARefusedOperationLeavesNothingOfWhatItHadWritten) {
  Inventory inventory;
  ::inventory::DeductStockBatchRequest batch;
  for (const auto& [sku, quantity] : {std::pair{1, 3}, {2, 11}}) {
    auto& line = *batch.add_lines();
    line.set_sku_id(sku);
    line.set_quantity(quantity);
  }

  const auto refused = inventory.call("/inventory.InventoryRpc/DeductStockBatch", batch, kAction);

  EXPECT_EQ(refused.code(), Errc::failed_precondition);
  EXPECT_EQ(inventory.stock(1).locked(), 0);
  EXPECT_EQ(inventory.stock(1).available(), 10);
}

TEST(BarrierLines, U4SameKeyUntilDefiniteDeductsOnce) {
  Inventory inventory;
  for (int attempt = 0; attempt < 5; ++attempt) EXPECT_TRUE(inventory.deduct(2, kAction).ok());
  EXPECT_EQ(inventory.stock().locked(), 2);
}

TEST(BarrierLines, U4PrimeLateDeductAfterRollbackDoesNothing) {
  Inventory inventory;

  const auto undone = inventory.rollback(3, kUndo);
  const auto late = inventory.deduct(3, kAction);
  const auto later = inventory.deduct(3, Sent{.generation = "/g2"});

  EXPECT_TRUE(undone.ok());
  EXPECT_EQ(late.code(), Errc::failed_precondition);
  EXPECT_EQ(late.message(), "undone before it ran");
  EXPECT_EQ(later.code(), Errc::failed_precondition);
  EXPECT_EQ(inventory.stock().available(), 10);
}

TEST(BarrierLines, U4SecondRollbackOfNothingTakesNoOtherOrdersLock) {
  Inventory inventory;
  ASSERT_TRUE(inventory.deduct(4, Sent{.saga = "other"}).ok());

  const auto undone = inventory.rollback(4, kUndo);

  EXPECT_TRUE(undone.ok());
  EXPECT_TRUE(undone.as<::inventory::RollbackStockResponse>().success());
  EXPECT_EQ(undone.barrier(), "nothing_to_undo");
  EXPECT_EQ(inventory.stock().locked(), 4);
}

TEST(BarrierLines, B4PrimeALostRaceIsAbortedAndNotRecorded) {
  Inventory inventory;
  ::inventory::DeductStockRequest request;
  request.set_sku_id(1);
  request.set_quantity(1);
  request.set_expected_version(7);
  const std::string_view deduct = "/inventory.InventoryRpc/DeductStock";

  const auto lost = inventory.call(deduct, request, kAction);
  const auto again = inventory.call(deduct, request, kAction);
  request.set_expected_version(0);
  const auto won = inventory.call(deduct, request, kAction);

  EXPECT_EQ(lost.code(), Errc::aborted);
  EXPECT_EQ(again.barrier(), "executed");
  EXPECT_TRUE(won.ok());
  EXPECT_EQ(inventory.stock().locked(), 1);
}

TEST(BarrierLines, C9ACrashLosesNeitherEffectNorKey) {
  Inventory inventory;
  ASSERT_TRUE(inventory.deduct(3, kAction).ok());
  ASSERT_TRUE(
      inventory.rollback(1, Sent{.leg = "deduct_stock[2]", .operation = "compensation"}, 2).ok());

  inventory.reopen();

  EXPECT_EQ(inventory.stock().locked(), 3);
  EXPECT_EQ(inventory.deduct(3, kAction).barrier(), "replayed");
  EXPECT_EQ(inventory.stock().locked(), 3);
  const Sent late{.leg = "deduct_stock[2]"};
  EXPECT_EQ(inventory.deduct(1, late, 2).code(), Errc::failed_precondition);
  EXPECT_TRUE(inventory.rollback(3, kUndo).ok());
  EXPECT_EQ(inventory.stock().locked(), 0);
}

TEST(BarrierLines, ARollbackAsActionOfItsOwnSagaIsNoCompensation) {
  Inventory inventory;
  ASSERT_TRUE(inventory.deduct(3, kAction).ok());

  const Sent cancel{.saga = "s2", .leg = "return_stock[1]"};
  EXPECT_EQ(inventory.rollback(3, cancel).barrier(), "executed");
  EXPECT_EQ(inventory.rollback(3, cancel).barrier(), "replayed");

  EXPECT_EQ(inventory.stock().locked(), 0);
  EXPECT_EQ(inventory.stock().available(), 10);
}

TEST(Barrier, ALaterGenerationOfARefusedActionRuns) {
  Inventory inventory;
  ASSERT_EQ(inventory.deduct(11, kAction).code(), Errc::failed_precondition);

  EXPECT_TRUE(inventory.deduct(5, Sent{.generation = "/g2"}).ok());
  EXPECT_TRUE(inventory.rollback(5, kUndo).ok());

  EXPECT_EQ(inventory.stock().available(), 10);
}

TEST(Barrier, ALegTakesEffectOnceAcrossGenerations) {
  Inventory inventory;
  ASSERT_TRUE(inventory.deduct(3, kAction).ok());

  EXPECT_EQ(inventory.deduct(3, Sent{.generation = "/g2"}).barrier(), "replayed");
  // Neither done nor refused: the caller may not conclude that nothing happened.
  EXPECT_EQ(inventory.deduct(4, Sent{.generation = "/g3"}).code(), Errc::internal);

  EXPECT_EQ(inventory.stock().locked(), 3);
}

TEST(Barrier, ARefusedCompensationLeavesTheActionToALaterGeneration) {
  Inventory inventory;
  ASSERT_TRUE(inventory.deduct(3, kAction).ok());
  ASSERT_EQ(inventory.rollback(4, kUndo).code(), Errc::failed_precondition);

  EXPECT_EQ(inventory.rollback(4, kUndo).barrier(), "replayed");
  EXPECT_TRUE(inventory.rollback(3, {{.operation = "compensation", .generation = "/g2"}}).ok());

  EXPECT_EQ(inventory.stock().locked(), 0);
}

TEST(Barrier, AProbeAnswersTheActionsStoredAnswerAndDoesNothing) {
  Inventory inventory;
  const Sent probe{.operation = "probe"};

  EXPECT_EQ(inventory.deduct(3, probe).code(), Errc::not_found);
  ASSERT_TRUE(inventory.deduct(3, kAction).ok());
  EXPECT_TRUE(inventory.deduct(3, probe).ok());
  const Sent undone{.leg = "deduct_stock[2]", .operation = "compensation"};
  ASSERT_TRUE(inventory.rollback(3, undone, 2).ok());
  const Sent probe_undone{.leg = "deduct_stock[2]", .operation = "probe"};
  EXPECT_EQ(inventory.deduct(3, probe_undone, 2).code(), Errc::failed_precondition);

  EXPECT_EQ(inventory.stock(1).locked(), 3);
  EXPECT_EQ(inventory.stock(2).locked(), 0);
}

TEST(Barrier, LegacyCallersWithoutAKeyRunUnprotected) {
  Inventory inventory;
  EXPECT_TRUE(inventory.deduct(3).ok());
  EXPECT_TRUE(inventory.deduct(3).ok());
  EXPECT_EQ(inventory.stock().locked(), 6);
  EXPECT_TRUE(inventory.dump().legs().empty());
}

TEST(Barrier, AKeyAloneIsEnoughForOnceOnly) {
  Inventory inventory;
  auto request = MallHost::request("/inventory.InventoryRpc/DeductStock", [] {
    ::inventory::DeductStockRequest message;
    message.set_sku_id(1);
    message.set_quantity(2);
    return message;
  }());
  request.headers.push_back({"Idempotency-Key", "order-17"});

  EXPECT_EQ(MallHost::wait(inventory.send(request)).barrier(), "executed");
  EXPECT_EQ(MallHost::wait(inventory.send(request)).barrier(), "replayed");

  EXPECT_EQ(inventory.stock().locked(), 2);
}

TEST(Barrier, AKeyOfTheEnginesFormNeedsNoOtherHeader) {
  Inventory inventory;
  ASSERT_TRUE(inventory.deduct(2, kAction).ok());
  auto undo = MallHost::request("/inventory.InventoryRpc/RollbackStock", [] {
    ::inventory::RollbackStockRequest message;
    message.set_sku_id(1);
    message.set_quantity(2);
    return message;
  }());
  undo.headers.push_back({"Idempotency-Key", R"("s1/deduct_stock[1]/compensation")"});

  EXPECT_EQ(MallHost::wait(inventory.send(undo)).barrier(), "executed");

  EXPECT_EQ(inventory.stock().locked(), 0);
}

TEST(Barrier, WithoutKeysEveryAttemptTakesEffect) {
  Inventory inventory({.keys = kit::KeysMode::none});
  EXPECT_TRUE(inventory.deduct(3, kAction).ok());
  EXPECT_TRUE(inventory.deduct(3, kAction).ok());
  EXPECT_EQ(inventory.stock().locked(), 6);
}

TEST(Barrier, WithDedupAnUndoOfNothingIsNotKnownAsOne) {
  Inventory inventory({.keys = kit::KeysMode::dedup});
  ASSERT_TRUE(inventory.deduct(4, Sent{.saga = "other"}).ok());
  EXPECT_TRUE(inventory.rollback(4, kUndo).ok());
  EXPECT_EQ(inventory.rollback(4, kUndo).barrier(), "replayed");
  EXPECT_EQ(inventory.stock().locked(), 0);
}

TEST(Barrier, TheAuditCountsEffectsPerLegAndKey) {
  Inventory inventory;
  ASSERT_TRUE(inventory.deduct(3, kAction).ok());
  ASSERT_TRUE(inventory.deduct(3, kAction).ok());
  ASSERT_TRUE(inventory.rollback(3, kUndo).ok());
  ASSERT_TRUE(inventory.rollback(3, Sent{.saga = "s2", .operation = "compensation"}).ok());

  const auto dump = inventory.dump();

  ASSERT_EQ(dump.legs_size(), 2);
  EXPECT_EQ(dump.legs(0).saga_id(), "s1");
  EXPECT_EQ(dump.legs(0).action_effects(), 1u);
  EXPECT_EQ(dump.legs(0).compensation_effects(), 1u);
  ASSERT_EQ(dump.legs(0).keys_size(), 2);
  EXPECT_EQ(dump.legs(0).keys(0).key(), "s1/deduct_stock[1]/action");
  EXPECT_EQ(dump.legs(0).keys(0).effects(), 1u);
  EXPECT_EQ(dump.legs(1).action_effects(), 0u);
  EXPECT_EQ(dump.legs(1).compensation_effects(), 0u);
  EXPECT_TRUE(dump.legs(1).closed());
}

TEST(Barrier, WhatMayPassAnotherTimeIsNotRecorded) {
  using enum Errc;
  for (const auto code :
       {canceled, unknown, deadline_exceeded, permission_denied, resource_exhausted, aborted,
        unimplemented, internal, unavailable, data_loss, unauthenticated}) {
    EXPECT_FALSE(kit::is_definite(code)) << name(code);
  }
  for (const auto code :
       {invalid_argument, not_found, already_exists, failed_precondition, out_of_range}) {
    EXPECT_TRUE(kit::is_definite(code)) << name(code);
  }
}

// A sweep at 3'000 of what is older than 1'500; legs are of one action each, or undone before it.
class BarrierSweep : public testing::Test {
 protected:
  kit::BarrierVerdict call_at(std::int64_t ms, const std::string& saga,
                              kit::Operation operation = kit::Operation::action) {
    kit::RowChanges none;
    kit::Txn txn(*rows_, none, from_unix_ms(ms));
    const std::string key = saga + (operation == kit::Operation::action ? "/action" : "/undo");
    const kit::BarrierCall call{.saga = {key, operation, saga, "a"},
                                .keys = kit::KeysMode::barrier};
    const auto answer =
        kit::pass_barrier(txn, call, [](kit::Txn&) -> Result<std::string> { return "done"; });
    EXPECT_TRUE(rows_->write(txn.changes()).has_value());
    return answer.verdict;
  }
  void sweep() {
    kit::RowChanges none;
    kit::Txn txn(*rows_, none, from_unix_ms(3'000));
    const auto next = kit::forget_legs(txn, from_unix_ms(1'500), "", 1);
    ASSERT_TRUE(next.has_value());
    EXPECT_EQ(kit::forget_legs(txn, from_unix_ms(1'500), *next, 10), std::nullopt);
    ASSERT_TRUE(rows_->write(txn.changes()).has_value());
  }

  const TempDir folder_{TempDir::Where::memory};
  const std::unique_ptr<kit::RowStore> rows_ =
      kit::open_rocks_rows(folder_.path() + "/rows").value();
};

TEST_F(BarrierSweep, ForgetsOldLegsThatAreClosedAndKeepsYoungOnes) {
  using enum kit::BarrierVerdict;
  ASSERT_EQ(call_at(1'000, "old", kit::Operation::compensation), nothing_to_undo);
  ASSERT_EQ(call_at(2'000, "young", kit::Operation::compensation), nothing_to_undo);

  sweep();

  EXPECT_EQ(call_at(3'000, "young", kit::Operation::compensation), replayed);
  EXPECT_EQ(call_at(3'000, "old"), executed);
}

TEST_F(BarrierSweep, AnOldLegThatIsInEffectCanStillBeUndone) {
  using enum kit::BarrierVerdict;
  ASSERT_EQ(call_at(1'000, "old"), executed);
  ASSERT_EQ(call_at(1'000, "other"), executed);

  sweep();

  EXPECT_EQ(call_at(3'000, "old", kit::Operation::compensation), executed);
}

}  // namespace
}  // namespace skald
