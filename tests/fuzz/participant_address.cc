#include <arpa/inet.h>

#include <algorithm>
#include <string>
#include <vector>

#include "engine/base/check.h"
#include "engine/transport/address_rules.h"
#include "engine/transport/ip_address.h"
#include "engine/wire/participant_url.h"
#include "tests/fuzz/targets.h"

namespace skald::fuzz {
namespace {

constexpr std::size_t kRulesMax = 16;
constexpr std::string_view kGuarded[] = {
    "127.0.0.1", "169.254.169.254", "0.0.0.0", "255.255.255.255",  "224.0.0.1",          "::1",
    "::",        "fe80::1",         "ff02::1", "::ffff:127.0.0.1", "64:ff9b::a9fe:a9fe",
};

std::string print(const HttpUrl& url) {
  return "http://" + url.host + ":" + std::to_string(url.port) + url.path_prefix;
}

/// Ours is stricter than the system's reader, and never reads another address.
void check_address(std::string_view text) {
  const auto address = IpAddress::parse(text);
  if (!address) return;
  const std::string terminated(text);
  in_addr v4{};
  in6_addr v6{};
  if (::inet_pton(AF_INET, terminated.c_str(), &v4) == 1) {
    SKALD_CHECK(*address == IpAddress::v4(reinterpret_cast<const std::uint8_t*>(&v4)));
  } else {
    SKALD_CHECK(::inet_pton(AF_INET6, terminated.c_str(), &v6) == 1, "{}", text);
    SKALD_CHECK(*address == IpAddress::v6(reinterpret_cast<const std::uint8_t*>(&v6)));
  }
  SKALD_CHECK(IpAddress::parse(address->text()) == address);
}

void check_url(const HttpUrl& url) {
  const auto again = parse_http_url(print(url));
  SKALD_CHECK(again.has_value() && *again == url);
  const auto literal = literal_address(url.host);
  if (!literal) return;
  const std::string text = literal->text();
  if (AddressRules().check(url, *literal)) {
    SKALD_CHECK(text == "::1" || text.starts_with("127."), "{} is called by default", text);
  }
}

/// Names and ranges of everything, with whatever else a rule may say, open no guarded address.
void check_wide_rules(const HttpUrl& url) {
  std::vector<std::string> wide{"0.0.0.0/0", "[::]/0"};
  if (!literal_address(url.host)) wide.push_back(url.host);
  const auto rules = AddressRules::parse(wide);
  SKALD_CHECK(rules.has_value(), "{}", rules.error().message);
  for (const std::string_view text : kGuarded) {
    const auto address = IpAddress::parse(text);
    SKALD_CHECK(address.has_value() && guarded_range(*address) != nullptr, "{}", text);
    SKALD_CHECK(!rules->check(url, *address).has_value(), "{} through {}", text, url.host);
  }
}

void check_definition_url(std::string_view text) {
  const auto read = wire::parse_participant_url(text);
  if (!read) return;
  const auto again = wire::parse_participant_url(read->origin + read->path);
  SKALD_CHECK(again.has_value() && again->origin == read->origin && again->path == read->path);
  // The transport reads the origin once more, as strictly or more so, and sees the same host.
  if (const auto url = parse_http_url(read->origin)) {
    SKALD_CHECK(read->origin.starts_with("http://" + url->host) && url->path_prefix.empty());
    check_url(*url);
  }
}

}  // namespace

void participant_address(std::string_view input) {
  const std::string_view text = take_line(input);
  check_definition_url(text);
  const auto url = parse_http_url(text);
  if (url) {
    check_url(*url);
    check_wide_rules(*url);
  }
  std::vector<std::string> lines;
  while (!input.empty() && lines.size() < kRulesMax) {
    const std::string_view line = take_line(input);
    check_address(line);
    if (const auto range = IpRange::parse(line)) SKALD_CHECK(range->contains(range->network));
    lines.emplace_back(line);
  }
  const auto rules = AddressRules::parse(lines);
  if (!rules || !url) return;
  for (const std::string_view guarded : kGuarded) {
    static_cast<void>(rules->check(*url, *IpAddress::parse(guarded)));
  }
}

}  // namespace skald::fuzz
