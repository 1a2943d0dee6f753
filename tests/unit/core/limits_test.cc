// The bounds of validate(), one step inside and one outside: each has a sentence of its own.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/plan.h"

namespace skald::test {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

void fits(auto&& change) {
  Plan plan;
  plan.call("a");
  change(plan.step());
  EXPECT_THAT(validate(plan.definition()), IsEmpty());
}

void refuses(auto&& change, std::string_view saying) {
  Plan plan;
  plan.call("a");
  change(plan.step());
  EXPECT_THAT(validate(plan.definition()), Contains(HasSubstr(std::string(saying))));
}

TEST(Limits, OfRetries) {
  const auto policy = [](auto&& change) {
    return [change](StepDefinition& s) { change(s.action.retry); };
  };
  refuses(policy([](RetryPolicy& r) { r.initial = Millis{0}; }), "initial must be");
  refuses(policy([](RetryPolicy& r) { r.initial = r.delay_max = kRetryTotalMax + Millis{1}; }),
          "initial must be");
  refuses(policy([](RetryPolicy& r) { r.delay_max = kRetryTotalMax + Millis{1}; }), "delay_max");
  fits(policy([](RetryPolicy& r) { r.initial = r.delay_max = r.total_max = kRetryTotalMax; }));
  refuses(policy([](RetryPolicy& r) { r.factor = 0.99; }), "factor must be");
  refuses(policy([](RetryPolicy& r) { r.factor = kRetryFactorMax + 1; }), "factor must be");
  fits(policy([](RetryPolicy& r) { r.factor = kRetryFactorMax; }));
}

TEST(Limits, OfHeaders) {
  const auto header = [](std::string name, std::string value) {
    return [=](StepDefinition& s) { s.action.method.headers = {{name, value}}; };
  };
  fits(header("X-Shop", "a\tb c"));
  fits(header("x", std::string(kMethodHeaderValueMax, 'v')));
  refuses(header("x", std::string(kMethodHeaderValueMax + 1, 'v')), "value must be");
  refuses(header("x", "a\r\nb: c"), "value must be");
  refuses(header("", "v"), "not a header name");
  refuses(header(std::string(kStepNameMax + 1, 'x'), "v"), "not a header name");
  refuses(header("a b", "v"), "not a header name");
  refuses(header("Idempotency-Key", "v"), "set by the engine itself");
  refuses(header("Skald-Leg", "v"), "set by the engine itself");
  refuses(
      [](StepDefinition& s) {
        for (std::size_t i = 0; i <= kMethodHeadersMax; ++i) {
          s.action.method.headers.push_back({"x-" + std::to_string(i), "v"});
        }
      },
      "headers");
}

TEST(Limits, OfOutcomes) {
  const auto rule = [](std::string code, OutcomeKind kind = OutcomeKind::rejected) {
    return [=](StepDefinition& s) { s.action.method.outcomes = {{code, kind}}; };
  };
  fits(rule("503"));
  fits(rule("not_found"));
  for (const char* code : {"600", "099", "5x3", "Not Found", "", "a.b"}) {
    refuses(rule(code), "neither a Connect code nor an HTTP status");
  }
  refuses(rule("503", static_cast<OutcomeKind>(0)), "does not say what it means");
  refuses(rule("503", static_cast<OutcomeKind>(6)), "does not say what it means");
  refuses(
      [](StepDefinition& s) {
        s.action.method.outcomes = {{"503", OutcomeKind::unknown}, {"503", OutcomeKind::pending}};
      },
      "given twice");
  refuses(
      [](StepDefinition& s) {
        for (std::size_t i = 0; i <= kOutcomeRulesMax; ++i) {
          s.action.method.outcomes.push_back({"c" + std::to_string(i), OutcomeKind::unknown});
        }
      },
      "outcome rules");
}

TEST(Limits, OfMethods) {
  refuses([](StepDefinition& s) { s.action.method.participant.clear(); }, "no participant");
  refuses([](StepDefinition& s) { s.action.method.participant.assign(kMethodPathMax + 1, 'x'); },
          "not a name or an origin");
  refuses([](StepDefinition& s) { s.action.method.participant = "a b"; },
          "not a name or an origin");
  for (const std::string& path : {std::string("no"), std::string("/a#b"), std::string("/a b"),
                                  "/" + std::string(kMethodPathMax, 'x')}) {
    refuses([&](StepDefinition& s) { s.action.method.path = path; }, "path must begin");
  }
  refuses([](StepDefinition& s) { s.action.method.keys_lifetime = kHorizonMax + Millis{1}; },
          "lifetime of keys");
  refuses([](StepDefinition& s) { s.action.attempt_timeout = kAttemptTimeoutMax + Millis{1}; },
          "timeout must be");
}

TEST(Limits, OfSteps) {
  refuses([](StepDefinition& s) { s.parallel = 0; }, "parallel must be");
  refuses([](StepDefinition& s) { s.parallel = kParallelMax + 1; }, "parallel must be");
  refuses([](StepDefinition& s) { s.kind = static_cast<StepKind>(0); }, "what kind of step");
  refuses([](StepDefinition& s) { s.kind = static_cast<StepKind>(5); }, "what kind of step");
  refuses([](StepDefinition& s) { s.name = "A"; }, "name must be");
  refuses([](StepDefinition& s) { s.name = "a-b"; }, "name must be");
  refuses([](StepDefinition& s) { s.name.assign(kStepNameMax + 1, 'a'); }, "name must be");
  refuses([](StepDefinition& s) { s.no_undo_reason = "it is harmless"; }, "one of them");
  refuses([](StepDefinition& s) { s.call_class = CallClass::none; },
          "has a way back, but is not a compensatable call");
  refuses([](StepDefinition& s) { s.call_class = CallClass::pivot; },
          "has a way back, but is pivot");
}

}  // namespace
}  // namespace skald::test
