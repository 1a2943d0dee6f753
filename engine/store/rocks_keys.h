// The keys and fixed-size values of RocksStore: kinds, byte order, prefixes. Stored: never
// renumbered, a retired kind keeps its number in a comment. Integers are big-endian, so that byte
// order is numeric order; instants have their sign bit flipped for the same reason.
//
// Column family "events": saga id (16) | first_seq (8)        -> count (4) | record (wire/stored.h)
// Column family "default": one byte of kind, then as said at RowKind.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "engine/base/ids.h"
#include "engine/base/time.h"
#include "engine/store/list_page.h"

namespace skald::rocks {

enum class RowKind : char {
  format = 0x01,  // -> format version (8)
  shard = 0x02,   // shard (4) -> epoch (8) | number (8) | clock_high (8)
  count = 0x03,   // status (1) -> sagas with it (8). Retired with format 1: `counted` took over
  listed = 0x04,  // status (1) | newest-first (24) -> summary (wire/stored.h)
  active = 0x05,  // saga id (16) -> nothing
  submission_key = 0x06,  // idempotency key -> saga id (16) | body_hash (8) | started_at (8)
  business_key = 0x07,    // length (2) | business key | newest-first (24) -> nothing
  timer = 0x08,           // due (8) | saga id (16) -> nothing
  ended = 0x09,           // ended_at (8) | saga id (16) -> idempotency key
  // Since format 2.
  definition = 0x0A,   // number (2) -> name
  counted = 0x0B,      // status (1) | definition's number (2) -> sagas with both (varint)
  cause = 0x0C,        // status (1) | cause (8) -> sagas with both (8) | cause (wire/stored.h)
  cause_saga = 0x0D,   // status (1) | cause (8) | newest-first (24) -> nothing
  stuck_since = 0x0E,  // since (8) | saga id (16) -> started_at (8)
  note = 0x20,         // name -> value, as its writer says
  // Since format 3. Of ended sagas that have no row of an idempotency key, or no more.
  // status (1) | definition's hash (8) | ended_at (8) | saga id (16)
  // -> started_at (8) | idempotency key it had
  removable = 0x30,
};
// newest-first (24): the complement of started_at (8) | saga id (16).
// cause (8): 0 for a saga of such a status without a failure.

inline constexpr std::uint64_t kFormatVersion = 3;
inline constexpr std::uint64_t kFormatWithoutFailures = 1;   // opened, and brought to ours once
inline constexpr std::uint64_t kFormatWithoutRemovable = 2;  // likewise
inline constexpr std::size_t kKindSize = 1;
inline constexpr std::size_t kNumberSize = 8;
inline constexpr std::size_t kCountSize = 4;  // of events, before a record
inline constexpr std::size_t kEventKeySize = SagaId::kBytesSize + kNumberSize;
inline constexpr std::size_t kPositionSize = kNumberSize + SagaId::kBytesSize;
inline constexpr std::size_t kTimedKeySize = kKindSize + kNumberSize + SagaId::kBytesSize;
inline constexpr std::size_t kBusinessKeyBytesMax = 0xFFFF;  // its length takes two bytes

/// Builds one key or fixed-size value after another in the same string.
class Bytestring {
 public:
  Bytestring& begin() {
    out_.clear();
    return *this;
  }
  Bytestring& begin(RowKind kind) {
    out_.assign(1, static_cast<char>(kind));
    return *this;
  }
  Bytestring& byte(std::uint8_t value) {
    out_.push_back(static_cast<char>(value));
    return *this;
  }
  Bytestring& number16(std::uint16_t value) { return big_endian(value, 2); }
  Bytestring& number32(std::uint32_t value) { return big_endian(value, 4); }
  Bytestring& number64(std::uint64_t value) { return big_endian(value, 8); }
  Bytestring& instant(Instant value) { return number64(ordered(value)); }
  Bytestring& id(const SagaId& value) { return number64(value.placement).number64(value.serial); }
  Bytestring& newest_first(const ListPosition& value) {
    return number64(~ordered(value.started_at))
        .number64(~value.id.placement)
        .number64(~value.id.serial);
  }
  Bytestring& varint(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) byte(static_cast<std::uint8_t>((value & 0x7F) | 0x80));
    return byte(static_cast<std::uint8_t>(value));
  }
  Bytestring& bytes(std::string_view value) {
    out_.append(value);
    return *this;
  }
  [[nodiscard]] const std::string& view() const { return out_; }

 private:
  static std::uint64_t ordered(Instant value) {
    return static_cast<std::uint64_t>(to_unix_ms(value)) ^ (1ULL << 63);
  }
  Bytestring& big_endian(std::uint64_t value, int size) {
    for (int shift = 8 * (size - 1); shift >= 0; shift -= 8) {
      out_.push_back(static_cast<char>(value >> shift));
    }
    return *this;
  }

  std::string out_;
};

/// Takes fixed-size fields off the front of a key or value. What is too short reads as zeros and is
/// not sound().
class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : rest_(bytes) {}

  std::uint64_t number(std::size_t size) {
    if (rest_.size() < size) {
      sound_ = false;
      rest_ = {};
      return 0;
    }
    std::uint64_t value = 0;
    for (const char byte : rest_.substr(0, size)) {
      value = (value << 8) | static_cast<unsigned char>(byte);
    }
    rest_.remove_prefix(size);
    return value;
  }
  std::uint64_t number64() { return number(kNumberSize); }
  std::uint64_t varint() {
    std::uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      const std::uint64_t byte = number(1);
      value |= (byte & 0x7F) << shift;
      if ((byte & 0x80) == 0) return value;
    }
    sound_ = false;
    return 0;
  }
  Instant instant() { return unordered(number64()); }
  SagaId id() {
    const std::uint64_t placement = number64();
    return {.placement = placement, .serial = number64()};
  }
  ListPosition newest_first() {
    const Instant started_at = unordered(~number64());
    const std::uint64_t placement = ~number64();
    return {.started_at = started_at, .id = {.placement = placement, .serial = ~number64()}};
  }
  [[nodiscard]] std::string_view rest() const { return rest_; }
  [[nodiscard]] bool sound() const { return sound_; }

 private:
  static Instant unordered(std::uint64_t value) {
    return from_unix_ms(static_cast<std::int64_t>(value ^ (1ULL << 63)));
  }

  std::string_view rest_;
  bool sound_ = true;
};

/// Whether sagas of this status have a row by their cause: all that did not simply go forward.
[[nodiscard]] constexpr bool has_cause_row(SagaStatus status) {
  return status != SagaStatus::running && status != SagaStatus::completed;
}

/// The first key after every key that begins with `prefix`; empty: there is none.
[[nodiscard]] std::string after_prefix(std::string prefix);

}  // namespace skald::rocks
