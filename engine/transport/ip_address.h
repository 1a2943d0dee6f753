// IP addresses and ranges as values, parsed strictly: one spelling per address, so that what was
// checked is what is connected to. Pure.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace skald {

/// An IPv4 address is held in its IPv6-mapped form, so ::ffff:1.2.3.4 and 1.2.3.4 are one address
/// and are checked by the same rules.
class IpAddress {
 public:
  /// Four decimal numbers without leading zeros, or IPv6 without brackets and zone. Nothing else:
  /// no 127.1, 0177.0.0.1, 0x7f000001, 2130706433.
  [[nodiscard]] static std::optional<IpAddress> parse(std::string_view text);
  /// From 4 or 16 bytes in network order.
  [[nodiscard]] static IpAddress v4(const std::uint8_t* bytes);
  [[nodiscard]] static IpAddress v6(const std::uint8_t* bytes);

  [[nodiscard]] bool is_v4() const;
  /// Numeric text; a mapped IPv4 address as four decimal numbers.
  [[nodiscard]] std::string text() const;
  [[nodiscard]] const std::array<std::uint8_t, 16>& bytes() const { return bytes_; }
  bool operator==(const IpAddress&) const = default;

 private:
  std::array<std::uint8_t, 16> bytes_{};
};

struct IpRange {
  IpAddress network;
  int prefix = 128;  // bits of the 128-bit form: an IPv4 /8 is 104

  /// "10.0.0.0/8", "fd00::/8" or one address. nullopt: malformed, or bits set beyond the prefix.
  [[nodiscard]] static std::optional<IpRange> parse(std::string_view text);
  [[nodiscard]] bool contains(const IpAddress& address) const;
  /// Every address of `other` is in this range.
  [[nodiscard]] bool contains(const IpRange& other) const;
  bool operator==(const IpRange&) const = default;
};

/// The range of addresses that no wide rule and no name opens: this host, its links, clouds'
/// metadata services, multicast, and IPv6 forms that embed an IPv4 address. nullptr: an ordinary
/// address.
[[nodiscard]] const IpRange* guarded_range(const IpAddress& address);

}  // namespace skald
