// Writes protobuf's wire format and the frame of stored values into a string. Private to
// wire/stored.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "engine/base/hash.h"
#include "engine/wire/stored.h"

namespace skald::wire {

inline constexpr std::size_t kStoredVersionSize = 1;
inline constexpr std::size_t kStoredCrcSize = 4;

[[nodiscard]] constexpr std::uint64_t zigzag(std::int64_t value) {
  return (static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63);
}

/// a - b and b + d on the whole range of 64 bits, wrapping: so that every instant survives being
/// stored as a distance from another one, kNever included.
[[nodiscard]] constexpr std::int64_t wrapping_less(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) - static_cast<std::uint64_t>(b));
}
[[nodiscard]] constexpr std::int64_t wrapping_add(std::int64_t b, std::int64_t d) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(b) + static_cast<std::uint64_t>(d));
}

/// A field of value 0, false or "" is left out, as proto3 does; set_*() writes it all the same.
class StoredWriter {
 public:
  explicit StoredWriter(std::string& out) : out_(out) {}

  void number(std::uint32_t field, std::uint64_t value) {
    if (value != 0) set_number(field, value);
  }
  void signed_number(std::uint32_t field, std::int64_t value) { number(field, zigzag(value)); }
  void set_signed_number(std::uint32_t field, std::int64_t value) {
    set_number(field, zigzag(value));
  }
  void bytes(std::uint32_t field, std::string_view value) {
    if (!value.empty()) set_bytes(field, value);
  }
  void set_bytes(std::uint32_t field, std::string_view value) {
    varint((field << 3) | kLengthDelimited);
    varint(value.size());
    out_.append(value);
  }
  void fixed64(std::uint32_t field, std::uint64_t value) {
    if (value == 0) return;
    varint((field << 3) | kFixed64);
    for (int shift = 0; shift < 64; shift += 8) out_.push_back(static_cast<char>(value >> shift));
  }

  /// Writes a message whose fields `body()` writes. Its length is known afterwards: one byte is
  /// kept free for it, and the few long ones are moved.
  template <class Body>
  void message(std::uint32_t field, const Body& body) {
    varint((field << 3) | kLengthDelimited);
    const std::size_t at = out_.size();
    out_.push_back('\0');
    body();
    std::size_t size = out_.size() - at - 1;
    std::size_t more = 0;
    for (std::size_t rest = size >> 7; rest != 0; rest >>= 7) ++more;
    if (more != 0) out_.insert(at + 1, more, '\0');
    for (std::size_t i = 0; i < more; ++i, size >>= 7) out_[at + i] = continued(size);
    out_[at + more] = static_cast<char>(size);
  }
  /// The same, but nothing at all when `body()` writes nothing.
  template <class Body>
  void message_unless_empty(std::uint32_t field, const Body& body) {
    const std::size_t before = out_.size();
    message(field, body);
    if (out_.size() == before + varint_size(field << 3) + 1) out_.resize(before);
  }

 private:
  static constexpr std::uint32_t kVarint = 0;
  static constexpr std::uint32_t kFixed64 = 1;
  static constexpr std::uint32_t kLengthDelimited = 2;

  static char continued(std::uint64_t value) { return static_cast<char>((value & 0x7F) | 0x80); }
  static std::size_t varint_size(std::uint64_t value) {
    std::size_t size = 1;
    for (; value >= 0x80; value >>= 7) ++size;
    return size;
  }
  void varint(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) out_.push_back(continued(value));
    out_.push_back(static_cast<char>(value));
  }
  void set_number(std::uint32_t field, std::uint64_t value) {
    varint((field << 3) | kVarint);
    varint(value);
  }

  std::string& out_;
};

/// Appends one framed value whose message `body(writer)` writes.
template <class Body>
void append_stored(std::string& out, const Body& body) {
  const std::size_t begin = out.size();
  out.push_back(static_cast<char>(kStoredVersion));
  StoredWriter writer(out);
  body(writer);
  const std::uint32_t crc = crc32c(std::string_view(out).substr(begin));
  for (int shift = 0; shift < 32; shift += 8) out.push_back(static_cast<char>(crc >> shift));
}

}  // namespace skald::wire
