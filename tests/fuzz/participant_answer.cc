#include <string>

#include "engine/base/check.h"
#include "engine/net/http_reader.h"
#include "engine/transport/outcome.h"
#include "engine/wire/json.h"
#include "tests/fuzz/targets.h"

namespace skald::fuzz {
namespace {

constexpr std::int64_t kNow = 1'700'000'000;
constexpr HttpLimits kLimits{.body_bytes_max = 16'384, .header_bytes_max = 4'096};

/// What net/http_client makes of an answer that ends with the connection.
Exchange exchange_of(std::string_view bytes, std::size_t piece) {
  HttpReader reader(HttpRole::responses, kLimits);
  while (!bytes.empty()) {
    const auto step = reader.feed(bytes.substr(0, piece));
    bytes.remove_prefix(step.used);
    if (step.progress == ReadProgress::done) {
      return {.end = ExchangeEnd::answered, .response = reader.take_response()};
    }
    if (step.progress == ReadProgress::failed) {
      return {.end = reader.fault().oversized() ? ExchangeEnd::oversized : ExchangeEnd::malformed,
              .detail = std::string(reader.fault().what)};
    }
  }
  if (reader.complete_at_close()) {
    return {.end = ExchangeEnd::answered, .response = reader.take_response()};
  }
  return {.end = ExchangeEnd::reset, .detail = "closed by the peer"};
}

Method method_of(std::uint8_t choice) {
  Method method;
  method.protocol = static_cast<Protocol>(1 + choice % 3);
  method.profile = (choice & 4) != 0 ? Profile::dtm : Profile::native;
  method.keys = static_cast<KeysMode>(1 + (choice >> 3U) % 3);
  if ((choice & 32) != 0) method.outcomes = {{"503", OutcomeKind::not_executed}};
  return method;
}

}  // namespace

void participant_answer(std::string_view input) {
  const std::uint8_t choice = take_byte(input);
  const Method method = method_of(choice);
  const Exchange exchange = exchange_of(input, 1U + take_byte(input));
  const Outcome outcome = classify(method, exchange, (choice & 64) != 0, kNow);

  const auto kind = static_cast<int>(outcome.kind);
  SKALD_CHECK(kind >= 1 && kind <= static_cast<int>(OutcomeKind::pending), "kind={}", kind);
  const unsigned status = exchange.response.status;
  const bool answered = exchange.end == ExchangeEnd::answered;
  if (!answered) SKALD_CHECK(outcome.kind == OutcomeKind::unknown);
  if (outcome.kind == OutcomeKind::succeeded) SKALD_CHECK(status >= 200 && status < 300);
  if (outcome.kind == OutcomeKind::rejected && method.profile == Profile::native) {
    SKALD_CHECK(status >= 400, "a refusal is told, never guessed: status={}", status);
  }
  SKALD_CHECK(!outcome.code.empty() && outcome.message.size() <= kOutcomeMessageMax);
  if (outcome.retry_after) {
    SKALD_CHECK(*outcome.retry_after >= Millis{0} && *outcome.retry_after <= kRetryAfterMax);
  }
  std::string shown;
  wire::append_json_string(shown, outcome.message);
  SKALD_CHECK(!wire::find_json_fault(shown));
  static_cast<void>(parse_retry_after(input, kNow));
}

}  // namespace skald::fuzz
