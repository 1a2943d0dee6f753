// What each answer means for its leg, as tables: outcome x keys x probe x class x direction x what
// was known before. The expectations are read from the design, rules 3 to 7, not from the code.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <array>
#include <string>

#include "tests/support/given.h"

namespace skald::test {
namespace {

constexpr std::array kOutcomes = {OutcomeKind::succeeded, OutcomeKind::rejected,
                                  OutcomeKind::not_executed, OutcomeKind::unknown,
                                  OutcomeKind::pending};
constexpr std::array kKeys = {KeysMode::none, KeysMode::dedup, KeysMode::barrier};

/// Where the saga stands when the answer comes.
enum class Standing : std::uint8_t {
  forward,   // a compensatable call
  undoing,   // the same, in flight when the way back began
  pivot,     // in flight
  deferred,  // the pivot in flight, and a cancel is recorded
  behind,    // a retriable call
};
constexpr std::array kStandings = {Standing::forward, Standing::undoing, Standing::pivot,
                                   Standing::deferred, Standing::behind};

struct Case {
  OutcomeKind outcome = OutcomeKind::unknown;
  KeysMode keys = KeysMode::none;
  bool probe = false;
  Standing standing = Standing::forward;
  bool maybe = false;  // an earlier attempt may have happened
};

Plan plan_of(const Case& c) {
  Plan plan;
  if (c.standing == Standing::behind) plan.pivot("p");
  switch (c.standing) {
    case Standing::forward:
    case Standing::undoing:
      plan.call("x");
      break;
    case Standing::pivot:
    case Standing::deferred:
      plan.pivot("x");
      break;
    case Standing::behind:
      plan.retriable("x");
      break;
  }
  plan.keys(c.keys);
  if (c.probe) plan.probe();
  return plan.wait("end", "over");
}

/// The action of x is in flight, and the saga stands where the case says.
Given in_flight(const Case& c) {
  Given saga(plan_of(c));
  saga.start();
  if (c.standing == Standing::behind) saga.reply("do p", succeeded());
  if (c.maybe) saga.reply("do x", unknown()).later(kInitial);
  if (c.standing == Standing::undoing || c.standing == Standing::deferred) saga.cancel();
  return saga;
}

void expect_succeeded(Given& saga, const Case& c) {
  if (c.standing == Standing::undoing) {
    saga.stage("x", LegStage::undoing).in_flight({"undo x"}).status(SagaStatus::compensating);
  } else {
    saga.stage("x", LegStage::done).step("end", StepStage::running).status(SagaStatus::running);
  }
}

/// Definite: nothing was done.
void expect_nothing_done(Given& saga, const Case& c) {
  const bool refusal = c.outcome == OutcomeKind::rejected;
  if (c.standing == Standing::behind) {
    saga.stage("x", LegStage::acting);
    if (refusal) saga.phase("do x", Phase::stopped).status(SagaStatus::stuck).never_wakes();
    if (!refusal) saga.phase("do x", Phase::backing_off).wakes_in(kInitial);
    return;
  }
  const bool goes_back = c.standing == Standing::undoing || c.standing == Standing::deferred;
  if (refusal || goes_back) {
    saga.stage("x", LegStage::refused).status(SagaStatus::compensated).never_wakes();
    saga.failed(goes_back ? "" : "x", goes_back ? "canceled" : "failed_precondition");
    return;
  }
  saga.stage("x", LegStage::acting).phase("do x", Phase::backing_off).wakes_in(kInitial);
}

void expect_in_doubt(Given& saga, const Case& c) {
  EXPECT_TRUE(saga.operation("do x").maybe);
  if (c.keys == KeysMode::none) {
    saga.stage("x", LegStage::acting);
    if (c.probe) {
      saga.phase("do x", Phase::backing_off).in_flight({"probe x"});
    } else {
      saga.phase("do x", Phase::stopped).in_flight({}).wants({}).status(SagaStatus::stuck);
    }
    return;
  }
  const bool undone_directly = c.standing == Standing::undoing && c.keys == KeysMode::barrier &&
                               c.outcome != OutcomeKind::pending;
  if (undone_directly) {
    saga.stage("x", LegStage::undoing).in_flight({"undo x"});
    EXPECT_EQ(saga.leg("x").undo_request, "undo (do x) without receipt");
    return;
  }
  saga.stage("x", LegStage::acting).phase("do x", Phase::backing_off).in_flight({});
  saga.later(kDelayMax).in_flight({"do x"});
  EXPECT_EQ(saga.operation("do x").generation, 1U) << "the same key until definite";
}

TEST(Answers, OfAnActionMeanWhatTheDesignSays) {
  for (const OutcomeKind outcome_kind : kOutcomes) {
    for (const KeysMode keys : kKeys) {
      for (const Standing standing : kStandings) {
        for (const bool probe : {false, true}) {
          for (const bool maybe : {false, true}) {
            // Without keys nothing is sent again while it may have happened.
            if (maybe && keys == KeysMode::none) continue;
            const Case c{outcome_kind, keys, probe, standing, maybe};
            SCOPED_TRACE(fmt::format("{} keys={} standing={} probe={} maybe={}", name(outcome_kind),
                                     name(keys), static_cast<int>(standing), probe, maybe));
            Given saga = in_flight(c);
            saga.reply("do x", outcome(outcome_kind).code == "rejected" ? rejected()
                                                                        : outcome(outcome_kind));
            const bool refused = outcome_kind == OutcomeKind::rejected;
            if (outcome_kind == OutcomeKind::succeeded) {
              expect_succeeded(saga, c);
            } else if (refused || (outcome_kind == OutcomeKind::not_executed && !maybe)) {
              expect_nothing_done(saga, c);
            } else {
              expect_in_doubt(saga, c);
            }
          }
        }
      }
    }
  }
}

TEST(Answers, OfACompensationMeanWhatTheDesignSays) {
  for (const OutcomeKind kind : kOutcomes) {
    for (const KeysMode keys : kKeys) {
      for (const bool probe : {false, true}) {
        SCOPED_TRACE(fmt::format("{} keys={} probe={}", name(kind), name(keys), probe));
        Plan plan;
        plan.call("x").keys(keys);
        if (probe) plan.probe();
        Given saga(plan.wait("end", "over").is_pivot());
        saga.start().reply("do x", succeeded()).cancel().reply("undo x", outcome(kind));
        const bool maybe = kind == OutcomeKind::unknown || kind == OutcomeKind::pending;
        if (kind == OutcomeKind::succeeded) {
          saga.stage("x", LegStage::undone).status(SagaStatus::compensated);
        } else if (kind == OutcomeKind::rejected) {
          saga.phase("undo x", Phase::stopped).status(SagaStatus::stuck);
        } else if (maybe && keys == KeysMode::none && probe) {
          saga.phase("undo x", Phase::backing_off).in_flight({"probe x"});
        } else if (maybe && keys == KeysMode::none) {
          saga.phase("undo x", Phase::stopped).status(SagaStatus::stuck).wants({});
        } else {
          saga.phase("undo x", Phase::backing_off).wakes_in(kInitial);
          saga.status(SagaStatus::compensating).later(kInitial).in_flight({"undo x"});
        }
      }
    }
  }
}

TEST(Answers, OfAQueryNeverLeaveADoubt) {
  for (const OutcomeKind kind : kOutcomes) {
    for (const bool decided : {false, true}) {
      SCOPED_TRACE(fmt::format("{} decided={}", name(kind), decided));
      Plan plan;
      if (decided) plan.pivot("p");
      Given saga(plan.query("x").wait("end", "over"));
      saga.start();
      if (decided) saga.reply("do p", succeeded());
      saga.reply("do x", outcome(kind));
      EXPECT_FALSE(saga.operation("do x").maybe);
      if (kind == OutcomeKind::succeeded) {
        saga.stage("x", LegStage::done).durable(true);  // with the wait that follows
      } else if (kind == OutcomeKind::rejected && decided) {
        saga.phase("do x", Phase::stopped).status(SagaStatus::stuck);
      } else if (kind == OutcomeKind::rejected) {
        saga.stage("x", LegStage::refused).status(SagaStatus::compensated);
      } else {
        saga.phase("do x", Phase::backing_off).later(kInitial).in_flight({"do x"});
      }
    }
  }
}

/// What a probe found, for a leg that may have happened.
TEST(Answers, OfAProbeSettleTheAction) {
  for (const Standing standing : kStandings) {
    SCOPED_TRACE(static_cast<int>(standing));
    const Case c{.keys = KeysMode::none, .probe = true, .standing = standing};
    const auto probing = [&] {
      Given saga = in_flight(c);
      return saga.reply("do x", unknown());
    };
    const bool back = standing == Standing::undoing || standing == Standing::deferred;
    {
      Given there = probing().reply("probe x", succeeded());
      if (standing == Standing::undoing) there.stage("x", LegStage::undoing);
      if (standing != Standing::undoing) there.stage("x", LegStage::done);
      EXPECT_EQ(there.leg("x").response, "receipt") << "the probe's answer is the receipt";
    }
    for (const std::string code : {"not_found", "404"}) {
      Given absent = probing().reply("probe x", rejected(code));
      if (back) {
        absent.stage("x", LegStage::refused).status(SagaStatus::compensated);
      } else {
        absent.stage("x", LegStage::acting).later(kInitial).in_flight({"do x"});
        EXPECT_FALSE(absent.operation("do x").maybe);
      }
    }
    probing()
        .reply("probe x", rejected("denied"))
        .phase("probe x", Phase::stopped)
        .status(SagaStatus::stuck);
    for (const OutcomeKind kind :
         {OutcomeKind::unknown, OutcomeKind::pending, OutcomeKind::not_executed}) {
      Given again = probing().reply("probe x", outcome(kind));
      again.phase("probe x", Phase::backing_off).later(kInitial).in_flight({"probe x"});
    }
  }
}

TEST(Answers, OfAProbeSettleTheCompensation) {
  const auto probing = [] {
    Given saga(Plan().call("x").keys(KeysMode::none).probe().wait("end", "over").is_pivot());
    return saga.start().reply("do x", succeeded()).cancel().reply("undo x", unknown());
  };
  // It still stands: it was not undone, and is undone again with the same key and request.
  Given stands = probing().reply("probe x", succeeded());
  stands.stage("x", LegStage::undoing).later(kInitial).in_flight({"undo x"});
  EXPECT_EQ(stands.operation("undo x").generation, 1U);
  EXPECT_EQ(stands.operation("undo x").attempts, 2U);
  EXPECT_EQ(stands.leg("x").undo_request, "undo (do x) receipt");
  probing()
      .reply("probe x", rejected("not_found"))
      .stage("x", LegStage::undone)
      .status(SagaStatus::compensated);
}

TEST(Answers, OfARepeatedProbeCarryAKeyOfTheirOwn) {
  Given saga(Plan().call("x").keys(KeysMode::none).probe());
  saga.start().reply("do x", unknown()).reply("probe x", rejected("not_found")).later(kInitial);
  saga.reply("do x", unknown()).in_flight({"probe x"});
  EXPECT_EQ(saga.operation("probe x").generation, 2U);
}

TEST(Answers, WithoutKeysADoubtBacksOffAndEndsWithItsTime) {
  // given a participant without keys that never answers and never did it
  Given saga(Plan().call("x").keys(KeysMode::none).probe().total(Millis{400}));
  saga.start().reply("do x", unknown()).reply("probe x", rejected("not_found"));
  saga.in_flight({}).wakes_in(kInitial).later(kInitial);
  saga.reply("do x", unknown()).reply("probe x", rejected("not_found")).wakes_in(2 * kInitial);
  // when its time is spent
  saga.later(Millis{300}).reply("do x", unknown()).reply("probe x", rejected("not_found"));
  // then it is known that nothing was done, and the saga turns back
  saga.stage("x", LegStage::refused).status(SagaStatus::compensated).failed("x", "probe_not_there");
  ASSERT_EQ(refusals(saga.definition(), saga.state()).size(), 1U);
  EXPECT_EQ(saga.state().failure->outcome, OutcomeKind::not_executed);
}

TEST(Answers, AfterThePivotADoubtWithoutKeysGoesOnAtTheCap) {
  Given saga(Plan().pivot("p").retriable("x").keys(KeysMode::none).probe().total(Millis{50}));
  saga.start().reply("do p", succeeded()).later(Millis{60}).reply("do x", unknown());
  saga.reply("probe x", rejected("not_found")).status(SagaStatus::stuck).wakes_in(kDelayMax);
  saga.later(kDelayMax).reply("do x", succeeded()).status(SagaStatus::completed);
}

TEST(Answers, StickyUnknownIsClearedOnlyByWhoCanKnow) {
  // A lifetime passes between the sending and the refusal: the participant no longer knows.
  Given saga(Plan().call("x").lifetime(Millis{1'000}).wait("end", "over"));
  saga.start().reply("do x", unknown()).later(kInitial).silently(Millis{1'000});
  saga.reply("do x", rejected()).phase("do x", Phase::stopped).status(SagaStatus::stuck);
  EXPECT_TRUE(saga.operation("do x").maybe);
}

TEST(Answers, KeysThatLivedOutAreNotTrusted) {
  const auto lived_out = [](Plan plan) {
    Given saga(plan.wait("end", "over"));
    // given an unknown attempt that has no room to be sent again until its keys are gone
    saga.start().reply("do x", unknown()).no_room().later(Millis{1'100});
    return saga.room();
  };
  lived_out(Plan().call("x").lifetime(Millis{1'000}))
      .phase("do x", Phase::stopped)
      .status(SagaStatus::stuck)
      .sent({})
      .then({"OperationMoved"});
  lived_out(Plan().call("x").lifetime(Millis{1'000}).probe())
      .in_flight({"probe x"})
      .then({"OperationMoved", "OperationMoved", "Intended"});
}

TEST(Answers, KeysOfACompensationLiveOutToo) {
  const auto lived_out = [](Plan plan) {
    Given saga(plan.wait("end", "over").is_pivot());
    saga.start().reply("do x", succeeded()).cancel().reply("undo x", unknown()).no_room();
    return saga.later(Millis{1'100}).room();
  };
  lived_out(Plan().call("x").lifetime(Millis{1'000})).phase("undo x", Phase::stopped);
  lived_out(Plan().call("x").lifetime(Millis{1'000}).probe())
      .in_flight({"probe x"})
      .reply("probe x", rejected("not_found"))
      .status(SagaStatus::compensated);
}

TEST(Answers, AnUndoThatWaitedTooLongAsksFirst) {
  // given a leg that barrier keys allow to undo directly, but there is no room until they are gone
  Given saga(Plan().call("x").lifetime(Millis{1'000}).probe().wait("end", "over"));
  saga.start().reply("do x", unknown()).no_room().cancel().wants({"undo x"});
  saga.silently(Millis{1'100}).dispatch("undo x");
  // then nothing is undone blindly
  saga.sent({}).wants({"do x"}).room().in_flight({"probe x"});
}

TEST(Answers, LongWordsAreCut) {
  Outcome talkative = unknown();
  talkative.message.assign(2 * kOutcomeMessageMax, 'x');
  Given saga(Plan().call("x"));
  saga.start().reply("do x", talkative);
  EXPECT_EQ(saga.operation("do x").last.message.size(), kOutcomeMessageMax);
}

TEST(Answers, OfAttemptsThatNobodyWaitsForChangeNothing) {
  Given saga(Plan().call("x").wait("end", "over"));
  saga.start().reply("do x", unknown()).late_reply("do x", 1, rejected()).then({});
  saga.later(kInitial).late_reply("do x", 1, succeeded()).then({});
  saga.reply("do x", succeeded()).late_reply("do x", 1, rejected()).then({});
  // nor do those of legs that there are not
  Decision decision;
  SagaState state = saga.state();
  const command::Reply stray{.leg = {.step = 9, .leg = 0}, .outcome = succeeded(), .response = {}};
  ASSERT_TRUE(decide(saga.definition(), state, {.at = saga.now(), .body = stray}, decision));
  const command::Reply other{.leg = {.step = 0, .leg = 9}, .outcome = succeeded(), .response = {}};
  ASSERT_TRUE(decide(saga.definition(), state, {.at = saga.now(), .body = other}, decision));
  const command::Reply never{.leg = {.step = 0, .leg = 0},
                             .operation = Operation::probe,
                             .outcome = succeeded(),
                             .response = {}};
  ASSERT_TRUE(decide(saga.definition(), state, {.at = saga.now(), .body = never}, decision));
  EXPECT_TRUE(decision.events.empty());
}

}  // namespace
}  // namespace skald::test
