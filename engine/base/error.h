// Error and Errc: what went wrong, said once, by the layer that knows the facts.
// How an Errc looks on a wire (Connect code, HTTP status) is in wire/errors.h.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace skald {

/// The Connect / gRPC code names, so that there is one vocabulary from core to client.
/// Sent by name, never stored by number.
enum class Errc : std::uint8_t {
  canceled = 1,
  unknown = 2,
  invalid_argument = 3,
  deadline_exceeded = 4,
  not_found = 5,
  already_exists = 6,
  permission_denied = 7,
  resource_exhausted = 8,
  failed_precondition = 9,
  aborted = 10,
  out_of_range = 11,
  unimplemented = 12,
  internal = 13,
  unavailable = 14,
  data_loss = 15,
  unauthenticated = 16,
};

[[nodiscard]] std::string_view name(Errc code);
/// Whether name() gives this text for some code.
[[nodiscard]] bool is_error_name(std::string_view text);

/// A failure: its code and one sentence that says what happened, to what, and what to do next.
/// The sentence carries no payloads and no secrets.
struct Error {
  Errc code = Errc::unknown;
  std::string message;
  std::uint32_t retry_after_s = 0;  // the same may succeed after so long; 0: nothing is known of it

  bool operator==(const Error&) const = default;
};

}  // namespace skald
