#include "engine/transport/address_rules.h"

#include <algorithm>
#include <charconv>

#include "engine/net/http_syntax.h"

namespace skald {
namespace {

constexpr std::string_view kScheme = "http://";
constexpr std::size_t kHostBytesMax = 253;  // RFC 1035
constexpr std::size_t kLabelBytesMax = 63;

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  }
  return out;
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
  unsigned value = 0;
  const char* end = text.data() + text.size();
  const auto [parsed, error] = std::from_chars(text.data(), end, value);
  const bool plain = !text.empty() && text.size() <= 5 && text.front() != '0';
  if (!plain || error != std::errc{} || parsed != end || value > 65'535) return std::nullopt;
  return static_cast<std::uint16_t>(value);
}

bool is_label(std::string_view label) {
  if (label.empty() || label.size() > kLabelBytesMax) return false;
  if (label.front() == '-' || label.back() == '-') return false;
  return std::ranges::all_of(label, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
}

/// inet_aton() takes 2130706433, 0x7f.1 and 0177.0.0.1 for addresses, and so do some resolvers: a
/// name whose last label is a number is no name.
bool looks_numeric(std::string_view host) {
  const std::string_view last = host.substr(host.rfind('.') + 1);
  const bool digits = std::ranges::all_of(last, [](char c) { return c >= '0' && c <= '9'; });
  const bool hex = last.starts_with("0x") && std::ranges::all_of(last.substr(2), [](char c) {
                     return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
                   });
  return digits || hex;
}

bool is_name(std::string_view host) {
  if (host.empty() || host.size() > kHostBytesMax || looks_numeric(host)) return false;
  while (true) {
    const std::size_t dot = host.find('.');
    if (!is_label(host.substr(0, dot))) return false;
    if (dot == std::string_view::npos) return true;
    host.remove_prefix(dot + 1);
  }
}

std::unexpected<Error> bad_url(std::string_view what) {
  return fail(Errc::invalid_argument,
              "participant URL: {}; write it as http://host:port or http://host:port/prefix", what);
}

/// "host:port" -> both parts; the brackets of an IPv6 address stay.
Result<std::pair<std::string_view, std::string_view>> split_authority(std::string_view authority) {
  if (authority.starts_with('[')) {
    const std::size_t close = authority.find(']');
    if (close == std::string_view::npos) return bad_url("a bracket is not closed");
    const std::string_view rest = authority.substr(close + 1);
    if (!rest.empty() && rest.front() != ':') return bad_url("text between bracket and port");
    return std::pair{authority.substr(0, close + 1), rest};
  }
  const std::size_t colon = authority.find(':');
  const std::size_t end = std::min(colon, authority.size());
  return std::pair{authority.substr(0, end), authority.substr(end)};
}

}  // namespace

std::optional<IpAddress> literal_address(std::string_view host) {
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
    return host.find(':') == std::string_view::npos ? std::nullopt : IpAddress::parse(host);
  }
  return host.find(':') == std::string_view::npos ? IpAddress::parse(host) : std::nullopt;
}

Result<HttpUrl> parse_http_url(std::string_view url) {
  if (url.size() > kUrlBytesMax) return bad_url("longer than 1024 bytes");
  if (!http::is_visible(url)) return bad_url("empty, or with spaces or control characters");
  if (!lower(url.substr(0, kScheme.size())).starts_with(kScheme)) {
    return bad_url("the scheme is not http");
  }
  url.remove_prefix(kScheme.size());
  if (url.find_first_of("\\#?") != std::string_view::npos) {
    return bad_url("it has a query, a fragment or a backslash");
  }
  const std::size_t slash = url.find('/');
  const std::string_view authority = url.substr(0, slash);
  if (authority.find('@') != std::string_view::npos) return bad_url("it has user information");
  const auto parts = split_authority(authority);
  if (!parts) return std::unexpected(parts.error());
  HttpUrl parsed;
  parsed.host = lower(parts->first);
  const auto literal = literal_address(parsed.host);
  if (!literal && !is_name(parsed.host)) {
    return bad_url("the host is neither a name nor an address in its usual form");
  }
  if (!parts->second.empty()) {
    const auto port = parse_port(parts->second.substr(1));
    if (!port) return bad_url("the port is not a number from 1 to 65535");
    parsed.port = *port;
  }
  if (slash != std::string_view::npos) parsed.path_prefix = url.substr(slash);
  while (parsed.path_prefix.ends_with('/')) parsed.path_prefix.pop_back();
  return parsed;
}

