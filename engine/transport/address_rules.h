// Which addresses the engine may call: where a participant's URL points, and the list that says
// whether that is allowed. Pure; resolving names is in name_resolver.h.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/result.h"
#include "engine/transport/ip_address.h"

namespace skald {

/// Where a participant is: http://host[:port][/prefix].
struct HttpUrl {
  std::string host;  // lower case; an IPv6 address in brackets
  std::uint16_t port = 80;
  std::string path_prefix;  // "" or "/base", without a slash at its end
  bool operator==(const HttpUrl&) const = default;
};

inline constexpr std::size_t kUrlBytesMax = 1'024;

/// Errors: invalid_argument, for anything two readers could understand differently: another scheme,
/// user information, a query or fragment, characters that are not visible ASCII, backslashes,
/// percent-encoded hosts, numbers that only some programs take for an IPv4 address (2130706433,
/// 0x7f.1, 127.1, 0177.0.0.1), zone ids, ports outside 1..65535.
[[nodiscard]] Result<HttpUrl> parse_http_url(std::string_view url);

/// A method's path as it goes into a request line. Errors: invalid_argument.
[[nodiscard]] Result<void> check_path(std::string_view path);

/// The address that the host of a URL is written as; nullopt: it is a name.
[[nodiscard]] std::optional<IpAddress> literal_address(std::string_view host);

/// participants.allow. Each rule is TARGET[:PORT[-PORT]] with TARGET one of
///   10.0.0.0/8, 127.0.0.1, [fd00::]/8, [::1]     addresses
///   inventory.internal, *.svc.internal           names; `*.` stands for one or more labels
/// An address is allowed by a range that holds it, or for a name that a rule names. Guarded
/// addresses (ip_address.h: loopback, links, metadata services, ...) are allowed only by a range
/// that lies within the guarded one: neither a name nor 0.0.0.0/0 opens them.
class AddressRules {
 public:
  /// Loopback, every port.
  AddressRules();
  /// Errors: invalid_argument that names the rule.
  [[nodiscard]] static Result<AddressRules> parse(std::span<const std::string> rules);

  /// Errors: permission_denied that names the host, the address and what to configure.
  [[nodiscard]] Result<void> check(const HttpUrl& url, const IpAddress& address) const;

 private:
  struct Rule {
    bool is_range = false;
    IpRange range;
    std::string name;  // "inventory.internal", or ".svc.internal" for `*.svc.internal`
    std::uint16_t port_min = 1;
    std::uint16_t port_max = 65'535;
  };
  [[nodiscard]] static Result<Rule> parse_rule(std::string_view text);
  [[nodiscard]] static bool allows(const Rule& rule, const HttpUrl& url, const IpAddress& address,
                                   const IpRange* guarded);

  std::vector<Rule> rules_;
};

}  // namespace skald
