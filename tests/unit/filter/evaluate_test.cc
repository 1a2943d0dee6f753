// What a filter says of a saga, and of many of which less is known.
#include "engine/filter/evaluate.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

namespace skald::filter {
namespace {

constexpr Instant kNow = from_unix_ms(1'700'000'000'000);
constexpr SagaId kId{.placement = 1, .serial = 2};

SagaSummary stuck_order() {
  return {.definition = "create_order",
          .version = 3,
          .status = SagaStatus::stuck,
          .business_key = "u-42",
          .idempotency_key = "key-1",
          .started_at = kNow - Millis{600'000},
          .failure = FailureClass{.step = "deduct_stock",
                                  .participant = "inventory",
                                  .operation = Operation::compensation,
                                  .outcome = OutcomeKind::unknown,
                                  .code = "504",
                                  .message = "Timeout after # ms",
                                  .cause = {.value = 0xABC}},
          .since = kNow - Millis{60'000}};
}

Verdict of(std::string_view text, const SagaSummary& saga) {
  const auto filter = parse(text);
  EXPECT_TRUE(filter.has_value()) << text;
  return evaluate(*filter, Subject::saga(kId, saga, kNow));
}
bool passes(std::string_view text, const SagaSummary& saga) {
  return of(text, saga) == Verdict::yes;
}

TEST(Evaluate, KnowsEveryField) {
  const SagaSummary saga = stuck_order();
  for (const std::string_view text : {"definition = create_order",
                                      "definition != cancel",
                                      "definition in (a, create_order)",
                                      "definition ~ ORDER",
                                      "version = 3",
                                      "version >= 3",
                                      "version < 4",
                                      "version in (1, 3)",
                                      "status = stuck",
                                      "status != running",
                                      "waiting = false",
                                      "business_key = u-42",
                                      "idempotency_key ~ key",
                                      "step = deduct_stock",
                                      "participant = inventory",
                                      "operation = compensation",
                                      "outcome in (rejected, unknown)",
                                      "code = 504",
                                      "error ~ \"timeout after 30 ms\"",
                                      "error ~ \"504: timeout\"",
                                      "error ~ 504",
                                      "error = \"Timeout after 1500 ms\"",
                                      "error != \"Timeout after\"",
                                      "cause = 0000000000000abc",
                                      "age >= 10m",
                                      "age <= 10m",
                                      "age = 10m",
                                      "age < 11m",
                                      "stuck_for = 1m",
                                      "stuck_for > 59s",
                                      "started = 2023-11-14T22:03:20Z",
                                      "started > 2023-11-14",
                                      "",
                                      "not ended > 2020-01-01",
                                      "ended != 2020-01-01"}) {
    EXPECT_TRUE(passes(text, saga)) << text;
  }
  for (const std::string_view text :
       {"definition = Create_order", "definition ~ \"order \"", "version > 3", "waiting = true",
        "business_key in (a, b)", "operation = action", "outcome != unknown", "error = timeout",
        "error ~ 30", "cause != 0000000000000abc", "age > 10m", "stuck_for > 1m",
        "ended > 2020-01-01", "started < 2023-11-14"}) {
    EXPECT_FALSE(passes(text, saga)) << text;
  }
  EXPECT_TRUE(passes("id = " + kId.text(), saga));
  EXPECT_FALSE(passes("id = " + SagaId{.placement = 1, .serial = 3}.text(), saga));
}

TEST(Evaluate, WhatASagaHasNotIsEmptyOrEqualsNothing) {
  const SagaSummary saga{.definition = "d", .status = SagaStatus::running, .started_at = kNow};
  for (const std::string_view text :
       {"step = \"\"", "step != a", "error ~ \"\"", "outcome != unknown",
        "cause != 0000000000000abc", "operation != action", "stuck_for != 1m",
        "business_key = \"\""}) {
    EXPECT_TRUE(passes(text, saga)) << text;
  }
  for (const std::string_view text :
       {"step = a", "outcome = unknown", "operation = action", "cause in (0000000000000abc)",
        "stuck_for > 0s", "stuck_for < 1h", "ended < 2090-01-01"}) {
    EXPECT_FALSE(passes(text, saga)) << text;
  }
}

TEST(Evaluate, SaysMaybeOnlyWhereWhatIsKnownDoesNotDecide) {
  const std::string definition = "d";
  const auto of_group = [&](std::string_view text, SagaStatus status, const std::string* name) {
    return evaluate(*parse(text), Subject::group(status, name));
  };
  EXPECT_EQ(of_group("status = stuck", SagaStatus::stuck, nullptr), Verdict::yes);
  EXPECT_EQ(of_group("status = stuck and step = a", SagaStatus::paused, nullptr), Verdict::no);
  EXPECT_EQ(of_group("status = stuck and step = a", SagaStatus::stuck, nullptr), Verdict::maybe);
  EXPECT_EQ(of_group("status = stuck or step = a", SagaStatus::stuck, nullptr), Verdict::yes);
  EXPECT_EQ(of_group("definition = d", SagaStatus::running, nullptr), Verdict::maybe);
  EXPECT_EQ(of_group("definition = d", SagaStatus::running, &definition), Verdict::yes);
  EXPECT_EQ(of_group("not definition = e", SagaStatus::running, &definition), Verdict::yes);
  EXPECT_EQ(of_group("not age > 1m", SagaStatus::running, &definition), Verdict::maybe);
  // Nothing failed in a saga that goes forward.
  EXPECT_EQ(of_group("step = a", SagaStatus::completed, nullptr), Verdict::no);
  EXPECT_EQ(of_group("stuck_for > 1m", SagaStatus::running, nullptr), Verdict::no);
  const FailureClass failure = *stuck_order().failure;
  const auto of_cause = [&](std::string_view text) {
    return evaluate(*parse(text), Subject::cause(SagaStatus::stuck, &definition, &failure));
  };
  EXPECT_EQ(of_cause("step = deduct_stock and error ~ timeout"), Verdict::yes);
  EXPECT_EQ(of_cause("step = other"), Verdict::no);
  EXPECT_EQ(of_cause("step = deduct_stock and age > 1m"), Verdict::maybe);
}

// What is decided of a group holds for each of its sagas.
TEST(Evaluate, NeverContradictsWhatItSaidOfTheGroup) {
  EXPECT_TRUE(rc::check("group and saga agree", [] {
    SagaSummary saga = stuck_order();
    saga.status = static_cast<SagaStatus>(*rc::gen::inRange(1, 8));
    if (saga.status == SagaStatus::running || saga.status == SagaStatus::completed) {
      saga.failure.reset();
    }
    std::string text;
    for (int i = *rc::gen::inRange(1, 6); i > 0; --i) {
      if (!text.empty()) text += *rc::gen::element<std::string>(" and ", " or ");
      text += *rc::gen::element<std::string>("", "not ");
      text += *rc::gen::element<std::string>(
          "status = stuck", "definition = create_order", "definition = x", "step = deduct_stock",
          "step != deduct_stock", "age > 1m", "age > 1h", "stuck_for > 1s", "outcome = unknown",
          "waiting = true", "cause = 0000000000000abc");
    }
    const Filter filter = *parse(text);
    const Verdict whole = evaluate(filter, Subject::saga(kId, saga, kNow));
    RC_ASSERT(whole != Verdict::maybe);
    const FailureClass* failure = saga.failure ? &*saga.failure : nullptr;
    for (const Verdict of_some :
         {evaluate(filter, Subject::group(saga.status, nullptr)),
          evaluate(filter, Subject::group(saga.status, &saga.definition)),
          evaluate(filter, Subject::cause(saga.status, &saga.definition, failure))}) {
      RC_ASSERT(of_some == Verdict::maybe || of_some == whole);
    }
  }));
}

TEST(Narrowing, ReadsOffWhatAllMustHave) {
  const auto of_text = [](std::string_view text) { return narrowing(*parse(text), kNow); };
  EXPECT_EQ(of_text("business_key = b and step = a").business_key, "b");
  EXPECT_EQ(of_text("business_key = b").business_key, "b");
  EXPECT_EQ(of_text("business_key = b or step = a").business_key, std::nullopt);
  EXPECT_EQ(of_text("not business_key = b").business_key, std::nullopt);
  EXPECT_EQ(of_text("business_key = \"\"").business_key, std::nullopt);
  EXPECT_EQ(of_text("id = " + kId.text()).id, kId);
  EXPECT_EQ(of_text("age > 1m").started_until, kNow - Millis{60'001});
  EXPECT_EQ(of_text("age <= 1m").started_from, kNow - Millis{60'000});
  EXPECT_EQ(of_text("started >= 2026-01-01 and started < 2026-01-02").started_from,
            from_unix_ms(1'767'225'600'000));
  EXPECT_EQ(of_text("started >= 2026-01-01 and started < 2026-01-02").started_until,
            from_unix_ms(1'767'311'999'999));
  EXPECT_EQ(of_text("step = a").started_from, Instant::min());
}

}  // namespace
}  // namespace skald::filter
