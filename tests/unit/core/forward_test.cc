// The way forward: order, `after`, `when`, fan-outs, computes, builders that fail before the pivot,
// and when a saga is decided.
#include <gtest/gtest.h>

#include "engine/core/facts.h"
#include "tests/support/given.h"

namespace skald::test {
namespace {

Result<Bytes> broken(const Facts&) { return fail(Errc::invalid_argument, "no such city"); }

TEST(Forward, StepsRunInOrder) {
  given(Plan().call("a").compute("b").query("c").pivot("d").retriable("e"))
      .when(start())
      .then({"Started", "StepStarted", "Intended"})
      .in_flight({"do a"})
      .when(replied("do a", succeeded()))
      .then({"Answered", "Computed", "StepStarted", "Intended"})
      .in_flight({"do c"})
      .when(replied("do c", succeeded()))
      .in_flight({"do d"})
      .decided(false)
      .when(replied("do d", succeeded()))
      .then({"Answered", "PivotPassed", "StepStarted", "Intended"})
      .in_flight({"do e"})
      .decided(true)
      .when(replied("do e", succeeded()))
      .then({"Answered", "Completed"})
      .status(SagaStatus::completed)
      .in_flight({})
      .wants({})
      .never_wakes();
}

TEST(Forward, StartTellsWhoTheSagaIs) {
  const Given saga = given(Plan().call("a").deadline(Millis{500})).start();
  EXPECT_EQ(saga.state().id, kSaga);
  EXPECT_EQ(saga.state().idempotency_key, "key");
  EXPECT_EQ(saga.state().business_key, "business");
  EXPECT_EQ(saga.state().body_hash, 7U);
  EXPECT_EQ(saga.state().input, "input");
  EXPECT_EQ(saga.state().started_at, kStart);
  EXPECT_EQ(saga.state().deadline, kStart + Millis{500});
  EXPECT_EQ(saga.leg("a").request, "do a");
}

TEST(Forward, AfterMakesAGraph) {
  given(Plan().call("a").call("b").after({}).pivot("c").after({"a", "b"}))
      .start()
      .in_flight({"do a", "do b"})
      .reply("do b", succeeded())
      .in_flight({"do a"})
      .reply("do a", succeeded())
      .in_flight({"do c"});
}

TEST(Forward, QueriesWaitForTheNextWrite) {
  given(Plan().compute("a").query("b").query("c").call("d"))
      .no_room()
      .start()
      .durable(false)  // the saga itself: its shard writes it before anybody is answered
      .room()
      .then({"Intended"})
      .durable(false)
      .reply("do b", succeeded())
      .then({"Answered", "StepStarted", "Intended"})
      .durable(false)
      .no_room()
      .reply("do c", succeeded())
      .then({"Answered", "StepStarted"})
      .durable(false)
      .room()
      .then({"Intended"})
      .durable(true);  // an effect: it and everything before it
}

TEST(Forward, SkippedStepsAreStoredAndPassed) {
  given(Plan().call("a").when(false).pivot("b").when(false).retriable("c").when(true))
      .start()
      .step("a", StepStage::skipped)
      .step("b", StepStage::skipped)
      .decided(true)
      .then({"Started", "StepSkipped", "StepSkipped", "PivotPassed", "StepStarted", "Intended"})
      .in_flight({"do c"});
}

TEST(Forward, FansOutWithinItsWindow) {
  given(Plan().call("a").for_each({"1", "2", "3", "4"}, 2).pivot("p"))
      .start()
      .in_flight({"do a[1]", "do a[2]"})
      .reply("do a[2]", succeeded())
      .in_flight({"do a[1]", "do a[3]"})
      .reply("do a[1]", succeeded())
      .in_flight({"do a[3]", "do a[4]"})
      .reply("do a[3]", succeeded())
      .reply("do a[4]", succeeded())
      .step("a", StepStage::done)
      .in_flight({"do p"});
}

TEST(Forward, AnEmptyListCompletesItsStep) {
  given(Plan().call("a").for_each({}).pivot("p"))
      .start()
      .step("a", StepStage::done)
      .in_flight({"do p"});
}

TEST(Forward, StopTurnsBackAtTheFirstRefusal) {
  given(Plan().call("a").for_each({"1", "2", "3", "4"}, 3))
      .start()
      .reply("do a[1]", succeeded())
      .reply("do a[2]", rejected())
      .then({"Answered", "UndoBegan", "Intended"})
      .failed("a[2]", "failed_precondition")
      .stage("a[1]", LegStage::undoing)
      .in_flight({"undo a[1]", "do a[3]", "do a[4]"});  // those in flight are awaited
}

TEST(Forward, StopDropsLegsThatWereNotSent) {
  given(Plan().call("a").for_each({"1", "2"}, 1))
      .start()
      .reply("do a[1]", rejected())
      .stage("a[2]", LegStage::dropped)
      .step("a", StepStage::failed)
      .status(SagaStatus::compensated);
}

TEST(Forward, FinishAllFinishesAllAndTellsTheFirstRefusal) {
  Given saga = given(Plan().call("a").for_each({"1", "2", "3"}, 2).finish_all().wait("b"));
  saga.start()
      .reply("do a[2]", rejected("sold_out"))
      .then({"Answered", "Intended"})
      .in_flight({"do a[1]", "do a[3]"})
      .reply("do a[1]", rejected("closed"))
      .reply("do a[3]", succeeded())
      .step("a", StepStage::failed)
      .failed("a[2]", "sold_out")
      .in_flight({"undo a[3]"})
      .reply("undo a[3]", succeeded())
      .status(SagaStatus::compensated);
  const auto refused = refusals(saga.definition(), saga.state());
  ASSERT_EQ(refused.size(), 2U);
  EXPECT_EQ(refused[0].leg, "a[2]");
  EXPECT_EQ(refused[1].leg, "a[1]");
  EXPECT_EQ(refused[1].code, "closed");
}

TEST(Forward, NothingNewBeginsWhileARefusalWaits) {
  // given a step that finishes all its legs, one of them refused, beside another
  given(Plan()
            .query("a")
            .after({})
            .for_each({"1", "2", "3"}, 1)
            .finish_all()
            .query("b")
            .after({})
            .query("c")
            .after({"b"})
            .for_each({"4"}))
      .start()
      .reply("do a[1]", rejected())
      .in_flight({"do a[2]", "do b"})
      // when the other step is done
      .reply("do b", succeeded())
      // then what follows it is not begun, because the saga will turn back
      .step("c", StepStage::pending)
      .reply("do a[2]", succeeded())
      .reply("do a[3]", succeeded())
      .status(SagaStatus::compensated)
      .failed("a[1]", "failed_precondition");
}

TEST(Forward, HeldLegsAreToldWhenTheirStepGoesOn) {
  // given two fan-outs, the second with a leg that had no room when the first was refused one
  given(Plan()
            .query("a")
            .after({})
            .for_each({"1", "2"}, 1)
            .finish_all()
            .query("b")
            .after({})
            .for_each({"3", "4", "5"}, 2)
            .finish_all())
      .no_room()
      .start()
      .dispatch("do a[1]")
      .dispatch("do b[3]")
      .reply("do a[1]", rejected())
      .dispatch("do b[4]")
      .sent({})
      .wants({"do a[2]"})
      .dispatch("do a[2]")
      // when the second is refused one too, and so will be finished
      .reply("do b[3]", rejected())
      .wants({"do b[4]", "do b[5]"});
}

TEST(Forward, ABuilderThatFailsIsARefusal) {
  Plan plan;
  plan.call("a").call("b").step().legs = [](const Facts&) -> Result<std::vector<LegPlan>> {
    return fail(Errc::invalid_argument, "no such city");
  };
  given(plan)
      .start()
      .reply("do a", succeeded())
      .failed("b", "invalid_argument")
      .step("b", StepStage::failed)
      .in_flight({"undo a"})
      .reply("undo a", succeeded())
      .status(SagaStatus::compensated);
}

TEST(Forward, APredicateOrComputeThatFailsIsARefusal) {
  Plan predicate;
  predicate.call("a").step().when = [](const Facts&) -> Result<bool> {
    return fail(Errc::internal, "no");
  };
  given(predicate).start().failed("a", "internal").status(SagaStatus::compensated);
  Plan compute;
  compute.compute("a").step().compute = broken;
  given(compute).start().failed("a", "invalid_argument").status(SagaStatus::compensated);
  Plan until;
  until.wait("a").step().wait.until = [](const Facts&) -> Result<Instant> {
    return fail(Errc::internal, "no");
  };
  given(until).start().failed("a", "internal").status(SagaStatus::compensated);
}

TEST(Forward, AnOutputThatFailsBeforeAnythingIsDecidedTurnsBack) {
  Plan plan;
  plan.query("a").definition().output = broken;
  given(plan)
      .start()
      .reply("do a", succeeded())
      .failed("output", "invalid_argument")
      .status(SagaStatus::compensated);
}

TEST(Forward, TheOutputIsBuiltAtTheEnd) {
  Plan plan;
  plan.compute("a").definition().output = [](const Facts& facts) -> Result<Bytes> {
    return *facts.output("a") + " for " + facts.input();
  };
  const Given saga = given(plan).start().status(SagaStatus::completed);
  EXPECT_EQ(saga.state().output, "computed for input");
}

TEST(Forward, LegsAreChecked) {
  const auto failing = [](std::vector<std::string> keys, std::string_view code) {
    given(Plan().call("a").for_each(std::move(keys))).start().failed("a", code);
  };
  failing({"1", "1"}, "invalid_argument");
  failing({""}, "invalid_argument");
  failing({std::string(kLegNameMax - 2, 'x')}, "invalid_argument");
  failing({std::string(30, ' ')}, "invalid_argument");  // three bytes each, as it is written
  given(Plan().call("a").for_each({std::string(kLegNameMax - 3, 'x')}))
      .start()
      .status(SagaStatus::running);
  std::vector<std::string> many;
  for (std::size_t i = 0; i <= kLegsMax; ++i) many.push_back(std::to_string(i));
  failing(std::move(many), "out_of_range");
}

TEST(Forward, APlainStepHasExactlyOneLeg) {
  for (const std::vector<std::string>& keys : {std::vector<std::string>{}, {"", ""}, {"x"}}) {
    Plan plan;
    plan.pivot("a").for_each(keys).step().for_each = false;
    given(plan).start().failed("a", "internal").status(SagaStatus::compensated);
  }
}

TEST(Forward, WithoutAPivotTheLastCompensatableDecides) {
  given(Plan().call("a").call("b").query("c"))
      .start()
      .reply("do a", succeeded())
      .decided(false)
      .reply("do b", succeeded())
      .decided(true)
      .reply("do c", rejected())
      .phase("do c", Phase::stopped)
      .status(SagaStatus::stuck);
}

TEST(Forward, WhatFollowsTheLastCompensatableAtOnceFindsItDecided) {
  Plan plan;
  plan.call("a").compute("b").step().compute = broken;
  given(plan).start().reply("do a", succeeded()).status(SagaStatus::stuck).in_flight({});
  Plan skipped;
  skipped.call("a").when(false).compute("b").step().compute = broken;
  given(skipped).start().decided(true).status(SagaStatus::stuck);
}

TEST(Forward, WithNothingToUndoTheEndDecides) {
  given(Plan().query("a").wait("b", "go"))
      .start()
      .reply("do a", succeeded())
      .decided(false)
      .signal("s", "go")
      .decided(true)
      .status(SagaStatus::completed);
}

TEST(Forward, FactsAreWhatIsDurable) {
  Plan plan;
  plan.query("a").call("b").for_each({"1"}).query("c").when(false).wait("d", "go");
  plan.compute("e").step().compute = [](const Facts& facts) -> Result<Bytes> {
    EXPECT_EQ(*facts.output("a"), "receipt");
    EXPECT_EQ(facts.output("b"), nullptr) << "a fan-out has legs, not an output";
    EXPECT_EQ(facts.legs("b").size(), 1U);
    EXPECT_TRUE(facts.skipped("c"));
    EXPECT_FALSE(facts.skipped("a"));
    EXPECT_FALSE(facts.skipped("nobody"));
    EXPECT_EQ(facts.output("c"), nullptr);
    EXPECT_TRUE(facts.legs("c").empty());
    EXPECT_TRUE(facts.legs("nobody").empty());
    EXPECT_EQ(*facts.output("d"), "payload");
    EXPECT_EQ(facts.output("e"), nullptr) << "not done yet";
    EXPECT_EQ(facts.saga_id(), kSaga);
    EXPECT_EQ(facts.business_key(), "business");
    EXPECT_EQ(facts.started_at(), kStart);
    EXPECT_EQ(facts.definition().name, "order");
    return "fine";
  };
  given(plan)
      .start()
      .reply("do a", succeeded())
      .reply("do b[1]", succeeded())
      .signal("s", "go")
      .status(SagaStatus::completed);
}

TEST(Forward, AWrongPasswordOfOursTurnsNothingBackHoweverLongItLasts) {
  Outcome ours = not_executed();
  ours.configuration_alert = true;
  Given call = given(Plan().call("a").pivot("p"));
  Given query = given(Plan().query("a").pivot("p"));
  for (Given* saga : {&call, &query}) {
    saga->start();
    for (int i = 0; i < 60; ++i) saga->reply("do a", ours).later(kDelayMax);
    EXPECT_FALSE(saga->state().undoing);
    saga->reply("do a", succeeded()).in_flight({"do p"});
  }
}

TEST(Forward, AnEmptyUndoIsBuiltAndSentAgainAsItIs) {
  Plan plan;
  plan.call("a").step().undo = [](const Facts&, const Bytes&, const Bytes*) -> Result<Bytes> {
    return Bytes();
  };
  Given saga = given(plan.pivot("p"));
  saga.start().reply("do a", succeeded()).reply("do p", rejected());
  saga.reply("undo a", unknown()).later(kInitial).in_flight({"undo a"});
  EXPECT_EQ(saga.operation("undo a").attempts, 2U);
}

}  // namespace
}  // namespace skald::test
