#include "engine/transport/ip_address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <vector>

namespace skald {
namespace {

constexpr int kMappedBits = 96;
constexpr std::array<std::uint8_t, 12> kMapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};

/// A decimal without sign, spaces and leading zeros.
std::optional<int> parse_number(std::string_view text, int max) {
  int value = 0;
  const char* end = text.data() + text.size();
  const auto [parsed, error] = std::from_chars(text.data(), end, value);
  const bool plain = !text.empty() && text.front() >= '0' && text.front() <= '9' &&
                     (text.size() == 1 || text.front() != '0');
  if (!plain || error != std::errc{} || parsed != end || value > max) return std::nullopt;
  return value;
}

std::optional<IpAddress> parse_v4(std::string_view text) {
  std::array<std::uint8_t, 4> bytes{};
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const std::size_t dot = text.find('.');
    if ((dot == std::string_view::npos) != (i == bytes.size() - 1)) return std::nullopt;
    const auto number = parse_number(text.substr(0, dot), 255);
    if (!number) return std::nullopt;
    bytes[i] = static_cast<std::uint8_t>(*number);
    text.remove_prefix(dot == std::string_view::npos ? text.size() : dot + 1);
  }
  return IpAddress::v4(bytes.data());
}

bool same_prefix(const IpAddress& a, const IpAddress& b, int prefix) {
  const auto whole = static_cast<std::size_t>(prefix) / 8;
  if (!std::equal(a.bytes().begin(), a.bytes().begin() + whole, b.bytes().begin())) return false;
  const int rest = prefix % 8;
  return rest == 0 || (a.bytes()[whole] ^ b.bytes()[whole]) >> (8 - rest) == 0;
}

bool is_bare(const IpRange& range) {
  for (int bit = range.prefix; bit < 128; ++bit) {
    const auto byte = range.network.bytes()[static_cast<std::size_t>(bit) / 8];
    if ((byte >> (7 - bit % 8) & 1) != 0) return false;
  }
  return true;
}

}  // namespace

IpAddress IpAddress::v4(const std::uint8_t* bytes) {
  IpAddress made;
  std::ranges::copy(kMapped, made.bytes_.begin());
  std::copy_n(bytes, 4, made.bytes_.begin() + kMapped.size());
  return made;
}

IpAddress IpAddress::v6(const std::uint8_t* bytes) {
  IpAddress made;
  std::copy_n(bytes, 16, made.bytes_.begin());
  return made;
}

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
  if (text.find(':') == std::string_view::npos) return parse_v4(text);
  std::array<std::uint8_t, 16> bytes{};
  const std::string terminated(text);
  if (text.size() >= INET6_ADDRSTRLEN ||
      ::inet_pton(AF_INET6, terminated.c_str(), bytes.data()) != 1) {
    return std::nullopt;
  }
  return v6(bytes.data());
}

bool IpAddress::is_v4() const { return std::equal(kMapped.begin(), kMapped.end(), bytes_.begin()); }

std::string IpAddress::text() const {
  std::array<char, INET6_ADDRSTRLEN> out{};
  if (is_v4()) {
    ::inet_ntop(AF_INET, bytes_.data() + kMapped.size(), out.data(), out.size());
  } else {
    ::inet_ntop(AF_INET6, bytes_.data(), out.data(), out.size());
  }
  return out.data();
}

std::optional<IpRange> IpRange::parse(std::string_view text) {
  const std::size_t slash = text.find('/');
  const auto address = IpAddress::parse(text.substr(0, slash));
  if (!address) return std::nullopt;
  IpRange range{.network = *address};
  if (slash != std::string_view::npos) {
    const bool dotted = text.find(':') == std::string_view::npos;
    const auto prefix = parse_number(text.substr(slash + 1), dotted ? 32 : 128);
    if (!prefix) return std::nullopt;
    range.prefix = dotted ? *prefix + kMappedBits : *prefix;
  }
  if (!is_bare(range)) return std::nullopt;
  return range;
}

bool IpRange::contains(const IpAddress& address) const {
  // ::/0 is "all of IPv6", not "all of IPv4 as well": that is 0.0.0.0/0.
  if (address.is_v4() && prefix < kMappedBits) return false;
  return same_prefix(network, address, prefix);
}

bool IpRange::contains(const IpRange& other) const {
  return other.prefix >= prefix && same_prefix(network, other.network, prefix);
}

const IpRange* guarded_range(const IpAddress& address) {
  static const std::vector<IpRange> kGuarded = [] {
    std::vector<IpRange> ranges;
    for (const std::string_view text : {
             "127.0.0.0/8",      // loopback
             "::1",              //
             "0.0.0.0/8",        // this host, by another name on Linux
             "::",               //
             "169.254.0.0/16",   // link-local; 169.254.169.254 is most clouds' metadata service
             "fe80::/10",        //
             "fd00:ec2::/32",    // AWS: metadata over IPv6
             "100.100.100.200",  // Alibaba Cloud: metadata
             "168.63.129.16",    // Azure: metadata
             "192.0.0.192",      // Oracle Cloud: metadata
             "224.0.0.0/4",      // multicast
             "ff00::/8",         //
             "240.0.0.0/4",      // reserved, and broadcast
             "::/96",            // IPv4-compatible
             "64:ff9b::/96",     // NAT64
             "64:ff9b:1::/48",   //
             "2002::/16",        // 6to4
             "2001::/32",        // Teredo
         }) {
      ranges.push_back(IpRange::parse(text).value());
    }
    return ranges;
  }();
  const auto found =
      std::ranges::find_if(kGuarded, [&](const IpRange& range) { return range.contains(address); });
  return found == kGuarded.end() ? nullptr : &*found;
}

}  // namespace skald
