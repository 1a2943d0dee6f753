#include <array>
#include <string>

#include "engine/base/check.h"
#include "engine/filter/evaluate.h"
#include "engine/filter/filter.h"
#include "tests/fuzz/targets.h"

namespace skald::fuzz {
namespace {

using filter::Filter;
using filter::Subject;
using filter::Verdict;

constexpr Instant kNow = from_unix_ms(1'700'000'000'000);
constexpr SagaId kId{.placement = 1, .serial = 2};

SagaSummary saga_that(SagaStatus status) {
  SagaSummary saga{.definition = "create_order",
                   .version = 3,
                   .status = status,
                   .business_key = "u-42",
                   .idempotency_key = "key-1",
                   .started_at = kNow - Millis{600'000},
                   .since = kNow - Millis{60'000}};
  if (status != SagaStatus::running && status != SagaStatus::completed) {
    saga.failure = FailureClass{.step = "deduct_stock",
                                .participant = "inventory",
                                .operation = Operation::compensation,
                                .outcome = OutcomeKind::unknown,
                                .code = "504",
                                .message = "timeout after # ms",
                                .cause = {.value = 0xABC}};
  }
  return saga;
}

/// Of a whole saga it is decided, and what was said of many holds for the one.
void check_verdicts(const Filter& filter) {
  for (std::uint8_t i = 1; i <= static_cast<std::uint8_t>(SagaStatus::abandoned); ++i) {
    const SagaSummary saga = saga_that(static_cast<SagaStatus>(i));
    const Verdict whole = evaluate(filter, Subject::saga(kId, saga, kNow));
    SKALD_CHECK(whole != Verdict::maybe);
    const FailureClass* failure = saga.failure ? &*saga.failure : nullptr;
    for (const Subject& many :
         {Subject::group(saga.status, nullptr), Subject::group(saga.status, &saga.definition),
          Subject::cause(saga.status, &saga.definition, failure)}) {
      const Verdict some = evaluate(filter, many);
      SKALD_CHECK(some == Verdict::maybe || some == whole);
    }
    if (whole != Verdict::yes) continue;
    const filter::Narrowing found = narrowing(filter, kNow);
    SKALD_CHECK(!found.id || *found.id == kId);
    SKALD_CHECK(!found.business_key || *found.business_key == saga.business_key);
    SKALD_CHECK(found.started_from <= saga.started_at && saga.started_at <= found.started_until);
  }
}

}  // namespace

void filter_text(std::string_view input) {
  const auto filter = filter::parse(input);
  if (!filter) {
    SKALD_CHECK(filter.error().code == Errc::invalid_argument);
    SKALD_CHECK(filter.error().message.starts_with("filter: "));
    return;
  }
  const std::string text = print(*filter);
  const auto again = filter::parse(text);
  SKALD_CHECK(again.has_value(), "{}", again.error().message);
  SKALD_CHECK(*again == *filter && print(*again) == text);
  check_verdicts(*filter);
}

}  // namespace skald::fuzz
