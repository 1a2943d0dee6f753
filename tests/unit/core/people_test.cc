// What clients and operators ask: cancel, signals, retry. Refusals say why.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/support/given.h"

namespace skald::test {
namespace {

TEST(Cancel, IsRefusedWhereItHasNoEffect) {
  given(Plan().call("a"))
      .start()
      .cancel()
      .cancel()
      .refused(Errc::failed_precondition, "being undone already");
  given(Plan().call("a"))
      .start()
      .reply("do a", succeeded())
      .cancel()
      .refused(Errc::failed_precondition, "completed already")
      .then({});
}

TEST(Cancel, BeforeAnythingWasSentEndsAtOnce) {
  given(Plan().call("a")).no_room().start().cancel().accepted().status(SagaStatus::compensated);
}

TEST(Cancel, OfALegInDoubtUndoesTheRest) {
  given(Plan().call("a").call("b").keys(KeysMode::none).pivot("p"))
      .start()
      .reply("do a", succeeded())
      .reply("do b", unknown())
      .cancel()
      .accepted()
      .status(SagaStatus::stuck)
      .stage("a", LegStage::done);  // b may depend on it
}

TEST(Signal, IsTakenOnce) {
  Given saga = given(Plan().wait("w", "go").wait("v", "go"));
  saga.start().signal("s", "go").accepted().step("w", StepStage::done);
  saga.signal("s", "go").accepted().then({}).step("v", StepStage::running);
  saga.signal("t", "go").status(SagaStatus::completed);
  saga.signal("t", "go").accepted().then({});  // known, and acknowledged again
  saga.signal("u", "go").refused(Errc::failed_precondition, "completed already");
}

TEST(Signal, IsKeptUntilItsWaitBegins) {
  Given saga = given(Plan().call("a").wait("w", "go").wait("v", "stay"));
  saga.start().signal("s", "go").then({"SignalReceived"}).durable(true).in_flight({"do a"});
  saga.reply("do a", succeeded()).step("w", StepStage::done).step("v", StepStage::running);
}

TEST(Signal, OfAnotherNameWakesNobody) {
  given(Plan().wait("w", "go").wait("v", "stay"))
      .start()
      .signal("s", "stay")
      .then({"SignalReceived"})
      .step("w", StepStage::running);
}

TEST(Signal, ThatNoStepAwaitsIsRefused) {
  Given saga = given(Plan().wait("w", "go"));
  saga.start().signal("s", "other").refused(Errc::failed_precondition, "it awaits go");
  EXPECT_TRUE(saga.state().signals.empty());
  given(Plan().call("a")).start().signal("s", "go").refused(Errc::failed_precondition, "none");
}

TEST(Signal, EndsOneWaitOnly) {
  given(Plan().wait("w", "go").after({}).wait("v", "go").after({}))
      .start()
      .signal("s", "go")
      .step("w", StepStage::done)
      .step("v", StepStage::running);
}

TEST(Signal, ThatComesTooLateIsKept) {
  given(Plan().wait("w", "go", Millis{10}).call("a"))
      .start()
      .later(Millis{10})
      .signal("s", "go")
      .then({"SignalReceived"})
      .in_flight({"do a"});
}

TEST(Signal, TooManyAreRefused) {
  Given saga = given(Plan().wait("w", "go").wait("v", "other"));
  saga.start();
  for (std::size_t i = 0; i < kSignalsKeptMax; ++i) saga.signal(fmt::format("s{}", i), "other");
  saga.accepted().signal("one more", "other").refused(Errc::resource_exhausted, "kSignalsKeptMax");
}

TEST(OperatorRetry, WhatIsWaitingGoesNow) {
  Given saga = given(Plan().call("a"));
  saga.start().reply("do a", unknown()).in_flight({}).retry("a").in_flight({"do a"});
  EXPECT_EQ(saga.operation("do a").generation, 1U) << "it may have happened: the same key";
  saga.reply("do a", unknown()).wakes_in(kInitial);
}

TEST(OperatorRetry, OfNothingIsRefused) {
  Given saga = given(Plan().call("a"));
  saga.start().retry().refused(Errc::failed_precondition, "nothing to retry");
  saga.retry("a").refused(Errc::failed_precondition, "nothing to retry at a");
  saga.retry("b").refused(Errc::not_found, "no leg \"b\"");
  saga.reply("do a", succeeded()).retry().refused(Errc::failed_precondition, "completed already");
}

TEST(OperatorRetry, InDoubtWithoutKeysIsRefused) {
  Given saga = given(Plan().call("a").keys(KeysMode::none));
  saga.start().reply("do a", unknown()).retry("a").refused(Errc::failed_precondition, "resolve");
  saga.retry().refused(Errc::failed_precondition, "may have happened").then({});
  Given undo = given(Plan().call("a").keys(KeysMode::none).wait("w", "go").is_pivot());
  undo.start().reply("do a", succeeded()).cancel().reply("undo a", unknown());
  undo.retry("a").refused(Errc::failed_precondition, "resolve");
}

TEST(OperatorRetry, OneInDoubtDoesNotKeepTheOthers) {
  Given saga = given(Plan().call("a").keys(KeysMode::none).call("b").after({}));
  saga.start().reply("do a", unknown()).reply("do b", unknown());
  saga.retry().accepted().in_flight({"do b"}).phase("do a", Phase::stopped);
}

TEST(OperatorRetry, AfterKeysLivedOutAsksTheProbe) {
  Given saga = given(Plan().call("a").lifetime(Millis{50}).probe());
  saga.start().reply("do a", unknown()).silently(Millis{60}).retry("a").in_flight({"probe a"});
  // the action itself waits for the probe
  saga.retry("a").refused(Errc::failed_precondition, "nothing to retry");
  saga.reply("probe a", unknown()).retry("a").in_flight({"probe a"});
}

TEST(OperatorRetry, ARefusedProbeIsAskedAgain) {
  Given saga = given(Plan().call("a").keys(KeysMode::none).probe());
  saga.start().reply("do a", unknown()).reply("probe a", rejected("denied")).retry();
  saga.in_flight({"probe a"}).status(SagaStatus::running);
}

TEST(OperatorRetry, ARefusedCompensationGetsAKeyOfItsOwn) {
  Given saga = given(Plan().call("a").wait("w", "go").is_pivot());
  saga.start().reply("do a", succeeded()).cancel().reply("undo a", rejected());
  saga.retry("a").in_flight({"undo a"});
  EXPECT_EQ(saga.operation("undo a").generation, 2U);
  EXPECT_EQ(saga.operation("undo a").first_at, saga.now());
  EXPECT_EQ(saga.leg("a").undo_request, "undo (do a) receipt");
}

TEST(OperatorRetry, KeepsTheAlertOfWhatIsOverdue) {
  Given saga = given(Plan().pivot("p").retriable("r").total(Millis{10}));
  saga.start().reply("do p", succeeded()).silently(Millis{10}).reply("do r", unknown());
  saga.retry("r").status(SagaStatus::stuck).reply("do r", succeeded());
  saga.status(SagaStatus::completed);
}

TEST(OperationKey, IsGolden) {
  Given saga = given(Plan().call("deduct").for_each({"7", "A b/c%\xC3\xA9~._-"}).pivot("pay"));
  saga.start();
  const auto key = [&](LegRef leg, Operation operation) {
    return operation_key(saga.definition(), saga.state(), leg, operation);
  };
  EXPECT_EQ(key({0, 0}, Operation::action), "014d2pf2dbsqqg00000000001a/deduct[7]/action");
  EXPECT_EQ(key({0, 0}, Operation::compensation),
            "014d2pf2dbsqqg00000000001a/deduct[7]/compensation");
  EXPECT_EQ(key({0, 1}, Operation::probe),
            "014d2pf2dbsqqg00000000001a/deduct[A%20b%2Fc%25%C3%A9~._-]/probe");
  saga.reply("do deduct[7]", succeeded()).reply("do deduct[A%20b%2Fc%25%C3%A9~._-]", succeeded());
  EXPECT_EQ(key({1, 0}, Operation::action), "014d2pf2dbsqqg00000000001a/pay/action");
}

TEST(OperationKey, OfAnOperatorsRetryHasItsGeneration) {
  Given saga = given(Plan().pivot("p").retriable("r"));
  saga.start().reply("do p", succeeded()).reply("do r", rejected()).retry();
  EXPECT_EQ(operation_key(saga.definition(), saga.state(), {1, 0}, Operation::action),
            "014d2pf2dbsqqg00000000001a/r/action/g2");
}

TEST(OperationKey, FitsItsBound) {
  const std::string name(kStepNameMax, 'x');
  const std::string item(kLegNameMax - kStepNameMax - 2, 'y');
  Given saga = given(Plan().call(name).for_each({item}).pivot("p"));
  saga.start();
  SagaState state = saga.state();
  OperationState& undo = state.steps[0].legs[0].undo.emplace();
  undo.generation = 99'999;
  const std::string key = operation_key(saga.definition(), state, {0, 0}, Operation::compensation);
  EXPECT_TRUE(key.ends_with("/compensation/g99999"));
  EXPECT_LE(key.size(), 128U);
}

TEST(LegName, OfWhatIsNotThereIsStillAName) {
  Given saga = given(Plan().call("a").for_each({"1"}));
  EXPECT_EQ(leg_name(saga.definition(), saga.state(), {0, 0}), "a") << "not started";
  saga.start();
  EXPECT_EQ(leg_name(saga.definition(), saga.state(), {0, 5}), "a");
  EXPECT_EQ(leg_name(saga.definition(), saga.state(), {1, 0}), "output");
}

}  // namespace
}  // namespace skald::test
