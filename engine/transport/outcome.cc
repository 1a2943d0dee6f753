#include "engine/transport/outcome.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>

#include "engine/wire/connect.h"
#include "engine/wire/errors.h"
#include "engine/wire/json.h"

namespace skald {
namespace {

struct Verdict {
  OutcomeKind kind = OutcomeKind::unknown;
  bool configuration_alert = false;
};

constexpr Verdict kSucceeded{OutcomeKind::succeeded};
constexpr Verdict kPending{OutcomeKind::pending};
constexpr Verdict kRejected{OutcomeKind::rejected};
constexpr Verdict kNotExecuted{OutcomeKind::not_executed};
constexpr Verdict kMisconfigured{OutcomeKind::not_executed, true};
constexpr Verdict kUnknown{OutcomeKind::unknown};

/// The answer and what had to be looked up in it.
struct Reading {
  const Method& method;
  const HttpResponse& response;
  bool after_unknown = false;
  std::optional<Error> connect;  // of a Connect method's error body

  [[nodiscard]] bool is_connect() const { return method.protocol != Protocol::http_json; }
  /// A conflict that may be our own earlier attempt, still being executed.
  [[nodiscard]] bool may_be_an_echo() const {
    return after_unknown && method.keys != KeysMode::none;
  }
  [[nodiscard]] bool is_dtm() const { return method.profile == Profile::dtm; }
  [[nodiscard]] wire::ConnectCodec codec() const {
    return method.protocol == Protocol::connect_json ? wire::ConnectCodec::json
                                                     : wire::ConnectCodec::proto;
  }
  [[nodiscard]] const std::string* content_type() const {
    return find_header(response.headers, "Content-Type");
  }
};

Verdict of_connect_code(Errc code, bool dtm) {
  switch (code) {
    case Errc::canceled:
    case Errc::unknown:
    case Errc::deadline_exceeded:
    case Errc::internal:
    case Errc::unavailable:
    case Errc::data_loss:
      return kUnknown;
    case Errc::invalid_argument:
    case Errc::not_found:
    case Errc::already_exists:
    case Errc::out_of_range:
      return dtm ? kUnknown : kRejected;
    case Errc::failed_precondition:
      return dtm ? kPending : kRejected;
    case Errc::aborted:
      return dtm ? kRejected : kNotExecuted;
    case Errc::resource_exhausted:
      return kNotExecuted;
    case Errc::permission_denied:
    case Errc::unimplemented:
    case Errc::unauthenticated:
      return kMisconfigured;
  }
  return kUnknown;
}

/// A service that knows the path answers in its own form; a router that does not, in another.
bool is_routed_404(const Reading& reading) {
  return !reading.is_connect() &&
         wire::is_content_type(reading.content_type(), wire::ConnectCodec::json);
}

/// Statuses that mean the same in both profiles; nullopt: the profile decides.
std::optional<Verdict> of_definite_status(const Reading& reading) {
  const unsigned status = reading.response.status;
  if (status >= 300 && status < 400) return kMisconfigured;
  switch (status) {
    case 401:
    case 403:
    case 405:
    case 415:
    case 501:
      return kMisconfigured;
    case 404:
      if (is_routed_404(reading)) return std::nullopt;
      return kMisconfigured;
    case 425:
      return kPending;
    case 429:
      return kNotExecuted;
    default:
      return std::nullopt;
  }
}

Verdict of_native_status(const Reading& reading) {
  const unsigned status = reading.response.status;
  if (status == 409 && reading.may_be_an_echo()) return kPending;
  if (status == 408 || status == 499) return kUnknown;
  return status >= 400 && status < 500 ? kRejected : kUnknown;
}

/// Source: dtm-labs/dtm, client/dtmcli/utils.go HTTPResp2DtmError: ONGOING is looked for first, and
/// both words count whatever the status.
Verdict of_dtm_answer(const Reading& reading) {
  const unsigned status = reading.response.status;
  const std::string& body = reading.response.body;
  if (status == 425 || body.find("ONGOING") != std::string::npos) return kPending;
  if (status == 409 || body.find("FAILURE") != std::string::npos) return kRejected;
  if (status == 200) return kSucceeded;
  return of_definite_status(reading).value_or(kUnknown);
}

/// Whether the body can be what the method answers with, as far as that is known here.
bool is_readable(const Reading& reading) {
  const std::string& body = reading.response.body;
  if (reading.method.reads != nullptr) return reading.method.reads(body);
  const bool json = wire::is_content_type(reading.content_type(), wire::ConnectCodec::json);
  return !json || body.empty() || !wire::find_json_fault(body);
}

Verdict of_success(const Reading& reading) {
  if (reading.response.status == 202) return kPending;
  const bool in_codec =
      !reading.is_connect() || wire::is_content_type(reading.content_type(), reading.codec());
  return in_codec && is_readable(reading) ? kSucceeded : kUnknown;
}

Verdict of_answer(const Reading& reading) {
  const unsigned status = reading.response.status;
  if (reading.is_dtm() && !reading.is_connect()) return of_dtm_answer(reading);
  if (status < 300) return of_success(reading);
  if (status == 425) return kPending;
  if (reading.connect) {
    // The Connect form of a 409.
    const bool exists = reading.connect->code == Errc::already_exists && !reading.is_dtm();
    if (exists && reading.may_be_an_echo()) return kPending;
    return of_connect_code(reading.connect->code, reading.is_dtm());
  }
  if (const auto definite = of_definite_status(reading)) return *definite;
  if (!reading.is_dtm()) return of_native_status(reading);
  return status == 409 ? kRejected : kUnknown;
}

/// The method's own rules: by Connect code first, then by status.
std::optional<Verdict> of_rules(const Reading& reading, std::string_view status) {
  const std::string_view code =
      reading.connect ? wire::connect_code(reading.connect->code) : std::string_view();
  for (const std::string_view wanted : {code, status}) {
    if (wanted.empty()) continue;
    for (const OutcomeRule& rule : reading.method.outcomes) {
      if (rule.code == wanted) return Verdict{rule.kind};
    }
  }
  return std::nullopt;
}

/// What a person reads: the participant's own sentence where there is one.
std::string message_of(const Reading& reading, Verdict verdict) {
  const HttpResponse& response = reading.response;
  if (verdict.kind == OutcomeKind::succeeded) return {};
  if (reading.connect) return reading.connect->message;
  if (response.status < 300 && verdict.kind == OutcomeKind::unknown) {
    const std::string* type = reading.content_type();
    if (type == nullptr && reading.is_connect()) return "the answer has no content type";
    if (reading.is_connect() && !wire::is_content_type(type, reading.codec())) {
      return "the answer's content type is not the codec's";
    }
    return fmt::format("the answer's body ({} bytes) cannot be read", response.body.size());
  }
  if (wire::is_content_type(reading.content_type(), wire::ConnectCodec::json)) {
    if (auto text = wire::json_string_member(response.body, "message")) return std::move(*text);
  }
  return fmt::format("HTTP status {}", response.status);
}

Outcome of_no_answer(const Exchange& exchange) {
  Outcome outcome{.kind = OutcomeKind::unknown, .message = exchange.detail};
  switch (exchange.end) {
    case ExchangeEnd::not_connected:
      outcome.kind = OutcomeKind::not_executed;
      outcome.code = "not_connected";
      break;
    case ExchangeEnd::timed_out:
      outcome.code = "timeout";
      break;
    case ExchangeEnd::reset:
      outcome.code = "reset";
      break;
    case ExchangeEnd::malformed:
      outcome.code = "malformed";
      break;
    case ExchangeEnd::oversized:
      outcome.code = "oversized";
      break;
    case ExchangeEnd::canceled:
      outcome.code = "canceled";
      break;
    case ExchangeEnd::answered:
      break;
  }
  wire::cut_utf8(outcome.message, kOutcomeMessageMax);
  return outcome;
}

bool read_number(std::string_view text, std::int64_t& value) {
  if (text.empty() || text.size() > 10) return false;
  value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return false;
    value = value * 10 + (c - '0');
  }
  return true;
}

/// "Sun, 06 Nov 1994 08:49:37 GMT" -> seconds since 1970.
std::optional<std::int64_t> parse_http_date(std::string_view text) {
  constexpr std::array<std::string_view, 12> kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  constexpr std::string_view kShape = "xxx, dd xxx dddd dd:dd:dd GMT";
  if (text.size() != kShape.size()) return std::nullopt;
  for (std::size_t i = 0; i < kShape.size(); ++i) {
    if (kShape[i] != 'x' && kShape[i] != 'd' && text[i] != kShape[i]) return std::nullopt;
  }
  std::int64_t day = 0, year = 0, hour = 0, minute = 0, second = 0;
  const auto month = std::ranges::find(kMonths, text.substr(8, 3));
  const bool numbers =
      read_number(text.substr(5, 2), day) && read_number(text.substr(12, 4), year) &&
      read_number(text.substr(17, 2), hour) && read_number(text.substr(20, 2), minute) &&
      read_number(text.substr(23, 2), second);
  if (!numbers || month == kMonths.end() || hour > 23 || minute > 59 || second > 60) {
    return std::nullopt;
  }
  const std::chrono::year_month_day date{
      std::chrono::year{static_cast<int>(year)},
      std::chrono::month{static_cast<unsigned>(month - kMonths.begin()) + 1},
      std::chrono::day{static_cast<unsigned>(day)}};
  if (!date.ok()) return std::nullopt;
  const auto days = std::chrono::sys_days{date}.time_since_epoch().count();
  return days * 86'400LL + hour * 3'600 + minute * 60 + second;
}

}  // namespace