Result<void> check_path(std::string_view path) {
  if (http::is_path(path) && path.size() <= kUrlBytesMax) return {};
  return fail(Errc::invalid_argument,
              "method path: it must start with a slash and have only visible ASCII, no fragment");
}

AddressRules::AddressRules() {
  for (const std::string_view text : {"127.0.0.0/8", "::1"}) {
    rules_.push_back({.is_range = true, .range = IpRange::parse(text).value()});
  }
}

Result<AddressRules> AddressRules::parse(std::span<const std::string> rules) {
  AddressRules parsed;
  parsed.rules_.clear();
  for (const std::string& text : rules) {
    auto rule = parse_rule(text);
    if (!rule) return std::unexpected(rule.error());
    parsed.rules_.push_back(std::move(*rule));
  }
  return parsed;
}

Result<AddressRules::Rule> AddressRules::parse_rule(std::string_view text) {
  const auto refuse = [&] {
    return fail(Errc::invalid_argument,
                "participants.allow: \"{}\" is no rule; write 10.0.0.0/8, [fd00::]/8, "
                "host.name or *.host.name, each with :PORT or :PORT-PORT if wanted",
                text);
  };
  Rule rule;
  std::string target = lower(text);
  const std::size_t close = target.find(']');
  const std::size_t colon = target.find(':', close == std::string::npos ? 0 : close);
  if (colon != std::string::npos) {
    const std::string_view ports = std::string_view(target).substr(colon + 1);
    const std::size_t dash = ports.find('-');
    const auto first = parse_port(ports.substr(0, dash));
    const auto last = dash == std::string_view::npos ? first : parse_port(ports.substr(dash + 1));
    if (!first || !last || *first > *last) return refuse();
    rule.port_min = *first;
    rule.port_max = *last;
    target.resize(colon);
  }
  if (target.starts_with('[')) {  // [fd00::]/8 -> fd00::/8
    if (close == std::string::npos) return refuse();
    target.erase(close, 1).erase(0, 1);
  }
  if (const auto range = IpRange::parse(target)) {
    rule.is_range = true;
    rule.range = *range;
    return rule;
  }
  const bool wild = target.starts_with("*.");
  if (!is_name(wild ? std::string_view(target).substr(2) : target)) return refuse();
  rule.name = wild ? target.substr(1) : target;
  return rule;
}

bool AddressRules::allows(const Rule& rule, const HttpUrl& url, const IpAddress& address,
                          const IpRange* guarded) {
  if (url.port < rule.port_min || url.port > rule.port_max) return false;
  if (rule.is_range) {
    return rule.range.contains(address) && (guarded == nullptr || guarded->contains(rule.range));
  }
  if (guarded != nullptr) return false;
  return rule.name.front() == '.' ? url.host.ends_with(rule.name) : url.host == rule.name;
}

Result<void> AddressRules::check(const HttpUrl& url, const IpAddress& address) const {
  const IpRange* guarded = guarded_range(address);
  const auto allowed = [&](const Rule& rule) { return allows(rule, url, address, guarded); };
  if (std::ranges::any_of(rules_, allowed)) return {};
  return fail(
      Errc::permission_denied,
      "calling {}:{} at {} is not allowed; add a rule to participants.allow if it should be",
      url.host, url.port, address.text());
}

}  // namespace skald
