// The URL of a participant's method as a definition sent as data writes it. Syntax only: whether
// the address may be called is for configuration (transport), and what is behind it for the
// resolver.
#pragma once

#include <string>
#include <string_view>

#include "engine/base/result.h"

namespace skald::wire {

struct ParticipantUrl {
  std::string origin;  // "http://127.0.0.1:9903": lower case, without the default port
  std::string path;    // "/inventory.InventoryRpc/DeductStock"; "/" where the URL has none
};

inline constexpr std::size_t kParticipantUrlMax = 1'024;  // bytes

/// Reads http://host[:port][/path]. Refuses whatever two readers could take differently: other
/// schemes, user information, fragments, backslashes, anything but visible ASCII, hosts that are
/// not a DNS name, an IPv4 address or an IPv6 address in brackets, ports outside 1..65535. Errors:
/// invalid_argument; says what is wrong, never the URL. Pure.
[[nodiscard]] Result<ParticipantUrl> parse_participant_url(std::string_view url);

}  // namespace skald::wire