std::optional<Millis> parse_retry_after(std::string_view text, std::int64_t now_unix_s) {
  std::int64_t seconds = 0;
  if (!read_number(text, seconds)) {
    const auto date = parse_http_date(text);
    if (!date) return std::nullopt;
    seconds = std::max<std::int64_t>(0, *date - now_unix_s);
  }
  return std::min(Millis{seconds * 1'000}, kRetryAfterMax);
}

Outcome classify(const Method& method, const Exchange& exchange, bool after_unknown,
                 std::int64_t now_unix_s) {
  if (exchange.end != ExchangeEnd::answered) return of_no_answer(exchange);
  const HttpResponse& response = exchange.response;
  Reading reading{.method = method, .response = response, .after_unknown = after_unknown};
  if (reading.is_connect() && response.status >= 300) {
    reading.connect = wire::parse_connect_error(response);
  }
  std::string status = fmt::to_string(response.status);
  const auto ruled = of_rules(reading, status);
  const Verdict verdict = ruled ? *ruled : of_answer(reading);
  Outcome outcome{.kind = verdict.kind, .configuration_alert = verdict.configuration_alert};
  outcome.code = reading.connect ? std::string(wire::connect_code(reading.connect->code)) : status;
  if (outcome.kind == OutcomeKind::unknown && response.status < 300) outcome.code = "malformed";
  outcome.message = message_of(reading, verdict);
  wire::cut_utf8(outcome.message, kOutcomeMessageMax);
  if (outcome.kind != OutcomeKind::succeeded) {
    if (const std::string* wait = find_header(response.headers, "Retry-After")) {
      outcome.retry_after = parse_retry_after(*wait, now_unix_s);
    }
  }
  return outcome;
}

}  // namespace skald
