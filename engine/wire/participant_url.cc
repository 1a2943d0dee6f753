// Strict reading of http URLs; see the header.
#include "engine/wire/participant_url.h"

#include <algorithm>
#include <charconv>

namespace skald::wire {
namespace {

constexpr std::string_view kScheme = "http://";
constexpr std::size_t kHostMax = 253;  // bytes of a DNS name
constexpr unsigned kPortMax = 65'535;
constexpr unsigned kPortDefault = 80;

constexpr bool is_visible(char c) { return c > ' ' && c <= '~'; }
constexpr char to_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }
constexpr bool is_alnum(char c) {
  return (to_lower(c) >= 'a' && to_lower(c) <= 'z') || (c >= '0' && c <= '9');
}

/// A DNS name or dotted address: labels of letters, digits, `-` and `_`, none empty. An address is
/// checked further where it is resolved.
bool is_host_name(std::string_view host) {
  if (host.empty() || host.size() > kHostMax || host.front() == '-') return false;
  if (host.front() == '.' || host.back() == '.' || host.find("..") != host.npos) return false;
  return std::ranges::all_of(
      host, [](char c) { return is_alnum(c) || c == '-' || c == '.' || c == '_'; });
}

bool is_bracketed_ipv6(std::string_view host) {
  if (host.size() < 4 || host.front() != '[' || host.back() != ']') return false;
  return std::ranges::all_of(host.substr(1, host.size() - 2), [](char c) {
    const char lower = to_lower(c);
    return (lower >= 'a' && lower <= 'f') || (c >= '0' && c <= '9') || c == ':' || c == '.';
  });
}

/// Digits without a leading zero, in range; 0: not a port.
unsigned port_of(std::string_view text) {
  unsigned port = 0;
  if (text.empty() || text.front() == '0') return 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc{} || end != text.data() + text.size() || port > kPortMax) return 0;
  return port;
}

}  // namespace

Result<ParticipantUrl> parse_participant_url(std::string_view url) {
  if (url.size() > kParticipantUrlMax) {
    return fail(Errc::invalid_argument, "longer than {} bytes", kParticipantUrlMax);
  }
  if (!std::ranges::all_of(url, is_visible) || url.find('\\') != url.npos) {
    return fail(Errc::invalid_argument, "only visible ASCII without backslashes is possible");
  }
  if (!url.starts_with(kScheme)) return fail(Errc::invalid_argument, "must begin with http://");
  if (url.find('#') != url.npos) return fail(Errc::invalid_argument, "must have no fragment");
  const std::string_view rest = url.substr(kScheme.size());
  const std::string_view authority = rest.substr(0, rest.find_first_of("/?"));
  const std::string_view path = rest.substr(authority.size());
  if (authority.find('@') != authority.npos) {
    return fail(Errc::invalid_argument, "must have no user information");
  }
  if (!path.empty() && path.front() != '/') {
    return fail(Errc::invalid_argument, "a query needs a path before it");
  }
  const auto colon =
      authority.starts_with('[') ? authority.find(':', authority.find(']')) : authority.find(':');
  const std::string_view host = authority.substr(0, colon);
  if (!is_host_name(host) && !is_bracketed_ipv6(host)) {
    return fail(Errc::invalid_argument, "has no host name or address");
  }
  unsigned port = kPortDefault;
  if (colon != authority.npos) {
    port = port_of(authority.substr(colon + 1));
    if (port == 0) return fail(Errc::invalid_argument, "port must be 1..{}", kPortMax);
  }
  ParticipantUrl out{.origin = std::string(kScheme) + std::string(host),
                     .path = path.empty() ? "/" : std::string(path)};
  std::ranges::transform(out.origin, out.origin.begin(), to_lower);
  if (port != kPortDefault) out.origin += ":" + std::to_string(port);
  return out;
}

}  // namespace skald::wire
