// Claims about validate() and seal(): every mistake is found, all at once, and nothing sound is
// refused.
#include "engine/core/definition.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <limits>

#include "engine/core/facts.h"

namespace skald {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

Result<std::vector<LegPlan>> one_leg(const Facts&) { return std::vector<LegPlan>{{"", "request"}}; }
Result<Bytes> undo_request(const Facts&, const Bytes& request, const Bytes*) { return request; }

OperationPlan operation(std::string path, KeysMode keys = KeysMode::barrier) {
  OperationPlan plan;
  plan.method.participant = "inventory";
  plan.method.path = std::move(path);
  plan.method.keys = keys;
  return plan;
}

StepDefinition query(std::string name) {
  StepDefinition step;
  step.name = std::move(name);
  step.kind = StepKind::query;
  step.legs = one_leg;
  step.action = operation("/inventory.InventoryRpc/GetStock", KeysMode::none);
  return step;
}

StepDefinition call(std::string name, CallClass call_class) {
  StepDefinition step;
  step.name = std::move(name);
  step.kind = StepKind::call;
  step.call_class = call_class;
  step.legs = one_leg;
  step.action = operation("/inventory.InventoryRpc/DeductStock");
  if (call_class == CallClass::compensatable) {
    step.compensation = operation("/inventory.InventoryRpc/RollbackStock");
    step.undo = undo_request;
  }
  return step;
}

StepDefinition compute(std::string name) {
  StepDefinition step;
  step.name = std::move(name);
  step.kind = StepKind::compute;
  step.compute = [](const Facts&) -> Result<Bytes> { return "computed"; };
  return step;
}

StepDefinition wait(std::string name) {
  StepDefinition step;
  step.name = std::move(name);
  step.kind = StepKind::wait;
  step.wait.signal = "paid";
  step.wait.timeout = Millis{1'000};
  return step;
}

/// look (query), total (compute), deduct (compensatable), pay (pivot), nap (wait), clear
/// (retriable).
Definition sound() {
  Definition definition;
  definition.name = "order";
  definition.steps = {query("look"),
                      compute("total"),
                      call("deduct", CallClass::compensatable),
                      call("pay", CallClass::pivot),
                      wait("nap"),
                      call("clear", CallClass::retriable)};
  return definition;
}
constexpr std::size_t kLook = 0, kTotal = 1, kDeduct = 2, kPay = 3, kNap = 4, kClear = 5;

struct MistakeCase {
  std::string told;  // what validate() says, in part
  std::function<void(Definition&)> make;
};

const std::vector<MistakeCase>& mistake_cases() {
  static const std::vector<MistakeCase> kCases = {
      {"name Order: must be", [](Definition& d) { d.name = "Order"; }},
      {"version must be at least 1", [](Definition& d) { d.version = 0; }},
      {"deadline must be", [](Definition& d) { d.deadline = kHorizonMax + Millis{1}; }},
      {"step 9lives: name must be", [](Definition& d) { d.steps[kTotal].name = "9lives"; }},
      {"step look: another step has this name",
       [](Definition& d) { d.steps.insert(d.steps.begin(), query("look")); }},
      {"step deduct: after ghost: no step",
       [](Definition& d) { d.steps[kDeduct].after = {"total", "ghost"}; }},
      {"step total: after itself", [](Definition& d) { d.steps[kTotal].after = {"total"}; }},
      {"step pay: after names a step twice",
       [](Definition& d) { d.steps[kPay].after = {"deduct", "deduct"}; }},
      {"steps look, total: they wait for each other in a cycle",
       [](Definition& d) { d.steps[kLook].after = {"total"}; }},
      {"step total: does not say what kind",
       [](Definition& d) { d.steps[kTotal].kind = StepKind{0}; }},
      {"step deduct: a call must have a compensation, say no_undo, or be the pivot",
       [](Definition& d) {
         d.steps[kDeduct].call_class = CallClass::none;
         d.steps[kDeduct].compensation.reset();
         d.steps[kDeduct].undo = nullptr;
       }},
      {"step look: a query cannot be retriable",
       [](Definition& d) { d.steps[kLook].call_class = CallClass::retriable; }},
      {"step pay: a compute cannot be the pivot",
       [](Definition& d) {
         d.steps[kPay] = compute("pay");
         d.steps[kPay].call_class = CallClass::pivot;
       }},
      {"step pay: the pivot has one leg", [](Definition& d) { d.steps[kPay].for_each = true; }},
      {"step nap: a wait cannot be for_each", [](Definition& d) { d.steps[kNap].for_each = true; }},
      {"step clear: a second pivot: pay is",
       [](Definition& d) { d.steps[kClear].call_class = CallClass::pivot; }},
      {"step deduct: compensatable, but no compensation",
       [](Definition& d) {
         d.steps[kDeduct].compensation.reset();
         d.steps[kDeduct].undo = nullptr;
       }},
      {"step deduct: has a compensation and no_undo",
       [](Definition& d) { d.steps[kDeduct].no_undo_reason = "harmless"; }},
      {"step pay: has a way back, but is pivot",
       [](Definition& d) { d.steps[kPay].no_undo_reason = "harmless"; }},
      {"step deduct: compensation: no builder",
       [](Definition& d) { d.steps[kDeduct].undo = nullptr; }},
      {"step pay: builds a compensation, but names no method",
       [](Definition& d) { d.steps[kPay].undo = undo_request; }},
      {"step deduct: compensation needs the action's response, but with keys none",
       [](Definition& d) {
         d.steps[kDeduct].undo_needs_receipt = true;
         d.steps[kDeduct].action.method.keys = KeysMode::none;
       }},
      {"step pay: builds a probe, but names no method",
       [](Definition& d) { d.steps[kPay].probe_request = undo_request; }},
      {"step look: a query needs no probe",
       [](Definition& d) { d.steps[kLook].probe = operation("/a"); }},
      {"step pay: no builder of its request", [](Definition& d) { d.steps[kPay].legs = nullptr; }},
      {"step total: nothing to compute", [](Definition& d) { d.steps[kTotal].compute = nullptr; }},
      {"step total: a compute sends no request, but builds one",
       [](Definition& d) { d.steps[kTotal].legs = one_leg; }},
      {"step pay: a call computes nothing",
       [](Definition& d) { d.steps[kPay].compute = d.steps[kTotal].compute; }},
      {"step deduct: parallel must be 1..", [](Definition& d) { d.steps[kDeduct].parallel = 0; }},
      {"step nap: waits for a signal without a timeout",
       [](Definition& d) { d.steps[kNap].wait.timeout = Millis{0}; }},
      {"step nap: waits for neither a signal nor a timer",
       [](Definition& d) { d.steps[kNap].wait = {}; }},
      {"step nap: timeout must be at most",
       [](Definition& d) { d.steps[kNap].wait.timeout = kHorizonMax + Millis{1}; }},
      {"step nap: signal Paid!: must be",
       [](Definition& d) { d.steps[kNap].wait.signal = "Paid!"; }},
      {"step look: action: timeout must be",
       [](Definition& d) { d.steps[kLook].action.attempt_timeout = Millis{0}; }},
      {"step deduct: compensation: timeout must be",
       [](Definition& d) {
         d.steps[kDeduct].compensation->attempt_timeout = kAttemptTimeoutMax + Millis{1};
       }},
      {"step pay: action: no participant",
       [](Definition& d) { d.steps[kPay].action.method.participant.clear(); }},
      {"step pay: action: participant is not a name",
       [](Definition& d) { d.steps[kPay].action.method.participant = "a b"; }},
      {"step pay: action: path must begin with /",
       [](Definition& d) { d.steps[kPay].action.method.path = "/a\r\nHost: evil"; }},
      {"step pay: action: lifetime of keys",
       [](Definition& d) { d.steps[kPay].action.method.keys_lifetime = Millis{0}; }},
      {"step pay: action: retry: initial",
       [](Definition& d) { d.steps[kPay].action.retry.initial = Millis{0}; }},
      {"step pay: action: retry: factor",
       [](Definition& d) {
         d.steps[kPay].action.retry.factor = std::numeric_limits<double>::quiet_NaN();
       }},
      {"step pay: action: retry: delay_max",
       [](Definition& d) { d.steps[kPay].action.retry.delay_max = Millis{1}; }},
      {"step pay: action: retry: jitter",
       [](Definition& d) { d.steps[kPay].action.retry.jitter = 1.5; }},
      {"step pay: action: retry: total_max",
       [](Definition& d) { d.steps[kPay].action.retry.total_max = kRetryTotalMax + Millis{1}; }},
      {"step pay: action: header Skald-Saga-Id: set by the engine itself",
       [](Definition& d) { d.steps[kPay].action.method.headers = {{"Skald-Saga-Id", "x"}}; }},
      {"step pay: action: header a:b: not a header name",
       [](Definition& d) { d.steps[kPay].action.method.headers = {{"a:b", "x"}}; }},
      {"step pay: action: header X-Y: value must be",
       [](Definition& d) {
         d.steps[kPay].action.method.headers = {{"X-Y", "1\r\nIdempotency-Key: forged"}};
       }},
      {"step pay: action: header x-y: given twice",
       [](Definition& d) { d.steps[kPay].action.method.headers = {{"X-Y", "1"}, {"x-y", "2"}}; }},
      {"step pay: action: outcome 999: neither",
       [](Definition& d) {
         d.steps[kPay].action.method.outcomes = {{"999", OutcomeKind::rejected}};
       }},
      {"step pay: action: outcome abortd: neither",
       [](Definition& d) {
         d.steps[kPay].action.method.outcomes = {{"abortd", OutcomeKind::rejected}};
       }},
      {"step pay: action: outcome 503: does not say",
       [](Definition& d) { d.steps[kPay].action.method.outcomes = {{"503", OutcomeKind{0}}}; }},
      {"step deduct: compensatable, but does not precede the pivot pay",
       [](Definition& d) { d.steps[kPay].after = {"total"}; }},
      {"step clear: retriable, but does not follow the pivot pay",
       [](Definition& d) { d.steps[kClear].after = {"total"}; }},
      {"step clear: retriable, but there is no pivot",
       [](Definition& d) {
         d.steps[kPay].call_class = CallClass::compensatable;
         d.steps[kPay].no_undo_reason = "harmless";
       }},
  };
  return kCases;
}

TEST(Validate, AcceptsASoundDefinition) { EXPECT_THAT(validate(sound()), IsEmpty()); }

TEST(Validate, TellsEachMistakeByItselfAndNothingElse) {
  for (const MistakeCase& mistake : mistake_cases()) {
    Definition definition = sound();
    mistake.make(definition);
    EXPECT_THAT(validate(definition), ElementsAre(HasSubstr(mistake.told))) << mistake.told;
  }
}

TEST(Validate, TellsEveryMistakeAtOnce) {
  // One copy of the sound steps for each mistake, so that no mistake hides another; the copies do
  // not share a pivot, hence the mistakes about order and about the definition itself are left to
  // others.
  Definition all;
  all.name = "Bad";
  all.version = 0;
  all.deadline = Millis{-1};
  std::size_t expected = 3;
  for (std::size_t i = 0; i < 40; ++i) {
    StepDefinition step = wait("wait_" + std::to_string(i));
    step.wait.timeout = Millis{0};
    all.steps.push_back(step);
    expected += 1;
  }
  StepDefinition worst = call("worst", CallClass::compensatable);
  worst.after = {"ghost", "worst"};
  worst.legs = nullptr;
  worst.undo = nullptr;
  worst.no_undo_reason = "harmless";
  worst.undo_needs_receipt = true;
  worst.parallel = 0;
  worst.action.method = Method{.participant = "", .path = "", .keys_lifetime = Millis{0}};
  worst.action.attempt_timeout = Millis{0};
  worst.action.retry = RetryPolicy{.initial = Millis{0},
                                   .factor = 0.0,
                                   .delay_max = Millis{-1},
                                   .jitter = -1.0,
                                   .total_max = Millis{0}};
  all.steps.push_back(worst);
  expected += 16;

  const std::vector<std::string> mistakes = validate(all);

  EXPECT_THAT(mistakes, SizeIs(expected)) << ::testing::PrintToString(mistakes);
  const auto sealed = seal(all);
  ASSERT_FALSE(sealed.has_value());
  EXPECT_EQ(sealed.error().code, Errc::invalid_argument);
  for (const std::string& mistake : mistakes) {
    EXPECT_THAT(sealed.error().message, HasSubstr(mistake));
  }
}

TEST(Validate, RefusesADefinitionWithoutSteps) {
  Definition definition = sound();
  definition.steps.clear();
  EXPECT_THAT(validate(definition), ElementsAre("no steps"));
}

TEST(Validate, BoundsTheNumberOfSteps) {
  Definition definition = sound();
  for (std::size_t i = definition.steps.size(); i < kStepsMax; ++i) {
    definition.steps.push_back(query("q" + std::to_string(i)));
  }
  EXPECT_THAT(validate(definition), IsEmpty());
  definition.steps.push_back(query("one_too_many"));
  EXPECT_THAT(validate(definition), ElementsAre("1001 steps, at most 1000"));
}

TEST(Validate, LetsAReceiptBeNeededWhereAnUnknownOutcomeCanBeSettled) {
  for (const bool by_probe : {false, true}) {
    Definition definition = sound();
    StepDefinition& step = definition.steps[kDeduct];
    step.undo_needs_receipt = true;
    step.action.method.keys = by_probe ? KeysMode::none : KeysMode::dedup;
    if (by_probe) step.probe = operation("/inventory.InventoryRpc/WasDeducted");
    EXPECT_THAT(validate(definition), IsEmpty()) << by_probe;
  }
}

TEST(Validate, ShowsHostileNamesOnlyAsVisibleAscii) {
  Definition definition = sound();
  definition.steps[kTotal].name = std::string("x\n\x1b[31m") + std::string(10'000, 'y');
  for (const std::string& mistake : validate(definition)) {
    EXPECT_LT(mistake.size(), 300u);
    EXPECT_TRUE(std::ranges::all_of(mistake, [](char c) { return c >= ' ' && c <= '~'; }));
  }
}

TEST(Seal, WorksOutTheOrderAndThePivot) {
  Definition definition = sound();
  definition.steps[kTotal].after.emplace();
  definition.steps[kDeduct].after = {"total", "look"};

  const auto sealed = seal(definition);

  ASSERT_TRUE(sealed.has_value()) << sealed.error().message;
  const Definition::Order& order = (*sealed)->order;
  EXPECT_EQ(order.pivot, kPay);
  EXPECT_THAT(order.topological, ElementsAre(0, 1, 2, 3, 4, 5));
  EXPECT_THAT(order.needs[kTotal], IsEmpty());
  EXPECT_THAT(order.needs[kDeduct], ElementsAre(kLook, kTotal));
  EXPECT_THAT(order.needed_by[kLook], ElementsAre(kDeduct));
  EXPECT_THAT(order.needed_by[kDeduct], ElementsAre(kPay));
}

TEST(Seal, PutsEveryStepAfterItsNeedsHoweverTheyAreWritten) {
  Definition definition = sound();
  definition.steps[kLook].after = {"late"};
  StepDefinition late = query("late");
  late.after.emplace();
  definition.steps.push_back(late);

  const auto sealed = seal(definition);

  ASSERT_TRUE(sealed.has_value()) << sealed.error().message;
  EXPECT_THAT((*sealed)->order.topological, ElementsAre(6, 0, 1, 2, 3, 4, 5));
}

TEST(StepIndex, FindsByNameOnly) {
  const Definition definition = sound();
  EXPECT_EQ(definition.step_index("pay"), kPay);
  EXPECT_EQ(definition.step_index("nothing"), std::nullopt);
}

/// An independent and slow reading of the rules: dependency paths by repeated squaring of a
/// relation.
bool obeys_the_rules(const Definition& definition) {
  const std::size_t n = definition.steps.size();
  std::vector<std::vector<bool>> path(n, std::vector<bool>(n, false));
  for (std::size_t to = 0; to < n; ++to) {
    const auto& after = definition.steps[to].after;
    if (!after && to > 0) path[to - 1][to] = true;
    for (const std::string& name : after.value_or(std::vector<std::string>{})) {
      std::size_t matches = 0;
      for (std::size_t from = 0; from < n; ++from) {
        if (definition.steps[from].name != name) continue;
        matches += 1;
        if (path[from][to]) return false;  // named twice
        path[from][to] = true;
      }
      if (matches != 1) return false;
    }
  }
  for (std::size_t via = 0; via < n; ++via) {
    for (std::size_t from = 0; from < n; ++from) {
      for (std::size_t to = 0; to < n; ++to) {
        if (path[from][via] && path[via][to]) path[from][to] = true;
      }
    }
  }
  std::vector<std::size_t> pivots;
  for (std::size_t i = 0; i < n; ++i) {
    if (path[i][i]) return false;
    for (std::size_t j = 0; j < i; ++j) {
      if (definition.steps[i].name == definition.steps[j].name) return false;
    }
    if (definition.steps[i].call_class == CallClass::pivot) pivots.push_back(i);
  }
  if (n == 0 || pivots.size() > 1) return false;
  for (std::size_t i = 0; i < n; ++i) {
    const CallClass call_class = definition.steps[i].call_class;
    if (call_class == CallClass::retriable && (pivots.empty() || !path[pivots[0]][i])) return false;
    if (call_class == CallClass::compensatable && !pivots.empty() && !path[i][pivots[0]]) {
      return false;
    }
  }
  return true;
}

Definition random_graph() {
  Definition definition;
  definition.name = "random";
  const int count = *rc::gen::inRange(1, 8);
  // Mostly names of their own, and mostly references backwards, so that sound graphs are common.
  const auto step_name = [](int i) { return std::string(1, static_cast<char>('a' + i)); };
  for (int i = 0; i < count; ++i) {
    const bool twin = *rc::gen::weightedElement<bool>({{60, false}, {1, true}});
    const std::string name = step_name(twin ? 0 : i);
    const int kind = *rc::gen::weightedElement<int>({{3, 0}, {3, 1}, {2, 2}, {3, 3}, {1, 4}});
    StepDefinition step = kind == 0   ? query(name)
                          : kind == 4 ? wait(name)
                                      : call(name, static_cast<CallClass>(kind));
    const bool says_after = *rc::gen::arbitrary<bool>();
    if (says_after) {
      std::vector<std::string> after;
      const int references = *rc::gen::inRange(0, 4);
      for (int r = 0; r < references; ++r) {
        const bool anywhere = i == 0 || *rc::gen::weightedElement<bool>({{9, false}, {1, true}});
        after.push_back(step_name(*rc::gen::inRange(0, anywhere ? count + 1 : i)));
      }
      step.after = std::move(after);
    }
    definition.steps.push_back(std::move(step));
  }
  return definition;
}

std::string text(const Definition& definition) {
  std::string out;
  for (const StepDefinition& step : definition.steps) {
    out +=
        step.name + ":" + std::string(name(step.kind)) + "/" + std::string(name(step.call_class));
    for (const std::string& need : step.after.value_or(std::vector<std::string>{"(prior)"})) {
      out += " " + need;
    }
    out += "; ";
  }
  return out;
}

constexpr int kGraphsPerRound = 50;

void check_one(const Definition& definition) {
  const bool sound_graph = obeys_the_rules(definition);
  const auto mistakes = validate(definition);
  RC_LOG() << text(definition) << ::testing::PrintToString(mistakes);
  RC_ASSERT(mistakes.empty() == sound_graph);
  const auto sealed = seal(definition);
  RC_ASSERT(sealed.has_value() == sound_graph);
  if (!sealed) return;
  std::vector<std::size_t> place((*sealed)->steps.size());
  for (std::size_t i = 0; i < place.size(); ++i) place[(*sealed)->order.topological[i]] = i;
  for (std::size_t i = 0; i < place.size(); ++i) {
    for (const auto need : (*sealed)->order.needs[i]) RC_ASSERT(place[need] < place[i]);
  }
}

TEST(Validate, AgreesWithAnIndependentReadingOfTheRulesOnRandomGraphs) {
  EXPECT_TRUE(rc::check("validate accepts exactly the graphs that obey the rules", [] {
    // Many graphs for each round of rapidcheck, whose rounds are a hundred.
    for (int graph = 0; graph < kGraphsPerRound; ++graph) check_one(random_graph());
  }));
}
TEST(Facts, GivesTheOutputOfEachKindOfFinishedStep) {
  Definition definition = sound();
  definition.steps[kDeduct].for_each = true;
  SagaState state;
  state.steps.resize(definition.steps.size());
  state.steps[kLook] = {.stage = StepStage::done,
                        .legs = {{.response = "stock", .has_response = true}}};
  state.steps[kTotal] = {.stage = StepStage::done, .output = "sum", .has_output = true};
  state.steps[kDeduct] = {.stage = StepStage::done,
                          .legs = {{.key = "7", .response = "ok", .has_response = true}}};
  state.steps[kPay] = {.stage = StepStage::running,
                       .legs = {{.response = "early", .has_response = true}}};
  state.steps[kNap] = {.stage = StepStage::done};
  state.steps[kClear] = {.stage = StepStage::skipped};
  const Facts facts(definition, state);

  EXPECT_EQ(*facts.output("look"), "stock");
  EXPECT_EQ(*facts.output("total"), "sum");
  EXPECT_EQ(facts.output("deduct"), nullptr);
  EXPECT_EQ(facts.legs("deduct").at(0).key, "7");
  EXPECT_EQ(facts.output("pay"), nullptr);
  EXPECT_EQ(facts.output("nap"), nullptr);
  EXPECT_EQ(facts.output("nothing"), nullptr);
  EXPECT_TRUE(facts.skipped("clear"));
  EXPECT_FALSE(facts.skipped("pay"));
  EXPECT_THAT(facts.legs("clear"), IsEmpty());
}

}  // namespace
}  // namespace skald
