// What participants and the network put on the wire, as exchanges that the real classifier reads,
// and what is really the case: an outcome must never claim more than that.
#pragma once

#include <optional>

#include "engine/core/definition.h"
#include "engine/core/outcome.h"
#include "engine/net/http_client.h"
#include "tests/sim/random.h"

namespace skald::sim {

/// What is the case, whatever the wire says.
struct Truth {
  bool ran = false;       // this attempt reached the participant, or may yet
  bool said_yes = false;  // the exchange carries the participant's yes
  bool said_no = false;   // the exchange carries the participant's refusal
  bool accepted = false;  // the exchange says: accepted, ask again
};

struct WireAnswer {
  Exchange exchange;
  Truth truth;
};

/// The participant's yes.
[[nodiscard]] Exchange wire_yes(const Method& method, Bytes body);
/// The participant's refusal, in a form that the method's profile reads as one. `code` is what a
/// Connect participant says; a plain one answers with that code's status, where it is a definite
/// one.
[[nodiscard]] Exchange wire_no(const Method& method, const Error& error);

/// Faults that are answers, as a participant or a proxy gives them. `random` chooses the form.
[[nodiscard]] Exchange wire_busy(const Method& method, Random& random, std::int64_t now_unix_s);
[[nodiscard]] Exchange wire_misconfigured(const Method& method, Random& random);
[[nodiscard]] Exchange wire_lost_race(const Method& method);
[[nodiscard]] Exchange wire_accepted(const Method& method, Random& random);
[[nodiscard]] Exchange wire_garbled(const Method& method, Random& random);
/// A server's own failure: nobody knows whether the request ran.
[[nodiscard]] Exchange wire_server_error(const Method& method, Random& random);
/// 503 of a method that declares it: not executed.
[[nodiscard]] bool declares_503(const Method& method);
[[nodiscard]] Exchange wire_503(const Method& method);
/// No answer at all.
[[nodiscard]] Exchange wire_end(ExchangeEnd end);

/// nullopt: the outcome is true. Else what it claims that is not the case.
[[nodiscard]] std::optional<std::string> untrue(const Outcome& outcome, const Truth& truth,
                                                bool after_unknown);

}  // namespace skald::sim
