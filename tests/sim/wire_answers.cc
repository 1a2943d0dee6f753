#include "tests/sim/wire_answers.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "engine/wire/connect.h"
#include "engine/wire/errors.h"

namespace skald::sim {
namespace {

bool is_connect(const Method& method) { return method.protocol != Protocol::http_json; }
bool is_dtm(const Method& method) { return method.profile == Profile::dtm; }

Exchange answered(HttpResponse response) {
  return {.end = ExchangeEnd::answered, .response = std::move(response), .detail = {}};
}

Exchange plain(unsigned status, std::string body, std::string_view type = "application/json") {
  return answered({.status = status,
                   .headers = {{.name = "content-type", .value = std::string(type)}},
                   .body = std::move(body)});
}

Exchange connect_error(Errc code) {
  return answered(wire::connect_error(Error{code, "as the simulator has it"}));
}

}  // namespace

Exchange wire_yes(const Method& method, Bytes body) {
  if (method.protocol == Protocol::connect_proto) {
    return plain(200, std::move(body), "application/proto");
  }
  return plain(200, fmt::format(R"("{}")", body));  // the bodies of the simulator need no escapes
}

Exchange wire_no(const Method& method, const Error& error) {
  if (is_connect(method)) {
    return is_dtm(method) ? connect_error(Errc::aborted) : answered(wire::connect_error(error));
  }
  std::string body = fmt::format(R"({{"message":"{}"}})", error.message);
  if (is_dtm(method)) {
    return error.message.size() % 2 == 0 ? plain(409, std::move(body))
                                         : plain(200, R"({"dtm_result":"FAILURE"})");
  }
  const unsigned status = wire::http_status(error.code);
  return plain(status, std::move(body));
}

Exchange wire_busy(const Method& method, Random& random, std::int64_t now_unix_s) {
  Exchange exchange = is_connect(method) && random.chance(0.5)
                          ? connect_error(Errc::resource_exhausted)
                          : plain(429, "{}");
  if (random.chance(0.5)) {
    // Seconds, or what is neither seconds nor a date.
    const bool odd = random.chance(0.1);
    const auto wait = odd ? static_cast<std::uint64_t>(now_unix_s) : random.below(4);
    exchange.response.headers.push_back(
        {.name = "Retry-After", .value = odd ? fmt::format("~{}", wait) : fmt::to_string(wait)});
  }
  return exchange;
}

Exchange wire_misconfigured(const Method& method, Random& random) {
  constexpr std::array kErrors{Errc::unauthenticated, Errc::permission_denied, Errc::unimplemented};
  if (is_connect(method) && random.chance(0.5)) return connect_error(kErrors[random.below(3)]);
  constexpr std::array<unsigned, 8> kStatuses{301, 302, 401, 403, 404, 405, 415, 501};
  return plain(kStatuses[random.below(kStatuses.size())], "<html>no</html>", "text/html");
}

Exchange wire_lost_race(const Method& method) {
  if (is_connect(method) && !is_dtm(method)) return connect_error(Errc::aborted);
  return plain(429, "{}");
}

Exchange wire_accepted(const Method& method, Random& random) {
  if (is_dtm(method) && random.chance(0.5)) {
    return is_connect(method) ? connect_error(Errc::failed_precondition)
                              : plain(200, R"({"dtm_result":"ONGOING"})");
  }
  return plain(!is_dtm(method) && random.chance(0.5) ? 202 : 425, "{}");
}

Exchange wire_garbled(const Method& method, Random& random) {
  if (is_connect(method) && random.chance(0.5)) return plain(200, "<html>", "text/html");
  return wire_end(random.chance(0.5) ? ExchangeEnd::malformed : ExchangeEnd::oversized);
}

Exchange wire_server_error(const Method& method, Random& random) {
  constexpr std::array kErrors{Errc::internal, Errc::unknown, Errc::deadline_exceeded,
                               Errc::canceled, Errc::data_loss};
  if (is_connect(method) && random.chance(0.5)) {
    return connect_error(kErrors[random.below(kErrors.size())]);
  }
  constexpr std::array<unsigned, 5> kStatuses{500, 502, 504, 408, 499};
  return plain(kStatuses[random.below(kStatuses.size())], "<html>", "text/html");
}

bool declares_503(const Method& method) {
  return std::ranges::any_of(method.outcomes,
                             [](const OutcomeRule& rule) { return rule.code == "503"; });
}

Exchange wire_503(const Method& method) {
  return is_connect(method) ? connect_error(Errc::unavailable) : plain(503, "{}");
}

Exchange wire_end(ExchangeEnd end) {
  return {.end = end, .response = {}, .detail = "as the simulator has it"};
}

std::optional<std::string> untrue(const Outcome& outcome, const Truth& truth, bool after_unknown) {
  switch (outcome.kind) {
    case OutcomeKind::succeeded:
      if (!truth.said_yes) return "succeeded, but the participant did not say so";
      break;
    case OutcomeKind::rejected:
      if (!truth.said_no) return "rejected, but the participant refused nothing";
      break;
    case OutcomeKind::not_executed:
      if (truth.ran) return "not executed, but the request reached the participant";
      break;
    case OutcomeKind::pending:
      if (!truth.accepted && !(after_unknown && truth.said_no)) {
        return "pending, but nothing was accepted";
      }
      break;
    case OutcomeKind::unknown:
      if (truth.said_yes || truth.said_no) return "unknown, but the answer was definite";
      break;
  }
  return std::nullopt;
}

}  // namespace skald::sim
