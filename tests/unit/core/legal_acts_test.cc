// The table of acts: every act in every kind of state that a saga can be in, as the core judges it.
// Printed as tests/golden/legal_acts.txt, so that a change of what is legal is read before it
// lands; and compared with what decide() does.
#include "engine/core/legal_acts.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>

#include "tests/support/given.h"

namespace skald::test {
namespace {

struct Case {
  std::string title;
  Given saga;
};

Plan order() { return Plan().call("a").pivot("p").retriable("r"); }
Plan keyless() { return Plan().call("a").keys(KeysMode::none).pivot("p").retriable("r"); }
Plan keyless_pivot() { return Plan().call("a").pivot("p").keys(KeysMode::none).retriable("r"); }

Given done(const Plan& plan) {
  Given saga = given(plan);
  saga.start().reply("do a", succeeded());
  return saga;
}

std::vector<Case> going_forward() {
  std::vector<Case> cases;
  const auto add = [&](std::string title, const Given& saga) {
    cases.push_back({std::move(title), saga});
  };
  add("waiting for room", given(order()).no_room().start());
  add("an attempt in flight", given(order()).start());
  add("an attempt in flight, paused", given(order()).start().pause());
  add("backing off, certainly not done", given(order()).start().reply("do a", not_executed()));
  add("backing off, may have happened", given(order()).start().reply("do a", unknown()));
  add("in doubt, no keys", given(keyless()).start().reply("do a", unknown()));
  add("in doubt, no keys, paused", given(keyless()).start().reply("do a", unknown()).pause());
  add("in doubt, resolved as not done and held",
      given(keyless()).start().reply("do a", unknown()).did_not_happen_and_holds("a"));
  const Plan probed = Plan().call("a").keys(KeysMode::none).probe().pivot("p");
  add("probed, the probe in flight", given(probed).start().reply("do a", unknown()));
  add("probed, the probe backing off",
      given(probed).start().reply("do a", unknown()).reply("probe a", unknown()));
  add("some legs refused, the others going on",
      given(Plan().call("a").for_each({"1", "2"}).finish_all().pivot("p"))
          .start()
          .reply("do a[1]", rejected()));
  add("one leg at a time", given(Plan().call("a").for_each({"1", "2"}, 1).pivot("p")).start());
  add("a leg skipped", given(order()).start().reply("do a", not_executed()).skip("a"));
  add("waiting for a signal", given(Plan().wait("w", "go").is_pivot()).start());
  return cases;
}

std::vector<Case> around_the_pivot() {
  std::vector<Case> cases;
  const auto add = [&](std::string title, const Given& saga) {
    cases.push_back({std::move(title), saga});
  };
  add("the pivot in flight", done(order()));
  add("the pivot in flight, cancel asked", done(order()).cancel());
  add("the pivot certainly not done", done(order()).reply("do p", not_executed()));
  add("the pivot in doubt", done(keyless_pivot()).reply("do p", unknown()));
  add("the pivot in doubt, cancel asked", done(keyless_pivot()).reply("do p", unknown()).cancel());
  add("past the pivot, in flight", done(order()).reply("do p", succeeded()));
  add("past the pivot, refused",
      done(order()).reply("do p", succeeded()).reply("do r", rejected()));
  add("past the pivot, a step cannot be built",
      given(Plan().pivot("p").wait("w", "go", Millis{10}).rejects_on_timeout().retriable("r"))
          .start()
          .reply("do p", succeeded())
          .later(Millis{10}));
  return cases;
}

std::vector<Case> going_back() {
  const Plan plan = Plan().call("a").call("b").wait("w", "go").is_pivot();
  const Plan bare = Plan().call("a").call("b").keys(KeysMode::none).wait("w", "go").is_pivot();
  const auto back = [](const Plan& of) {
    Given saga = done(of);
    saga.reply("do b", succeeded()).cancel();
    return saga;
  };
  std::vector<Case> cases;
  const auto add = [&](std::string title, const Given& saga) {
    cases.push_back({std::move(title), saga});
  };
  add("a compensation in flight", back(plan));
  add("a compensation backing off", back(plan).reply("undo b", unknown()));
  add("a compensation refused", back(plan).reply("undo b", rejected()));
  add("a compensation refused, paused", back(plan).reply("undo b", rejected()).pause());
  add("a compensation in doubt", back(bare).reply("undo b", unknown()));
  add("on the way back, an action in doubt", done(bare).reply("do b", unknown()).cancel());
  add("on the way back, the pivot happened after all", done(order())
                                                           .reply("do p", rejected())
                                                           .late_reply("do p", 1, succeeded())
                                                           .reply("undo a", succeeded()));
  add("completed", given(Plan().call("a")).start().reply("do a", succeeded()));
  add("compensated", given(order()).start().reply("do a", rejected()));
  add("abandoned", given(order()).start().reply("do a", not_executed()).abandon());
  return cases;
}

std::vector<Case> all_cases() {
  std::vector<Case> cases = going_forward();
  std::ranges::move(around_the_pivot(), std::back_inserter(cases));
  std::ranges::move(going_back(), std::back_inserter(cases));
  return cases;
}

/// Every act on the saga, then every act on every leg, stuck step and running wait.
std::vector<ActVerdict> every_act(const Given& saga) {
  std::vector<ActVerdict> verdicts;
  for (const ActVerdict& verdict : legal_acts(saga.definition(), saga.state(), saga.now())) {
    if (!verdict.leg) verdicts.push_back(verdict);
  }
  for (std::uint16_t s = 0; s < saga.state().steps.size(); ++s) {
    const auto legs = static_cast<std::uint32_t>(saga.state().steps[s].legs.size());
    const StepState& step = saga.state().steps[s];
    const bool without = !step.stuck_reason.empty() || step.stage == StepStage::running;
    for (std::uint32_t l = 0; l < std::max(legs, without ? 1U : 0U); ++l) {
      for (ActVerdict& verdict :
           acts_on_leg(saga.definition(), saga.state(), {.step = s, .leg = l}, saga.now())) {
        verdicts.push_back(std::move(verdict));
      }
    }
  }
  return verdicts;
}

std::string leg_text(const Given& saga, const ActVerdict& verdict) {
  return verdict.leg ? leg_name(saga.definition(), saga.state(), *verdict.leg) : std::string{};
}

std::string lines_of(const Case& of) {
  std::string text = fmt::format("{} ({})\n", of.title, name(of.saga.state().status));
  const std::string prefix = "saga " + of.saga.state().id.text() + " ";
  for (const ActVerdict& verdict : every_act(of.saga)) {
    std::string said = verdict.is_legal() ? verdict.effect : verdict.refusal->message;
    if (const auto at = said.find(prefix); at == 0) said = said.substr(prefix.size());
    text += fmt::format("  {} {:<9} {:<5} {}\n", verdict.is_legal() ? "yes" : "no ",
                        name(verdict.act), leg_text(of.saga, verdict), said);
  }
  return text + "\n";
}

command::Act act_of(ActKind act, const std::string& leg) {
  const Actor ada{.name = "ada", .reason = "the table"};
  switch (act) {
    case ActKind::retry:
      return command::Retry{.actor = ada, .leg = leg};
    case ActKind::pause:
      return command::Pause{.actor = ada};
    case ActKind::resume:
      return command::Resume{.actor = ada};
    case ActKind::cancel:
      return command::Cancel{.actor = ada};
    case ActKind::skip:
      return command::Skip{.actor = ada, .leg = leg};
    case ActKind::resolve:
      return command::Resolve{.actor = ada, .leg = leg, .happened = true, .response = "by hand"};
    case ActKind::amend:
      return command::Amend{.actor = ada, .leg = leg, .request = "other", .endpoint = {}};
    case ActKind::mark_done:
      return command::MarkDone{.actor = ada, .leg = leg};
    case ActKind::abandon:
      return command::Abandon{.actor = ada};
  }
  return command::Abandon{};
}

TEST(LegalActs, AreThoseOfTheReviewedTable) {
  std::string table =
      "Which act of a person is legal in which state, and why not: made from the core by\n"
      "tests/unit/core/legal_acts_test.cc. Read the difference before you keep it.\n\n";
  for (const Case& of : all_cases()) table += lines_of(of);
  const char* root = std::getenv("SKALD_SOURCE_DIR");
  const std::string path =
      std::string(root == nullptr ? "." : root) + "/tests/golden/legal_acts.txt";
  if (std::getenv("SKALD_REWRITE_GOLDEN") != nullptr) std::ofstream(path) << table;
  std::ifstream file(path);
  const std::string reviewed{std::istreambuf_iterator<char>(file), {}};
  EXPECT_EQ(table, reviewed) << "SKALD_REWRITE_GOLDEN=1 writes " << path;
}

TEST(LegalActs, AreWhatDecideAccepts) {
  for (const Case& of : all_cases()) {
    for (const ActVerdict& verdict : every_act(of.saga)) {
      const std::string leg = leg_text(of.saga, verdict);
      SCOPED_TRACE(fmt::format("{}: {} {}", of.title, name(verdict.act), leg));
      SagaState state = of.saga.state();
      Decision decision;
      const auto decided =
          decide(of.saga.definition(), state,
                 {.at = of.saga.now(), .body = act_of(verdict.act, leg)}, decision);
      EXPECT_EQ(verdict.is_legal(), !decision.events.empty());
      // A cancel that is recorded while the pivot is in flight says `undecided`.
      const bool undecided = !decided && decided.error().code == Errc::aborted;
      EXPECT_EQ(verdict.is_legal(), decided.has_value() || (undecided && !decision.events.empty()));
      if (!verdict.is_legal()) {
        EXPECT_EQ(state, of.saga.state());
      }
    }
  }
}

TEST(LegalActs, EverySagaThatIsNotOverCanBeMoved) {
  for (const Case& of : all_cases()) {
    const auto acts = legal_acts(of.saga.definition(), of.saga.state(), of.saga.now());
    const bool any = std::ranges::any_of(acts, [](const ActVerdict& v) { return v.is_legal(); });
    EXPECT_EQ(any, !of.saga.state().terminal) << of.title;
  }
}

}  // namespace
}  // namespace skald::test
